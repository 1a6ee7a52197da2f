//! The validator finds every fault of the corpus, at its severity, in its place and with a hint, finds nothing wrong with
//! what is right, and foreign judges or a page of AWS agree that errors are errors.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use formwork_assembly::{Severity, TemplateFile};
use formwork_schema::{Options, validate_template};
use formwork_tests::mutations::{Mutation, mutations, right_template_files, right_templates, to_text};
use formwork_tests::{CfnLint, CloudformationValidate, Finding, Level, is_slow_run};
use serde_json::Value;

/// The kinds of faults that there have to be mutations of.
const KINDS: [&str; 20] = [
    "bounds",
    "circles",
    "combinations",
    "conditions",
    "enums",
    "exports-and-outputs",
    "functions",
    "if-branches",
    "items",
    "limits",
    "parameters-and-mappings",
    "patterns",
    "policies",
    "read-only",
    "reference-kinds",
    "regions-and-ages",
    "required",
    "targets",
    "types",
    "unknown-names",
];

fn validate(template: &Value, region: &str) -> Vec<formwork_schema::Finding> {
    let size_bytes = Some(to_text(template).len());
    validate_template(template, &Options { region: Some(region), size_bytes })
}

#[test]
fn right_templates_have_no_findings() {
    let mut wrong = Vec::new();
    for (name, template) in right_templates().unwrap() {
        for region in [Some("us-east-1"), Some("eu-west-1"), None] {
            let options = Options { region, size_bytes: None };
            let findings = validate_template(&template, &options);
            wrong.extend(findings.into_iter().map(|finding| format!("{name} in {region:?}: {finding:?}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_mutations_of_every_kind() {
    let mutations = mutations().unwrap();
    let kinds: BTreeSet<&str> = mutations.iter().map(|mutation| mutation.kind.as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(KINDS));
    let names: BTreeSet<String> = mutations.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), mutations.len(), "every fault has a name of its own");
    assert!(mutations.len() >= 300, "{} mutations", mutations.len());
    let templates: BTreeSet<&str> = mutations.iter().map(|mutation| mutation.template.as_str()).collect();
    assert_eq!(templates.len(), right_templates().unwrap().len(), "every right template is made wrong");
}

#[test]
fn every_fault_is_found() {
    let right = right_templates().unwrap();
    let mutations = mutations().unwrap();
    let failures: Vec<String> = mutations.iter().filter_map(|mutation| failure(mutation, &right)).collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), mutations.len(), failures.join("\n"));
}

/// What is wrong with the findings about a mutation: the fault is not among them, or others of the same severity are.
fn failure(mutation: &Mutation, right: &BTreeMap<String, Value>) -> Option<String> {
    let (severity, rule) = mutation.expected();
    let place = mutation.place();
    let findings = validate(&mutation.apply(right), &mutation.region);
    let fits = |finding: &formwork_schema::Finding| {
        finding.severity == severity
            && finding.rule == rule
            && finding.pointer == place
            && mutation
                .hint
                .as_ref()
                .is_none_or(|hint| finding.hint.as_ref().is_some_and(|given| given.contains(hint)))
    };
    let shown: Vec<String> = findings
        .iter()
        .map(|finding| {
            let pointer: String = finding.pointer.chars().take(160).collect();
            format!(
                "    {} {} at {pointer}: {} ({:?})",
                finding.severity, finding.rule, finding.message, finding.hint
            )
        })
        .collect();
    if findings.iter().any(fits) {
        return None;
    }
    let wanted = format!("{severity} {rule} at {place} ({:?})", mutation.hint);
    Some(format!("{mutation}\n  wants {wanted:.300}\n  finds\n{}", shown.join("\n")))
}

#[test]
fn one_fault_is_not_told_in_many_ways() {
    let right = right_templates().unwrap();
    let mut noisy = Vec::new();
    for mutation in mutations().unwrap() {
        let findings = validate(&mutation.apply(&right), &mutation.region);
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
        let rules: BTreeSet<&str> = errors.map(|finding| finding.rule).collect();
        if rules.len() > 2 {
            noisy.push(format!("{mutation}: {rules:?}"));
        }
    }
    assert!(noisy.is_empty(), "{}", noisy.join("\n"));
}

#[test]
fn a_right_template_of_another_tool_has_no_errors() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/templates/metaflow-shape.yaml");
    let file = TemplateFile::read(&path).unwrap();
    let count = |section: &str| file.value()[section].as_object().map_or(0, serde_json::Map::len);
    let counts = ["Parameters", "Mappings", "Conditions", "Resources", "Outputs"].map(count);
    assert_eq!(counts, [17, 3, 7, 76, 19]);
    let options = Options { region: Some("us-east-1"), size_bytes: Some(file.size_bytes()) };
    let errors: Vec<_> = validate_template(file.value(), &options)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    if let Some(judge) = CfnLint::find() {
        let findings = judge.check(&[path], &["us-east-1"]).unwrap();
        let errors: Vec<_> = findings.iter().filter(|finding| finding.level == Level::Error).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn cfn_lint_finds_nothing_wrong_with_right_templates() {
    let Some(judge) = CfnLint::find() else { return };
    let findings = judge.check(&right_template_files().unwrap(), &["us-east-1"]).unwrap();
    let serious: Vec<_> = findings.iter().filter(|finding| finding.level >= Level::Warning).collect();
    assert!(serious.is_empty(), "{serious:#?}");
}

/// The mutated templates that have an error of ours, on disk, by region.
fn write_wrong_templates(folder: &Path) -> BTreeMap<String, Vec<(PathBuf, Mutation)>> {
    let right = right_templates().unwrap();
    // Each takes a judge a quarter of a second: all of them are asked about in the slow run only.
    let step = if is_slow_run() { 1 } else { 4 };
    let mut by_region: BTreeMap<String, Vec<(PathBuf, Mutation)>> = BTreeMap::new();
    let errors = mutations().unwrap().into_iter().filter(|mutation| mutation.expected().0 == Severity::Error);
    for (index, mutation) in errors.enumerate().step_by(step) {
        let path = folder.join(format!("{index}.json"));
        fs::write(&path, to_text(&mutation.apply(&right))).unwrap();
        by_region.entry(mutation.region.clone()).or_default().push((path, mutation));
    }
    by_region
}

fn refused(findings: &[Finding]) -> BTreeSet<&PathBuf> {
    findings.iter().filter(|finding| finding.level == Level::Error).map(|finding| &finding.template).collect()
}

#[test]
fn a_judge_or_a_page_of_aws_says_that_errors_are_errors() {
    let (Some(judge), Some(second)) = (CfnLint::find(), CloudformationValidate::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (region, templates) in write_wrong_templates(folder.path()) {
        let paths: Vec<PathBuf> = templates.iter().map(|(path, _)| path.clone()).collect();
        let findings = judge.check(&paths, &[&region]).unwrap();
        let by_first = refused(&findings);
        let open: Vec<_> =
            templates.iter().filter(|(path, it)| !by_first.contains(path) && it.page.is_none()).collect();
        let paths: Vec<PathBuf> = open.iter().map(|(path, _)| path.clone()).collect();
        let validation = second.check(&paths, &[&region]).unwrap();
        let by_second = refused(&validation.findings);
        let unsaid = open.iter().filter(|(path, _)| !by_second.contains(path));
        wrong.extend(unsaid.map(|(_, mutation)| mutation.to_string()));
    }
    assert!(wrong.is_empty(), "errors of ours that no judge and no page names:\n{}", wrong.join("\n"));
}

#[test]
fn pages_are_those_of_aws() {
    for mutation in mutations().unwrap() {
        let page = mutation.page.as_deref().unwrap_or("https://docs.aws.amazon.com/");
        assert!(page.starts_with("https://docs.aws.amazon.com/"), "{mutation}: {page}");
    }
}
