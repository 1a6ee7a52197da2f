use serde_json::{Value, json};

use super::*;

mod across;

/// The findings of a template, as `severity rule pointer`.
fn found(template: &Value) -> Vec<String> {
    let findings = validate_template(template, &Options { region: Some("eu-west-1"), size_bytes: None });
    findings
        .iter()
        .map(|finding| format!("{} {} {}", finding.severity, finding.rule, finding.pointer))
        .collect()
}

/// A sound template with one entry put in its place (or removed, when it is null).
fn changed(pointer: &str, value: Value) -> Value {
    let mut template = sound();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a slash");
    let parent = template.pointer_mut(parent).expect("the place is in the template");
    match (parent, value) {
        (Value::Object(members), Value::Null) => drop(members.remove(name)),
        (Value::Object(members), value) => drop(members.insert(name.replace("~1", "/"), value)),
        (Value::Array(items), value) => items[name.parse::<usize>().expect("a position")] = value,
        _ => panic!("{pointer} has no parent that holds anything"),
    }
    template
}

fn sound() -> Value {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "a network and a queue",
        "Parameters": {
            "Env": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"]},
            "Zones": {"Type": "List<AWS::EC2::AvailabilityZone::Name>"},
            "Secret": {"Type": "String", "NoEcho": true}
        },
        "Mappings": {"Sizes": {"dev": {"Count": 1}, "prod": {"Count": 2}}},
        "Conditions": {
            "Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
            "Dev": {"Fn::Not": [{"Condition": "Prod"}]}
        },
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
            "Subnet": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {
                    "VpcId": {"Ref": "Vpc"},
                    "AvailabilityZone": {"Fn::Select": [0, {"Ref": "Zones"}]},
                    "CidrBlock": {"Fn::Select": [0, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 4, 8]}]},
                    "Tags": [{"Key": "n", "Value": {"Fn::FindInMap": ["Sizes", {"Ref": "Env"}, "Count"]}}]
                }
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
                ]}}
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Code": {"ZipFile": {"Fn::Sub": "# ${Env} ${AWS::Region}"}},
                    "Environment": {"Variables": {"SECRET": {"Ref": "Secret"}}}
                }
            },
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Condition": "Prod",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain"
            },
            "Topic": {
                "Type": "AWS::SNS::Topic",
                "DependsOn": "Vpc",
                "Properties": {"TopicName": {"Fn::If": ["Dev", "dev", {"Fn::GetAtt": ["Queue", "QueueName"]}]}}
            }
        },
        "Outputs": {
            "VpcId": {"Value": {"Ref": "Vpc"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-vpc"}}},
            "QueueArn": {"Condition": "Prod", "Value": {"Fn::GetAtt": ["Queue", "Arn"]}}
        }
    })
}

#[test]
fn a_sound_template_has_no_findings() {
    assert!(found(&sound()).is_empty(), "{:#?}", found(&sound()));
}

/// Checks that a change to the sound template leads to one finding at least, of the rule at the place.
#[track_caller]
fn says(pointer: &str, value: Value, expected: &str) {
    let found = found(&changed(pointer, value.clone()));
    assert!(
        found.iter().any(|finding| finding == expected),
        "{pointer} = {value}\nwants {expected}\nfinds {found:#?}"
    );
}

#[test]
fn sections() {
    says("/Resource", json!({}), "error unknown-section /Resource");
    says("/Resources", json!([]), "error template-shape /Resources");
    says("/Resources", Value::Null, "error template-shape ");
    says("/Outputs", json!("x"), "error template-shape /Outputs");
    says(
        "/AWSTemplateFormatVersion",
        json!("2010-09-10"),
        "error template-format-version /AWSTemplateFormatVersion",
    );
    says("/Description", json!(["x"]), "error template-shape /Description");
    says("/Description", json!("x".repeat(1025)), "error limit /Description");
    says("/Globals", json!({}), "error unknown-section /Globals");
    says("/Transform", json!(1), "error template-shape /Transform");
}

