//! What the crates may depend on: the edges of ARCHITECTURE.md, and packages that are really used.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::path::Path;

use formwork_tests::{Package, Workspace, repository_root};

/// Which of our crates the code of each of our crates may use. A new crate needs a row here and in ARCHITECTURE.md.
const EDGES: [(&str, &[&str]); 15] = [
    ("formwork-assembly", &[]),
    ("formwork-schema", &["formwork-assembly"]),
    ("formwork", &["formwork-assembly", "formwork-schema"]),
    ("formwork-codegen", &["formwork-assembly", "formwork-schema"]),
    ("formwork-resources", &["formwork"]),
    ("formwork-lambda-layers", &[]),
    ("formwork-library", &["formwork", "formwork-lambda-layers", "formwork-resources", "formwork-schema"]),
    ("formwork-ml-platform", &["formwork", "formwork-library"]),
    (
        "formwork-cli",
        &[
            "formwork",
            "formwork-assembly",
            "formwork-codegen",
            "formwork-engine",
            "formwork-kits",
            "formwork-lambda-layers",
            "formwork-ml-platform",
            "formwork-schema",
            "formwork-simulator",
        ],
    ),
    ("formwork-engine", &["formwork-assembly", "formwork-schema"]),
    ("formwork-simulator", &["formwork-assembly", "formwork-schema"]),
    ("formwork-kits", &[]),
    ("mlflow-proxy", &[]),
    ("formwork-tests", &["formwork", "formwork-assembly", "formwork-ml-platform", "formwork-schema"]),
    ("xtask", &["formwork-codegen", "formwork-schema"]),
];

/// The packages that this product is built on, by the name in the code, and the crates whose work they do.
const FOUNDATIONS: [(&str, &[&str]); 6] = [
    ("serde", &["formwork-assembly", "formwork"]),
    ("serde_json", &["formwork-assembly", "formwork", "formwork-schema"]),
    ("serde_yaml", &["formwork-assembly"]),
    ("clap", &["formwork-cli"]),
    ("schemars", &["formwork"]),
    ("jsonschema", &["formwork-cli"]),
];

/// What must not be reached from under `constructs/`: synthesis is pure and needs no runtime and no network.
const NOT_IN_CONSTRUCTS: [&str; 6] = ["tokio", "async-std", "hyper", "reqwest", "ureq", "jsonschema"];

fn is_under_constructs(package: &Package) -> bool {
    package.folder.starts_with(repository_root().join("constructs"))
}

/// Whether a text names a crate in a path, a `use` or an attribute, comments apart.
fn names(text: &str, name: &str) -> bool {
    let is_part_of_word = |character: char| character.is_alphanumeric() || character == '_';
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.into_iter().any(|line| {
        line.match_indices(name).any(|(start, _)| {
            let before = line[..start].chars().next_back();
            let after = &line[start + name.len()..];
            before.is_none_or(|character| !is_part_of_word(character))
                && (after.starts_with("::") || after.starts_with(';') || after.starts_with(" as "))
        })
    })
}

fn is_used(package: &Package, name: &str) -> bool {
    package.sources().unwrap().iter().any(|(_, text)| names(text, name))
}

#[test]
fn crates_depend_on_each_other_in_one_direction() {
    let workspace = Workspace::load().unwrap();
    let mut wrong = Vec::new();
    for package in workspace.packages.values() {
        let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == package.name) else {
            wrong.push(format!("{} has no row of allowed edges", package.name));
            continue;
        };
        let ours = package.dependencies.values().filter(|name| workspace.packages.contains_key(*name));
        let refused = ours.filter(|name| !allowed.contains(&name.as_str()));
        wrong.extend(refused.map(|name| format!("{} must not depend on {name}", package.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_row_of_allowed_edges_is_a_crate() {
    let workspace = Workspace::load().unwrap();
    for (name, allowed) in EDGES {
        assert!(workspace.packages.contains_key(name), "{name}");
        assert!(allowed.iter().all(|name| workspace.packages.contains_key(*name)), "{allowed:?}");
    }
}

#[test]
fn constructs_reach_no_runtime_no_network_and_no_engine() {
    let workspace = Workspace::load().unwrap();
    let constructs: Vec<_> = workspace.packages.values().filter(|it| is_under_constructs(it)).collect();
    assert!(constructs.len() >= 6, "the crates under constructs/ are seen");
    for package in constructs {
        let refused = |name: &&String| {
            NOT_IN_CONSTRUCTS.contains(&name.as_str())
                || name.starts_with("aws-sdk-")
                || name.starts_with("aws-config")
                || name.starts_with("formwork-engine")
        };
        let found: Vec<_> = package.reachable.iter().filter(refused).collect();
        assert!(found.is_empty(), "{} reaches {found:?}", package.name);
    }
}

#[test]
fn the_proxy_stands_alone() {
    let workspace = Workspace::load().unwrap();
    let proxy = workspace.package("mlflow-proxy");
    assert_eq!(proxy.folder, Path::new(repository_root()).join("apps/mlflow-proxy"));
    let ours: Vec<_> = proxy.reachable.iter().filter(|name| workspace.packages.contains_key(*name)).collect();
    assert!(ours.is_empty(), "{ours:?}");
}

#[test]
fn the_foundations_are_direct_and_used() {
    let workspace = Workspace::load().unwrap();
    let mut wrong = Vec::new();
    for (name, crates) in FOUNDATIONS {
        for package in crates.iter().map(|it| workspace.package(it)) {
            if !package.dependencies.contains_key(name) {
                wrong.push(format!("{} does not depend on {name}", package.name));
            } else if !is_used(package, name) {
                wrong.push(format!("{} does not use {name}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_is_used() {
    let workspace = Workspace::load().unwrap();
    let mut unused = Vec::new();
    for package in workspace.packages.values() {
        let names = package.dependencies.keys().filter(|name| !is_used(package, name));
        unused.extend(names.map(|name| format!("{} does not use {name}", package.name)));
    }
    assert!(unused.is_empty(), "{}", unused.join("\n"));
}

#[test]
fn a_use_is_told_from_a_mention() {
    assert!(names("use serde::Deserialize;", "serde"));
    assert!(names("let value = serde_json::json!({});", "serde_json"));
    assert!(names("use formwork_library as library;", "formwork_library"));
    assert!(!names("use serde_json::json;", "serde"));
    assert!(!names("// use serde::Deserialize;", "serde"));
    assert!(!names("let text = \"serde is nice\";", "serde"));
}
