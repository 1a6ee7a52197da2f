use serde_json::json;

use super::*;
use crate::aws::cloudformation::StackStatus;
use crate::plan::testing::{input, stack};

fn value(stack: Option<&str>, name: &str, value: &str) -> GivenParameter {
    GivenParameter { stack: stack.map(str::to_owned), name: name.to_owned(), value: value.to_owned() }
}

fn shop() -> Input {
    input(
        "shop",
        json!({"Parameters": {
            "Stage": {"Type": "String", "AllowedValues": ["dev", "prod"], "Default": "dev"},
            "Name": {"Type": "String", "AllowedPattern": "^[a-z]+$", "MinLength": 2, "MaxLength": 5, "ConstraintDescription": "small letters"},
            "Size": {"Type": "Number", "MinValue": 1, "MaxValue": 10, "Default": 3},
            "Password": {"Type": "String", "NoEcho": true, "MinLength": 8},
            "Zones": {"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"], "Default": "a"}
        }}),
    )
}

/// Fault 33: unknown, too long and wrong values are found before any call, all at once.
#[test]
fn everything_wrong_with_given_values_is_found_at_once() {
    let shop = shop();
    let given = [
        value(None, "Stage", "test"),
        value(Some("shop"), "Name", "Ab"),
        value(None, "Size", "eleven"),
        value(None, "Zones", "a, c"),
        value(None, "Nmae", "x"),
        value(Some("stall"), "Name", "x"),
        value(None, "Password", "hunter2"),
    ];
    let found = problems(&[&shop], &given);
    assert_eq!(found.len(), 7, "{found:#?}");
    let all = found.join("\n");
    for text in [
        "`test` is not one of dev, prod",
        "`Ab` does not match ^[a-z]+$: small letters",
        "`eleven` is not a number",
        "`a, c` is not one of a, b",
        "parameter Nmae is unknown: no stack declares it; did you mean Name?",
        "the plan has no stack `stall`",
        "parameter Password: the value has 7 characters, at least 8 are wanted",
    ] {
        assert!(all.contains(text), "{text} in {all}");
    }
    assert!(!all.contains("hunter2"), "a secret is shown: {all}");
}

/// Fault 33: the limit of a value is in bytes of UTF-8, 4,096.
#[test]
fn the_longest_value_has_4096_bytes() {
    let wide = input("wide", json!({"Parameters": {"Text": {"Type": "String"}}}));
    let problem = |text: &str| problems(&[&wide], &[value(None, "Text", text)]);
    assert!(problem(&"x".repeat(4096)).is_empty());
    assert!(problem(&"ä".repeat(2048)).is_empty());
    assert!(problem(&"x".repeat(4097))[0].contains("4097 bytes"));
    assert!(problem(&"ä".repeat(2049))[0].contains("4098 bytes"));
}

/// Fault 33: a parameter without any value is missing.
#[test]
fn a_parameter_without_a_value_is_named() {
    let missing = resolve(&shop(), &[], &BTreeMap::new(), None, true).unwrap_err();
    assert_eq!(missing, ["shop: parameter Name has no value", "shop: parameter Password has no value"]);
}

#[test]
fn given_beats_assembly_beats_asset_beats_previous_beats_default() {
    let mut app = input(
        "app",
        json!({"Parameters": {"A": {"Type": "String"}, "B": {"Type": "String"}, "C": {"Type": "String"},
            "D": {"Type": "String"}, "E": {"Type": "String", "Default": "e"}}}),
    );
    app.artifact.properties.parameters =
        [("A", "assembly"), ("B", "assembly")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let assets = ["A", "B", "C"].map(|name| (name.to_owned(), "asset".to_owned())).into();
    let mut old = stack("app", StackStatus::CreateComplete);
    old.parameters = ["A", "B", "C", "D"].map(|name| (name.to_owned(), "previous".to_owned())).into();
    let deployed = Deployed { stack: old, template: None };
    let found = resolve(&app, &[value(None, "A", "given")], &assets, Some(&deployed), true).unwrap();
    let sources: Vec<ParameterSource> = found.planned.values().map(|planned| planned.source).collect();
    use ParameterSource::{Assembly, Asset, Default, Given, Previous};
    assert_eq!(sources, [Given, Assembly, Asset, Previous, Default]);
    assert_eq!(found.values["D"], ParameterValue::Previous);
    assert!(!found.values.contains_key("E"), "a default is not sent");
}

#[test]
fn a_value_for_one_stack_beats_one_for_all() {
    let shop = shop();
    let all = [value(Some("shop"), "Name", "one"), value(None, "Name", "all")];
    assert_eq!(given(&shop, &all)["Name"], "one");
}

/// Fault 33: values of `NoEcho` parameters are passed on and kept nowhere.
#[test]
fn secrets_are_not_kept() {
    let given = [value(None, "Password", "correct horse"), value(None, "Name", "abc")];
    let found = resolve(&shop(), &given, &BTreeMap::new(), None, true).unwrap();
    let planned = serde_json::to_string(&found.planned).unwrap();
    assert!(!planned.contains("horse"), "{planned}");
    assert_eq!(found.planned["Password"].sha256, None);
    assert_eq!(found.values["Password"], ParameterValue::Value("correct horse".to_owned()));
    assert!(!format!("{given:?}").contains("horse"));
}

#[test]
fn a_value_that_nobody_set_follows_the_new_default() {
    let template = |default: &str| json!({"Parameters": {"Image": {"Type": "String", "Default": default}}});
    let mut old = stack("app", StackStatus::CreateComplete);
    old.parameters = [("Image".to_owned(), "one".to_owned())].into();
    let deployed = Deployed { stack: old.clone(), template: Some(template("one")) };
    let source = |deployed: &Deployed, wanted: bool| {
        let found =
            resolve(&input("app", template("two")), &[], &BTreeMap::new(), Some(deployed), wanted).unwrap();
        (found.planned["Image"].source, found.planned["Image"].value.clone().unwrap(), found.notes.len())
    };
    assert_eq!(source(&deployed, true), (ParameterSource::Default, "two".to_owned(), 0));
    old.parameters = [("Image".to_owned(), "own".to_owned())].into();
    let set = Deployed { stack: old, template: Some(template("one")) };
    assert_eq!(source(&set, true), (ParameterSource::Previous, "own".to_owned(), 1));
    assert_eq!(source(&set, false), (ParameterSource::Default, "two".to_owned(), 0));
}

/// The name of an SSM parameter is kept, never what it stood for: where only one text is known, it may be either.
#[test]
fn what_an_ssm_parameter_stood_for_is_not_kept_as_its_name() {
    let kind = "AWS::SSM::Parameter::Value<String>";
    let template = json!({"Parameters": {"Image": {"Type": kind, "Default": "/images/latest"}}});
    let mut old = stack("app", StackStatus::CreateComplete);
    old.parameters = [("Image".to_owned(), "ami-1".to_owned())].into();
    let source = |old: &crate::aws::cloudformation::Stack| {
        let deployed = Deployed { stack: old.clone(), template: Some(template.clone()) };
        let found =
            resolve(&input("app", template.clone()), &[], &BTreeMap::new(), Some(&deployed), true).unwrap();
        found.planned["Image"].source
    };
    assert_eq!(source(&old), ParameterSource::Default);
    old.parameters = [("Image".to_owned(), "/images/own".to_owned())].into();
    old.resolved_parameters = [("Image".to_owned(), "ami-1".to_owned())].into();
    assert_eq!(source(&old), ParameterSource::Previous);
}
