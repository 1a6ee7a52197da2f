//! The migration kit: MLflow's data from SQLite or a file store into PostgreSQL, with its artifacts.
//!
//! The kit is Python, as MLflow is: it makes the schema by MLflow's own migrations, knows the tables by MLflow's own
//! models, and copies artifacts by MLflow's own clients of stores. What is written here is its settings.

mod settings;

use toml::{Table, Value};

use crate::error::KitError;
use crate::kit::{Kit, KitFile};

pub use settings::{Comparison, MigrateSettings, Tls};

/// The files of the kit that are the same for everybody.
const FILES: [(&str, &str); 20] = [
    ("README.md", include_str!("../migrate/README.md")),
    (".gitignore", include_str!("../migrate/gitignore")),
    ("migrate.py", include_str!("../migrate/migrate.py")),
    ("requirements.in", include_str!("../migrate/requirements.in")),
    ("requirements.txt", include_str!("../migrate/requirements.txt")),
    ("migration/__init__.py", include_str!("../migrate/migration/__init__.py")),
    ("migration/artifacts.py", include_str!("../migrate/migration/artifacts.py")),
    ("migration/checksum.py", include_str!("../migrate/migration/checksum.py")),
    ("migration/examine.py", include_str!("../migrate/migration/examine.py")),
    ("migration/load.py", include_str!("../migrate/migration/load.py")),
    ("migration/locations.py", include_str!("../migrate/migration/locations.py")),
    ("migration/numbers.py", include_str!("../migrate/migration/numbers.py")),
    ("migration/problem.py", include_str!("../migrate/migration/problem.py")),
    ("migration/progress.py", include_str!("../migrate/migration/progress.py")),
    ("migration/rewriting.py", include_str!("../migrate/migration/rewriting.py")),
    ("migration/settings.py", include_str!("../migrate/migration/settings.py")),
    ("migration/source.py", include_str!("../migrate/migration/source.py")),
    ("migration/tables.py", include_str!("../migrate/migration/tables.py")),
    ("migration/target.py", include_str!("../migrate/migration/target.py")),
    ("migration/verify.py", include_str!("../migrate/migration/verify.py")),
];

/// The migration kit with these settings.
///
/// # Errors
/// When settings are wrong or do not go together: all that was found.
pub fn kit(settings: &MigrateSettings) -> Result<Kit, KitError> {
    settings.check()?;
    Ok(Kit {
        name: "migrate",
        settings: text(settings)?,
        secrets: Vec::new(),
        files: Box::new(|_| {
            let plain = FILES.iter().map(|(path, text)| KitFile::plain(*path, *text));
            let script = KitFile::script("migrate", include_str!("../migrate/migrate"));
            Ok(plain.chain([script]).collect())
        }),
        folders: Vec::new(),
        next: vec!["./migrate --dry-run".to_owned(), "./migrate".to_owned()],
    })
}

/// The settings file: every key, each below a comment of what it says.
fn text(settings: &MigrateSettings) -> Result<String, KitError> {
    let wrong =
        |error: toml::ser::Error| KitError::Template { name: "kit.toml".to_owned(), why: error.to_string() };
    let values = Table::try_from(settings).map_err(wrong)?;
    let line = |(key, about): (&str, &str)| {
        let value = values.get(key).cloned().unwrap_or(Value::String(String::new()));
        format!("# {about}\n{key} = {value}\n")
    };
    let head = "# The settings of a migration. An empty text is a setting that is left out; no password belongs here.\n\n";
    Ok(head.to_owned() + &settings::KEYS.map(line).join("\n"))
}

#[cfg(test)]
mod tests;
