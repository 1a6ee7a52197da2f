//! What deployments stand on, on a simulated account behind a loopback port: `doctor`, `gc`, and buckets that are given.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use std::process::Command;

use formwork_simulator::server::{ServeOptions, Served};
use formwork_simulator::{Simulator, SimulatorOptions};
use serde_json::Value as Json;
use support::{Done, Project, app, assert_schema, reaching};

/// An account whose minutes pass in seconds, and a project whose stack has an asset.
struct Account {
    project: Project,
    served: Served,
}

impl Account {
    fn new(script: &str) -> Self {
        let options = ServeOptions { speed: 60.0, ..ServeOptions::default() };
        let simulator = SimulatorOptions {
            region: "eu-west-1".to_owned(),
            script: script.parse().unwrap(),
            ..SimulatorOptions::default()
        };
        let served = Served::start(Simulator::new(simulator), options).unwrap();
        Self { project: Project::new(), served }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let app = app("asset");
        reaching(self.project.command(&[arguments, &["--app", &app]].concat()), self.served.endpoint())
    }

    fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().unwrap())
    }

    fn keys(&self, bucket: &str) -> Vec<String> {
        self.served.with(|simulator| {
            let found = simulator.services_mut().storage.bucket(bucket).unwrap();
            found.objects.keys().filter(|key| found.latest(key).is_some()).cloned().collect()
        })
    }

    /// How many calls that change something were answered so far.
    fn writes(&self) -> usize {
        self.served.with(|simulator| simulator.log().mutating().count())
    }
}

fn report(done: Done, schema: &str) -> Json {
    let report = serde_json::from_str(&done.stdout).unwrap();
    assert_schema(schema, &report);
    report
}

fn outcome<'r>(report: &'r Json, name: &str) -> &'r str {
    let checks = report["groups"].as_array().unwrap().iter().flat_map(|it| it["checks"].as_array().unwrap());
    let mut found = checks.filter(|check| check["name"] == name);
    found.next().unwrap_or_else(|| panic!("no {name} in {report:#}"))["outcome"].as_str().unwrap()
}

#[test]
fn the_doctor_looks_at_this_machine_the_caller_and_the_place() {
    let account = Account::new("");
    account
        .run(&["doctor"])
        .ends_with(1)
        .prints("credentials from the environment")
        .prints("not bootstrapped, and app-code needs the bucket for assets")
        .prints("hint: run `formwork bootstrap aws://123456789012/eu-west-1`, or name a bucket of yours");
    let report = report(account.run(&["doctor", "app-code", "--json"]), "doctor.json");
    for name in ["app", "proxy", "certificates", "identity", "clock", "region", "resource-types"] {
        assert_eq!(outcome(&report, name), "ok", "{name}");
    }
    assert_eq!(outcome(&report, "bootstrap"), "failed");
    assert_eq!(account.writes(), 0);
    account
        .run(&["doctor", "--bucket", "nowhere-at-all"])
        .ends_with(1)
        .prints("there is no bucket nowhere-at-all");
    account.run(&["doctor", "app-cod"]).ends_with(10).says("did you mean app-code?");
}

#[test]
fn without_credentials_the_doctor_still_looks_at_this_machine() {
    let account = Account::new("");
    let mut command = account.command(&["doctor", "--json"]);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command.env("HTTP_PROXY", "http://user:secret@proxy.example:3128").env("NO_PROXY", "127.0.0.1");
    let done = Done::of(command.output().unwrap()).ends_with(10);
    assert!(!done.stdout.contains("secret"), "{}", done.stdout);
    let report = report(done, "doctor.json");
    assert_eq!(outcome(&report, "identity"), "failed");
    assert_eq!(outcome(&report, "proxy"), "warning");
    assert_eq!(outcome(&report, "app"), "ok");
}

#[test]
fn a_bucket_that_is_given_takes_the_place_of_the_bootstrap_stack() {
    let account = Account::new("bucket our-assets exists");
    account
        .run(&["deploy", "--yes"])
        .ends_with(3)
        .says("/formwork/bootstrap/formwork/bucket")
        .says("with --bucket");
    account
        .run(&["plan", "--bucket", "our-assets", "-c", "assets=others"])
        .ends_with(10)
        .says("--bucket says `our-assets`, and -c assets=others says something else");
    account.run(&["plan", "--bucket", "Our"]).ends_with(10).says("is not the name of a bucket");
    account.run(&["plan", "--bucket", "our-assets", "--out", "plan.json"]).ends_with(0);
    assert_eq!(account.project.json("plan.json")["options"]["bucket"], "our-assets");
    account.run(&["apply", "plan.json", "--yes"]).ends_with(0).says("1 stack deployed");
    assert_eq!(account.keys("our-assets").len(), 1);
    let strangers = account.served.with(|simulator| simulator.log().without_expected_owner().count());
    assert_eq!(strangers, 0, "every call on a bucket says whose it is");
}

