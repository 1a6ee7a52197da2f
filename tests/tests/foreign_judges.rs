//! What foreign programs say about the templates of every variant: cfn-lint, cloudformation-validate and the cdk
//! command line find nothing to complain about.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use formwork_tests::variants::{REGION_WITHOUT_APPS, REGIONS, VARIANTS, shown};
use formwork_tests::{Cdk, CfnLint, CloudformationValidate, Level};

/// The distinct templates of all variants on disk: those that go everywhere, and those with the native app.
struct Written {
    _folder: tempfile::TempDir,
    everywhere: Vec<PathBuf>,
    with_native_app: Vec<PathBuf>,
}

fn write_all() -> Written {
    let folder = tempfile::tempdir().expect("a temporary directory");
    // The same text once; a template is judged where all variants that have it can go.
    let mut distinct: BTreeMap<String, (PathBuf, bool)> = BTreeMap::new();
    for variant in VARIANTS {
        let templates =
            variant.templates(None).unwrap_or_else(|error| panic!("{}: {}", variant.name, shown(&error)));
        for (stack, text) in templates {
            let native = text.contains("AWS::SageMaker::MlflowApp");
            let path = folder.path().join(format!("{}.{stack}.json", variant.name));
            distinct.entry(text).or_insert((path, native));
        }
    }
    let mut written = Written { _folder: folder, everywhere: Vec::new(), with_native_app: Vec::new() };
    for (text, (path, native)) in distinct {
        fs::write(&path, text).expect("a writable file");
        if native { written.with_native_app.push(path) } else { written.everywhere.push(path) }
    }
    written
}

fn regions_with_apps() -> Vec<&'static str> {
    REGIONS.into_iter().filter(|region| *region != REGION_WITHOUT_APPS).collect()
}

#[test]
fn cfn_lint_finds_no_error_and_no_warning() {
    let Some(judge) = CfnLint::find() else { return };
    let written = write_all();
    let mut findings = judge.check(&written.everywhere, &REGIONS).expect("cfn-lint runs");
    findings.extend(judge.check(&written.with_native_app, &regions_with_apps()).expect("cfn-lint runs"));
    let bad: Vec<String> = findings
        .iter()
        .filter(|finding| finding.level >= Level::Warning)
        .map(|finding| format!("{finding:?}"))
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    let lacking = judge.check(&written.with_native_app, &[REGION_WITHOUT_APPS]).expect("cfn-lint runs");
    assert!(
        lacking.iter().any(|finding| finding.level == Level::Error),
        "the region without apps is one, or this test shows nothing"
    );
}

#[test]
fn cloudformation_validate_finds_no_error_and_no_warning() {
    let Some(judge) = CloudformationValidate::find() else { return };
    let written = write_all();
    let mut bad = Vec::new();
    for (templates, regions) in
        [(&written.everywhere, REGIONS.to_vec()), (&written.with_native_app, regions_with_apps())]
    {
        let validation = judge.check(templates, &regions).expect("cloudformation-validate runs");
        for template in &validation.passed_limit {
            println!(
                "cloudformation-validate passed its limit on {}: cfn-lint alone speaks",
                template.display()
            );
        }
        bad.extend(
            validation
                .findings
                .iter()
                .filter(|finding| finding.level >= Level::Warning)
                .map(|finding| format!("{finding:?}")),
        );
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn the_cdk_command_line_reads_our_assembly() {
    let Some(cdk) = Cdk::find() else { return };
    for variant in VARIANTS.iter().filter(|variant| ["tracking", "serverless-custom"].contains(&variant.name))
    {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let synthesis =
            variant.synth(None).unwrap_or_else(|error| panic!("{}: {}", variant.name, shown(&error)));
        synthesis.files.write(folder.path()).expect("a writable directory");
        let listed: BTreeMap<String, Vec<String>> = cdk
            .list(folder.path())
            .expect("cdk list runs")
            .into_iter()
            .map(|stack| (stack.id, stack.dependencies))
            .collect();
        let ours: Vec<String> = synthesis.stacks.iter().map(|stack| stack.id.clone()).collect();
        assert_eq!(listed.keys().collect::<BTreeSet<_>>(), ours.iter().collect(), "{}", variant.name);
        for stack in &synthesis.stacks {
            for before in &stack.dependencies {
                assert!(listed[&stack.id].contains(before), "{} comes after {before}: {listed:?}", stack.id);
            }
        }
        for stack in &ours {
            let template = synthesis.template(stack).expect("a template for each stack");
            assert_eq!(cdk.synth(folder.path(), stack).expect("cdk synth runs"), template, "{stack}");
        }
        let last = ours.last().expect("a stack");
        let same = folder.path().join(format!("{last}.template.json"));
        let difference = cdk.diff(folder.path(), last, &same).expect("cdk diff runs");
        assert_eq!(difference, "", "{last} differs from itself");
    }
}
