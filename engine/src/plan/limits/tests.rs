use serde_json::{Value, json};

use super::*;
use crate::plan::model::Environment;
use crate::plan::testing::input;

fn resources(count: usize) -> Value {
    let entries = (0..count).map(|n| (format!("Topic{n}"), json!({"Type": "AWS::SNS::Topic"})));
    json!({"Resources": entries.collect::<serde_json::Map<_, _>>()})
}

fn errors(template: Value) -> Vec<String> {
    check(&input("shop", template), &BTreeMap::new()).errors
}

/// Fault 34: more than 500 resources, with what there is most of and what to do.
#[test]
fn too_many_resources_are_refused_and_many_are_warned_of() {
    assert!(errors(resources(500)).is_empty());
    let told = errors(resources(501)).join("\n");
    assert!(
        told.contains("501 resources, 500 is the limit: split the stack; the most are 501 AWS::SNS::Topic"),
        "{told}"
    );
    let verdict = check(&input("shop", resources(400)), &BTreeMap::new());
    assert!(verdict.warnings[0].contains("400 resources of at most 500"), "{:?}", verdict.warnings);
    assert!(check(&input("shop", resources(399)), &BTreeMap::new()).warnings.is_empty());
}

/// Fault 34: more than 200 outputs, parameters or mappings.
#[test]
fn too_many_entries_of_other_sections_are_refused() {
    for (section, entry) in [
        ("Outputs", json!({"Value": "x"})),
        ("Parameters", json!({"Type": "String", "Default": "x"})),
        ("Mappings", json!({"Top": {"Second": "x"}})),
    ] {
        let with = |count: usize| {
            let mut template = resources(1);
            let entries = (0..count).map(|n| (format!("Entry{n}"), entry.clone()));
            template[section] = Value::Object(entries.collect());
            errors(template)
        };
        assert!(with(200).is_empty(), "{section}: {:?}", with(200));
        assert!(with(201).iter().any(|told| told.contains("201")), "{section}: {:?}", with(201));
    }
}

/// Fault 34: more than 50 tags, long names, more than 60 dynamic references.
#[test]
fn tags_names_and_dynamic_references_have_limits() {
    let tags = |count: usize| (0..count).map(|n| (format!("key{n}"), "x".to_owned())).collect();
    let shop = input("shop", resources(1));
    assert!(check(&shop, &tags(50)).errors.is_empty());
    assert!(check(&shop, &tags(51)).errors[0].contains("51 tags"));
    let long = check(&shop, &[("k".repeat(129), String::new())].into());
    assert!(long.errors[0].contains("longer than 128"), "{:?}", long.errors);
    let name = input(&"n".repeat(129), resources(1));
    assert!(check(&name, &BTreeMap::new()).errors[0].contains("129 characters"));
    assert!(check(&input("shop_1", resources(1)), &BTreeMap::new()).errors[0].contains("shop_1"));
    let mut references = resources(1);
    references["Resources"]["Topic0"]["Properties"]["Tags"] = (0..61)
        .map(|n| json!({"Key": format!("k{n}"), "Value": format!("{{{{resolve:ssm:/p{n}}}}}")}))
        .collect();
    assert!(errors(references.clone()).iter().any(|told| told.contains("61")), "{:?}", errors(references));
}

/// Fault 34: one export name in two stacks of an account and region.
#[test]
fn an_export_name_is_taken_once() {
    let exporting = |name: Value| json!({"Outputs": {"A": {"Value": "x", "Export": {"Name": name}}}});
    let (one, two) = (input("one", exporting(json!("shared"))), input("two", exporting(json!("shared"))));
    let own = input("own", exporting(json!({"Fn::Sub": "${AWS::StackName}:shared"})));
    let environment = Environment { account: "111122223333".to_owned(), region: "eu-west-1".to_owned() };
    let scope = |input: &Input| Scope::new(input.name(), &environment, &BTreeMap::new());
    let found = duplicate_exports([&one, &two, &own].map(|input| (input, scope(input))));
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("two: the export name `shared` is taken by one"), "{found:?}");
}

/// Fault 34: resources that need each other in a circle.
#[test]
fn a_circle_of_resources_is_shown() {
    let template = json!({"Resources": {
        "A": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "B"}}},
        "B": {"Type": "AWS::SNS::Topic", "DependsOn": "A"}
    }});
    let found = circles(&input("shop", template));
    assert!(found[0].contains("A -> B -> A"), "{found:?}");
}

/// Fault 35: sizes are bytes of UTF-8, and the limit itself is allowed.
#[test]
fn sizes_are_counted_in_bytes() {
    assert!(fits_inline(&"x".repeat(51_200)));
    assert!(!fits_inline(&"x".repeat(51_201)));
    assert!(fits_inline(&"ä".repeat(25_600)));
    assert!(!fits_inline(&"ä".repeat(25_601)));
    let of = |bytes: usize| {
        let mut shop = input("shop", resources(1));
        shop.text = "ä".repeat(bytes / 2) + &"x".repeat(bytes % 2);
        check(&shop, &BTreeMap::new()).errors
    };
    assert!(of(1_048_576).is_empty(), "{:?}", of(1_048_576));
    assert!(of(1_048_577)[0].contains("1048577 bytes of template, 1048576 is the limit"));
}
