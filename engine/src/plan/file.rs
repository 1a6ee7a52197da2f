//! The plan as a file: written whole, read with suspicion.
//!
//! Between `plan` and `apply` a file may lie in a repository of build artefacts for days. The digest shows that nobody
//! edited it; the versions show that this program means by it what the other one meant.

use std::io::Write;
use std::path::Path;

use formwork_assembly::json::{to_compact_text, to_text};
use serde_json::Value;

use super::input::sha256;
use super::model::{FORMAT, Plan};
use crate::error::{Class, EngineError};

/// The JSON Schema of a plan file.
pub fn schema() -> Value {
    schemars::schema_for!(Plan).to_value()
}

/// The digest of a plan: of all that it says, the digest itself left empty.
pub fn digest(plan: &Plan) -> String {
    let mut value = as_value(plan);
    value["digest"] = Value::String(String::new());
    sha256(to_compact_text(&value))
}

/// Puts the digest in, after the last change.
pub fn seal(plan: &mut Plan) {
    plan.digest = digest(plan);
}

/// The text of a plan file.
pub fn text(plan: &Plan) -> String {
    to_text(&as_value(plan))
}

fn as_value(plan: &Plan) -> Value {
    serde_json::to_value(plan).expect("a plan has string keys only")
}

/// Writes a plan so that a reader sees the old file or the whole new one.
///
/// # Errors
/// When the file cannot be written.
pub fn write(plan: &Plan, path: &Path) -> Result<(), EngineError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| {
        let message =
            format!("cannot write the plan {}: {}", path.display(), error.to_string().to_lowercase());
        EngineError::new(Class::Input, message)
    };
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    file.write_all(text(plan).as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Reads a plan.
///
/// # Errors
/// When the file cannot be read, is of another version, or was changed since it was written.
pub fn read(path: &Path) -> Result<Plan, EngineError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message =
            format!("cannot read the plan {}: {}", path.display(), error.to_string().to_lowercase());
        EngineError::new(Class::Input, message)
    })?;
    parse(&text, &path.display().to_string())
}

/// A plan from its text; `name` stands in errors.
///
/// # Errors
/// When it is of another version, or was changed since it was written.
pub fn parse(text: &str, name: &str) -> Result<Plan, EngineError> {
    let again = "make a new plan with `formwork plan --out FILE`";
    let invalid = |reason: String| {
        EngineError::new(Class::Input, format!("{name} is not a plan: {reason}")).with_hint(again)
    };
    let value: Value = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
    let format = value.get("format").and_then(Value::as_u64);
    let program = value.get("program").and_then(Value::as_str).unwrap_or_default();
    let ours = env!("CARGO_PKG_VERSION");
    let refused = |message: String| EngineError::new(Class::Refused, message).with_hint(again);
    match format {
        None => return Err(invalid("it has no `format`".to_owned())),
        Some(other) if other != u64::from(FORMAT) => {
            return Err(refused(format!(
                "{name} has format {other} and was written by Formwork {program}; this is Formwork {ours}, which reads format {FORMAT}"
            )));
        }
        Some(_) if major(program) != major(ours) => {
            return Err(refused(format!(
                "{name} was made by Formwork {program}; this is Formwork {ours}, which may understand it differently"
            )));
        }
        Some(_) => {}
    }
    let mut unsealed = value.clone();
    unsealed["digest"] = Value::String(String::new());
    let found = value.get("digest").and_then(Value::as_str).unwrap_or_default();
    if found != sha256(to_compact_text(&unsealed)) {
        return Err(refused(format!("{name} was changed after it was written: its digest does not fit")));
    }
    serde_json::from_value(value).map_err(|error| invalid(error.to_string()))
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
