//! What is left of a run, and what can be done with it: lists, bundles, and runs whose files or journals are gone.

#![cfg(all(unix, feature = "engine"))]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use formwork_simulator::server::{ServeOptions, Served};
use formwork_simulator::{Simulator, SimulatorOptions};
use rustix::process::{Pid, Signal, kill_process};
use support::{Done, Project, app, assert_schema, reaching};

struct Scene {
    project: Project,
    account: Served,
    word: &'static str,
}

impl Scene {
    fn new(word: &'static str, speed: f64) -> Self {
        let serve = ServeOptions { speed, ..ServeOptions::default() };
        let account = Served::start(Simulator::new(SimulatorOptions::default()), serve).unwrap();
        Self { project: Project::new(), account, word }
    }

    fn command_in(&self, project: &Project, arguments: &[&str]) -> Command {
        reaching(project.command(&[arguments, &["--app", &app(self.word)]].concat()), self.account.endpoint())
    }

    fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command_in(&self.project, arguments).output().unwrap())
    }

    /// Starts a command and sends a signal once it says something.
    fn signal_when_said(&self, arguments: &[&str], words: &str, signal: Signal) -> Done {
        let mut command = self.command_in(&self.project, arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains(words) {
            assert!(lines.read_line(&mut said).unwrap() > 0, "{said}");
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        lines.read_to_string(&mut said).unwrap();
        let output = child.wait_with_output().unwrap();
        Done { code: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr: said }
    }

    fn runs(&self) -> serde_json::Value {
        let report = serde_json::from_str(&self.run(&["runs", "--json"]).ends_with(0).stdout).unwrap();
        assert_schema("runs.json", &report);
        report
    }

    fn journals(&self) -> PathBuf {
        self.project.path().join(".formwork/journal")
    }

    fn tokens(&self) -> BTreeMap<String, usize> {
        self.account.with(|simulator| {
            let mut effects = BTreeMap::new();
            for entry in simulator.log().effects() {
                *effects.entry(entry.operation.clone()).or_default() += 1;
            }
            effects
        })
    }
}

#[test]
fn runs_are_listed_and_bundled_for_an_audit() {
    let scene = Scene::new("good", 60.0);
    scene.run(&["runs"]).ends_with(0).prints("no run has a journal here");
    scene.run(&["audit", "--out", "none.zip"]).ends_with(10).says("was approved").says("hint:");
    scene.run(&["deploy", "--yes"]).ends_with(0);
    scene.run(&["destroy"]).ends_with(3);
    let report = scene.runs();
    let state = |index: usize| {
        let run = &report["runs"][index];
        (run["command"].as_str(), run["approvedBy"].as_str(), run["state"].as_str(), run["code"].as_u64())
    };
    assert_eq!(state(0), (Some("deploy"), Some("policy"), Some("ended"), Some(0)));
    assert_eq!(state(1), (None, None, Some("ended"), Some(3)), "a destruction that was declined has ended");
    scene.run(&["runs"]).ends_with(0).prints("done").prints("ended with exit code 3");
    for line in std::fs::read_dir(scene.journals()).unwrap() {
        let path = line.unwrap().path();
        assert!(
            path.extension().is_none_or(|kind| kind != "assembly"),
            "a run that has ended keeps no templates"
        );
    }

    let run = report["runs"][0]["run"].as_str().unwrap();
    scene.run(&["audit", "--out", "audit"]).ends_with(0).prints(run);
    let names = scene.project.names("audit");
    let wanted = ["SHA256SUMS", "audit.json", "events.jsonl", "journal.jsonl", "outputs.json", "plan.json"];
    assert_eq!(names, wanted);
    assert_schema("audit.json", &scene.project.json("audit/audit.json"));
    assert_schema("plan.json", &scene.project.json("audit/plan.json"));
    for (name, schema) in [("journal.jsonl", "journal.json"), ("events.jsonl", "event.json")] {
        for line in scene.project.read(&format!("audit/{name}")).lines() {
            assert_schema(schema, &serde_json::from_str(line).unwrap());
        }
    }
    let audit = scene.project.json("audit/audit.json");
    assert!(audit["approval"]["identities"][0]["identity"].as_str().unwrap().contains("simulated"));
    assert_eq!(audit["calls"]["ExecuteChangeSet"]["done"], 2);
    let events = scene.project.read("audit/events.jsonl");
    assert!(events.contains("\"event\":\"run-finished\""), "{events}");
    assert!(scene.project.read("audit/outputs.json").contains("TopicName"));
    scene.run(&["audit", "--out", "audit"]).ends_with(10).says("hint:");
    scene.run(&["audit", run, "--out", "one.zip"]).ends_with(0);
    scene.run(&["audit", run, "--out", "other.zip"]).ends_with(0);
    let bytes = |name: &str| std::fs::read(scene.project.path().join(name)).unwrap();
    assert_eq!(bytes("one.zip"), bytes("other.zip"));
    scene.run(&["audit", "nope", "--out", "x.zip"]).ends_with(10).says("`formwork runs` lists the runs");
}

/// Fault 67: the assembly is replaced or gone when the run goes on; what was approved lies beside the journal.
#[test]
fn a_run_goes_on_when_its_assembly_is_gone() {
    for change in ["deleted", "replaced"] {
        let scene = Scene::new("four", 20.0);
        scene
            .signal_when_said(&["deploy", "--yes"], "app-network  create started", Signal::INT)
            .ends_with(6)
            .says("hint: `formwork resume ");
        match change {
            "deleted" => std::fs::remove_dir_all(scene.project.path().join("cfn-out")).unwrap(),
            _ => drop(scene.run(&["synth", "-c", "prefix=other"]).ends_with(0)),
        }
        assert_eq!(scene.runs()["runs"][0]["state"], "detached");
        scene.run(&["resume"]).ends_with(0).says("app-tracking  is deployed");
        assert_eq!(scene.tokens()["ExecuteChangeSet"], 4);
        scene.run(&["resume"]).ends_with(10).says("no run is unfinished").says("`formwork runs` lists all");
    }
}

/// Fault 72: the journal is on another machine, or lost; what goes on is found by its tokens and followed.
#[test]
fn a_run_without_its_journal_is_followed_from_the_account() {
    let scene = Scene::new("four", 5.0);
    scene
        .signal_when_said(&["deploy", "--yes"], "app-network  create started", Signal::KILL)
        .says("create started");
    let run = scene.runs()["runs"][0]["run"].as_str().unwrap().to_owned();
    assert_eq!(scene.runs()["runs"][0]["state"], "cut-off");
    std::fs::remove_dir_all(scene.journals()).unwrap();
    let before = scene.tokens();
    scene
        .run(&["resume", "--from-cloud"])
        .ends_with(0)
        .says(&format!("run {run}, as its stacks tell it"))
        .says("app-network: goes on in eu-west-1")
        .says("app-network  is deployed")
        .says("what else the run was to do stood in its journal");
    assert_eq!(scene.tokens(), before, "nothing was begun that nobody can know to be approved");
    scene.run(&["resume", "--from-cloud"]).ends_with(10).says("nothing goes on").says(&run);
    scene.run(&["resume", "nope", "--from-cloud"]).ends_with(10).says(&format!("they tell of {run}"));
}

/// Fault 72: a plan that was not carried out is no run that may be finished.
#[test]
fn change_sets_of_a_lost_run_are_named_and_left() {
    let scene = Scene::new("good", 60.0);
    scene.run(&["resume", "--from-cloud"]).ends_with(10).says("tell of no run").says("hint: --region");
    scene.run(&["plan", "--out", "plan.json"]).ends_with(0);
    let before = scene.tokens();
    scene
        .run(&["resume", "--from-cloud"])
        .ends_with(5)
        .says("whether it was approved cannot be known")
        .says("hint: `formwork deploy` plans what is left and asks");
    assert_eq!(scene.tokens(), before);
}

/// Fault 72: a run that ended badly ended badly, also for who looks at it later.
#[test]
fn a_lost_run_that_was_rolled_back_is_no_success() {
    let scene = Scene::new("good", 60.0);
    scene.account.with(|simulator| {
        simulator.add("resource app-network/Topic1 create-fails \"no\"".parse().unwrap());
    });
    scene.run(&["deploy", "--yes"]).ends_with(4);
    let run = scene.runs()["runs"][0]["run"].as_str().unwrap().to_owned();
    std::fs::remove_dir_all(scene.journals()).unwrap();
    scene.run(&["resume", &run, "--from-cloud"]).ends_with(4).says("app-network: ended in ROLLBACK_COMPLETE");
}

/// Nobody can go on with what a rehearsal or a look left: what is said does not offer it.
#[test]
fn what_cannot_be_resumed_is_not_offered_to_be() {
    let scene = Scene::new("good", 5.0);
    let rehearsal =
        scene.signal_when_said(&["rehearse", "--speed", "5"], "create started", Signal::INT).ends_with(6);
    assert!(!rehearsal.stderr.contains("formwork resume"), "{}", rehearsal.stderr);
    rehearsal.says("start the rehearsal anew");
    scene.signal_when_said(&["deploy", "--yes"], "create started", Signal::INT).ends_with(6);
    let followed =
        scene.signal_when_said(&["follow", "app-network"], "app-network", Signal::INT).ends_with(6);
    assert!(!followed.stderr.contains("formwork resume"), "{}", followed.stderr);
    followed.says("`formwork follow app-network` looks on again");
}
