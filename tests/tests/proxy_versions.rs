//! The table of MLflow's versions in the documentation is that of the versions that are tested.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::fs;

use formwork_tests::repository_root;

/// The requirements of the clients, those of the servers among them.
const CLIENTS: [&str; 4] = ["2", "3.0", "3.10", "newest"];
const SERVERS: [&str; 3] = ["3.0", "3.10", "newest"];

/// The version of MLflow that a file of requirements asks for.
fn version(name: &str) -> String {
    let file = repository_root().join(format!("tests/proxy/requirements/{name}.txt"));
    let text = fs::read_to_string(file).unwrap();
    let version = text.lines().find_map(|line| line.strip_prefix("mlflow==")).unwrap();
    version.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn the_table_of_versions_is_that_of_the_tests() {
    let text = fs::read_to_string(repository_root().join("docs/proxy-compatibility.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    let mut servers = rows.first().expect("there is a table").split('|').map(str::trim).skip(2);
    for name in SERVERS {
        assert_eq!(
            servers.next(),
            Some(format!("MLflow {}", version(name)).as_str()),
            "run `cargo xtask proxy --slow`"
        );
    }
    let clients: Vec<&str> =
        rows[2..].iter().filter_map(|row| row.split('|').nth(1).map(str::trim)).collect();
    assert_eq!(clients, CLIENTS.map(version), "run `cargo xtask proxy --slow`");
}
