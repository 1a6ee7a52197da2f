//! The commands that bring stacks and what there really is together, on a simulated account behind a loopback port.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use std::process::Command;

use formwork_simulator::server::{ServeOptions, Served};
use formwork_simulator::{Simulator, SimulatorOptions};
use serde_json::Value as Json;
use support::{Done, Project, app, assert_schema};

/// An account whose minutes pass in seconds, and a project to deploy to it.
struct Account {
    project: Project,
    served: Served,
}

impl Account {
    fn new() -> Self {
        let options = ServeOptions { speed: 60.0, ..ServeOptions::default() };
        let served = Served::start(Simulator::new(SimulatorOptions::default()), options).unwrap();
        Self { project: Project::new(), served }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let app = app("good");
        let mut command = self.project.command(&[arguments, &["--app", &app]].concat());
        command
            .env("AWS_ENDPOINT_URL", self.served.endpoint())
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "an example of a secret key")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().unwrap())
    }

    fn script(&self, script: &str) {
        self.served.with(|simulator| simulator.add(script.parse().unwrap()));
    }
}

/// Fault 56: drift is found, told with the construct that made the resource, and taken back after a question.
#[test]
fn drift_is_found_and_taken_back() {
    let account = Account::new();
    account.run(&["drift"]).ends_with(1).says("none of the stacks is deployed");
    account.run(&["deploy", "--yes"]).ends_with(0);
    account.run(&["drift", "--detailed-exitcode"]).ends_with(0).prints("= app-network  in sync");
    account.run(&["drift", "--revert"]).ends_with(0).says("nothing drifted");

    account.script("drift app-network/Topic1 /DisplayName other; drift app-proxy/Own deleted");
    account
        .run(&["drift"])
        .ends_with(0)
        .prints("~ app-network  drifted, 1 of 2 resources")
        .prints("/DisplayName is other, the stack says nothing")
        .prints("made by app-network/Topic1")
        .prints("- Own  AWS::SNS::Topic  gone");
    account.run(&["drift", "app-proxy", "--detailed-exitcode"]).ends_with(2);
    let report: Json = serde_json::from_str(&account.run(&["drift", "--json"]).ends_with(0).stdout).unwrap();
    assert_schema("drift.json", &report);
    assert_eq!(report["stacks"][0]["resources"][0]["properties"][0]["actual"], "other");

    account.run(&["drift", "app-network", "--revert"]).ends_with(3).says("no terminal to ask on");
    account
        .run(&["drift", "app-network", "--revert", "--yes"])
        .ends_with(0)
        .says("~ Topic1  AWS::SNS::Topic  set back")
        .says("1 stack deployed");
    account
        .run(&["drift", "--detailed-exitcode"])
        .ends_with(2)
        .prints("= app-network  in sync")
        .prints("~ app-proxy  drifted");
}

/// Fault 56: without an answer nobody is told that all is well.
#[test]
fn drift_that_cannot_be_told_is_no_success() {
    let account = Account::new();
    account.run(&["deploy", "--yes"]).ends_with(0);
    account.script("on DetectStackDrift error 403 AccessDenied \"not authorized to perform: cloudformation:DetectStackDrift\"");
    account
        .run(&["drift", "app-network"])
        .ends_with(5)
        .prints("? app-network  cannot tell")
        .prints("DetectStackDrift");
}