#[test]
fn parameters_of_every_kind() {
    says("/Parameters/Env/Type", json!("Strin"), "error parameter-type /Parameters/Env/Type");
    says("/Parameters/Env/Type", json!("List<Foo>"), "warning parameter-type /Parameters/Env/Type");
    says("/Parameters/Env/Type", Value::Null, "error parameter /Parameters/Env");
    says("/Parameters/Env/Default", json!("test"), "error parameter-default /Parameters/Env/Default");
    says("/Parameters/Env/Defualt", json!("dev"), "error parameter /Parameters/Env/Defualt");
    says("/Parameters/Env/MinValue", json!(1), "error parameter /Parameters/Env/MinValue");
    says("/Parameters/Env/MinLength", json!(4), "error parameter-default /Parameters/Env/Default");
    says(
        "/Parameters/Env/AllowedPattern",
        json!("[A-Z]+"),
        "error parameter-default /Parameters/Env/Default",
    );
    says("/Parameters/Other", json!({"Type": "String"}), "warning unused-parameter /Parameters/Other");
    says("/Parameters/Vpc", json!({"Type": "String"}), "error duplicate-name /Parameters/Vpc");
    says("/Parameters/a-b", json!({"Type": "String"}), "error logical-id /Parameters/a-b");
    says(
        "/Parameters/N",
        json!({"Type": "Number", "MaxValue": 3, "Default": 4}),
        "error parameter-default /Parameters/N/Default",
    );
}

#[test]
fn the_interface_names_parameters() {
    let interface = json!({"ParameterGroups": [{"Parameters": ["Env", "Enw"]}], "ParameterLabels": {"Zone": {"default": "x"}}});
    let metadata = json!({ "AWS::CloudFormation::Interface": interface });
    let place = "/Metadata/AWS::CloudFormation::Interface";
    says(
        "/Metadata",
        metadata.clone(),
        &format!("warning unknown-parameter {place}/ParameterGroups/0/Parameters/1"),
    );
    says("/Metadata", metadata, &format!("warning unknown-parameter {place}/ParameterLabels/Zone"));
}

#[test]
fn mappings_and_their_keys() {
    says("/Mappings/Sizes/dev", json!({}), "error mapping /Mappings/Sizes/dev");
    says("/Mappings/Sizes/dev/Count", json!({"a": 1}), "error mapping /Mappings/Sizes/dev/Count");
    says("/Mappings/Sizes/d_v", json!({"Count": 1}), "error mapping /Mappings/Sizes/d_v");
    says("/Mappings/Other", json!({"a": {"b": 1}}), "warning unused-mapping /Mappings/Other");
    let value = "/Resources/Subnet/Properties/Tags/0/Value";
    let find = |arguments: Value| json!({ "Fn::FindInMap": arguments });
    let place = format!("error unknown-mapping {value}/Fn::FindInMap");
    says(value, find(json!(["Size", {"Ref": "Env"}, "Count"])), &place);
    let place = format!("error unknown-mapping-key {value}/Fn::FindInMap");
    says(value, find(json!(["Sizes", "test", "Count"])), &place);
    says(value, find(json!(["Sizes", "dev", "Counts"])), &place);
    says(value, find(json!(["Sizes", {"Ref": "Env"}, "Counts"])), &place);
}

#[test]
fn conditions() {
    says(
        "/Conditions/Dev",
        json!({"Fn::Not": [{"Condition": "Prods"}]}),
        "error unknown-condition /Conditions/Dev/Fn::Not/0/Condition",
    );
    says("/Conditions/Prod", json!({"Condition": "Dev"}), "error circular-condition /Conditions/Dev");
    says("/Conditions/Prod", json!("yes"), "error function-arguments /Conditions/Prod");
    says(
        "/Conditions/Prod",
        json!({"Fn::If": ["Dev", "a", "b"]}),
        "error function-not-allowed /Conditions/Prod",
    );
    says(
        "/Conditions/Prod/Fn::Equals/0/Ref",
        json!("Vpc"),
        "error reference-not-allowed /Conditions/Prod/Fn::Equals/0/Ref",
    );
    says(
        "/Conditions/Other",
        json!({"Fn::Equals": ["a", "b"]}),
        "warning constant-condition /Conditions/Other/Fn::Equals",
    );
    says("/Conditions/Other", json!({"Condition": "Dev"}), "warning unused-condition /Conditions/Other");
    says("/Resources/Queue/Condition", json!("Pord"), "error unknown-condition /Resources/Queue/Condition");
    says(
        "/Conditions/Other",
        json!({"Fn::And": [{"Condition": "Dev"}]}),
        "error function-arguments /Conditions/Other/Fn::And",
    );
}

