//! `cargo xtask bench deploy`: how long a deployment takes and how much it asks, measured against the simulator.
//!
//! Small numbers of stacks are deployed by the real program over loopback in real time, and on request by AWS CDK's
//! command line too, each against a simulator of its own. Hundreds are deployed in virtual time inside a test of the
//! engine. What is printed is Markdown, for `docs/benchmarks.md`.

mod assembly;
mod figures;
mod process;
pub(crate) mod proxy;
mod simulator;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use assembly::Stacks;
use figures::{Figures, Log};
use process::Watched;
use simulator::Simulator;

use crate::paths::Paths;
use crate::run::{output, run};
use crate::setup;
use crate::test::cargo;

/// More stacks than this are deployed in virtual time.
const REAL_TIME: usize = 40;
/// How long the simulator is over a change set, in seconds. Source: the default of its option `change_set`.
const CHANGE_SET_SECONDS: f64 = 4.0;
/// The longest way through the platform's slow resources at the simulator's usual pace, in seconds.
const PLATFORM_SECONDS: f64 = 1864.0;
const REGION: &str = "us-east-1";

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    stacks: Vec<usize>,
    /// How long the critical path is to be; about one minute without it.
    minutes: Option<u32>,
    cdk: bool,
    ours: bool,
    debug: bool,
}

impl Request {
    /// Reads the arguments after `bench deploy`.
    ///
    /// # Errors
    ///
    /// An argument that is not known, or a number of stacks that is no multiple of four.
    pub(crate) fn read(arguments: &[&str]) -> Result<Self, String> {
        let mut request =
            Self { stacks: vec![4, 40, 400], minutes: None, cdk: false, ours: true, debug: false };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match (*argument, rest.as_slice().first()) {
                ("--stacks", Some(list)) => {
                    request.stacks = list.split(',').map(number).collect::<Result<_, _>>()?;
                    rest.next();
                }
                ("--minutes", Some(count)) => {
                    request.minutes = Some(minutes(count)?);
                    rest.next();
                }
                ("--against" | "--only", Some(&"cdk")) => {
                    request.cdk = true;
                    request.ours = *argument == "--against";
                    rest.next();
                }
                ("--debug", _) => request.debug = true,
                (other, _) => {
                    return Err(format!(
                        "`{other}` is not understood; there are --stacks 4,40,400, --minutes COUNT, --against cdk, \
                         --only cdk and --debug"
                    ));
                }
            }
        }
        Ok(request)
    }
}

fn number(text: &str) -> Result<usize, String> {
    let count: usize = text.trim().parse().map_err(|_| format!("`{text}` is no number of stacks"))?;
    if count > 0 && count.is_multiple_of(4) {
        Ok(count)
    } else {
        Err(format!("{count} stacks cannot be measured: they come in groups of four"))
    }
}

fn minutes(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(count @ 1..=120) => Ok(count),
        _ => Err(format!("`{text}` is no number of minutes from 1 to 120")),
    }
}

/// Measures and prints.
///
/// # Errors
///
/// Something cannot be built or started, or a deployment fails.
pub(crate) fn deploy(paths: &Paths, request: &Request) -> Result<(), String> {
    let folder = paths.join(".tools/bench");
    let mut rows = Vec::new();
    let small: Vec<usize> = request.stacks.iter().copied().filter(|count| *count <= REAL_TIME).collect();
    let mut facts = vec![machine()];
    if !small.is_empty() {
        let programs = build(paths, request.debug)?;
        facts.push(output(Command::new(programs.join("formwork")).arg("--version"))?);
        if request.cdk {
            setup::node_packages(paths)?;
            facts
                .push(format!("AWS CDK {}", output(Command::new("node").arg(paths.cdk()).arg("--version"))?));
        }
        for count in small {
            let stacks = if request.minutes.is_some() { Stacks::slow(count) } else { Stacks::quick(count) };
            let mut measured = |name, command: &Command| -> Result<(), String> {
                let place = folder.join(format!("{name}-{count}"));
                let _ = fs::remove_dir_all(&place);
                stacks.write(&place.join("assembly"))?;
                rows.push((name, count, measure(&programs, &place, &stacks, request.minutes, command)?));
                Ok(())
            };
            if request.ours {
                measured("formwork", &ours(&programs, count))?;
            }
            if request.cdk {
                measured("cdk", &theirs(paths, count))?;
            }
        }
    }
    for count in request.stacks.iter().copied().filter(|count| *count > REAL_TIME) {
        rows.push(("formwork, virtual time", count, virtual_time(paths, count)?));
    }
    facts.push(if request.debug { "debug build".to_owned() } else { "release build".to_owned() });
    println!("\n{}.\n\n{}", facts.join(", "), figures::table(&rows));
    Ok(())
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{} {}, {cores} cores", std::env::consts::OS, std::env::consts::ARCH)
}

