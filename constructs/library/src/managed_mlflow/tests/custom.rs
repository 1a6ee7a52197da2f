//! The custom resource and the function behind it.

use formwork::{DomainId, Json, KeyArn};
use serde_json::json;

use super::super::{ManagedMlflowProps, MlflowType, Provisioner};
use super::{all_of, only, props, statement, statements, synth_in, template};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0f9e8d7c-6b5a-4958-8776-655443322110";

fn custom() -> ManagedMlflowProps {
    ManagedMlflowProps { provisioner: Provisioner::Custom, ..props(MlflowType::Serverless) }
}

#[test]
fn any_property_that_the_native_type_lacks_makes_it_custom() {
    let serverless = || props(MlflowType::Serverless);
    for (props, name, value) in [
        (ManagedMlflowProps { app_key: Some(KeyArn::literal(KEY)), ..serverless() }, "KmsKeyId", json!(KEY)),
        (
            ManagedMlflowProps { account_default: Some(true), ..serverless() },
            "AccountDefaultStatus",
            json!("ENABLED"),
        ),
        (
            ManagedMlflowProps { default_domains: DomainId::literals(["d-abcdefghijkl"]), ..serverless() },
            "DefaultDomainIdList",
            json!(["d-abcdefghijkl"]),
        ),
    ] {
        let template = template(props);
        assert!(all_of(&template, "AWS::SageMaker::MlflowApp").is_empty());
        let (_, app) = only(&template, "Custom::MlflowApp");
        assert_eq!(app["Properties"][name], value);
    }
}

