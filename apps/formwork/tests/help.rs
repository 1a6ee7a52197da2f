//! The help texts: of the program and of every command, at 100 columns.

#![cfg(feature = "engine")]

mod support;

use support::{Project, golden};

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
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
    for name in names.iter().filter(|name| *name != "help").map(String::as_str).chain(["asset"]) {
        let text = help(&[name]);
        golden(&format!("help/{name}.txt"), &text);
        for inner in commands(&text).iter().filter(|inner| *inner != "help") {
            golden(&format!("help/{name}-{inner}.txt"), &help(&[name, inner]));
        }
    }
}
