//! `formwork diff`.

mod support;

use serde_json::{Value as Json, json};
use support::{Project, assert_schema, golden};

/// An assembly of stacks with the given templates, free of findings.
fn assembly(project: Project, directory: &str, stacks: &[(&str, &Json)]) -> Project {
    let artifact = |name: &str| {
        json!({
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/eu-west-1",
            "properties": { "templateFile": format!("{name}.template.json") },
        })
    };
    let artifacts: serde_json::Map<String, Json> =
        stacks.iter().map(|(name, _)| ((*name).to_owned(), artifact(name))).collect();
    let manifest = json!({ "version": "36.0.0", "artifacts": artifacts });
    let project = project
        .with(&format!("{directory}/manifest.json"), manifest.to_string())
        .with(&format!("{directory}/diagnostics.json"), "[]");
    stacks.iter().fold(project, |project, (name, template)| {
        project.with(&format!("{directory}/{name}.template.json"), template.to_string())
    })
}

fn before() -> Json {
    json!({
        "Description": "the platform",
        "Parameters": {
            "Cidr": { "Type": "String", "Default": "10.0.0.0/8" },
            "Key": { "Type": "String", "NoEcho": true, "Default": "old-secret" },
        },
        "Conditions": { "Named": { "Fn::Equals": [{ "Ref": "Cidr" }, "x"] } },
        "Resources": {
            "App": { "Type": "AWS::SageMaker::MlflowApp", "Properties": {
                "Name": "app", "ArtifactStoreUri": "s3://data", "RoleArn": { "Fn::GetAtt": ["Role", "Arn"] } } },
            "Role": { "Type": "AWS::IAM::Role", "Properties": {
                "RoleName": "runner",
                "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "sagemaker.amazonaws.com" } }] },
                "Policies": [{ "PolicyName": "data", "PolicyDocument": { "Version": "2012-10-17", "Statement": [
                    { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*" }] } }] } },
            "Group": { "Type": "AWS::EC2::SecurityGroup", "Properties": {
                "GroupDescription": "proxy",
                "SecurityGroupIngress": [{ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": { "Ref": "Cidr" } }] } },
            "OldQueue": { "Type": "AWS::SQS::Queue", "Properties": { "DelaySeconds": 3, "VisibilityTimeout": 9 } },
            "Logs": { "Type": "AWS::Logs::LogGroup", "DependsOn": ["Role"], "Properties": { "RetentionInDays": "30" } },
        },
        "Outputs": { "RoleName": { "Value": { "Ref": "Role" } } },
    })
}

fn after() -> Json {
    let mut template = before();
    template["Description"] = json!("the platform, grown");
    template["Parameters"]["Cidr"]["Default"] = json!("0.0.0.0/0");
    template["Parameters"]["Key"]["Default"] = json!("new-secret");
    template["Conditions"]["Big"] = json!({ "Fn::Equals": ["a", "a"] });
    let resources = template["Resources"].as_object_mut().expect("the template has resources");
    resources["Role"]["Properties"]["RoleName"] = json!("runner-2");
    resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"] =
        json!(["s3:GetObject", "s3:PutObject"]);
    resources["Logs"]["Properties"]["RetentionInDays"] = json!(30);
    resources["Logs"]["DependsOn"] = json!(["Role", "Group"]);
    let queue = resources.remove("OldQueue").expect("the template has the queue");
    resources.insert("NewQueue".to_owned(), queue);
    template["Outputs"]["RoleArn"] = json!({ "Value": { "Fn::GetAtt": ["Role", "Arn"] } });
    template
}

fn small() -> Json {
    json!({ "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } } })
}

/// The old assembly has one stack more and one less.
fn project() -> Project {
    let project =
        assembly(Project::new(), "old", &[("ml", &before()), ("gone", &small()), ("same", &small())]);
    assembly(project, "new", &[("ml", &after()), ("fresh", &small()), ("same", &small())])
}

#[test]
fn a_difference_is_told_by_stack_and_section() {
    let project = project();
    let done = project.run(&["diff", "--app", "new", "--against", "old"]).ends_with(0);
    assert!(!done.stdout.contains("secret"), "{}", done.stdout);
    golden("diff.txt", &done.stdout);
    done.says("1 stack differs, 1 stack is new, 1 stack is gone, 1 stack is the same");
    let done = project.run(&["diff", "-v", "--app", "new", "--against", "old", "ml"]).ends_with(0);
    done.prints("RetentionInDays: \"30\" -> 30").prints("(the same to CloudFormation)");
    project.run(&["diff", "--app", "new", "--against", "new"]).ends_with(0).prints("= ml  no differences");
}

#[test]
fn reports_as_json_follow_their_schema() {
    let done = project().run(&["diff", "--json", "--app", "new", "--against", "old"]).ends_with(0);
    let report: Json = serde_json::from_str(&done.stdout).unwrap();
    assert_schema("diff.json", &report);
    assert!(!done.stdout.contains("secret"), "{}", done.stdout);
    let stack = report["stacks"].as_array().unwrap().iter().find(|stack| stack["name"] == "ml").unwrap();
    let resource = |name: &str| {
        stack["resources"].as_array().unwrap().iter().find(|resource| resource["logicalId"] == name).unwrap()
    };
    assert_eq!(resource("Role")["outcome"], "replaced");
    assert_eq!(resource("App")["outcome"], "replaced");
    assert_eq!(resource("App")["change"], "reached");
    assert_eq!(resource("App")["causes"][0]["through"], "Role");
    assert!(resource("App")["loss"]["words"].as_str().unwrap().starts_with("all runs are lost"));
    assert_eq!(resource("NewQueue")["movedFrom"], "OldQueue");
}

#[test]
fn differences_to_fail_on_end_with_2() {
    let project = project();
    let run =
        |extra: &[&str]| project.run(&[&["diff", "--app", "new", "--against", "old"], extra].concat()).code;
    for what in ["any-change", "broadening", "destructive", "broadening,destructive"] {
        assert_eq!(run(&["--fail-on", what]), Some(2), "{what}");
        assert_eq!(run(&["--fail-on", what, "same"]), Some(0), "{what}");
    }
    assert_eq!(run(&["--fail-on", "any-change", "fresh"]), Some(2));
    assert_eq!(run(&["--fail-on", "destructive", "fresh"]), Some(0));
    project.run(&["diff", "--app", "new", "--against", "old", "--fail-on", "x"]).ends_with(10);
}

#[test]
fn one_stack_is_compared_with_a_template_in_yaml() {
    let yaml = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: !Sub '${AWS::Region}-x'\n";
    let project = project().with("old.yaml", yaml);
    let done = project.run(&["diff", "--app", "new", "--against", "old.yaml", "same"]).ends_with(0);
    done.prints("DisplayName: - ${AWS::Region}-x");
    project
        .run(&["diff", "--app", "new", "--against", "old.yaml"])
        .ends_with(10)
        .says("old.yaml is one template, and 3 stacks are selected");
    project.run(&["diff", "--app", "new", "--against", "missing", "same"]).ends_with(1).says("missing");
    project
        .with("empty/file", "")
        .run(&["diff", "--app", "new", "--against", "empty"])
        .ends_with(10)
        .says("there is no manifest.json");
}

#[test]
fn colour_repeats_what_words_say() {
    let project = project();
    let arguments = ["diff", "--app", "new", "--against", "old"];
    let plain = project.run(&arguments).stdout;
    let colourful = project.run(&[&arguments[..], &["--color", "always"]].concat()).stdout;
    assert_ne!(plain, colourful);
    assert_eq!(anstream::adapter::strip_str(&colourful).to_string(), plain);
}
