//! What is said about the settings: the help of the program and the table in the documentation, both made from the
//! declarations.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use mlflow_proxy::settings::{Arguments, Reader, Settings, VARIABLES, command, table};

/// Compares a text with a file of the repository, or writes it there when `FORMWORK_BLESS` is set.
fn compare(path: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("FORMWORK_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        known == text,
        "{} is not fresh; write it anew by FORMWORK_BLESS=1 cargo test -p mlflow-proxy --test help",
        path.display()
    );
}

#[test]
fn the_help_is_as_it_was() {
    let mut command = command().term_width(100);
    compare("tests/golden/help.txt", &command.render_help().to_string());
    let local = command.find_subcommand_mut("local").unwrap();
    let about = local.get_long_about().unwrap().to_string();
    assert!(about.contains("loopback"), "{about}");
}

#[test]
fn the_table_of_settings_is_fresh() {
    compare("../../docs/proxy-settings.md", &table());
}

#[test]
fn names_and_flags_are_unique_and_explained() {
    let mut names = BTreeSet::new();
    let mut flags = BTreeSet::new();
    for variable in VARIABLES.iter().flat_map(|(_, variables)| *variables) {
        assert!(names.insert(variable.name), "{} is declared twice", variable.name);
        assert!(flags.insert(variable.flag()), "--{} is declared twice", variable.flag());
        assert!(variable.about.ends_with('.'), "{} is not explained by a sentence", variable.name);
    }
}

fn arguments(line: &[&str]) -> Arguments {
    Arguments::parse(line).unwrap()
}

#[test]
fn a_flag_wins_over_its_variable() {
    let environment = |name: &str| (name == "MLFLOW_PROXY_LISTEN").then(|| OsString::from("127.0.0.1:1"));
    let value = |line: &[&str]| arguments(line).value("MLFLOW_PROXY_LISTEN", &environment).unwrap();
    assert_eq!(value(&["mlflow-proxy"]), "127.0.0.1:1");
    assert_eq!(value(&["mlflow-proxy", "--listen", "127.0.0.1:2"]), "127.0.0.1:2");
    assert_eq!(value(&["mlflow-proxy", "--listen", "127.0.0.1:3", "local"]), "127.0.0.1:3");
    assert_eq!(value(&["mlflow-proxy", "local", "--listen", "127.0.0.1:4"]), "127.0.0.1:4");
}

#[test]
fn a_laptop_asks_nobody_and_sends_no_logs() {
    let environment = |name: &str| (name == "MLFLOW_PROXY_LOG_GROUP").then(|| OsString::from("/proxy"));
    let local = arguments(&["mlflow-proxy", "local"]);
    assert!(local.local);
    assert_eq!(local.value("MLFLOW_PROXY_AUTH", &environment).unwrap(), "none");
    assert_eq!(local.value("MLFLOW_PROXY_METRICS_LISTEN", &environment).unwrap(), "off");
    assert_eq!(local.value("MLFLOW_PROXY_LOG_GROUP", &environment), None);
    let asked = arguments(&["mlflow-proxy", "local", "--log-group", "/mine"]);
    assert_eq!(asked.value("MLFLOW_PROXY_LOG_GROUP", &environment).unwrap(), "/mine");
    let server = arguments(&["mlflow-proxy"]);
    assert_eq!(server.value("MLFLOW_PROXY_AUTH", &|_| None), None);
}

#[test]
fn the_tasks_are_told_apart() {
    let asked = |line: &[&str]| {
        let arguments = arguments(line);
        (arguments.local, arguments.check)
    };
    assert_eq!(asked(&["mlflow-proxy"]), (false, false));
    assert_eq!(asked(&["mlflow-proxy", "--check"]), (false, true));
    assert_eq!(asked(&["mlflow-proxy", "--check", "local"]), (true, true));
    assert_eq!(asked(&["mlflow-proxy", "local", "--check"]), (true, true));
    assert!(Arguments::parse(["mlflow-proxy", "remote"]).is_err());
    assert!(Arguments::parse(["mlflow-proxy", "--no-such-flag"]).is_err());
}

#[test]
fn all_mistakes_are_told_at_once() {
    let wrong = [("MLFLOW_PROXY_LISTEN", "localhost"), ("MLFLOW_PROXY_LOG", "loud")];
    let lookup =
        |name: &str| wrong.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
    let mut reader = Reader::new(&lookup);
    Settings::read(&mut reader);
    let mistakes = reader.into_mistakes();
    let said = |name: &str| mistakes.iter().any(|mistake| mistake.name == name);
    assert!(said("MLFLOW_PROXY_LISTEN") && said("MLFLOW_PROXY_LOG"), "{mistakes:?}");
}
