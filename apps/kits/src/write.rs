//! Bringing a kit into a directory without losing anything that is there.
//!
//! The kit leaves a list of what it wrote, with the hash of each file. At the next writing a file that still has its hash
//! is the kit's to replace; any other is somebody's, and is left alone unless it is named. Everything is decided before
//! the first byte is written, and each file comes by one rename.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::KitError;
use crate::kit::{FileMode, Kit, KitFile, Owner, Place};
use crate::report::{Outcome, Report, Written};
use crate::secrets::Secrets;

/// The list of what a kit wrote.
const LIST: &str = ".formwork-kit.json";

/// The file that keeps the settings of a kit: people change it, and write the kit again.
pub const SETTINGS_FILE: &str = "kit.toml";

/// What may be overwritten.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// The files that may be overwritten although they are not the kit's, or somebody has changed them.
    pub overwrite: Vec<String>,
    /// Whether the directory may hold other files.
    pub beside_others: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct List {
    kit: String,
    /// The SHA-256 of each file, in hexadecimal digits.
    files: BTreeMap<String, String>,
}

/// A file, and what will become of it.
struct Decided {
    file: KitFile,
    outcome: Outcome,
}

/// The settings that a kit of this name was written with into the directory, as the text of its settings file.
///
/// # Errors
/// When they cannot be read, or the directory holds another kit.
pub fn kept_settings(name: &str, directory: &Path) -> Result<Option<String>, KitError> {
    let list = read_list(directory)?;
    let Some(list) = list else { return Ok(None) };
    is_of_kit(&list, name, directory)?;
    read(&directory.join(SETTINGS_FILE))
}

/// Brings a kit into a directory, which is made when it is not there.
///
/// # Errors
/// When something is there that is not the kit's, or the system refuses. Then nothing has been written, unless the system
/// has refused in the middle: writing it again goes on from there.
pub fn write(kit: &Kit, directory: &Path, options: &WriteOptions) -> Result<Report, KitError> {
    let before = read_list(directory)?;
    if let Some(list) = &before {
        is_of_kit(list, kit.name, directory)?;
    }
    let (secrets, mut decided) = secrets(kit, directory)?;
    let is_new = !directory.exists();
    if is_new {
        fs::create_dir_all(directory).map_err(KitError::file("create", directory))?;
    }
    let owner = owner(directory)?;
    let mut files = (kit.files)(&Place { secrets, owner })?;
    files.push(KitFile::plain(SETTINGS_FILE, &kit.settings));
    let listed = before.unwrap_or_default();
    if listed.files.is_empty() && !options.beside_others {
        is_free(directory, &files)?;
    }
    decided.extend(decide(files, directory, &listed, options)?);
    decided.sort_by(|one, other| one.file.path.cmp(&other.file.path));

    let mut list = List { kit: kit.name.to_owned(), files: BTreeMap::new() };
    for folder in &kit.folders {
        data_folder(&directory.join(&folder.0), owner)?;
    }
    if !kit.secrets.is_empty() {
        data_folder(&directory.join("secrets"), owner)?;
    }
    for Decided { file, outcome } in &decided {
        let path = directory.join(&file.path);
        match outcome {
            Outcome::Kept | Outcome::Unchanged => tighten(&path, file.mode)?,
            Outcome::ToFillIn if path.exists() => tighten(&path, file.mode)?,
            _ => put(&path, file)?,
        }
        if is_secret(kit, &file.path) {
            hand_over(&path, owner)?;
        } else {
            list.files.insert(file.path.clone(), hash(&file.text));
        }
    }
    let text = serde_json::to_string_pretty(&list).unwrap_or_default() + "\n";
    put(&directory.join(LIST), &KitFile::plain(LIST, text))?;
    let written = |Decided { file, outcome }: &Decided| Written {
        path: file.path.clone(),
        mode: format!("{:04o}", file.mode.bits()),
        outcome: *outcome,
    };
    Ok(Report {
        kit: kit.name.to_owned(),
        directory: directory.display().to_string(),
        files: decided.iter().map(written).collect(),
        next: kit.next.clone(),
    })
}

/// The values of all secrets; those that are there stay.
fn secrets(kit: &Kit, directory: &Path) -> Result<(Secrets, Vec<Decided>), KitError> {
    let (mut secrets, mut decided) = (Secrets::default(), Vec::new());
    for secret in &kit.secrets {
        let there = read(&directory.join(secret.path))?.filter(|text| !text.trim().is_empty());
        let outcome = if there.is_some() { Outcome::Kept } else { Outcome::Created };
        let value = there.map_or_else(|| secret.value(&secrets), Ok)?;
        let outcome = if value.is_empty() { Outcome::ToFillIn } else { outcome };
        secrets.insert(secret.path, value.clone());
        decided.push(Decided { file: KitFile::private(secret.path, value), outcome });
    }
    Ok((secrets, decided))
}

