//! What only the whole template shows: targets, kinds, circles, conditions, limits, macros.

use serde_json::{Value, json};

use super::*;

#[test]
fn targets_of_references() {
    let place = "/Resources/Topic/Properties/TopicName";
    says(place, json!({"Ref": "Evn"}), &format!("error unknown-reference {place}/Ref"));
    says(place, json!({"Ref": "AWS::Regoin"}), &format!("error unknown-reference {place}/Ref"));
    says(place, json!({"Fn::Sub": "${Evn}"}), &format!("error unknown-reference {place}/Fn::Sub"));
    says(place, json!({"Fn::Sub": "${Vpc.Nothing}"}), &format!("error unknown-attribute {place}/Fn::Sub"));
    says(
        place,
        json!({"Fn::GetAtt": ["Env", "Arn"]}),
        &format!("error unknown-reference {place}/Fn::GetAtt"),
    );
    says(
        place,
        json!({"Fn::GetAtt": ["Role", "Arm"]}),
        &format!("error unknown-attribute {place}/Fn::GetAtt"),
    );
    says(
        place,
        json!({"Fn::If": ["Porduction", "a", "b"]}),
        &format!("error unknown-condition {place}/Fn::If/0"),
    );
}

#[test]
fn kinds_of_values() {
    let role = "/Resources/Function/Properties/Role";
    says(role, json!({"Ref": "Role"}), &format!("error reference-kind {role}"));
    says(role, json!({"Fn::GetAtt": ["Vpc", "VpcId"]}), &format!("error reference-kind {role}"));
    let zone = "/Resources/Subnet/Properties/AvailabilityZone";
    says(zone, json!({"Ref": "Zones"}), &format!("error reference-kind {zone}"));
    let vpc = "/Resources/Subnet/Properties/VpcId";
    says(vpc, json!({"Ref": "Topic"}), &format!("error reference-kind {vpc}"));
    let tags = "/Resources/Vpc/Properties/Tags";
    says(tags, json!({"Ref": "Env"}), &format!("error reference-kind {tags}"));
    let findings = validate_template(&changed(role, json!({"Ref": "Role"})), &Options::default());
    let hint = findings
        .iter()
        .find(|finding| finding.rule == "reference-kind")
        .and_then(|finding| finding.hint.clone());
    assert_eq!(hint.as_deref(), Some("use `Fn::GetAtt: [Role, Arn]`"));
}

#[test]
fn circles_show_their_whole_way() {
    let template = changed("/Resources/Role/Properties/RoleName", json!({"Fn::Sub": "${Function}-role"}));
    let findings = validate_template(&template, &Options::default());
    let circle = findings.iter().find(|finding| finding.rule == "circular-dependency").expect("is found");
    assert_eq!(
        circle.message,
        "circular dependency: Function -> Role -> Function, by /Resources/Function/Properties/Role/Fn::GetAtt, \
         /Resources/Role/Properties/RoleName/Fn::Sub"
    );
    says("/Resources/Topic/DependsOn", json!("Topic"), "error circular-dependency /Resources/Topic");
}

#[test]
fn references_under_conditions() {
    let place = "/Resources/Topic/Properties/TopicName";
    let name = json!({"Fn::GetAtt": ["Queue", "QueueName"]});
    says(place, name.clone(), &format!("warning conditional-reference {place}/Fn::GetAtt"));
    says(
        place,
        json!({"Fn::If": ["Dev", name, "x"]}),
        &format!("warning conditional-reference {place}/Fn::If/1/Fn::GetAtt"),
    );
    says(
        "/Outputs/QueueArn/Condition",
        json!("Dev"),
        "warning conditional-reference /Outputs/QueueArn/Value/Fn::GetAtt",
    );
    let dead = json!({"Fn::If": ["Prod", {"Fn::If": ["Dev", "a", "b"]}, "c"]});
    says(place, dead, &format!("warning unreachable-branch {place}/Fn::If/1/Fn::If/1"));
}