#[test]
fn resources_and_their_attributes() {
    says("/Resources/Vpc/Type", json!("AWS::EC2::Vcp"), "error unknown-type /Resources/Vpc/Type");
    says("/Resources/Vpc/Type", Value::Null, "error resource /Resources/Vpc");
    says("/Resources/Vpc/Propertys", json!({}), "error unknown-attribute /Resources/Vpc/Propertys");
    says("/Resources/Vpc/CidrBlock", json!("x"), "error unknown-attribute /Resources/Vpc/CidrBlock");
    says("/Resources/Vpc/DependsOn", json!({"Ref": "Role"}), "error resource /Resources/Vpc/DependsOn");
    says("/Resources/Vpc/DependsOn", json!("Rol"), "error unknown-dependency /Resources/Vpc/DependsOn");
    says(
        "/Resources/Subnet/DependsOn",
        json!(["Vpc"]),
        "warning redundant-depends-on /Resources/Subnet/DependsOn/0",
    );
    says(
        "/Resources/Vpc/Properties/CidrBlok",
        json!("x"),
        "error unknown-property /Resources/Vpc/Properties/CidrBlok",
    );
    says("/Resources/My-Vpc", json!({"Type": "AWS::SNS::Topic"}), "error logical-id /Resources/My-Vpc");
    says(
        "/Resources/F",
        json!({"Type": "AWS::Serverless::Function"}),
        "error unknown-type /Resources/F/Type",
    );
    says("/Resources/Q", json!("AWS::SQS::Queue"), "error resource /Resources/Q");
    says("/Resources/T", json!({"Type": "Acme::Made::Up"}), "note unchecked-type /Resources/T/Type");
    let app = json!({"Type": "AWS::SageMaker::MlflowApp", "Properties": {}});
    let mut template = changed("/Resources/App", app);
    let unavailable = |template: &Value, region: &str| {
        let options = Options { region: Some(region), size_bytes: None };
        validate_template(template, &options).iter().any(|finding| finding.rule == "unavailable-type")
    };
    assert!(unavailable(&template, "af-south-1") && !unavailable(&template, "us-east-1"));
    assert!(!unavailable(&template, "us-iso-east-1"), "a region without a list is not judged");
    template["Resources"]["App"]["Condition"] = json!("Here");
    template["Conditions"]["Here"] = json!({"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]});
    assert!(!unavailable(&template, "af-south-1"), "a condition keeps it away from there");
}

#[test]
fn policies_of_resources() {
    says("/Resources/Queue/DeletionPolicy", json!("Keep"), "error policy /Resources/Queue/DeletionPolicy");
    says(
        "/Resources/Queue/DeletionPolicy",
        json!("Snapshot"),
        "error policy /Resources/Queue/DeletionPolicy",
    );
    says(
        "/Resources/Queue/UpdateReplacePolicy",
        json!("RetainExceptOnCreate"),
        "error policy /Resources/Queue/UpdateReplacePolicy",
    );
    says("/Resources/Queue/UpdateReplacePolicy", Value::Null, "warning unprotected-data /Resources/Queue");
    says(
        "/Resources/Table",
        json!({"Type": "AWS::DynamoDB::Table", "Properties": {}}),
        "warning unprotected-data /Resources/Table",
    );
    says("/Resources/Topic/UpdatePolicy", json!({}), "error policy /Resources/Topic/UpdatePolicy");
    let group = |policy: Value| json!({"Type": "AWS::AutoScaling::AutoScalingGroup", "UpdatePolicy": policy});
    let place = "/Resources/Group/UpdatePolicy/AutoScalingRollingUpdate";
    says(
        "/Resources/Group",
        group(json!({"AutoScalingRollingUpdate": {"MaxBatch": 1}})),
        &format!("error policy {place}/MaxBatch"),
    );
    says(
        "/Resources/Group",
        group(json!({"AutoScalingRollingUpdate": {"MaxBatchSize": "x"}})),
        &format!("error policy {place}/MaxBatchSize"),
    );
}

#[test]
fn runtimes_that_ended() {
    let place = "/Resources/Function/Properties/Runtime";
    says(place, json!("python3.7"), &format!("error ended-runtime {place}"));
    says(
        place,
        json!({"Fn::If": ["Prod", "python3.13", "nodejs4.3"]}),
        &format!("error ended-runtime {place}/Fn::If/2"),
    );
    says(place, json!("python3.9"), &format!("warning deprecated-runtime {place}"));
}

#[test]
fn outputs_and_exports() {
    says("/Outputs/VpcId/Value", Value::Null, "error output /Outputs/VpcId");
    says("/Outputs/VpcId/Value", json!(["a"]), "error output /Outputs/VpcId/Value");
    says("/Outputs/VpcId/Value", json!({"Ref": "Zones"}), "error output /Outputs/VpcId/Value");
    says("/Outputs/VpcId/Vlaue", json!("a"), "error output /Outputs/VpcId/Vlaue");
    says("/Outputs/VpcId/Export", json!({}), "error output /Outputs/VpcId/Export");
    says(
        "/Outputs/VpcId/Export/Name",
        json!({"Ref": "Vpc"}),
        "error reference-not-allowed /Outputs/VpcId/Export/Name/Ref",
    );
    says("/Outputs/VpcId/Value", json!({"Ref": "Secret"}), "warning shown-secret /Outputs/VpcId/Value/Ref");
    let twin = json!({"Value": "x", "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-vpc"}}});
    says("/Outputs/VpcTwin", twin, "error duplicate-export /Outputs/VpcTwin/Export/Name");
    let export = |name: &str| json!({"Outputs": {"O": {"Value": "x", "Export": {"Name": name}}}});
    let (a, b, c) = (export("same"), export("same"), export("other"));
    let found = duplicate_exports([("a", &a), ("b", &b), ("c", &c)]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0, found[0].1.pointer.as_str()), ("b", "/Outputs/O/Export/Name"));
}

