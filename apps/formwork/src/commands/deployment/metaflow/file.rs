//! The file that Metaflow's client reads its configuration from.
//!
//! It holds the key of the API, so that only its owner may read it; it is put in its place whole. What somebody else
//! has written there is not lost without a word.

use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use formwork_engine::{Class, EngineError};
use serde_json::{Map, Value as Json};

use crate::failure::Failure;
use crate::settings::Surroundings;

/// What became of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is new, or has other contents than before.
    Written,
    /// It said the same already.
    Same,
}

/// Where the client looks: `config.json`, or `config_NAME.json` of a profile, in `METAFLOW_HOME` or `~/.metaflowconfig`.
///
/// # Errors
/// When there is neither that variable nor a home directory.
pub(super) fn place(surroundings: &Surroundings, profile: Option<&str>) -> Result<PathBuf, Failure> {
    let variable =
        |name: &str| surroundings.variables.get(name).map(|value| surroundings.directory.join(value));
    let folder = variable("METAFLOW_HOME").or_else(|| Some(variable("HOME")?.join(".metaflowconfig")));
    let folder = folder.ok_or_else(|| {
        EngineError::new(Class::Usage, "there is no home directory to keep the configuration in")
            .with_hint("set METAFLOW_HOME to the directory that Metaflow's client is to read")
    })?;
    Ok(folder.join(match profile {
        Some(name) => format!("config_{name}.json"),
        None => "config.json".to_owned(),
    }))
}

/// Writes the file, unless it says the same already.
///
/// # Errors
/// When it says something else and `replace` is not given, or it cannot be read or written.
pub(super) fn keep(
    path: &Path,
    text: &str,
    configuration: &Map<String, Json>,
    replace: bool,
) -> Result<Kept, Failure> {
    let failed = |action, source| Failure::File { action, what: path.display().to_string(), source };
    match fs::read_to_string(path) {
        Ok(before) => {
            let before: Option<Map<String, Json>> = serde_json::from_str(&before).ok();
            if before.as_ref() == Some(configuration) {
                only_for_owner(path).map_err(|source| failed("protect", source))?;
                return Ok(Kept::Same);
            }
            if !replace {
                return Err(other_contents(path, before.as_ref(), configuration).into());
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(failed("read", source)),
    }
    write(path, text).map_err(|source| failed("write", source))?;
    Ok(Kept::Written)
}

/// Names the settings that differ, and no value: one of them is the key.
fn other_contents(path: &Path, before: Option<&Map<String, Json>>, now: &Map<String, Json>) -> EngineError {
    let message = match before {
        None => format!("{} is there already, and is no JSON object", path.display()),
        Some(before) => {
            let names = before.keys().chain(now.keys().filter(|name| !before.contains_key(*name)));
            let other: Vec<&str> =
                names.filter(|name| before.get(*name) != now.get(*name)).map(String::as_str).collect();
            format!("{} is there already, and differs in {}", path.display(), other.join(", "))
        }
    };
    EngineError::new(Class::Refused, message)
        .with_hint("--replace writes over it; --metaflow-profile NAME writes a profile of its own beside it")
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)?;
    // A temporary file is its owner's alone from the start.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(unix)]
fn only_for_owner(path: &Path) -> std::io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn only_for_owner(_path: &Path) -> std::io::Result<()> {
    Ok(())
}
