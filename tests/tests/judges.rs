//! The judges really judge: each is asked about small files that are good or bad in a known way.
//!
//! Whatever else passes because a judge found nothing would prove nothing if it never found anything.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use formwork_tests::{Cdk, CfnLint, CloudformationValidate, Finding, Level, ListedStack};

/// A region with every type that the fixtures use, and one that lacks the MLflow app.
const REGIONS: [&str; 2] = ["us-east-1", "ca-west-1"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn templates() -> Vec<PathBuf> {
    ["good", "unknown-property", "redundant-depends-on", "absent-in-some-regions", "broken"]
        .map(|name| fixture(&format!("templates/{name}.json")))
        .to_vec()
}

/// The rules that were broken, by file, at the level of a warning or worse.
fn broken_rules(findings: &[Finding]) -> Vec<(String, Level, String)> {
    let serious = findings.iter().filter(|finding| finding.level >= Level::Warning);
    let stem = |finding: &Finding| finding.template.file_stem().unwrap().to_string_lossy().into_owned();
    serious.map(|finding| (stem(finding), finding.level, finding.rule.clone())).collect()
}

fn expected(rows: &[(&str, Level, &str)]) -> Vec<(String, Level, String)> {
    rows.iter().map(|(file, level, rule)| ((*file).to_owned(), *level, (*rule).to_owned())).collect()
}

#[test]
fn cfn_lint_finds_what_is_wrong_and_nothing_else() {
    let Some(judge) = CfnLint::find() else { return };
    let findings = judge.check(&templates(), &REGIONS).unwrap();
    assert_eq!(
        broken_rules(&findings),
        expected(&[
            ("unknown-property", Level::Error, "E3002"),
            ("redundant-depends-on", Level::Warning, "W3005"),
            ("absent-in-some-regions", Level::Error, "E3006"),
            ("broken", Level::Error, "E0000"),
        ]),
        "{findings:#?}"
    );
    assert_eq!(findings[0].place, "Resources/Topic/Properties/Tipic");
}

#[test]
fn cfn_lint_judges_by_region() {
    let Some(judge) = CfnLint::find() else { return };
    let template = [fixture("templates/absent-in-some-regions.json")];
    assert_eq!(judge.check(&template, &["us-east-1"]).unwrap(), []);
    assert_ne!(judge.check(&template, &["ca-west-1"]).unwrap(), []);
}

#[test]
fn a_missing_template_is_not_taken_for_a_good_one() {
    let missing = [PathBuf::from("no-such-template.json")];
    if let Some(judge) = CfnLint::find() {
        let error = judge.check(&missing, &REGIONS).unwrap_err().to_string();
        assert!(error.contains("no-such-template.json"), "{error}");
    }
    if let Some(judge) = CloudformationValidate::find() {
        let findings = judge.check(&missing, &REGIONS).unwrap().findings;
        assert_eq!(broken_rules(&findings), expected(&[("no-such-template", Level::Error, "not-judged")]));
    }
}

#[test]
fn cloudformation_validate_finds_what_is_wrong_and_nothing_else() {
    let Some(judge) = CloudformationValidate::find() else { return };
    let validation = judge.check(&templates(), &REGIONS).unwrap();
    assert_eq!(
        broken_rules(&validation.findings),
        expected(&[
            ("unknown-property", Level::Error, "F3002"),
            ("redundant-depends-on", Level::Warning, "W3005"),
            ("absent-in-some-regions", Level::Error, "F3006"),
            ("broken", Level::Error, "F1101"),
        ]),
        "{validation:#?}"
    );
    assert!(validation.passed_limit.is_empty());
}

#[test]
fn cloudformation_validate_lists_what_passes_the_limit_and_goes_on() {
    let Some(judge) = CloudformationValidate::find() else { return };
    // A named pipe that nobody writes to never comes to its end.
    let folder = tempfile::tempdir().unwrap();
    let endless = folder.path().join("endless.json");
    assert!(Command::new("mkfifo").arg(&endless).status().unwrap().success());
    let templates = [endless.clone(), fixture("templates/unknown-property.json")];
    let validation = judge.with_limit(Duration::from_secs(3)).check(&templates, &REGIONS).unwrap();
    assert_eq!(validation.passed_limit, [endless]);
    assert_eq!(broken_rules(&validation.findings), expected(&[("unknown-property", Level::Error, "F3002")]));
}

#[test]
fn the_cdk_lists_stacks_with_what_they_depend_on() {
    let Some(cdk) = Cdk::find() else { return };
    let stack = |id: &str, dependencies: &[&str]| ListedStack {
        id: id.into(),
        dependencies: dependencies.iter().map(|&it| it.into()).collect(),
    };
    assert_eq!(
        cdk.list(&fixture("assembly")).unwrap(),
        [stack("demo-app (demo-application)", &["demo-network"]), stack("demo-network", &[])]
    );
}

#[test]
fn the_cdk_gives_the_template_of_a_stack() {
    let Some(cdk) = Cdk::find() else { return };
    let template = cdk.synth(&fixture("assembly"), "demo-app").unwrap();
    let value = &template["Resources"]["TopicName"]["Properties"]["Value"];
    assert_eq!(value["Fn::ImportValue"], "demo-network:TopicArn");
    assert!(cdk.synth(&fixture("assembly"), "no-such-stack").is_err());
}

#[test]
fn the_cdk_sees_differences_only_where_there_are_some() {
    let Some(cdk) = Cdk::find() else { return };
    let assembly = fixture("assembly");
    let (same, other) =
        (assembly.join("demo-app.template.json"), assembly.join("demo-network.template.json"));
    assert_eq!(cdk.diff(&assembly, "demo-app", &same).unwrap(), "");
    let differences = cdk.diff(&assembly, "demo-app", &other).unwrap();
    assert!(differences.contains("[-] AWS::SNS::Topic Topic destroy"), "{differences}");
    assert!(differences.contains("[+] AWS::SSM::Parameter TopicName"), "{differences}");
}

#[test]
fn the_cdk_refuses_an_assembly_that_is_too_new_or_incomplete() {
    let Some(cdk) = Cdk::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixture("assembly")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    assert!(cdk.list(folder.path()).is_ok());

    let manifest = folder.path().join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"11.0.0\"", "\"9999.0.0\"")).unwrap();
    let error = cdk.list(folder.path()).unwrap_err().to_string();
    assert!(error.contains("schema version mismatch"), "{error}");

    std::fs::write(&manifest, text).unwrap();
    std::fs::remove_file(folder.path().join("demo-app.template.json")).unwrap();
    assert!(cdk.synth(folder.path(), "demo-app").is_err());
}