/// What becomes of each file, or all files for which that is not clear.
fn decide(
    files: Vec<KitFile>,
    directory: &Path,
    listed: &List,
    options: &WriteOptions,
) -> Result<Vec<Decided>, KitError> {
    let (mut decided, mut refused) = (Vec::new(), Vec::new());
    for file in files {
        let outcome = match read(&directory.join(&file.path))? {
            None => Outcome::Created,
            Some(text) if text == file.text => Outcome::Unchanged,
            // Settings are there to be changed; they have been read.
            Some(_) if file.path == SETTINGS_FILE && !listed.files.is_empty() => Outcome::Updated,
            Some(text) if listed.files.get(&file.path) == Some(&hash(&text)) => Outcome::Updated,
            Some(_) if options.overwrite.contains(&file.path) => Outcome::Overwritten,
            Some(_) => {
                refused.push(file.path);
                continue;
            }
        };
        decided.push(Decided { file, outcome });
    }
    if refused.is_empty() {
        return Ok(decided);
    }
    let flags: Vec<String> = refused.iter().map(|path| format!("--overwrite {path}")).collect();
    Err(KitError::Refused(format!(
        "{} {} not as the kit has written {}: {}\nhint: move what you want to keep, or overwrite by {}",
        directory.display(),
        if refused.len() == 1 { "holds a file that is" } else { "holds files that are" },
        if refused.len() == 1 { "it" } else { "them" },
        refused.join(", "),
        flags.join(" ")
    )))
}

/// Whether the directory holds nothing that the kit does not know; a repository of git may be there.
fn is_free(directory: &Path, files: &[KitFile]) -> Result<(), KitError> {
    let known = |name: &str| {
        let first = |path: &str| path.split('/').next() == Some(name);
        name == ".git" || name == "secrets" || files.iter().any(|file| first(&file.path))
    };
    let mut others = Vec::new();
    for entry in fs::read_dir(directory).map_err(KitError::file("read", directory))? {
        let entry = entry.map_err(KitError::file("read", directory))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !known(&name) {
            others.push(name);
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    others.sort();
    let shown = others.len().min(5);
    let more =
        if others.len() > shown { format!(" and {} more", others.len() - shown) } else { String::new() };
    Err(KitError::Refused(format!(
        "{} holds other files: {}{more}\nhint: name a new directory, or put the kit beside them by --beside-others",
        directory.display(),
        others[..shown].join(", ")
    )))
}

fn is_of_kit(list: &List, name: &str, directory: &Path) -> Result<(), KitError> {
    if list.kit == name {
        return Ok(());
    }
    Err(KitError::Refused(format!(
        "{} holds a kit `{}`, not `{name}`\nhint: name another directory",
        directory.display(),
        list.kit
    )))
}

fn read_list(directory: &Path) -> Result<Option<List>, KitError> {
    let path = directory.join(LIST);
    let Some(text) = read(&path)? else { return Ok(None) };
    let wrong = |error: serde_json::Error| {
        KitError::Refused(format!(
            "{} is not what a kit wrote: {error}\nhint: remove it; each file will then have to be overwritten by name",
            path.display()
        ))
    };
    serde_json::from_str(&text).map(Some).map_err(wrong)
}

fn read(path: &Path) -> Result<Option<String>, KitError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KitError::file("read", path)(error)),
    }
}

fn is_secret(kit: &Kit, path: &str) -> bool {
    kit.secrets.iter().any(|secret| secret.path == path)
}

/// Who owns the directory, or stands in for root.
fn owner(directory: &Path) -> Result<Owner, KitError> {
    let found = fs::metadata(directory).map_err(KitError::file("look at", directory))?;
    let is_root = found.uid() == 0;
    Ok(if is_root { Owner::IN_PLACE_OF_ROOT } else { Owner { user: found.uid(), group: found.gid() } })
}

/// Gives what root has written to the user that the kit runs as. Whoever is not root has written it as that user.
fn hand_over(path: &Path, owner: Owner) -> Result<(), KitError> {
    let found = fs::metadata(path).map_err(KitError::file("look at", path))?;
    if found.uid() == 0 && owner == Owner::IN_PLACE_OF_ROOT {
        chown(path, Some(owner.user), Some(owner.group)).map_err(KitError::file("give away", path))?;
    }
    Ok(())
}

fn data_folder(path: &Path, owner: Owner) -> Result<(), KitError> {
    private_folder(path)?;
    hand_over(path, owner)
}

fn private_folder(path: &Path) -> Result<(), KitError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    if path.is_dir() { Ok(()) } else { builder.create(path).map_err(KitError::file("create", path)) }
}

/// Takes away what others may do with a file beyond its mode.
fn tighten(path: &Path, mode: FileMode) -> Result<(), KitError> {
    let found = fs::metadata(path).map_err(KitError::file("look at", path))?.permissions().mode() & 0o777;
    if mode == FileMode::Private && found & 0o077 != 0 {
        let mode = Permissions::from_mode(mode.bits());
        fs::set_permissions(path, mode).map_err(KitError::file("change the mode of", path))?;
    }
    Ok(())
}

/// Puts a file in its place by one rename, with its mode from the first moment.
fn put(path: &Path, file: &KitFile) -> Result<(), KitError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(KitError::file("create", folder))?;
    let mode = Permissions::from_mode(file.mode.bits());
    let mut temporary = tempfile::Builder::new()
        .prefix(".formwork-")
        .permissions(Permissions::from_mode(FileMode::Private.bits()))
        .tempfile_in(folder)
        .map_err(KitError::file("write into", folder))?;
    temporary.write_all(file.text.as_bytes()).map_err(KitError::file("write", path))?;
    // What the process masks out of new files does not count here.
    temporary.as_file().set_permissions(mode).map_err(KitError::file("change the mode of", path))?;
    temporary.persist(path).map_err(|error| KitError::file("write", path)(error.error))?;
    Ok(())
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
