use formwork_assembly::diff::diff;
use serde_json::{Value, json};

use super::*;

fn of(before: &Value, after: &Value) -> Vec<Consequence> {
    consequences(&diff(before, after), before, after)
}

fn outcomes(found: &[Consequence]) -> Vec<(&str, Outcome)> {
    found.iter().map(|consequence| (consequence.logical_id.as_str(), consequence.outcome)).collect()
}

#[test]
fn replacing_an_app_loses_all_runs() {
    let template = |role: &str, name: &str| {
        json!({ "Resources": { "App": { "Type": "AWS::SageMaker::MlflowApp", "Properties": {
            "Name": name, "RoleArn": role, "ArtifactStoreUri": "s3://b" } } } })
    };
    let found = of(&template("r", "n"), &template("r2", "n"));
    assert_eq!(outcomes(&found), [("App", Outcome::Replaced)]);
    assert_eq!(found[0].causes[0].name, "RoleArn");
    let loss = found[0].loss.as_ref().unwrap();
    assert!(loss.words.starts_with("all runs are lost") && loss.is_certain && !loss.is_kept);
    assert_eq!(loss.kind, LossKind::Replace);
}

#[test]
fn policies_decide_what_is_lost() {
    let domain = |policies: Value| {
        let mut resource = json!({ "Type": "AWS::SageMaker::Domain", "Properties": { "AuthMode": "IAM" } });
        resource.as_object_mut().unwrap().extend(policies.as_object().unwrap().clone());
        json!({ "Resources": { "Domain": resource } })
    };
    let gone = json!({ "Resources": {} });
    let found = of(&domain(json!({})), &gone);
    assert_eq!(found[0].loss.as_ref().unwrap().words, "all user profiles and home directories are lost");
    let found = of(&domain(json!({ "DeletionPolicy": "Retain" })), &gone);
    assert_eq!((found[0].outcome, &found[0].loss), (Outcome::Released, &None));

    let mut sso = domain(json!({ "UpdateReplacePolicy": "Retain" }));
    sso["Resources"]["Domain"]["Properties"]["AuthMode"] = json!("SSO");
    let found = of(&domain(json!({})), &sso);
    assert_eq!(outcomes(&found), [("Domain", Outcome::Replaced)]);
    assert!(found[0].loss.as_ref().unwrap().is_kept);

    let database = |extra: Value| json!({ "Resources": { "D": { "Type": "AWS::RDS::DBInstance", "Properties": extra } } });
    assert!(of(&database(json!({})), &gone)[0].loss.as_ref().unwrap().words.ends_with("a snapshot is kept"));
    assert!(!of(&database(json!({ "DBClusterIdentifier": "c" })), &gone)[0].loss.as_ref().unwrap().is_kept);
}

#[test]
fn replacement_spreads_along_references() {
    let template = |cidr: &str| {
        json!({ "Resources": {
            "Vpc": { "Type": "AWS::EC2::VPC", "Properties": { "CidrBlock": cidr } },
            "Group": { "Type": "AWS::EC2::SecurityGroup", "Properties": {
                "GroupDescription": "g", "VpcId": { "Ref": "Vpc" } } },
            "Rule": { "Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
                "GroupId": { "Fn::GetAtt": ["Group", "GroupId"] }, "IpProtocol": "-1", "CidrIp": "10.0.0.0/8" } },
            "Function": { "Type": "AWS::Lambda::Function", "Properties": {
                "VpcConfig": { "SecurityGroupIds": [{ "Fn::GetAtt": ["Group", "GroupId"] }] } } },
            "Bystander": { "Type": "AWS::SNS::Topic", "DependsOn": "Vpc" },
        } })
    };
    let found = of(&template("10.0.0.0/16"), &template("10.1.0.0/16"));
    assert_eq!(
        outcomes(&found),
        [
            ("Function", Outcome::Updated),
            ("Group", Outcome::Replaced),
            ("Rule", Outcome::Replaced),
            ("Vpc", Outcome::Replaced),
        ]
    );
    let cause = &found[2].causes[0];
    assert_eq!((cause.name.as_str(), cause.through.as_deref()), ("GroupId", Some("Group")));
    assert_eq!(cause.pointer, "/Resources/Rule/Properties/GroupId/Fn::GetAtt");
}

#[test]
fn an_attribute_that_may_stay_replaces_perhaps() {
    let template = |name: &str| {
        json!({ "Resources": {
            "Old": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": name } },
            "Other": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": { "Fn::GetAtt": ["Old", "DomainName"] } } },
        } })
    };
    let found = of(&template("a"), &template("b"));
    assert_eq!(outcomes(&found), [("Old", Outcome::Replaced), ("Other", Outcome::PerhapsReplaced)]);
    assert!(!found[1].loss.as_ref().unwrap().is_certain);
}

