//! Functions as they stand in templates.

use std::collections::BTreeMap;

use formwork::{App, AppProps, Asset, Diagnostic, Json, KeyArn, Stack, StackProps, Value};
use serde_json::json;

use super::{Function, FunctionProps};

fn template() -> Json {
    let (template, diagnostics) = synth(|_| {});
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    template
}

fn synth(change: impl FnOnce(&mut FunctionProps)) -> (Json, Vec<Diagnostic>) {
    let app = App::new(AppProps::default());
    let stack = Stack::define(app.root(), "one", StackProps::default());
    let code = Asset::bytes(stack, "Code", "def handle(event, context): pass", "zip");
    let environment = BTreeMap::from([("LEVEL".to_owned(), Value::from_expression("INFO".into()))]);
    let mut props = FunctionProps { environment, ..FunctionProps::new(code, "python3.13", "index.handle") };
    change(&mut props);
    Function::new(stack, "Task", props);
    let synthesis = app.synth().unwrap();
    (synthesis.template("one").unwrap(), synthesis.diagnostics)
}

fn resource<'a>(template: &'a Json, type_name: &str) -> (&'a String, &'a Json) {
    template["Resources"]
        .as_object()
        .unwrap()
        .iter()
        .find(|(_, resource)| resource["Type"] == type_name)
        .unwrap()
}

#[test]
fn a_function_may_write_to_its_own_log_and_nothing_else() {
    let template = template();
    let (log_group, _) = resource(&template, "AWS::Logs::LogGroup");
    let (_, policy) = resource(&template, "AWS::IAM::Policy");
    assert_eq!(
        policy["Properties"]["PolicyDocument"]["Statement"],
        json!([{
            "Sid": "Log", "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": [log_group, "Arn"]},
        }])
    );
    let (_, role) = resource(&template, "AWS::IAM::Role");
    assert!(role["Properties"].get("ManagedPolicyArns").is_none());
    let (_, function) = resource(&template, "AWS::Lambda::Function");
    assert_eq!(function["Properties"]["LoggingConfig"], json!({"LogGroup": {"Ref": log_group}}));
    assert_eq!(function["Properties"]["Environment"], json!({"Variables": {"LEVEL": "INFO"}}));
}

#[test]
fn a_log_is_limited_in_time_and_outlives_a_rollback() {
    let template = template();
    let (_, log_group) = resource(&template, "AWS::Logs::LogGroup");
    assert_eq!(log_group["Properties"]["RetentionInDays"], 30);
    assert_eq!(log_group["DeletionPolicy"], "Retain");
    assert_eq!(log_group["UpdateReplacePolicy"], "Retain");
}

#[test]
fn a_key_encrypts_the_log_and_its_policy_is_noted() {
    let key = "arn:aws:kms:us-east-1:111122223333:key/0f9e8d7c-6b5a-4958-8776-655443322110";
    let (template, diagnostics) = synth(|props| props.log_key = Some(KeyArn::literal(key)));
    assert_eq!(resource(&template, "AWS::Logs::LogGroup").1["Properties"]["KmsKeyId"], key);
    let rules: Vec<&str> = diagnostics.iter().map(|found| found.rule.as_str()).collect();
    assert_eq!(rules, ["key-policy"]);
}
