use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;
use crate::write::{SETTINGS_FILE, WriteOptions, write};

fn settings() -> MigrateSettings {
    MigrateSettings { source_database: "/home/me/it's \"mine\".db".to_owned(), ..MigrateSettings::default() }
}

#[test]
fn every_file_of_the_kit_is_written() {
    let folder = tempfile::tempdir().unwrap();
    write(&kit(&settings()).unwrap(), folder.path(), &WriteOptions::default()).unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrate");
    for part in ["", "migration"] {
        for entry in fs::read_dir(sources.join(part)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_file() {
                let written =
                    folder.path().join(part).join(if name == "gitignore" { ".gitignore" } else { &name });
                assert_eq!(
                    fs::read(entry.path()).unwrap(),
                    fs::read(&written).unwrap(),
                    "{}",
                    written.display()
                );
            }
        }
    }
}

#[test]
fn the_settings_file_has_every_key_and_is_read_back() {
    let text = kit(&settings()).unwrap().settings;
    assert_eq!(toml::from_str::<MigrateSettings>(&text).unwrap(), settings());
    let keys: BTreeSet<String> =
        toml::from_str::<Table>(&text).unwrap().into_iter().map(|(key, _)| key).collect();
    let known: BTreeSet<String> =
        Table::try_from(settings()).unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, known);
    assert!(text.lines().all(|line| line.len() < 130), "{text}");
}

#[test]
fn the_program_knows_the_same_keys() {
    let program = include_str!("../../migrate/migration/settings.py");
    for (key, _) in settings::KEYS {
        assert!(program.contains(&format!("\"{key}\"")), "{key}");
    }
}

#[test]
fn settings_that_do_not_go_together_are_told_at_once() {
    let wrong =
        MigrateSettings { artifact_locations: "mlflow-artifacts:/".to_owned(), ..MigrateSettings::default() };
    let message = kit(&wrong).err().unwrap().to_string();
    assert!(message.contains("one source") && message.contains("without artifactsTo"), "{message}");
    let server = MigrateSettings { artifacts_to: "mlflow-artifacts:/".to_owned(), ..settings() };
    let message = kit(&server).err().unwrap().to_string();
    assert!(message.contains("a server and no store"), "{message}");
    let both = MigrateSettings { source_file_store: "mlruns".to_owned(), ..settings() };
    assert!(kit(&both).is_err());
}

#[test]
fn a_second_writing_keeps_what_people_have_set() {
    let folder = tempfile::tempdir().unwrap();
    write(&kit(&settings()).unwrap(), folder.path(), &WriteOptions::default()).unwrap();
    let kept = fs::read_to_string(folder.path().join(SETTINGS_FILE)).unwrap().replace("5432", "6543");
    let again = toml::from_str::<MigrateSettings>(&kept).unwrap();
    assert_eq!(again.database_port, 6543);
    write(&kit(&again).unwrap(), folder.path(), &WriteOptions::default()).unwrap();
    assert!(fs::read_to_string(folder.path().join(SETTINGS_FILE)).unwrap().contains("6543"));
}