#[test]
fn a_qualifier_names_another_bootstrap_stack() {
    let script = "bucket team-assets exists\nparameter /formwork/bootstrap/team/bucket team-assets";
    let account = Account::new(script);
    account.run(&["deploy", "--yes"]).ends_with(3).says("/formwork/bootstrap/formwork/bucket");
    account.run(&["deploy", "--yes", "--qualifier", "team"]).ends_with(0);
    assert_eq!(account.keys("team-assets").len(), 1);
    // An assembly that is written has decided already.
    let mut command =
        account.project.command(&["plan", "--app", "cfn-out", "--qualifier", "other", "--force"]);
    command.env("AWS_ENDPOINT_URL", account.served.endpoint()).env("AWS_REGION", "eu-west-1");
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "an example");
    Done::of(command.output().unwrap()).ends_with(3).says("synthesise with `-c qualifier=other`");
}

#[test]
fn clearing_away_keeps_what_stacks_use_and_asks() {
    let account = Account::new("bucket our-assets exists");
    let gc = |arguments: &[&str]| account.run(&[&["gc", "--bucket", "our-assets"], arguments].concat());
    account.run(&["deploy", "--bucket", "our-assets", "--yes"]).ends_with(0);
    let used = account.keys("our-assets");
    let unused = format!("{}.zip", "a".repeat(64));
    account.served.with(|simulator| {
        let storage = &mut simulator.services_mut().storage;
        // What is put so is as old as can be.
        for key in used.iter().chain([&unused, &"data.csv".to_owned()]) {
            storage.put("our-assets", key, "four");
        }
    });
    let writes = account.writes();
    gc(&["--dry-run"]).ends_with(0).prints(&unused);
    gc(&[]).ends_with(3).says("1 asset of 4 bytes, 0 change sets would be deleted").says("--dry-run");
    assert_eq!(account.writes(), writes);
    let told = report(gc(&["--yes", "--json"]).ends_with(0), "gc.json");
    assert_eq!(told["deleted"], true);
    assert_eq!(told["places"][0]["assets"][0]["key"], unused.as_str());
    let mut kept = used.clone();
    kept.push("data.csv".to_owned());
    kept.sort();
    assert_eq!(account.keys("our-assets"), kept);
    gc(&[]).ends_with(0).prints("nothing may go");
}

/// Regression of #1857: what could not be deleted is told, and is not counted among what was.
#[test]
fn clearing_away_counts_what_went_and_not_what_stays() {
    let account = Account::new("bucket our-assets exists");
    let (goes, stays) = (format!("{}.zip", "a".repeat(64)), format!("{}.zip", "b".repeat(64)));
    account.served.with(|simulator| {
        let storage = &mut simulator.services_mut().storage;
        storage.put("our-assets", &goes, "four");
        storage.put("our-assets", &stays, "a longer one");
        let locked = format!(
            "on DeleteObjects body \"<DeleteResult><Error><Key>{stays}</Key><Code>AccessDenied</Code>\
             <Message>it is locked</Message></Error></DeleteResult>\""
        );
        simulator.add(locked.parse().unwrap());
    });
    account
        .run(&["gc", "--bucket", "our-assets", "--yes"])
        .ends_with(5)
        .says("is still there: ")
        .says("1 asset of 4 bytes, 0 change sets deleted");
}

/// Fault 70: the journal of a run that may be unfinished is damaged; what the run needs cannot be told, so all of it stays.
#[test]
fn a_journal_that_cannot_be_read_keeps_everything() {
    let account = Account::new("bucket our-assets exists");
    let gc = |arguments: &[&str]| account.run(&[&["gc", "--bucket", "our-assets"], arguments].concat());
    let key = format!("{}.zip", "a".repeat(64));
    account.served.with(|simulator| simulator.services_mut().storage.put("our-assets", &key, "four"));
    let journals = account.project.path().join(".formwork/journal");
    std::fs::create_dir_all(&journals).unwrap();
    let path = journals.join("20260102-030405-abcd.jsonl");
    std::fs::write(&path, "nothing\n{\"sequence\":2}\n").unwrap();
    gc(&["--yes"])
        .ends_with(3)
        .says("what run 20260102-030405-abcd needs cannot be told")
        .says("is damaged in line 1")
        .says("may be moved elsewhere");
    assert_eq!(account.keys("our-assets"), [key]);
    std::fs::remove_file(path).unwrap();
    gc(&["--yes"]).ends_with(0).says("1 asset of 4 bytes");
    assert!(account.keys("our-assets").is_empty());
}
