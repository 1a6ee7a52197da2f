//! The entry of a user's own app: every kind of mistake is told with path and line, ends with its exit code, and leaves
//! the last good assembly as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use formwork_tests::repository_root;

/// Runs the app in a folder with a context.
fn run(folder: &Path, context: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mistaken_app"))
        .current_dir(folder)
        .env_remove("CDK_OUTDIR")
        .env_remove("CDK_DEFAULT_ACCOUNT")
        .env_remove("CDK_DEFAULT_REGION")
        .env("CDK_CONTEXT_JSON", context)
        .output()
        .expect("the app starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| {
            let entry = entry.expect("a readable entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("a readable file"))
        })
        .collect()
}

#[test]
fn each_mistake_is_told_with_path_and_line_and_writes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    assert!(run(folder.path(), "{}").status.success());
    let before = files(&folder.path().join("cfn-out"));
    assert!(before.contains_key("only.template.json"));
    for (mistake, rule, shown) in [
        ("circle", "circular-dependency", "First"),
        ("stack-circle", "stack-circle", "`other/Second` uses `only/First.TopicName`"),
        ("duplicate-id", "duplicate-id", "id `Topic` is used twice within `only`"),
        ("too-many-resources", "limit", "501"),
        ("unknown-property", "unknown-property", "did you mean `DisplayName`?"),
        ("unreadable-asset", "unreadable-asset", "no/such/file.py"),
        ("large-template", "limit", "bytes"),
    ] {
        let output = run(folder.path(), &format!(r#"{{"mistake": "{mistake}"}}"#));
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{mistake}: {said}");
        assert!(said.contains(&format!("[{rule}]")), "{mistake}: no [{rule}] in\n{said}");
        assert!(said.contains(shown), "{mistake}: no `{shown}` in\n{said}");
        assert!(said.contains("  at only") || said.contains("  at other"), "{mistake}: no path in\n{said}");
        assert!(said.contains("mistaken_app.rs:"), "{mistake}: no line in\n{said}");
        assert_eq!(
            files(&folder.path().join("cfn-out")),
            before,
            "{mistake}: the last assembly is as it was"
        );
        assert_eq!(
            fs::read_dir(folder.path()).expect("readable").count(),
            1,
            "{mistake}: nothing is left behind"
        );
    }
}

#[test]
fn a_wrong_context_is_told_with_what_would_be_right() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let output = run(folder.path(), r#"{"mistake": "circl", "mistaks": "none"}"#);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("did you mean mistake=circle?"), "{said}");
    assert!(said.contains("did you mean mistake?"), "{said}");
    for broken in ["[]", "{", "\"text\""] {
        let output = run(folder.path(), broken);
        assert_eq!(output.status.code(), Some(1), "{broken}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("CDK_CONTEXT_JSON"), "{broken}");
    }
}

#[test]
fn keys_of_the_cdk_command_line_are_no_mistake() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let output = run(folder.path(), r#"{"aws:cdk:enable-path-metadata": true, "@aws-cdk/core:flag": true}"#);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn whoever_names_a_directory_gets_the_findings_there() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let target = folder.path().join("given");
    let output = Command::new(env!("CARGO_BIN_EXE_mistaken_app"))
        .current_dir(repository_root())
        .env("CDK_OUTDIR", &target)
        .env("CDK_CONTEXT_JSON", r#"{"mistake": "duplicate-id"}"#)
        .output()
        .expect("the app starts");
    assert_eq!(output.status.code(), Some(1));
    let names: Vec<String> = files(&target).into_keys().collect();
    assert_eq!(names, ["context-schema.json", "diagnostics.json"]);
    let found: Vec<formwork::Diagnostic> =
        serde_json::from_slice(&files(&target)["diagnostics.json"]).expect("diagnostics");
    assert_eq!(found[0].rule, "duplicate-id");
    assert_eq!(found[0].construct_path.as_deref(), Some("only/Topic"));
}
