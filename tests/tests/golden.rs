//! Golden templates: what every variant of the platform looks like, reviewed like code.
//!
//! A variant's folder holds the templates in which it differs from the first variant. After a change that is meant,
//! `FORMWORK_BLESS=1 cargo test -p formwork-tests --test golden` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use formwork::Severity;
use formwork_tests::repository_root;
use formwork_tests::variants::{VARIANTS, Variant, shown};

fn folder(variant: &Variant) -> PathBuf {
    repository_root().join("tests/golden").join(variant.name)
}

fn templates(variant: &Variant) -> BTreeMap<String, String> {
    variant.templates(None).unwrap_or_else(|error| panic!("{}: {error}\n{}", variant.name, shown(&error)))
}

fn read(path: &PathBuf) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn bless(variant: &Variant, made: &BTreeMap<String, String>, base: &BTreeMap<String, String>, is_base: bool) {
    let folder = folder(variant);
    let _ = fs::remove_dir_all(&folder);
    for (stack, text) in made {
        if is_base || base.get(stack) != Some(text) {
            fs::create_dir_all(&folder).expect("a writable folder");
            fs::write(folder.join(format!("{stack}.template.json")), text).expect("a writable file");
        }
    }
}

#[test]
fn templates_are_the_golden_ones() {
    let base = templates(&VARIANTS[0]);
    let mut wrong = Vec::new();
    for (position, variant) in VARIANTS.iter().enumerate() {
        let made = templates(variant);
        if std::env::var_os("FORMWORK_BLESS").is_some() {
            bless(variant, &made, &base, position == 0);
        }
        let mut expected_files: BTreeSet<String> = BTreeSet::new();
        for (stack, text) in &made {
            let file = format!("{stack}.template.json");
            let own = read(&folder(variant).join(&file));
            let expected = own.clone().or_else(|| read(&folder(&VARIANTS[0]).join(&file)));
            if expected.as_ref() != Some(text) {
                wrong.push(format!(
                    "{}/{file}: {}",
                    variant.name,
                    first_difference(expected.as_deref(), text)
                ));
            }
            if own.is_some() {
                expected_files.insert(file);
            }
        }
        let there = fs::read_dir(folder(variant)).into_iter().flatten().flatten();
        let stale = there
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !expected_files.contains(name));
        wrong.extend(stale.map(|name| format!("{}/{name}: no stack makes it", variant.name)));
    }
    assert!(
        wrong.is_empty(),
        "{} templates are not the golden ones:\n{}\nhint: look at the differences; if they are meant, run \
         FORMWORK_BLESS=1 cargo test -p formwork-tests --test golden",
        wrong.len(),
        wrong.join("\n")
    );
}

fn first_difference(expected: Option<&str>, made: &str) -> String {
    let Some(expected) = expected else { return "there is no golden template".to_owned() };
    let (mut left, mut right) = (expected.lines(), made.lines());
    for number in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (golden, now) if golden != now => {
                return format!(
                    "line {number}: {} instead of {}",
                    now.unwrap_or("nothing"),
                    golden.unwrap_or("nothing")
                );
            }
            _ => {}
        }
    }
    "only the ends of lines differ".to_owned()
}

#[test]
fn every_variant_is_free_of_warnings() {
    for variant in VARIANTS {
        let synthesis =
            variant.synth(None).unwrap_or_else(|error| panic!("{}: {}", variant.name, shown(&error)));
        let warnings: Vec<String> = synthesis
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity >= Severity::Warning)
            .map(ToString::to_string)
            .collect();
        assert!(warnings.is_empty(), "{}:\n{}", variant.name, warnings.join("\n"));
    }
}

#[test]
fn shared_templates_are_the_same_in_both_modes() {
    let (tracking, serverless) = (templates(&VARIANTS[0]), templates(&VARIANTS[1]));
    for stack in ["sagemaker-infra-networking", "sagemaker-infra-sagemaker-domain"] {
        assert!(tracking.contains_key(stack), "{stack} is made");
        assert_eq!(tracking[stack], serverless[stack], "{stack} does not depend on the mode");
    }
}

#[test]
fn two_synths_write_the_same_bytes() {
    for variant in VARIANTS {
        let files = || {
            variant.synth(Some("us-east-1")).map(|synthesis| synthesis.files).unwrap_or_else(|error| {
                panic!("{}: {}", variant.name, shown(&error));
            })
        };
        assert!(files() == files(), "{}", variant.name);
    }
}

#[test]
fn every_import_has_exactly_one_export() {
    for variant in VARIANTS {
        let templates = templates(variant);
        let mut exports: BTreeMap<String, usize> = BTreeMap::new();
        let mut imports: BTreeSet<String> = BTreeSet::new();
        for (stack, text) in &templates {
            let template: serde_json::Value = serde_json::from_str(text).expect("JSON");
            for output in template["Outputs"].as_object().into_iter().flatten().map(|(_, output)| output) {
                if let Some(name) = output.get("Export") {
                    *exports.entry(export_name(&name["Name"], stack)).or_default() += 1;
                }
            }
            collect_imports(&template, &mut imports);
        }
        assert!(exports.values().all(|count| *count == 1), "{}: {exports:?}", variant.name);
        let missing: Vec<&String> = imports.iter().filter(|name| !exports.contains_key(*name)).collect();
        assert!(missing.is_empty(), "{}: nobody exports {missing:?}", variant.name);
    }
}

/// The name of an export, with the name of its stack put in where CloudFormation does so.
fn export_name(name: &serde_json::Value, stack: &str) -> String {
    let text = name.as_str().or_else(|| name["Fn::Sub"].as_str());
    let resolved = text
        .unwrap_or_else(|| panic!("{stack}: {name} is a form of export name that this test cannot compare"));
    let resolved = resolved.replace("${AWS::StackName}", stack);
    assert!(!resolved.contains("${"), "{stack}: the export {resolved} depends on more than the stack's name");
    resolved
}

fn collect_imports(json: &serde_json::Value, into: &mut BTreeSet<String>) {
    match json {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(name) if key == "Fn::ImportValue" => {
                        into.insert(name.to_owned());
                    }
                    _ => collect_imports(value, into),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_imports(item, into)),
        _ => {}
    }
}
