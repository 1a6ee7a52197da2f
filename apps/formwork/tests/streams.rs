//! What goes where, and how the process ends: streams, colour, closed pipes, signals.

mod support;

use std::process::Stdio;

use support::{Done, Project, app};

#[test]
fn help_and_version_are_answers() {
    let project = Project::new();
    for command in [&["--help"][..], &["help", "synth"], &["synth", "--help"], &["--version"]] {
        let done = project.run(command).ends_with(0);
        assert_eq!(done.stderr, "");
        assert!(!done.stdout.is_empty());
    }
    project.run(&["--help"]).prints("Exit codes: 0 success");
}

#[test]
fn quiet_leaves_only_data_and_errors() {
    let project = Project::new();
    let done = project.run(&["synth", "-q"]).ends_with(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""));
    let done = project.run(&["synth", "-q", "-c", "prefx=a"]).ends_with(10).says("error[context-key]");
    assert!(!done.stderr.contains("left as it was"));
    assert!(!project.run(&["list", "-q"]).ends_with(0).stdout.is_empty());
    project.run(&["list", "-q", "-v"]).ends_with(10).says("cannot be used with");
}

#[test]
fn colour_is_used_when_asked_for_only() {
    let project = Project::new();
    let wrong = ["synth", "-c", "prefx=a"];
    assert!(!project.run(&wrong).stderr.contains('\u{1b}'));
    assert!(!project.run(&[&wrong[..], &["--color", "never"]].concat()).stderr.contains('\u{1b}'));
    let colored = project.run(&[&wrong[..], &["--color", "always"]].concat()).ends_with(10);
    assert!(colored.stderr.contains("\u{1b}[1m\u{1b}[31merror\u{1b}[0m[context-key]"), "{colored:?}");
    let mut forced = project.command(&wrong);
    forced.env("CLICOLOR_FORCE", "1");
    assert!(Done::of(forced.output().unwrap()).stderr.contains('\u{1b}'));
    let mut without = project.command(&wrong);
    without.env("NO_COLOR", "1");
    assert!(!Done::of(without.output().unwrap()).stderr.contains('\u{1b}'));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let project =
        Project::new().with("right.json", r#"{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}"#);
    for arguments in [
        &["list"][..],
        &["synth"],
        &["graph", "--format", "dot"],
        &["context"],
        &["validate", "--format", "json", "right.json"],
        &["--help"],
    ] {
        let mut child =
            project.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let done = Done::of(child.wait_with_output().unwrap()).ends_with(0);
        assert!(!done.stderr.contains("panicked"), "{done:?}");
        assert!(!done.stderr.contains("error"), "{done:?}");
    }
    assert!(project.names("cfn-out").contains(&"manifest.json".to_owned()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Project::new().command(&["list"]);
    let project = Project::new();
    command.current_dir(project.path()).stdout(full);
    Done::of(command.output().unwrap())
        .ends_with(1)
        .says("error: cannot write to standard output\n  because: ");
}

#[cfg(unix)]
#[test]
fn an_interruption_stops_the_app_and_leaves_nothing() {
    use std::process::Command;
    use std::time::{Duration, Instant};
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let project = Project::new();
        let mut child =
            project.command(&["synth", "--app", &app("sleep")]).stderr(Stdio::null()).spawn().unwrap();
        let started = project.path().join("started");
        let patience = Instant::now() + Duration::from_secs(20);
        let pid = loop {
            match std::fs::read_to_string(&started) {
                Ok(pid) if !pid.is_empty() => break pid,
                _ => assert!(Instant::now() < patience, "the app did not start"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let kill =
            |arguments: &[&str]| Command::new("kill").args(arguments).stderr(Stdio::null()).status().unwrap();
        assert!(kill(&["-s", signal, &child.id().to_string()]).success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(project.names("."), ["started"]);
        assert!(!kill(&["-0", &pid]).success(), "the app is still there");
    }
}
