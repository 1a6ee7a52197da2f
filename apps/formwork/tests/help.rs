//! The help texts: of the program and of every command, at 100 columns.

#![cfg(feature = "engine")]

mod support;

use support::{Project, golden};

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(str::to_owned).collect()
}

fn help(arguments: &[&str]) -> String {
    let done = Project::new().run(&[arguments, &["--help"]].concat()).ends_with(0);
    assert!(done.stdout.lines().all(|line| line.chars().count() <= 100), "{}", done.stdout);
    done.stdout
}

#[test]
fn every_command_says_what_it_does() {
    let program = help(&[]);
    golden("help/formwork.txt", &program);
    let names = commands(&program);
    assert!(names.len() > 15, "{names:?}");
    // `asset` is for assembly manifests only and therefore not listed.
    for name in names.iter().map(String::as_str).chain(["asset"]) {
        of_command(&[name]);
    }
}

/// The help text of a command, and of those that it has inside.
fn of_command(path: &[&str]) {
    let text = help(path);
    golden(&format!("help/{}.txt", path.join("-")), &text);
    for inner in commands(&text) {
        of_command(&[path, &[inner.as_str()]].concat());
    }
}