/// Builds the command line and the simulator: the folder that they lie in.
fn build(paths: &Paths, debug: bool) -> Result<PathBuf, String> {
    let mut command = cargo(paths);
    command.args(["build", "--quiet", "--package", "formwork-cli", "--package", "formwork-simulator"]);
    command.args([
        "--features",
        "formwork-simulator/server",
        "--bin",
        "formwork",
        "--bin",
        "formwork-simulator",
    ]);
    if !debug {
        command.arg("--release");
    }
    run(&mut command)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| paths.join("target"), PathBuf::from);
    Ok(paths.root.join(target).join(if debug { "debug" } else { "release" }))
}

fn ours(programs: &Path, count: usize) -> Command {
    let mut command = Command::new(programs.join("formwork"));
    command.args(["deploy", "--app", "assembly", "--yes", "--concurrency", &count.to_string()]);
    command
}

fn theirs(paths: &Paths, count: usize) -> Command {
    let mut command = Command::new("node");
    command.arg(paths.cdk()).args(["deploy", "--all", "--require-approval", "never"]);
    command.args(["--concurrency", &count.to_string(), "--app", "assembly"]);
    command.args(["--no-notices", "--no-color", "--output", "cdk.out"]);
    command.env("CI", "true").env("CDK_DISABLE_VERSION_CHECK", "1").env("CDK_DISABLE_CLI_TELEMETRY", "true");
    command
}

/// Runs one deployment against a simulator of its own.
fn measure(
    programs: &Path,
    place: &Path,
    stacks: &Stacks,
    minutes: Option<u32>,
    command: &Command,
) -> Result<Figures, String> {
    let scale = minutes.map_or(1.0, |minutes| f64::from(minutes) * 60.0 / PLATFORM_SECONDS);
    let simulator = Simulator::start(&programs.join("formwork-simulator"), place, scale)?;
    let mut watched = Command::new(command.get_program());
    watched.args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            watched.env(name, value);
        }
    }
    watched.current_dir(place);
    simulator.environment(&mut watched, place);
    let limit = Duration::from_secs(900 + 180 * u64::from(minutes.unwrap_or_default()));
    let Watched { seconds, peak_megabytes } = process::watch(&mut watched, place, limit)?;
    let log = Log::read(&simulator.log())?;
    let took = |name: &str| simulator.took(name);
    let critical_path = stacks.critical_path(CHANGE_SET_SECONDS * scale, took)?;
    Ok(log.figures(seconds, critical_path, peak_megabytes))
}

/// Deploys in virtual time, inside a test of the engine.
fn virtual_time(paths: &Paths, count: usize) -> Result<Figures, String> {
    let mut command = cargo(paths);
    command.args(["test", "--quiet", "--package", "formwork-engine", "--test", "apply", "--"]);
    command.args(["--ignored", "--exact", "scale::figures", "--nocapture"]);
    command.env("FORMWORK_BENCH_STACKS", count.to_string());
    let said = output(&mut command)?;
    let line = said.lines().find_map(|line| line.split_once("figures: "));
    let (_, line) = line.ok_or_else(|| format!("the test of the engine told no figures: {said}"))?;
    Figures::of_json(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_and_others_are_named() {
        let all = Request { stacks: vec![4, 40, 400], minutes: None, cdk: false, ours: true, debug: false };
        assert_eq!(Request::read(&[]), Ok(all));
        let some = Request { stacks: vec![8, 12], minutes: Some(2), cdk: true, ours: true, debug: true };
        let arguments = ["--stacks", "8,12", "--minutes", "2", "--against", "cdk", "--debug"];
        assert_eq!(Request::read(&arguments), Ok(some));
        assert!(!Request::read(&["--only", "cdk"]).unwrap().ours);
        assert!(Request::read(&["--minutes", "0"]).unwrap_err().contains("from 1 to 120"));
        assert!(Request::read(&["--stacks", "5"]).unwrap_err().contains("groups of four"));
        assert!(Request::read(&["--against", "sam"]).unwrap_err().contains("--against cdk"));
    }
}
