//! `formwork mlflow`: what is refused before anything is sent, and the power of tracking servers in a simulated account.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use support::account::Account;
use support::{Done, Project};

fn copied(arguments: &[&str], variables: &[(&str, &str)]) -> Done {
    let project = Project::new();
    let mut command = project.command(&[&["mlflow"], arguments].concat());
    command.envs(variables.iter().copied());
    let done = Done::of(command.output().unwrap());
    assert!(!done.stdout.contains("hidden") && !done.stderr.contains("hidden"), "{done:?}");
    done
}

#[test]
fn places_that_cannot_be_meant_are_refused_before_anything_is_sent() {
    copied(&["copy", "--from", "https://ann:hidden@a.example", "--to", "kept"], &[])
        .ends_with(10)
        .says("a URL carries a name or a password")
        .says("FORMWORK_FROM_PASSWORD");
    copied(&["copy", "--from", "sqlite:///mlflow.db", "--to", "kept"], &[])
        .ends_with(10)
        .says("`sqlite` is no way to MLflow")
        .says("mlflow server --backend-store-uri");
    copied(&["copy", "--from", "https://a.example", "--to", "https://a.example/"], &[])
        .ends_with(10)
        .says("would be copied to itself");
    copied(&["backup", "--from", "https://a.example", "--to", "https://b.example"], &[])
        .ends_with(10)
        .says("--to names a server")
        .says("give a directory or s3://");
    copied(&["restore", "--from", "kept", "--to", "other"], &[]).ends_with(10).says("--to names a backup");
    copied(&["restore", "--from", "kept", "--to", "http://127.0.0.1:9"], &[])
        .ends_with(1)
        .says("never finished");
    copied(
        &["copy", "--from", "http://mlflow.internal:5000", "--to", "kept"],
        &[("FORMWORK_FROM_TOKEN", "hidden")],
    )
    .ends_with(3)
    .says("would be told a secret without TLS")
    .says("--allow-insecure");
}

#[test]
fn a_server_that_does_not_answer_is_named() {
    copied(&["backup", "--from", "http://127.0.0.1:9", "--to", "kept"], &[])
        .ends_with(5)
        .says("http://127.0.0.1:9: ")
        .says("the same command goes on");
}

#[test]
fn a_tracking_server_is_stopped_and_started() {
    let account = Account::of_speed(6_000.0);
    std::fs::write(account.project.path().join("proxy"), "a stand-in").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = account.command_of_platform(&[arguments, &["-c", "prefix=team"]].concat());
        Done::of(command.output().unwrap())
    };
    run(&["mlflow", "stop"]).ends_with(1).says("no deployed stack has a tracking server");
    run(&["bootstrap", "aws://123456789012/eu-west-1", "--yes"]).ends_with(0);
    run(&["deploy", "--yes", "-c", "proxyBinary=proxy", "-c", "components=mlflow"]).ends_with(0);
    run(&["mlflow", "start"]).ends_with(0).says("is Created already");
    run(&["mlflow", "stop"])
        .ends_with(0)
        .says("is Stopping")
        .says("is Stopped")
        .says("note: what it stores still costs");
    let writes = account.writes();
    run(&["mlflow", "stop"]).ends_with(0).says("is Stopped already");
    assert_eq!(account.writes(), writes, "a server that is stopped is not stopped again");
    run(&["mlflow", "start", "--stack", "team-mlflow-tracking", "--no-wait"])
        .ends_with(0)
        .says("is Starting");
    run(&["mlflow", "start"]).ends_with(0).says("is Started");
    run(&["mlflow", "stop", "nobody"]).ends_with(1).says("tracking server nobody").says("formwork status");
}
