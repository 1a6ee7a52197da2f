//! Signals: a run that is told to end leaves its account and its journal so that it can go on.

#![cfg(all(unix, feature = "engine"))]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use formwork_simulator::server::{ServeOptions, Served};
use formwork_simulator::{Simulator, SimulatorOptions};
use rustix::process::{Pid, Signal, kill_process};
use support::{Done, Project, app, reaching};

/// An account that takes its time: a stack is at work for some seconds.
fn account() -> Served {
    let options = ServeOptions { speed: 5.0, ..ServeOptions::default() };
    Served::start(Simulator::new(SimulatorOptions::default()), options).unwrap()
}

fn command(project: &Project, account: &Served, arguments: &[&str]) -> Command {
    reaching(project.command(&[arguments, &["--app", &app("good")]].concat()), account.endpoint())
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Starts a deployment and sends signals once its first stack is at work.
fn deploy_and_send(project: &Project, account: &Served, signals: &[Signal]) -> Done {
    let mut command = command(project, account, &["deploy", "--yes"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("create started") {
        assert!(lines.read_line(&mut said).unwrap() > 0, "{said}");
    }
    for signal in signals {
        send(&child, *signal);
    }
    lines.read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    Done { code: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr: said }
}

/// Fault 68: Ctrl-C once detaches, says how to go on, and `resume` does.
#[test]
fn one_interrupt_detaches_and_the_run_is_resumed() {
    let (project, account) = (Project::new(), account());
    deploy_and_send(&project, &account, &[Signal::INT])
        .ends_with(6)
        .says("detached: ")
        .says("hint: `formwork resume ");
    let mut resume = command(&project, &account, &["resume"]);
    Done::of(resume.output().unwrap()).ends_with(0).says("app-proxy  is deployed");
}

/// Fault 68: the end of a session and a polite kill are as an interrupt.
#[test]
fn a_hangup_and_a_termination_detach_as_well() {
    for signal in [Signal::HUP, Signal::TERM] {
        let (project, account) = (Project::new(), account());
        deploy_and_send(&project, &account, &[signal]).ends_with(6).says("hint: `formwork resume ");
    }
}

/// Fault 68: whoever says it twice is not answered with a detached run, but asks for an end of what runs.
#[test]
fn two_signals_end_as_interrupted() {
    let (project, account) = (Project::new(), account());
    // Two of the same at once are one to the operating system, and the run has ended before a later one comes.
    deploy_and_send(&project, &account, &[Signal::INT, Signal::TERM])
        .ends_with(130)
        .says("only updates can be cancelled")
        .says("hint: `formwork resume ");
}

/// Fault 68: a reader that has seen enough is no failure.
#[test]
fn a_closed_pipe_is_a_good_end() {
    let project = Project::new();
    let mut command = project.command(&["rehearse", "--speed", "2000", "--app", &app("good")]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    Done::of(child.wait_with_output().unwrap()).ends_with(0).says("2 stacks deployed");
}

/// Fault 73: nobody reads what is said; the run goes on to its end.
#[test]
fn a_run_goes_on_when_nobody_reads_its_log() {
    let project = Project::new();
    let mut command = project.command(&["rehearse", "--speed", "6000"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    Done::of(child.wait_with_output().unwrap()).ends_with(0).prints("Url");
}
