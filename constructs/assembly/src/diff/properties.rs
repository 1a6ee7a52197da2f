//! Properties of the difference over random templates and random edits.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// Acceptance: a template does not differ from itself.
fn differs_from_itself(template: &Value) -> bool {
    !diff(template, template).is_empty()
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[a-c]{0,2}".prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        prop_oneof![Just("0"), Just("1"), Just("true"), Just("0.0.0.0/0")].prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just("A"), Just("B")].prop_map(|id| json!({ "Ref": id })),
        prop_oneof![Just("A"), Just("B")].prop_map(|id| json!({ "Fn::GetAtt": [id, "Arn"] })),
    ]
}

fn statement() -> impl Strategy<Value = Value> {
    let one_or_many = || prop_oneof![scalar(), prop::collection::vec(scalar(), 0..3).prop_map(Value::from)];
    (any::<bool>(), one_or_many(), one_or_many()).prop_map(|(allows, action, resource)| {
        json!({ "Effect": if allows { "Allow" } else { "Deny" }, "Action": action, "Resource": resource })
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => scalar(),
        1 => prop::collection::vec(statement(), 0..4).prop_map(|list| json!({ "Version": "1", "Statement": list })),
        1 => prop::collection::btree_map("[k-n]", scalar(), 0..4).prop_map(|tags| {
            tags.into_iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
        }),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[p-s~/]{1,2}", inner.clone(), 0..4).prop_map(|map| json!(map)),
            (inner.clone(), inner).prop_map(|(one, other)| json!({ "Fn::If": ["C", one, other] })),
        ]
    })
}

fn resource() -> impl Strategy<Value = Value> {
    let depends = prop::option::of(prop_oneof![
        Just(json!("A")),
        prop::collection::vec(prop_oneof![Just("A"), Just("B"), Just("C")], 0..4).prop_map(|ids| json!(ids)),
    ]);
    let properties = prop::option::of(prop::collection::btree_map("[P-S]", value(), 0..4));
    (prop_oneof![Just("AWS::X::Y"), Just("AWS::X::Z")], depends, properties, prop::option::of(value()))
        .prop_map(|(kind, depends, properties, metadata)| {
            let mut resource = Map::from_iter([("Type".to_owned(), json!(kind))]);
            let rest = [
                ("DependsOn", depends),
                ("Properties", properties.map(|map| json!(map))),
                ("Metadata", metadata),
            ];
            resource.extend(rest.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
            Value::Object(resource)
        })
}

prop_compose! {
    fn template()(
        resources in prop::collection::btree_map("[A-D]", resource(), 0..4),
        parameters in prop::option::of(prop::collection::btree_map("[A-B]", value(), 0..3)),
        description in prop::option::of(scalar()),
        transform in prop::option::of(value()),
    ) -> Value {
        let mut template = Map::from_iter([("Resources".to_owned(), json!(resources))]);
        let rest = [
            ("Parameters", parameters.map(|map| json!(map))),
            ("Description", description),
            ("Transform", transform),
        ];
        template.extend(rest.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Value::Object(template)
    }
}

/// The pointers of all values, containers included, below the sections.
fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    let mut step = |name: &str, inner: &Value| {
        let mut pointer = pointer.to_owned();
        push_pointer(&mut pointer, name);
        places(inner, &pointer, found);
        found.push(pointer);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| step(name, member)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| step(&index.to_string(), item))
        }
        _ => {}
    }
}

/// A template, and the same with a few places changed: replaced by a text that is nowhere else, removed, doubled or
/// turned around.
fn edited() -> impl Strategy<Value = (Value, Value, Vec<String>)> {
    (template(), prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8), 1..4)).prop_map(
        |(before, edits)| {
            let mut after = before.clone();
            for (number, (index, edit)) in edits.iter().enumerate() {
                let mut all = Vec::new();
                places(&after, "", &mut all);
                all.retain(|pointer| pointer.matches('/').count() > 1);
                if all.is_empty() {
                    continue;
                }
                change(&mut after, &all[index.index(all.len())], *edit, &format!("mark-{number}"));
            }
            let text = after.to_string();
            let marks = (0..edits.len())
                .map(|number| format!("mark-{number}"))
                .filter(|mark| text.contains(mark.as_str()));
            let marks = marks.collect();
            (before, after, marks)
        },
    )
}

fn change(template: &mut Value, pointer: &str, edit: u8, mark: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = template.pointer_mut(parent).unwrap();
    match (edit, parent) {
        (0, parent) => {
            let value = match parent {
                Value::Object(members) => members.get_mut(&name).unwrap(),
                other => &mut other[name.parse::<usize>().unwrap()],
            };
            *value = json!(mark);
        }
        (1, Value::Object(members)) => drop(members.remove(&name)),
        (1, Value::Array(items)) => drop(items.remove(name.parse().unwrap())),
        (2, Value::Object(members)) => drop(members.insert(mark.to_owned(), json!(mark))),
        (2, Value::Array(items)) => items.insert(name.parse().unwrap(), json!(mark)),
        (_, Value::Array(items)) => items.reverse(),
        _ => {}
    }
}

/// A value without the named places and without objects that are empty.
fn without(value: &Value, pointer: &str, named: &BTreeSet<&str>) -> Option<Value> {
    if named.contains(pointer) {
        return None;
    }
    let inner = |name: &str, inner: &Value| {
        let mut pointer = pointer.to_owned();
        push_pointer(&mut pointer, name);
        without(inner, &pointer, named)
    };
    match value {
        Value::Object(members) => {
            let rest: Map<String, Value> = members
                .iter()
                .filter_map(|(name, member)| Some((name.clone(), inner(name, member)?)))
                .collect();
            (!rest.is_empty()).then_some(Value::Object(rest))
        }
        Value::Array(items) => Some(
            items.iter().enumerate().filter_map(|(index, item)| inner(&index.to_string(), item)).collect(),
        ),
        scalar => Some(scalar.clone()),
    }
}

/// What the difference does not name is the same on both sides, and what it names is there and differs.
fn check(before: &Value, after: &Value) {
    let found = diff(before, after);
    assert_eq!(found.is_empty(), before == after);
    let named =
        |place: fn(&Change) -> Option<&str>| found.changes().filter_map(place).collect::<BTreeSet<&str>>();
    let rest_before = without(before, "", &named(Change::place_before));
    let rest_after = without(after, "", &named(Change::place_after));
    assert_eq!(rest_before, rest_after, "{found:#?}");
    for change in found.changes() {
        assert_ne!(change.before, change.after);
        if let Some(place) = change.place_before() {
            assert_eq!(before.pointer(place), change.before.as_ref(), "{place}");
        }
        if let Some(place) = change.place_after() {
            assert_eq!(after.pointer(place), change.after.as_ref(), "{place}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_template_does_not_differ_from_itself(template in template()) {
        prop_assert!(!differs_from_itself(&template));
    }

    #[test]
    fn everything_that_differs_is_named((before, after, marks) in edited()) {
        check(&before, &after);
        check(&after, &before);
        let found = diff(&before, &after);
        for mark in marks {
            let named = found.changes().any(|change| {
                !change.alike && change.after.as_ref().is_some_and(|after| after.to_string().contains(&mark))
                    || change.pointer.contains(&mark)
            });
            prop_assert!(named, "{} is not named in {:#?}", mark, found);
        }
    }

    #[test]
    fn strangers_differ_in_all_that_they_do_not_share(before in template(), after in template()) {
        check(&before, &after);
    }
}