#[test]
fn parameters_mappings_and_conditions_reach_resources() {
    let template = |value: &str| {
        json!({
            "Parameters": { "Name": { "Type": "String", "Default": value } },
            "Conditions": {
                "Named": { "Fn::Equals": [{ "Ref": "Name" }, "x"] },
                "Both": { "Fn::And": [{ "Condition": "Named" }, { "Condition": "Named" }] },
            },
            "Resources": {
                "Table": { "Type": "AWS::DynamoDB::Table", "Properties": { "TableName": { "Ref": "Name" } } },
                "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": { "Ref": "Name" } } },
                "Queue": { "Type": "AWS::SQS::Queue", "Condition": "Both" },
                "Still": { "Type": "AWS::SQS::Queue" },
            },
        })
    };
    let found = of(&template("a"), &template("b"));
    assert_eq!(
        outcomes(&found),
        [
            ("Queue", Outcome::PerhapsDeleted),
            ("Table", Outcome::PerhapsReplaced),
            ("Topic", Outcome::Updated),
        ]
    );
    assert_eq!(found[1].causes[0].through.as_deref(), Some("Name"));
    assert_eq!(found[0].loss.as_ref().unwrap().words, "all messages in the queue are lost");
}

#[test]
fn a_new_type_is_refused_and_other_attributes_replace_nothing() {
    let before =
        json!({ "Resources": { "X": { "Type": "AWS::SNS::Topic" }, "Y": { "Type": "AWS::SQS::Queue" } } });
    let after = json!({ "Resources": {
        "X": { "Type": "AWS::SQS::Queue" },
        "Y": { "Type": "AWS::SQS::Queue", "DependsOn": "X", "DeletionPolicy": "Retain", "Metadata": { "a": 1 } },
    } });
    let found = of(&before, &after);
    assert!(found[0].refusal.as_ref().unwrap().contains("AWS::SNS::Topic to AWS::SQS::Queue"));
    assert_eq!(outcomes(&found)[1], ("Y", Outcome::Updated));
    assert_eq!(found[1].causes.len(), 3);
}

#[test]
fn what_cloudformation_does_not_see_has_no_consequence() {
    let template = |size: Value| json!({ "Resources": { "V": { "Type": "AWS::EC2::Volume", "Properties": { "Size": size } } } });
    assert_eq!(of(&template(json!(8)), &template(json!("8"))), []);
}

#[test]
fn a_custom_app_is_replaced_as_its_function_does_it() {
    let template = |key: &str, value: &str| json!({ "Resources": { "A": { "Type": "Custom::MlflowApp", "Properties": { key: value } } } });
    assert_eq!(of(&template("Name", "a"), &template("Name", "b"))[0].outcome, Outcome::Updated);
    let found = of(&template("KmsKeyId", "a"), &template("KmsKeyId", "b"));
    assert_eq!(found[0].outcome, Outcome::Replaced);
    assert!(found[0].loss.as_ref().unwrap().words.starts_with("all runs are lost"));
}

#[test]
fn nothing_is_known_of_a_private_type() {
    let template = |value: &str| json!({ "Resources": { "A": { "Type": "Acme::Data::Store", "Properties": { "P": value } } } });
    assert_eq!(of(&template("a"), &template("b"))[0].outcome, Outcome::PerhapsReplaced);
}

#[test]
fn every_type_that_holds_data_has_words() {
    for name in crate::type_names() {
        let is_stateful = crate::resource_type(name).unwrap().is_stateful();
        assert_eq!(loss_words(name).is_some(), is_stateful, "{name}");
        let words = loss_words(name).unwrap_or_default();
        assert!(
            !words.contains("all its data is lost"),
            "{name} has no words of its own in facts/losses.json"
        );
    }
    for name in loss::named_types() {
        assert!(crate::resource_type(name).is_some_and(crate::ResourceType::is_stateful), "{name}");
    }
}

/// A value at a path, with `*` as the only item of a list.
fn nested(path: &str, value: &str) -> Value {
    path.rsplit('/').fold(json!(value), |inner, part| match part {
        "*" => json!([inner]),
        name => json!({ name: inner }),
    })
}

/// Acceptance: every change of a create-only property is a replacement, for all types of the pack.
#[test]
fn every_change_of_a_create_only_property_is_a_replacement() {
    let mut count = 0;
    for name in crate::type_names() {
        let facts = crate::resource_type(name).unwrap();
        let conditional = facts.conditional_create_only().iter().map(|path| (path, Outcome::PerhapsReplaced));
        for (path, wanted) in
            facts.create_only().iter().map(|path| (path, Outcome::Replaced)).chain(conditional)
        {
            let template = |properties: Value| json!({ "Resources": { "X": { "Type": name, "Properties": properties } } });
            let (none, old, new) =
                (template(json!({})), template(nested(path, "a")), template(nested(path, "b")));
            let outcome = of(&old, &new)[0].outcome;
            assert!(outcome >= wanted && outcome <= Outcome::Replaced, "{name} {path}: {outcome:?}");
            for (before, after) in [(&none, &old), (&old, &none)] {
                // Whether a new item with the property counts is the provider's choice.
                let wanted = if path.contains('*') { Outcome::PerhapsReplaced } else { wanted };
                let outcome = of(before, after)[0].outcome;
                assert!(outcome >= wanted && outcome <= Outcome::Replaced, "{name} {path}: {outcome:?}");
            }
            count += 1;
        }
    }
    assert!(count > 4_000, "{count}");
}
