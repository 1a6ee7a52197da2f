use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::kit::DataFolder;
use crate::secrets::Secret;

const PASSWORD: &str = "secrets/password";
const LINE: &str = "secrets/line";
const KEY: &str = "secrets/key";

fn kit(text: &'static str) -> Kit {
    Kit {
        name: "example",
        settings: "size = 1\n".to_owned(),
        secrets: vec![
            Secret::password(PASSWORD),
            Secret::made(LINE, |known| Ok(format!("user:{}", known.get(PASSWORD)))),
            Secret::of_people(KEY),
        ],
        files: Box::new(move |place| {
            Ok(vec![
                KitFile::plain("compose.yaml", text),
                KitFile::script("serve", "#!/bin/sh\n"),
                KitFile::private(".env.client", place.secrets.get(PASSWORD)),
            ])
        }),
        folders: vec![DataFolder("data/artifacts".to_owned())],
        next: vec!["make run".to_owned()],
    }
}

fn outcomes(report: &Report) -> BTreeMap<&str, Outcome> {
    report.files.iter().map(|file| (file.path.as_str(), file.outcome)).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn refusal(result: Result<Report, KitError>) -> String {
    match result {
        Err(KitError::Refused(message)) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_directory_gets_everything_with_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("new/kit");
    let report = write(&kit("a"), &place, &WriteOptions::default()).unwrap();
    let found = outcomes(&report);
    assert_eq!(found["compose.yaml"], Outcome::Created);
    assert_eq!(found[KEY], Outcome::ToFillIn);
    assert_eq!(report.to_fill_in().collect::<Vec<_>>(), [KEY]);
    assert_eq!(mode(&place.join("compose.yaml")), 0o644);
    assert_eq!(mode(&place.join("serve")), 0o755);
    for private in [PASSWORD, LINE, KEY, ".env.client"] {
        assert_eq!(mode(&place.join(private)), 0o600, "{private}");
    }
    assert_eq!(mode(&place.join("data/artifacts")), 0o700);
    assert_eq!(mode(&place.join("secrets")), 0o700);
    let password = text(&place.join(PASSWORD));
    assert_eq!(text(&place.join(LINE)), format!("user:{password}"));
    assert_eq!(text(&place.join(".env.client")), password);
    let names: Vec<String> = fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".formwork-"))
        .collect();
    assert_eq!(names, [LIST], "nothing temporary is left");
}

#[test]
fn writing_again_keeps_secrets_and_replaces_what_the_kit_wrote() {
    let folder = tempfile::tempdir().unwrap();
    write(&kit("a"), folder.path(), &WriteOptions::default()).unwrap();
    let password = text(&folder.path().join(PASSWORD));
    fs::write(folder.path().join(KEY), "filled in by people\n").unwrap();
    fs::set_permissions(folder.path().join(PASSWORD), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(folder.path().join("data/artifacts/model"), "bytes").unwrap();

    let report = write(&kit("b"), folder.path(), &WriteOptions::default()).unwrap();
    let found = outcomes(&report);
    assert_eq!(found["compose.yaml"], Outcome::Updated);
    assert_eq!(found["serve"], Outcome::Unchanged);
    assert_eq!((found[PASSWORD], found[KEY]), (Outcome::Kept, Outcome::Kept));
    assert_eq!(text(&folder.path().join("compose.yaml")), "b");
    assert_eq!(text(&folder.path().join(PASSWORD)), password);
    assert_eq!(text(&folder.path().join(KEY)), "filled in by people\n");
    assert_eq!(mode(&folder.path().join(PASSWORD)), 0o600, "a mode that was loosened is tightened");
    assert_eq!(text(&folder.path().join("data/artifacts/model")), "bytes");
}

#[test]
fn a_file_that_somebody_changed_is_left_alone_unless_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(&kit("a"), folder.path(), &WriteOptions::default()).unwrap();
    fs::write(folder.path().join("compose.yaml"), "mine").unwrap();
    fs::write(folder.path().join("serve"), "mine too").unwrap();
    let message = refusal(write(&kit("b"), folder.path(), &WriteOptions::default()));
    assert!(message.contains("--overwrite compose.yaml --overwrite serve"), "{message}");
    assert_eq!(text(&folder.path().join("compose.yaml")), "mine");

    let one = WriteOptions { overwrite: vec!["serve".to_owned()], ..WriteOptions::default() };
    let message = refusal(write(&kit("b"), folder.path(), &one));
    assert!(message.contains("compose.yaml") && !message.contains("serve"), "{message}");
    assert_eq!(text(&folder.path().join("serve")), "mine too", "nothing is written before all is decided");

    let both = WriteOptions { overwrite: vec!["serve".to_owned(), "compose.yaml".to_owned()], ..one };
    let report = write(&kit("b"), folder.path(), &both).unwrap();
    assert_eq!(outcomes(&report)["compose.yaml"], Outcome::Overwritten);
    assert_eq!(text(&folder.path().join("compose.yaml")), "b");
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    write(&kit("a"), folder.path(), &WriteOptions::default()).expect("a new repository is free");

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "").unwrap();
    let message = refusal(write(&kit("a"), folder.path(), &WriteOptions::default()));
    assert!(message.contains("thesis.tex") && message.contains("--beside-others"), "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");
    let beside = WriteOptions { beside_others: true, ..WriteOptions::default() };
    write(&kit("a"), folder.path(), &beside).unwrap();
}

#[test]
fn a_file_of_the_same_name_is_not_taken_for_the_kits() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yaml"), "services: {}\n").unwrap();
    let message = refusal(write(&kit("a"), folder.path(), &WriteOptions::default()));
    assert!(message.contains("--overwrite compose.yaml"), "{message}");
}

#[test]
fn a_secret_that_was_there_before_the_kit_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("secrets")).unwrap();
    fs::write(folder.path().join(PASSWORD), "p@ss w/rd\n").unwrap();
    let report = write(&kit("a"), folder.path(), &WriteOptions::default()).unwrap();
    assert_eq!(outcomes(&report)[PASSWORD], Outcome::Kept);
    assert_eq!(text(&folder.path().join(LINE)), "user:p@ss w/rd");
}

#[test]
fn settings_are_kept_for_the_next_time_and_another_kit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(kept_settings("example", folder.path()).unwrap(), None);
    write(&kit("a"), folder.path(), &WriteOptions::default()).unwrap();
    fs::write(folder.path().join(SETTINGS_FILE), "size = 2\n").unwrap();
    assert_eq!(kept_settings("example", folder.path()).unwrap().as_deref(), Some("size = 2\n"));
    let other = Kit { name: "other", ..kit("a") };
    assert!(
        refusal(write(&other, folder.path(), &WriteOptions::default())).contains("`example`, not `other`")
    );
    assert!(kept_settings("other", folder.path()).is_err());
    let again = Kit { settings: "size = 2\nmore = 3\n".to_owned(), ..kit("a") };
    let report = write(&again, folder.path(), &WriteOptions::default()).unwrap();
    assert_eq!(outcomes(&report)[SETTINGS_FILE], Outcome::Updated, "settings are there to be changed");
}

#[test]
fn a_list_that_cannot_be_read_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write(&kit("a"), folder.path(), &WriteOptions::default()).unwrap();
    fs::write(folder.path().join(LIST), "{").unwrap();
    let message = refusal(write(&kit("b"), folder.path(), &WriteOptions::default()));
    assert!(message.contains("is not what a kit wrote"), "{message}");
    assert_eq!(text(&folder.path().join("compose.yaml")), "a");
}