#[test]
fn the_custom_app_says_all_and_waits_for_every_policy() {
    let template = template(custom());
    let (function, _) = only(&template, "AWS::Lambda::Function");
    let (_, app) = only(&template, "Custom::MlflowApp");
    let properties = app["Properties"].as_object().unwrap();
    assert_eq!(properties["ServiceToken"], json!({"Fn::GetAtt": [function, "Arn"]}));
    assert_eq!(properties["ServiceTimeout"], 3000);
    assert_eq!(properties["ModelRegistrationMode"], "AutoModelRegistrationEnabled");
    assert_eq!(properties["WeeklyMaintenanceWindowStart"], "Tue:03:30");
    assert!(!properties.contains_key("KmsKeyId"));
    let waits_for: Vec<&str> =
        app["DependsOn"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let policies: Vec<&str> = all_of(&template, "AWS::IAM::Policy").iter().map(|(id, _)| *id).collect();
    assert_eq!(policies.len(), 3);
    assert!(policies.iter().all(|policy| waits_for.contains(policy)), "{waits_for:?}");
    assert_eq!(app["DeletionPolicy"], "RetainExceptOnCreate");
    assert_eq!(app["UpdateReplacePolicy"], "Retain");
}

#[test]
fn arn_and_endpoint_are_what_the_handler_answers() {
    let template = template(custom());
    let (app, _) = only(&template, "Custom::MlflowApp");
    assert_eq!(
        template["Outputs"]["MlflowResourceArn"]["Value"],
        json!({"Fn::GetAtt": [app, "MlflowAppArn"]})
    );
    assert_eq!(template["Outputs"]["Endpoint"]["Value"], json!({"Fn::GetAtt": [app, "Endpoint"]}));
}

#[test]
fn a_region_without_the_type_takes_the_custom_resource() {
    let (template, diagnostics) = synth_in(Some("af-south-1"), custom());
    only(&template, "Custom::MlflowApp");
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
}

#[test]
fn the_function_runs_the_embedded_handler_over_the_layer() {
    let template = template(custom());
    let (_, function) = only(&template, "AWS::Lambda::Function");
    let (layer, layer_version) = only(&template, "AWS::Lambda::LayerVersion");
    let properties = &function["Properties"];
    assert_eq!(properties["Runtime"], "python3.13");
    assert_eq!(properties["Handler"], "mlflow_app.handler.handle");
    assert_eq!(properties["Timeout"], 900);
    assert_eq!(properties["Architectures"], json!(["x86_64"]));
    assert_eq!(properties["Layers"], json!([{"Ref": layer}]));
    assert_eq!(layer_version["Properties"]["CompatibleArchitectures"], json!(["x86_64"]));
    let key = layer_version["Properties"]["Content"]["S3Key"].as_str().unwrap();
    let hash = formwork_lambda_layers::boto3_layer::source_hash(
        formwork_lambda_layers::boto3_layer::Architecture::X86_64,
    );
    assert_eq!(key, format!("{hash}.zip"));
}

#[test]
fn the_function_changes_and_deletes_only_apps_of_its_stack() {
    let template = template(custom());
    let statements = statements(&template, "MlflowProvisionerPermissions");
    let change = statement(statements, "ChangeApps");
    assert_eq!(
        change["Condition"],
        json!({"StringEquals": {"aws:ResourceTag/formwork:stack-id": {"Ref": "AWS::StackId"}}})
    );
    let (role, _) = all_of(&template, "AWS::IAM::Role")
        .into_iter()
        .find(|(id, _)| id.starts_with("MlflowServiceRole"))
        .unwrap();
    assert_eq!(
        *statement(statements, "PassServiceRole"),
        json!({
            "Sid": "PassServiceRole", "Effect": "Allow", "Action": "iam:PassRole",
            "Resource": {"Fn::GetAtt": [role, "Arn"]},
            "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        })
    );
    let unlimited: Vec<&Json> = statements.iter().filter(|statement| statement["Resource"] == "*").collect();
    assert_eq!(unlimited.len(), 1);
    assert_eq!(unlimited[0]["Action"], "sagemaker:ListMlflowApps");
}

/// The policy and the code of the handler must not drift apart: every call it makes is granted, and nothing else.
#[test]
fn the_function_may_call_exactly_what_its_code_calls() {
    let template = template(custom());
    let granted: std::collections::BTreeSet<String> = statements(&template, "MlflowProvisionerPermissions")
        .iter()
        .flat_map(|statement| match &statement["Action"] {
            Json::Array(actions) => {
                actions.iter().map(|action| action.as_str().unwrap().to_owned()).collect()
            }
            action => vec![action.as_str().unwrap().to_owned()],
        })
        .filter(|action| action.starts_with("sagemaker:"))
        .collect();
    let mut called = std::collections::BTreeSet::new();
    for file in formwork_lambda_layers::mlflow_app_handler() {
        let source = str::from_utf8(file.bytes).unwrap();
        for (operation, action) in [
            ("create_mlflow_app", "CreateMlflowApp"),
            ("describe_mlflow_app", "DescribeMlflowApp"),
            ("update_mlflow_app", "UpdateMlflowApp"),
            ("delete_mlflow_app", "DeleteMlflowApp"),
            ("list_mlflow_apps", "ListMlflowApps"),
            ("list_tags", "ListTags"),
            ("add_tags", "AddTags"),
            ("delete_tags", "DeleteTags"),
        ] {
            if source.contains(&format!("\"{operation}\""))
                || source.contains(&format!("_client.{operation}("))
            {
                called.insert(format!("sagemaker:{action}"));
            }
        }
    }
    assert_eq!(granted, called);
}

#[test]
fn a_key_of_the_app_is_used_through_sagemaker_only() {
    let template = template(ManagedMlflowProps { app_key: Some(KeyArn::literal(KEY)), ..custom() });
    let handler = statement(statements(&template, "MlflowProvisionerPermissions"), "AppKey");
    assert_eq!(handler["Resource"], KEY);
    assert_eq!(
        handler["Condition"]["StringEquals"]["kms:ViaService"],
        json!({"Fn::Sub": "sagemaker.${AWS::Region}.${AWS::URLSuffix}"})
    );
    assert_eq!(statement(statements(&template, "MlflowServiceRolePolicy"), "AppKey")["Resource"], KEY);
}

#[test]
fn the_log_of_the_provisioner_is_kept_and_encrypted_as_wanted() {
    let template = template(ManagedMlflowProps {
        log_retention_days: 365,
        log_key: Some(KeyArn::literal(KEY)),
        ..custom()
    });
    let (_, log_group) = only(&template, "AWS::Logs::LogGroup");
    assert_eq!(log_group["Properties"]["RetentionInDays"], 365);
    assert_eq!(log_group["Properties"]["KmsKeyId"], KEY);
}
