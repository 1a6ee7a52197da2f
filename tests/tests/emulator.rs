//! The simulator's answers beside those of an emulator that others wrote, on a deployment where all goes well.
//!
//! Where they differ one of them is wrong, or it does not matter: each difference is listed with the reason why the
//! simulator's side is taken, and a difference that is gone has to leave the list.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use formwork_simulator::server::{ServeOptions, Served};
use formwork_simulator::{Simulator, SimulatorOptions};
use formwork_tests::{Boto3, Emulator, repository_root};
use serde_json::Value;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";

/// A list of what differs: a pattern of paths, and why the simulator's side is taken.
const DIFFERENCES: &str = include_str!("../clients/differences.json");

/// The leaves of an answer by their paths.
fn leaves(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                leaves(&format!("{path}/{name}"), member, found);
            }
        }
        Value::Array(members) if !members.is_empty() => {
            for (index, member) in members.iter().enumerate() {
                leaves(&format!("{path}/{index}"), member, found);
            }
        }
        _ => {
            found.insert(path.to_owned(), value.to_string());
        }
    }
}

/// A path without the places of members in lists, which a member more would move.
fn kind(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.parse::<usize>().is_ok() { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Whether a pattern of the list speaks of a kind of path: `*/Name` stands for every path that ends so, `step/**` for
/// every path that begins so.
fn speaks_of(pattern: &str, kind: &str) -> bool {
    match (pattern.strip_prefix("*/"), pattern.strip_suffix("/**")) {
        (Some(end), _) => kind == end || kind.ends_with(&format!("/{end}")),
        (None, Some(start)) => kind == start || kind.starts_with(&format!("{start}/")),
        (None, None) => kind == pattern,
    }
}

fn answers(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    leaves("", &value, &mut found);
    found.into_iter().map(|(path, leaf)| (path.trim_start_matches('/').to_owned(), leaf)).collect()
}

#[test]
fn the_simulator_answers_as_an_emulator_of_others_does() {
    let (Some(boto3), Some(emulator)) = (Boto3::find(), Emulator::find()) else { return };
    let script = repository_root().join("tests/clients/answers.py");
    let ask = |endpoint: &str| {
        let ended = boto3.run(&script, endpoint, REGION).unwrap_or_else(|error| panic!("{error}"));
        answers(&ended.stdout)
    };
    let options = SimulatorOptions { region: REGION.to_owned(), ..SimulatorOptions::default() };
    let served =
        Served::start(Simulator::new(options), ServeOptions { speed: 100.0, ..ServeOptions::default() })
            .expect("a free port");
    let ours = ask(served.endpoint());
    let emulated = emulator.start(ACCOUNT).unwrap_or_else(|error| panic!("{error}"));
    let theirs = ask(&emulated.endpoint());

    let known: BTreeMap<String, String> = serde_json::from_str(DIFFERENCES).expect("a list of differences");
    let mut met = BTreeSet::new();
    let mut unknown = Vec::new();
    for path in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let (our, their) = (ours.get(path), theirs.get(path));
        if our == their {
            continue;
        }
        let kind = kind(path);
        match known.keys().find(|pattern| speaks_of(pattern, &kind)) {
            Some(pattern) => {
                met.insert(pattern);
            }
            None => unknown.push(format!("{path}: {our:?}, and the emulator {their:?}")),
        }
    }
    assert!(ours.len() > 200, "the answers are seen: {}", ours.len());
    assert!(unknown.is_empty(), "the simulator answers otherwise:\n{}", unknown.join("\n"));
    let gone: Vec<&String> = known.keys().filter(|pattern| !met.contains(pattern)).collect();
    assert!(gone.is_empty(), "these differences are gone: {gone:?}");
}

/// Whoever starts it may be killed: nothing of it may go on running then.
#[test]
fn the_emulator_ends_with_whoever_started_it() {
    let Some(emulator) = Emulator::find() else { return };
    let emulated = emulator.start(ACCOUNT).unwrap_or_else(|error| panic!("{error}"));
    assert!(emulated.ends_with_its_input(Duration::from_secs(20)), "it goes on");
}

#[test]
fn patterns_of_differences_are_understood() {
    assert!(speaks_of("*/StatusReason", "empty/StatusReason"));
    assert!(!speaks_of("*/StatusReason", "empty/ResourceStatusReason"));
    assert!(speaks_of("summary/**", "summary/Parameters/*/Name"));
    assert_eq!(kind("stack/Stacks/0/StackName"), "stack/Stacks/*/StackName");
}