#[test]
fn shapes_of_functions() {
    let place = "/Resources/Topic/Properties/TopicName";
    for (value, at) in [
        (json!({"Fn::Join": ["", "a"]}), "/Fn::Join/1"),
        (json!({"Fn::Join": [["a"], ""]}), "/Fn::Join/0"),
        (json!({"Fn::Join": ["-"]}), "/Fn::Join"),
        (json!({"Fn::Join": ["-", [{"a": 1}]]}), "/Fn::Join/1/0"),
        (json!({"Fn::Select": ["x", ["a"]]}), "/Fn::Select/0"),
        (json!({"Fn::Select": [1, ["a"]]}), "/Fn::Select/0"),
        (json!({"Fn::GetAtt": ["Vpc"]}), "/Fn::GetAtt"),
        (json!({"Fn::GetAtt": "Vpc"}), "/Fn::GetAtt"),
        (json!({"Fn::If": ["Prod", "a"]}), "/Fn::If"),
        (json!({"Fn::Sub": ["${X}"]}), "/Fn::Sub"),
        (json!({"Fn::Sub": {"a": 1}}), "/Fn::Sub"),
        (json!({"Fn::FindInMap": ["Sizes", "dev"]}), "/Fn::FindInMap"),
        (json!({"Fn::Base64": ["a"]}), "/Fn::Base64"),
        (json!({"Fn::ImportValue": ["a"]}), "/Fn::ImportValue"),
        (json!({"Fn::GetStackOutput": {"StackName": "s"}}), "/Fn::GetStackOutput"),
        (json!({"Fn::Select": [0, {"Fn::Cidr": ["10.0.0.0", 1, 8]}]}), "/Fn::Select/1/Fn::Cidr/0"),
        (json!({"Fn::Select": [0, {"Fn::Cidr": ["10.0.0.0/16", 999, 8]}]}), "/Fn::Select/1/Fn::Cidr/1"),
        (json!({"Ref": {"a": 1}}), "/Ref"),
    ] {
        says(place, value, &format!("error function-arguments {place}{at}"));
    }
    says(place, json!({"Fn::Jion": ["", []]}), &format!("error unknown-function {place}"));
    says(place, json!({"Fn::Equals": ["a", "b"]}), &format!("error function-not-allowed {place}"));
    says(
        place,
        json!({"Fn::ImportValue": {"Fn::GetAtt": ["Vpc", "VpcId"]}}),
        &format!("error function-not-allowed {place}/Fn::ImportValue"),
    );
    says(place, json!({"Fn::Length": ["a"]}), &format!("error function-not-allowed {place}"));
    says(place, json!({"Fn::Sub": "plain"}), &format!("warning needless-sub {place}/Fn::Sub"));
    says(
        place,
        json!({"Fn::Sub": ["${Env}", {"X": "a"}]}),
        &format!("warning unused-variable {place}/Fn::Sub/1/X"),
    );
    says(place, json!("a-${Env}"), &format!("warning missing-sub {place}"));
}
