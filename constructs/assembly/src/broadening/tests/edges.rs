//! Finer points: conditions on whole resources, wildcards of one character, ports, rules of other resources.

use serde_json::{Value, json};

use super::{allow, role, words};

fn one(kind: &str, properties: Value) -> Value {
    json!({ "Resources": { "X": { "Type": kind, "Properties": properties } } })
}

#[test]
fn a_resource_that_loses_its_condition_grants_more() {
    let template = |condition: Option<&str>, equals: &str| {
        let mut template = role(json!([allow("s3:GetObject", "*")]));
        template["Parameters"] = json!({ "Stage": { "Type": "String" } });
        template["Conditions"] = json!({
            "Prod": { "Fn::Equals": [{ "Ref": "Stage" }, equals] },
            "Again": { "Fn::Equals": [{ "Ref": "Stage" }, equals] },
        });
        if let Some(condition) = condition {
            template["Resources"]["Role"]["Condition"] = json!(condition);
        }
        template
    };
    assert_eq!(words(&template(Some("Prod"), "prod"), &template(None, "prod")).len(), 2);
    assert!(words(&template(None, "prod"), &template(Some("Prod"), "prod")).is_empty());
    assert!(words(&template(Some("Prod"), "prod"), &template(Some("Again"), "prod")).is_empty());
    // The same name with another meaning is another condition.
    assert_eq!(words(&template(Some("Prod"), "prod"), &template(Some("Prod"), "test")).len(), 2);
}

#[test]
fn wildcards_cover_what_they_match() {
    let before = role(json!([allow("s3:Get*", "arn:aws:s3:::data-?/*")]));
    assert!(words(&before, &role(json!([allow("s3:GetObject", "arn:aws:s3:::data-1/x")]))).is_empty());
    for wider in ["arn:aws:s3:::data-*/x", "arn:aws:s3:::data-12/x", "arn:aws:s3:::*", "*"] {
        assert_eq!(words(&before, &role(json!([allow("s3:GetObject", wider)]))).len(), 1, "{wider}");
    }
}

#[test]
fn many_combinations_are_still_compared() {
    let many =
        |number: usize, name: &str| (0..number).map(|index| format!("{name}{index}")).collect::<Vec<_>>();
    let statement = |actions: usize| json!([{ "Effect": "Allow", "Action": many(actions, "s3:A"), "Resource": many(200, "arn:") }]);
    assert!(words(&role(statement(200)), &role(statement(200))).is_empty());
    let found = words(&role(statement(200)), &role(statement(201)));
    assert!(found.len() == 1 && found[0].contains("and 198 more"), "{found:?}");
}

#[test]
fn rules_without_ports_are_about_all_of_them() {
    let group = |rule: Value| {
        one("AWS::EC2::SecurityGroup", json!({ "SecurityGroupIngress": [rule], "SecurityGroupEgress": [] }))
    };
    let some = group(json!({ "IpProtocol": "tcp", "FromPort": 20, "ToPort": 30, "CidrIp": "10.0.0.0/8" }));
    let all = group(json!({ "IpProtocol": "6", "CidrIp": "10.0.0.0/8" }));
    let within = group(json!({ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 25, "CidrIp": "10.0.0.0/8" }));
    let beyond = group(json!({ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 31, "CidrIp": "10.0.0.0/8" }));
    assert_eq!(words(&some, &all), ["X: lets all tcp in from 10.0.0.0/8; before: tcp 20-30 10.0.0.0/8"]);
    assert!(words(&all, &some).is_empty() && words(&some, &within).is_empty());
    assert_eq!(words(&some, &beyond), ["X: lets tcp 22-31 in from 10.0.0.0/8"]);
}

#[test]
fn an_outbound_rule_beside_its_group_ends_the_default() {
    let mut before = one("AWS::EC2::SecurityGroup", json!({ "GroupDescription": "g" }));
    before["Resources"]["Out"] = json!({ "Type": "AWS::EC2::SecurityGroupEgress", "Properties": {
        "GroupId": { "Fn::GetAtt": "X.GroupId" }, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8" } });
    let mut after = before.clone();
    after["Resources"].as_object_mut().unwrap().remove("Out");
    assert_eq!(
        words(&before, &after),
        [
            "X: lets all traffic out to 0.0.0.0/0 (anywhere); before: tcp 443 10.0.0.0/8",
            "X: lets all traffic out to ::/0 (anywhere)",
        ]
    );
    assert!(words(&after, &before).is_empty());
}

#[test]
fn entries_of_access_lists_open_and_close() {
    let entry = |action: &str| {
        json!({ "Resources": { "List": { "Type": "AWS::EC2::NetworkAcl" }, "X": { "Type": "AWS::EC2::NetworkAclEntry", "Properties": {
            "NetworkAclId": { "Ref": "List" }, "RuleNumber": 1, "Protocol": "6", "RuleAction": action,
            "CidrBlock": "0.0.0.0/0", "PortRange": { "From": 22, "To": 22 } } } } })
    };
    let bare = json!({ "Resources": { "List": { "Type": "AWS::EC2::NetworkAcl" } } });
    assert_eq!(words(&bare, &entry("allow")), ["X: lets tcp 22 in from 0.0.0.0/0 (anywhere)"]);
    assert_eq!(words(&entry("deny"), &bare), ["X: no longer keeps tcp 22 in from 0.0.0.0/0 (anywhere)"]);
    assert!(words(&bare, &entry("deny")).is_empty() && words(&entry("allow"), &bare).is_empty());
}

#[test]
fn a_managed_policy_may_name_its_bearers() {
    let template = |roles: Value, arns: Value| {
        json!({ "Resources": {
            "Role": { "Type": "AWS::IAM::Role", "Properties": { "ManagedPolicyArns": arns } },
            "Policy": { "Type": "AWS::IAM::ManagedPolicy", "Properties": { "Roles": roles } },
        } })
    };
    let (by_policy, by_role) =
        (template(json!([{ "Ref": "Role" }]), json!([])), template(json!([]), json!([{ "Ref": "Policy" }])));
    assert!(words(&by_policy, &by_role).is_empty() && words(&by_role, &by_policy).is_empty());
    assert_eq!(words(&template(json!([]), json!([])), &by_policy), ["Policy: is attached to ${Role}"]);
}

#[test]
fn a_value_that_is_not_known_may_expose() {
    let database = |public: Value| {
        let mut template = one("AWS::RDS::DBInstance", json!({ "PubliclyAccessible": public }));
        template["Parameters"] = json!({ "Public": { "Type": "String" } });
        template
    };
    let open = database(json!({ "Ref": "Public" }));
    assert_eq!(
        words(&database(json!(false)), &open),
        ["X: may come to this: can be reached from the internet (it depends on ${Public})"]
    );
    assert!(words(&open, &open).is_empty() && words(&database(json!(true)), &open).is_empty());
}

#[test]
fn secret_parameters_are_never_put_in() {
    let mut template =
        role(json!([{ "Effect": "Allow", "Action": "s3:*", "Resource": { "Fn::Sub": "arn:${Secret}" } }]));
    template["Parameters"] =
        json!({ "Secret": { "Type": "String", "NoEcho": "TRUE", "Default": "hunter2" } });
    let parameters = std::collections::BTreeMap::from([("Secret".to_owned(), "hunter3".to_owned())]);
    let side = super::Side { template: &template, parameters: &parameters };
    let found = super::broadenings(super::Side::of(&Value::Null), side);
    assert!(found.iter().any(|found| found.words.contains("arn:${Secret}")), "{found:?}");
    assert!(found.iter().all(|found| !found.words.contains("hunter")), "{found:?}");
}
