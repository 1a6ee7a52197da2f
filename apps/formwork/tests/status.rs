//! What is deployed and how it is, of the platform that is part of the program: `status`, and what `doctor` adds to it.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use serde_json::Value as Json;
use support::account::Account;
use support::{Done, assert_schema};

/// The platform in an account, deployed in one mode or both.
struct Platform(Account);

impl Platform {
    fn deployed(modes: &[&str]) -> Self {
        let account = Account::of_speed(6_000.0);
        std::fs::write(account.project.path().join("proxy"), "a stand-in").unwrap();
        let platform = Self(account);
        platform.run("tracking", &["bootstrap", "aws://123456789012/eu-west-1", "--yes"]).ends_with(0);
        for mode in modes {
            platform.run(mode, &["deploy", "--yes"]).ends_with(0).says("deployed");
        }
        platform
    }

    fn run(&self, mode: &str, arguments: &[&str]) -> Done {
        let mode = format!("mlflowType={mode}");
        let context = ["-c", &mode, "-c", "proxyBinary=proxy", "-c", "prefix=team"];
        Done::of(self.0.command_of_platform(&[arguments, &context].concat()).output().unwrap())
    }

    fn report(&self, mode: &str) -> Json {
        let report =
            serde_json::from_str(&self.run(mode, &["status", "--json"]).ends_with(0).stdout).unwrap();
        assert_schema("status.json", &report);
        report
    }
}

fn names(report: &Json) -> Vec<&str> {
    report["stacks"].as_array().unwrap().iter().map(|stack| stack["name"].as_str().unwrap()).collect()
}

fn states(report: &Json, stack: &str) -> Vec<(String, String)> {
    let stacks = report["stacks"].as_array().unwrap();
    let stack = stacks.iter().find(|it| it["name"] == stack).unwrap();
    let word = |component: &Json, name: &str| component[name].as_str().unwrap_or_default().to_owned();
    let components = stack["components"].as_array().unwrap();
    components.iter().map(|it| (word(it, "kind"), word(it, "state"))).collect()
}

#[test]
fn the_platform_is_shown_in_both_modes_once_both_are_deployed() {
    let platform = Platform::deployed(&["tracking"]);
    let report = platform.report("tracking");
    let shared = ["team-networking", "team-sagemaker-domain"];
    let tracking = ["team-mlflow-tracking", "team-proxyapp-tracking"];
    let serverless = ["team-mlflow-serverless", "team-proxyapp-serverless"];
    assert_eq!(names(&report), [shared, tracking].concat(), "what the other mode would make is not shown");
    assert_eq!(report["unhealthy"], 0);
    let pair = |kind: &str, state: &str| (kind.to_owned(), state.to_owned());
    let found = states(&report, tracking[0]);
    assert_eq!(found, [pair("tracking-server", "Created"), pair("bucket", "exists")]);
    let found = states(&report, tracking[1]);
    let front = [pair("load-balancer", "active"), pair("targets", "1 of 1 healthy")];
    assert_eq!(found, [&front[..], &[pair("instances", "1 of 1 in service")]].concat());

    platform
        .run("serverless", &["status"])
        .ends_with(0)
        .prints("team-mlflow-serverless")
        .prints("not deployed")
        .prints("team-mlflow-tracking")
        .prints("MLflow tracking server team-tracking");
    platform.run("serverless", &["deploy", "--yes"]).ends_with(0);
    for mode in ["tracking", "serverless"] {
        let report = platform.report(mode);
        let mut all = [shared, tracking, serverless].concat();
        let mut found = names(&report);
        all.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, all, "seen from {mode}");
    }
    platform
        .run("tracking", &["status", "*-serverless"])
        .ends_with(0)
        .prints("https://mlflow.sagemaker.eu-west-1.app.aws")
        .prints("3.10.1");
    platform.run("tracking", &["status", "team-nothing"]).ends_with(10);
}

#[test]
fn what_is_ill_is_named_and_the_doctor_tells_what_to_do() {
    let platform = Platform::deployed(&["serverless"]);
    platform.0.served.with(|simulator| {
        let script = "state AWS::ElasticLoadBalancingV2::TargetGroup unhealthy \"Target.FailedHealthChecks\"\n\
                      deny sagemaker:CallMlflowAppApi\nlog * \"listening\"";
        simulator.add(script.parse().unwrap());
    });
    platform
        .run("serverless", &["status"])
        .ends_with(0)
        .prints("0 of 1 healthy")
        .prints("is not well")
        .prints("hint: `formwork doctor`");
    platform
        .run("serverless", &["doctor"])
        .ends_with(1)
        .prints("what is deployed")
        .prints("the unit does not run")
        .prints("systemctl status mlflow-proxy")
        .prints("clients get 403")
        .prints("listening");
}
