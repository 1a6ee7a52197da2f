//! The table of faults in docs/faults.md and the tests that provoke them.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use formwork_tests::repository_root;

/// How many faults there are.
const FAULTS: u32 = 81;

/// How many bugs of other tools are tried.
const BUGS: usize = 14;

/// The table: number to what has to happen.
fn table() -> BTreeMap<u32, String> {
    let text = fs::read_to_string(repository_root().join("docs/faults.md")).unwrap();
    let row = |line: &str| {
        let (number, rest) = line.strip_prefix("| ")?.split_once(" | ")?;
        let (_, what) = rest.rsplit_once(" | ")?;
        Some((number.trim().parse().ok()?, what.trim_end_matches(" |").to_owned()))
    };
    text.lines().filter_map(row).collect()
}

fn rust_files(directory: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(fs::read_to_string(&path).unwrap());
        }
    }
}

/// The sources in which tests stand.
fn sources() -> Vec<String> {
    let mut files = Vec::new();
    for folder in ["engine", "apps", "tests", "constructs"] {
        rust_files(&repository_root().join(folder), &mut files);
    }
    files
}

/// The numbers in `Fault 16:` or `Faults 13, 14:` of the doc comments that stand above a test.
fn tested() -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    for file in sources() {
        let mut pending = BTreeSet::new();
        for line in file.lines().map(str::trim_start) {
            if let Some(comment) = line.strip_prefix("/// ") {
                let rest = comment.strip_prefix("Faults ").or_else(|| comment.strip_prefix("Fault "));
                if let Some((list, _)) = rest.and_then(|rest| rest.split_once(':')) {
                    let separators = |character: char| !character.is_ascii_digit();
                    pending.extend(list.split(separators).filter_map(|number| number.parse::<u32>().ok()));
                }
            } else if line.starts_with("#[") {
                if line.contains("test") {
                    numbers.append(&mut pending);
                }
            } else if !line.starts_with("//") {
                pending.clear();
            }
        }
    }
    numbers
}

/// The names of all tests.
fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in sources() {
        let mut is_test = false;
        for line in file.lines().map(str::trim_start) {
            if line.starts_with("#[") {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            } else if let Some((_, name)) = line.split_once("fn ").filter(|_| is_test) {
                names.extend(name.split_once('(').map(|(name, _)| name.to_owned()));
                is_test = false;
            }
        }
    }
    names
}

/// The bugs that other tools had: the number and what stands for a test.
fn bugs() -> Vec<(String, String)> {
    let text = fs::read_to_string(repository_root().join("docs/faults.md")).unwrap();
    let row = |line: &str| {
        let (number, rest) = line.strip_prefix("| #")?.split_once(" | ")?;
        let (_, tests) = rest.trim_end_matches(" |").rsplit_once(" | ")?;
        Some((number.to_owned(), tests.to_owned()))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn every_fault_has_a_row() {
    assert_eq!(table().into_keys().collect::<Vec<_>>(), (1..=FAULTS).collect::<Vec<_>>());
}

#[test]
fn every_fault_is_provoked_by_a_test_or_says_why_not() {
    let tested = tested();
    let wrong: Vec<String> = table()
        .into_iter()
        .filter_map(|(number, what)| match (what.contains("left out: "), tested.contains(&number)) {
            (false, false) => Some(format!("fault {number} has no test: {what}")),
            (true, true) => Some(format!("fault {number} has a test, so that it is not left out")),
            _ => None,
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_bug_that_other_tools_had_is_tried_or_cannot_happen() {
    let (bugs, names) = (bugs(), test_names());
    assert_eq!(bugs.len(), BUGS);
    let mut wrong = Vec::new();
    for (number, tests) in &bugs {
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        if named.is_empty() && !tests.starts_with("cannot happen: ") {
            wrong.push(format!("bug #{number} names no test and does not say why: {tests}"));
        }
        wrong.extend(
            named
                .into_iter()
                .filter(|name| !names.contains(*name))
                .map(|name| format!("bug #{number}: there is no test {name}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
