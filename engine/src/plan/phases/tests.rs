use serde_json::json;

use super::*;

fn old() -> Value {
    json!({
        "Parameters": {"Suffix": {"Type": "String"}},
        "Conditions": {"Big": {"Fn::Equals": ["a", "a"]}},
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
            "Subnet": {"Type": "AWS::EC2::Subnet", "Condition": "Big", "Properties": {
                "VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24",
                "Tags": [{"Key": "Name", "Value": {"Ref": "Suffix"}}]}},
            "Topic": {"Type": "AWS::SNS::Topic"}
        },
        "Outputs": {
            "SubnetRef": {"Value": {"Ref": "Subnet"}, "Export": {"Name": "net:Subnet"}},
            "Other": {"Value": "x"}
        }
    })
}

fn first(new: &Value) -> (Value, BTreeSet<String>) {
    first_template(&old(), new, &BTreeSet::from(["SubnetRef".to_owned()]))
}

/// Fault 44: the first phase keeps the export with everything that it stands on, and brings what is new.
#[test]
fn the_first_phase_keeps_an_export_with_what_it_refers_to() {
    let new = json!({"Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Queue": {"Type": "AWS::SQS::Queue"}
    }});
    let (template, parameters) = first(&new);
    assert_eq!(template["Outputs"], json!({"SubnetRef": old()["Outputs"]["SubnetRef"]}));
    assert_eq!(template["Resources"]["Subnet"], old()["Resources"]["Subnet"]);
    assert_eq!(template["Conditions"], old()["Conditions"]);
    assert_eq!(template["Resources"]["Queue"], new["Resources"]["Queue"]);
    assert!(template["Resources"].get("Topic").is_none(), "what no export needs goes at once");
    assert_eq!(parameters.into_iter().collect::<Vec<_>>(), ["Suffix"]);
}

/// Fault 44: an export of a resource that is replaced keeps its value in the first phase.
#[test]
fn the_first_phase_does_not_replace_what_a_kept_export_names() {
    let mut new = old();
    new["Outputs"] = json!({});
    new["Resources"]["Subnet"]["Properties"]["CidrBlock"] = "10.0.1.0/24".into();
    let (template, _) = first(&new);
    assert_eq!(template["Resources"]["Subnet"]["Properties"]["CidrBlock"], "10.0.0.0/24");
}

#[test]
fn an_output_that_took_the_name_stays_beside_the_kept_one() {
    let mut new = old();
    new["Outputs"]["SubnetRef"]["Export"]["Name"] = "net:Renamed".into();
    let (template, _) = first(&new);
    assert_eq!(template["Outputs"]["SubnetRef"]["Export"]["Name"], "net:Renamed");
    assert_eq!(template["Outputs"]["SubnetRefKept1"]["Export"]["Name"], "net:Subnet");
}

#[test]
fn the_first_template_is_the_same_twice() {
    let new = json!({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}});
    let outputs = BTreeSet::from(["SubnetRef".to_owned()]);
    assert_eq!(first_text(&old(), &new, &outputs), first_text(&old(), &new, &outputs));
}
