//! The real program is killed while it deploys four stacks, and another process goes on from its journal.
//!
//! Some kills come at calls that are known exactly: before the call takes effect, and after it did but before the answer
//! came. The others come whenever the journal has so many records, wherever the program is by then.

#![cfg(all(unix, feature = "engine"))]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use formwork_simulator::server::{ServeOptions, Served};
use formwork_simulator::{Simulator, SimulatorOptions};
use support::{Done, Project, app, reaching};

/// An account whose minutes pass in a second, and a project of four stacks.
struct Scene {
    project: Project,
    account: Served,
    app: String,
}

impl Scene {
    fn new(script: &str) -> Self {
        let options = SimulatorOptions { script: script.parse().unwrap(), ..SimulatorOptions::default() };
        let serve = ServeOptions { speed: 60.0, ..ServeOptions::default() };
        let account = Served::start(Simulator::new(options), serve).unwrap();
        Self { project: Project::new(), account, app: app("four") }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        reaching(self.project.command(&[arguments, &["--app", &self.app]].concat()), self.account.endpoint())
    }

    fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().unwrap())
    }

    /// The text of the one journal there is; empty before there is one.
    fn journal(&self) -> String {
        let entries = std::fs::read_dir(self.project.path().join(".formwork/journal"));
        let paths = entries.into_iter().flatten().map(|entry| entry.unwrap().path());
        let is_journal = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.ends_with(".jsonl") && name.matches('.').count() == 1
        };
        paths.filter(is_journal).min().map(|path| std::fs::read_to_string(path).unwrap()).unwrap_or_default()
    }

    fn records(&self) -> usize {
        self.journal().matches('\n').count()
    }

    fn is_approved(&self) -> bool {
        self.journal().contains("\"record\":\"approved\"")
    }

    /// How many calls of each operation took effect, and how many tokens they had.
    fn effects(&self) -> BTreeMap<String, (usize, usize)> {
        self.account.with(|simulator| {
            let mut effects: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
            for entry in simulator.log().effects() {
                let (number, tokens) = effects.entry(entry.operation.clone()).or_default();
                *number += 1;
                tokens.extend(entry.token.clone());
            }
            effects
                .into_iter()
                .map(|(operation, (number, tokens))| (operation, (number, tokens.len())))
                .collect()
        })
    }

    /// What is deployed: by stack its status and the names of its outputs.
    fn state(&self) -> BTreeMap<String, (String, Vec<String>)> {
        let outputs = self.run(&["outputs", "--json"]).ends_with(0).stdout;
        let outputs: serde_json::Value = serde_json::from_str(&outputs).unwrap();
        let stacks = outputs["stacks"].as_object().unwrap().iter().map(|(name, stack)| {
            let names = stack["outputs"].as_object().unwrap().keys().cloned().collect();
            (name.clone(), (stack["status"].as_str().unwrap().to_owned(), names))
        });
        stacks.collect()
    }

    fn start(&self) -> Child {
        let mut command = self.command(&["deploy", "--yes"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Kills a deployment as soon as something is so; whether it was still alive.
    fn kill_when(&self, is_so: impl Fn() -> bool) -> bool {
        let mut child = self.start();
        let started = Instant::now();
        while !is_so() {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(started.elapsed() < Duration::from_secs(120), "{}", self.journal());
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        true
    }

    /// Goes on after a kill, and compares with a deployment that nobody disturbed.
    fn goes_on_to(&self, wanted: &Undisturbed, at: &str) {
        if self.is_approved() {
            let done = self.run(&["resume"]);
            assert_eq!(done.code, Some(0), "{at}: {done:#?}\n{}", self.journal());
            assert_eq!(self.effects(), wanted.effects, "{at}: {}", self.journal());
        } else {
            // Nothing was approved, so nothing was begun: what there is are change sets, and the next run makes its own.
            self.run(&["resume"]).ends_with(10).says("no run is unfinished");
            self.run(&["deploy", "--yes"]).ends_with(0);
            assert_eq!(self.effects()["ExecuteChangeSet"], wanted.effects["ExecuteChangeSet"], "{at}");
        }
        assert_eq!(self.state(), wanted.state, "{at}");
        let writes = self.account.with(|simulator| simulator.log().mutating().count());
        self.run(&["deploy", "--yes"]).ends_with(0).says("4 stacks unchanged");
        assert_eq!(self.account.with(|simulator| simulator.log().mutating().count()), writes, "{at}");
    }
}

/// What a deployment leads to that nobody disturbed.
struct Undisturbed {
    state: BTreeMap<String, (String, Vec<String>)>,
    effects: BTreeMap<String, (usize, usize)>,
    records: usize,
}

impl Undisturbed {
    fn run() -> Self {
        let scene = Scene::new("");
        scene.run(&["deploy", "--yes"]).ends_with(0).says("4 stacks deployed");
        Self { state: scene.state(), effects: scene.effects(), records: scene.records() }
    }
}

/// Where a deployment is killed.
enum Point {
    /// A call of an operation, the how manieth, and what becomes of the call.
    Call(&'static str, usize, &'static str),
    /// So many records in the journal.
    Records(usize),
}

fn kill_and_go_on(point: &Point, wanted: &Undisturbed) {
    match point {
        Point::Call(operation, number, fate) => {
            let at = format!("killed at {operation}#{number}, {fate}");
            let scene = Scene::new(&format!("on {operation}#{number} {fate}"));
            let called =
                || scene.account.with(|simulator| simulator.log().calls(operation).count()) >= *number;
            assert!(scene.kill_when(called), "{at}");
            scene.goes_on_to(wanted, &at);
        }
        Point::Records(number) => {
            let at = format!("killed at record {number} of {}", wanted.records);
            let scene = Scene::new("");
            // The last record may be too late to kill anybody: the run has ended then, and nothing is to be resumed.
            if scene.kill_when(|| scene.records() >= *number)
                && !scene.journal().contains("\"record\":\"ended\"")
            {
                scene.goes_on_to(wanted, &at);
            }
        }
    }
}

/// Fault 69: the process is killed, and the run is resumed to the same state by calls of which each has one effect.
#[test]
fn a_killed_deployment_is_resumed_to_the_same_state() {
    let wanted = Undisturbed::run();
    assert!(wanted.effects["ExecuteChangeSet"] == (4, 4), "{:?}", wanted.effects);
    let mut points = vec![
        Point::Call("CreateChangeSet", 1, "accept-then-hang"),
        Point::Call("ExecuteChangeSet", 1, "hang"),
        Point::Call("ExecuteChangeSet", 1, "accept-then-hang"),
        Point::Call("CreateChangeSet", 2, "hang"),
        Point::Call("CreateChangeSet", 2, "accept-then-hang"),
        Point::Call("ExecuteChangeSet", 4, "accept-then-hang"),
    ];
    points.push(Point::Records(1));
    // Between them lie the same steps of other stacks; with the slow tests each record is a point.
    let step = if std::env::var_os("FORMWORK_SLOW").is_some() { 1 } else { 5 };
    points.extend((step.max(2)..wanted.records).step_by(step).map(Point::Records));
    points.push(Point::Records(wanted.records));
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    kill_and_go_on(point, &wanted);
                }
            });
        }
    });
}