#[test]
fn dynamic_references_in_their_places() {
    let place = "/Resources/Topic/Properties/DisplayName";
    assert!(found(&changed(place, json!("{{resolve:ssm:/a/b:1}}"))).is_empty());
    assert!(found(&changed(place, json!("{{resolve:secretsmanager:a:SecretString:k}}"))).is_empty());
    says(place, json!("{{resolve:sms:/a/b}}"), &format!("error dynamic-reference {place}"));
    says(place, json!("{{resolve:ssm:/a/b:x}}"), &format!("error dynamic-reference {place}"));
    says(place, json!("{{resolve:ssm-secure:/a/b}}"), &format!("error dynamic-reference {place}"));
    says(place, json!("{{ resolve:ssm:/a/b}}"), &format!("warning dynamic-reference {place}"));
    says(
        "/Outputs/VpcId/Value",
        json!("{{resolve:secretsmanager:a}}"),
        "error dynamic-reference /Outputs/VpcId/Value",
    );
}

#[test]
fn one_name_for_two_resources() {
    let role = sound()["Resources"]["Role"].clone();
    let named = |condition: Option<&str>| {
        let mut role = role.clone();
        role["Properties"]["RoleName"] = json!("same");
        if let Some(condition) = condition {
            role["Condition"] = json!(condition);
        }
        role
    };
    let mut template = changed("/Resources/Role", named(Some("Prod")));
    template["Resources"]["Twin"] = named(None);
    let finding = "error duplicate-identifier /Resources/Twin/Properties".to_owned();
    assert!(found(&template).contains(&finding), "{:#?}", found(&template));
    template["Resources"]["Twin"] = named(Some("Dev"));
    assert!(!found(&template).contains(&finding), "the two never meet");
}

#[test]
fn limits_of_a_template() {
    let mut template = sound();
    for index in 0..500 {
        template["Resources"][format!("Topic{index}")] = json!({"Type": "AWS::SNS::Topic"});
    }
    assert!(found(&template).contains(&"error limit /Resources".to_owned()));
    let name = "a".repeat(256);
    says(
        &format!("/Resources/{name}"),
        json!({"Type": "AWS::SNS::Topic"}),
        &format!("error limit /Resources/{name}"),
    );
    let size = |bytes: usize| {
        let options = Options { region: None, size_bytes: Some(bytes) };
        validate_template(&sound(), &options)
            .iter()
            .map(|finding| (finding.severity, finding.rule))
            .collect::<Vec<_>>()
    };
    assert_eq!(size(51_200), []);
    assert_eq!(size(51_201), [(Severity::Note, "inline-size")]);
    assert_eq!(size(1_048_577), [(Severity::Error, "limit")]);
}

#[test]
fn macros_make_names_that_nobody_knows() {
    let place = "/Resources/Topic/Properties/TopicName";
    let mut template = changed(place, json!({"Ref": "Made"}));
    template["Transform"] = json!("Acme");
    let found = found(&template);
    assert_eq!(found, [format!("note unknown-reference {place}/Ref")]);
}

#[test]
fn serverless_resources_make_others() {
    let mut template = changed("/Transform", json!("AWS::Serverless-2016-10-31"));
    template["Resources"]["Api"] = json!({"Type": "AWS::Serverless::Function", "Properties": {}});
    template["Resources"]["Topic"]["Properties"]["TopicName"] = json!({"Ref": "ApiRole"});
    assert!(found(&template).is_empty(), "{:#?}", found(&template));
}

/// All pointers of a value, itself included.
fn pointers(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                pointers(member, format!("{place}{}", context::pointer(&[name])), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(place);
}

#[test]
fn no_value_in_any_place_panics_and_every_place_is_found() {
    let odd = [
        Value::Null,
        json!([]),
        json!({}),
        json!(""),
        json!(-1.5),
        json!({"Ref": null}),
        json!({"Fn::If": ["Prod"]}),
        json!({"Fn::Sub": "${"}),
        json!({"Fn::GetAtt": "."}),
        json!({"Fn::ForEach::X": ["a", [], {}]}),
        json!("é{{resolve:secretsmanager:${A"),
    ];
    let mut places = Vec::new();
    pointers(&sound(), String::new(), &mut places);
    for (place, value) in places.iter().flat_map(|place| odd.iter().map(move |value| (place, value))) {
        let mut template = sound();
        *template.pointer_mut(place).expect("a pointer of the same template") = value.clone();
        for finding in validate_template(&template, &Options::default()) {
            let parent = finding.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
            assert!(template.pointer(parent).is_some(), "{} for {place} = {value}", finding.pointer);
        }
    }
}
