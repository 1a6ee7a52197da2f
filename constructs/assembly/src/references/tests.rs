use serde_json::json;

use super::*;

fn found(template: &Value) -> Vec<String> {
    references(template)
        .list
        .iter()
        .map(|reference| {
            let attribute = reference.attribute.map(|attribute| format!(".{attribute}")).unwrap_or_default();
            format!("{:?} {}{attribute} {}", reference.kind, reference.target, reference.pointer)
        })
        .collect()
}

fn in_property(value: Value) -> Vec<String> {
    found(&json!({"Resources": {"A": {"Type": "T", "Properties": {"P": value}}}}))
        .into_iter()
        .map(|line| line.replace("/Resources/A/Properties/P", "@"))
        .collect()
}

#[test]
fn functions_in_properties() {
    assert_eq!(in_property(json!({"Ref": "B"})), ["Ref B @/Ref"]);
    assert_eq!(in_property(json!({"Fn::GetAtt": ["B", "C.D"]})), ["GetAtt B.C.D @/Fn::GetAtt"]);
    assert_eq!(in_property(json!({"Fn::GetAtt": "B.C.D"})), ["GetAtt B.C.D @/Fn::GetAtt"]);
    assert_eq!(
        in_property(json!({"Fn::GetAtt": ["B", {"Ref": "Name"}]})),
        ["GetAtt B @/Fn::GetAtt", "Ref Name @/Fn::GetAtt/1/Ref"]
    );
    assert_eq!(
        in_property(json!({"Fn::If": ["Big", {"Ref": "B"}, {"Ref": "AWS::NoValue"}]})),
        ["If Big @/Fn::If/0", "Ref B @/Fn::If/1/Ref", "Ref AWS::NoValue @/Fn::If/2/Ref"]
    );
    assert_eq!(in_property(json!({"Fn::ImportValue": "x"})), ["ImportValue x @/Fn::ImportValue"]);
    assert_eq!(
        in_property(json!({"Fn::ImportValue": {"Fn::Sub": "${Env}-x"}})),
        ["Sub Env @/Fn::ImportValue/Fn::Sub"]
    );
    assert_eq!(
        in_property(json!({"Fn::GetStackOutput": {"StackName": "net", "OutputName": "VpcId"}})),
        ["GetStackOutput net.VpcId @/Fn::GetStackOutput"]
    );
}

#[test]
fn substitutions_skip_literals_and_own_variables() {
    assert_eq!(
        in_property(json!({"Fn::Sub": ["${A}-${!B}-${C.D}-${ E }-${AWS::Region}", {"A": {"Ref": "F"}}]})),
        [
            "Sub C.D @/Fn::Sub/0",
            "Sub E @/Fn::Sub/0",
            "Sub AWS::Region @/Fn::Sub/0",
            "Ref F @/Fn::Sub/1/A/Ref"
        ]
    );
    assert_eq!(substitutions("${A} ${!B} ${ ${C} $ {D} ${E").collect::<Vec<_>>(), ["A", "C"]);
}

#[test]
fn mappings() {
    let lines =
        in_property(json!({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "k", {"DefaultValue": "x"}]}));
    assert_eq!(
        lines,
        [
            r#"FindInMap { top: None, second: Some("k"), default: true } M @/Fn::FindInMap"#,
            "Ref AWS::Region @/Fn::FindInMap/1/Ref"
        ]
    );
}

#[test]
fn attributes_of_resources_and_outputs() {
    let template = json!({
        "Resources": {
            "A": {"Type": "T", "Condition": "Big", "DependsOn": ["B", "C"]},
            "B": {"Type": "T", "DependsOn": "C", "Metadata": {"x": {"Ref": "D"}}}
        },
        "Outputs": {"O": {"Condition": "Big", "Value": {"Ref": "A"}, "Export": {"Name": {"Fn::Sub": "${E}"}}}}
    });
    let mut lines = found(&template);
    lines.sort();
    assert_eq!(
        lines,
        [
            "Condition Big /Outputs/O/Condition",
            "Condition Big /Resources/A/Condition",
            "DependsOn B /Resources/A/DependsOn/0",
            "DependsOn C /Resources/A/DependsOn/1",
            "DependsOn C /Resources/B/DependsOn",
            "Ref A /Outputs/O/Value/Ref",
            "Ref D /Resources/B/Metadata/x/Ref",
            "Sub E /Outputs/O/Export/Name/Fn::Sub"
        ]
    );
    let references = references(&template);
    assert!(
        references.list.iter().any(|reference| reference.section == "Resources" && reference.owner == "B")
    );
}

#[test]
fn conditions_and_rules() {
    let template = json!({
        "Conditions": {"A": {"Fn::And": [{"Condition": "B"}, {"Fn::Equals": [{"Ref": "P"}, "x"]}]}},
        "Rules": {"R": {"Assertions": [{"Assert": {"Fn::Contains": [["a"], {"Ref": "Q"}]}}]}}
    });
    let mut lines = found(&template);
    lines.sort();
    assert_eq!(
        lines,
        [
            "Condition B /Conditions/A/Fn::And/0/Condition",
            "Ref P /Conditions/A/Fn::And/1/Fn::Equals/0/Ref",
            "Ref Q /Rules/R/Assertions/0/Assert/Fn::Contains/1/Ref"
        ]
    );
    // The condition of an IAM statement is no condition of the template.
    assert!(in_property(json!({"Condition": "Big"})).is_empty());
    assert!(in_property(json!({"Ref": "A", "Other": 1})).is_empty());
}

#[test]
fn macros_and_loops() {
    let template = json!({
        "Transform": ["AWS::LanguageExtensions", {"Name": "AWS::Include"}],
        "Resources": {
            "Fn::ForEach::Topics": ["Name", {"Ref": "Names"}, {
                "Topic${Name}": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Name"}, "K": {"Ref": "Key"}}}
            }]
        }
    });
    let references = references(&template);
    assert_eq!(references.macros.names, ["AWS::LanguageExtensions", "AWS::Include"]);
    assert!(references.macros.has_loops && references.macros.may_add_entries());
    let targets: Vec<&str> = references.list.iter().map(|reference| reference.target).collect();
    assert_eq!(targets, ["Names", "Key"]);
}

#[test]
fn pointers_escape_their_tokens() {
    let lines = found(&json!({"Resources": {"A": {"Metadata": {"a/b~c": {"Ref": "X"}}}}}));
    assert_eq!(lines, ["Ref X /Resources/A/Metadata/a~1b~0c/Ref"]);
}
