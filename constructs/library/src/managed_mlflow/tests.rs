//! Managed MLflow as it stands in templates.

mod custom;
mod grants;
mod mistakes;

use formwork::{
    App, AppProps, BucketName, Context, Diagnostic, Environment, Json, KeyArn, RemovalPolicy, Scope,
    Severity, Stack, StackProps,
};
use serde_json::json;

use super::{ManagedMlflow, ManagedMlflowProps, MlflowType};
use crate::storage::{DataBucket, DataBucketProps};

pub(super) fn app_in(region: Option<&str>) -> App {
    App::new(AppProps {
        environment: Environment { account: None, region: region.map(str::to_owned) },
        context: Context::new(),
    })
}

pub(super) fn props(mlflow_type: MlflowType) -> ManagedMlflowProps {
    ManagedMlflowProps::new(mlflow_type, format!("platform-{}", mlflow_type.as_str()))
}

/// The template of a stack with managed MLflow, and what synth says about it.
pub(super) fn synth_in(region: Option<&str>, props: ManagedMlflowProps) -> (Json, Vec<Diagnostic>) {
    synth_with(region, |stack| {
        ManagedMlflow::new(stack, "Mlflow", props);
    })
}

pub(super) fn synth_with(region: Option<&str>, grow: impl FnOnce(Scope<'_>)) -> (Json, Vec<Diagnostic>) {
    let app = app_in(region);
    grow(Stack::define(app.root(), "mlflow", StackProps::default()));
    let synthesis = app.synth().unwrap();
    (synthesis.template("mlflow").unwrap(), synthesis.diagnostics)
}

pub(super) fn template(props: ManagedMlflowProps) -> Json {
    let (template, diagnostics) = synth_in(Some("us-east-1"), props);
    let serious: Vec<_> = diagnostics.iter().filter(|found| found.severity > Severity::Note).collect();
    assert!(serious.is_empty(), "{serious:?}");
    template
}

/// The only resource of a type, with its logical id.
pub(super) fn only<'a>(template: &'a Json, type_name: &str) -> (&'a str, &'a Json) {
    let all: Vec<_> = all_of(template, type_name);
    assert_eq!(all.len(), 1, "{type_name}");
    all[0]
}

pub(super) fn all_of<'a>(template: &'a Json, type_name: &str) -> Vec<(&'a str, &'a Json)> {
    let resources = template["Resources"].as_object().unwrap();
    let found = resources.iter().filter(|(_, resource)| resource["Type"] == type_name);
    found.map(|(id, resource)| (id.as_str(), resource)).collect()
}

/// The statements of the policy whose logical id starts so.
pub(super) fn statements<'a>(template: &'a Json, prefix: &str) -> &'a Vec<Json> {
    let policies = all_of(template, "AWS::IAM::Policy");
    let (_, policy) = policies.iter().find(|(id, _)| id.starts_with(prefix)).unwrap();
    policy["Properties"]["PolicyDocument"]["Statement"].as_array().unwrap()
}

pub(super) fn statement<'a>(statements: &'a [Json], sid: &str) -> &'a Json {
    statements.iter().find(|statement| statement["Sid"] == sid).unwrap()
}

#[test]
fn a_tracking_server_is_small_registers_models_and_waits_for_its_policy() {
    let template = template(props(MlflowType::Tracking));
    let (role, trusted) = only(&template, "AWS::IAM::Role");
    let (bucket, _) = only(&template, "AWS::S3::Bucket");
    let (policy, _) = only(&template, "AWS::IAM::Policy");
    let (_, server) = only(&template, "AWS::SageMaker::MlflowTrackingServer");
    assert_eq!(
        server["Properties"],
        json!({
            "TrackingServerName": "platform-tracking",
            "ArtifactStoreUri": {"Fn::Sub": format!("s3://${{{bucket}}}/mlflow")},
            "RoleArn": {"Fn::GetAtt": [role, "Arn"]},
            "TrackingServerSize": "Small",
            "AutomaticModelRegistration": true,
            "WeeklyMaintenanceWindowStart": "Tue:03:30",
        })
    );
    assert_eq!(server["DependsOn"], json!([policy]));
    assert_eq!(
        trusted["Properties"]["AssumeRolePolicyDocument"]["Statement"][0],
        json!({
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        })
    );
}

#[test]
fn an_app_is_native_and_always_says_how_models_are_registered() {
    for (registration, mode) in
        [(true, "AutoModelRegistrationEnabled"), (false, "AutoModelRegistrationDisabled")]
    {
        let template = template(ManagedMlflowProps {
            automatic_model_registration: registration,
            ..props(MlflowType::Serverless)
        });
        let (_, app) = only(&template, "AWS::SageMaker::MlflowApp");
        assert_eq!(app["Properties"]["ModelRegistrationMode"], mode);
        assert_eq!(app["Properties"]["Name"], "platform-serverless");
        assert!(all_of(&template, "AWS::Lambda::Function").is_empty());
    }
}

#[test]
fn the_service_role_may_register_models_exactly_when_that_is_on() {
    for mlflow_type in [MlflowType::Tracking, MlflowType::Serverless] {
        for registration in [true, false] {
            let template = template(ManagedMlflowProps {
                automatic_model_registration: registration,
                ..props(mlflow_type)
            });
            let text = serde_json::to_string(statements(&template, "MlflowServiceRolePolicy")).unwrap();
            assert_eq!(text.contains("CreateModelPackage"), registration);
            assert!(!text.contains("\"*\""), "{text}");
        }
    }
}

#[test]
fn the_service_role_reaches_its_prefix_and_nothing_else_of_the_bucket() {
    let template = template(props(MlflowType::Tracking));
    let (bucket, _) = only(&template, "AWS::S3::Bucket");
    let statements = statements(&template, "MlflowServiceRolePolicy");
    assert_eq!(
        statements[0],
        json!({
            "Effect": "Allow",
            "Action": [
                "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject",
            ],
            "Resource": {"Fn::Sub": format!("${{{bucket}.Arn}}/mlflow/*")},
        })
    );
    assert_eq!(statements[1]["Resource"], json!({"Fn::GetAtt": [bucket, "Arn"]}));
}

#[test]
fn what_is_kept_is_kept_with_its_role_and_what_is_not_is_not() {
    for mlflow_type in [MlflowType::Tracking, MlflowType::Serverless] {
        let kept = template(props(mlflow_type));
        for type_name in [mlflow_type.resource_type(), "AWS::IAM::Role", "AWS::IAM::Policy"] {
            let (_, resource) = only(&kept, type_name);
            assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate", "{type_name}");
            assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{type_name}");
        }
        let deleted =
            template(ManagedMlflowProps { removal_policy: RemovalPolicy::Delete, ..props(mlflow_type) });
        let (_, resource) = only(&deleted, mlflow_type.resource_type());
        assert_eq!(resource["DeletionPolicy"], "Delete");
        assert_eq!(resource["UpdateReplacePolicy"], "Delete");
        let (_, bucket) = only(&deleted, "AWS::S3::Bucket");
        assert_eq!(bucket["DeletionPolicy"], "Retain");
    }
}

#[test]
fn outputs_are_exported_under_the_stack_and_their_own_names() {
    for (mlflow_type, endpoint) in [
        (MlflowType::Tracking, "https://${AWS::Region}.experiments.sagemaker.aws"),
        (MlflowType::Serverless, "https://mlflow.sagemaker.${AWS::Region}.app.aws"),
    ] {
        let template = template(props(mlflow_type));
        let outputs = template["Outputs"].as_object().unwrap();
        let names: Vec<&str> = outputs.keys().map(String::as_str).collect();
        assert_eq!(names, ["ArtifactBucketName", "Endpoint", "MlflowName", "MlflowResourceArn", "RoleArn"]);
        for (name, output) in outputs {
            let export = json!({"Fn::Sub": format!("${{AWS::StackName}}:{name}")});
            assert_eq!(output["Export"]["Name"], export);
        }
        assert_eq!(outputs["Endpoint"]["Value"], json!({"Fn::Sub": endpoint}));
    }
}

#[test]
fn both_kinds_fit_into_one_stack() {
    let (template, _) = synth_with(Some("us-east-1"), |stack| {
        for mlflow_type in [MlflowType::Tracking, MlflowType::Serverless] {
            ManagedMlflow::new(stack.child(mlflow_type.as_str()), "Mlflow", props(mlflow_type));
        }
    });
    let outputs = template["Outputs"].as_object().unwrap();
    assert_eq!(outputs.len(), 10);
    assert!(outputs.values().all(|output| output.get("Export").is_none()));
}

#[test]
fn what_is_said_about_the_artifact_bucket_is_in_it() {
    let key = "arn:aws:kms:us-east-1:111122223333:key/0f9e8d7c-6b5a-4958-8776-655443322110";
    let template = template(ManagedMlflowProps {
        artifact_key: Some(KeyArn::literal(key)),
        bucket: DataBucketProps { noncurrent_versions_kept_for_days: 7, ..DataBucketProps::default() },
        ..props(MlflowType::Tracking)
    });
    let (_, bucket) = only(&template, "AWS::S3::Bucket");
    assert!(bucket["Properties"]["BucketEncryption"].to_string().contains(key), "{bucket}");
    let rule = &bucket["Properties"]["LifecycleConfiguration"]["Rules"][0];
    assert_eq!(rule["NoncurrentVersionExpiration"]["NoncurrentDays"], 7);
}

#[test]
fn an_existing_bucket_is_used_under_its_prefix() {
    let template = template(ManagedMlflowProps {
        artifact_bucket: Some(DataBucket::existing(&BucketName::literal("team-artifacts"), None)),
        artifact_prefix: "experiments/mlflow".to_owned(),
        ..props(MlflowType::Serverless)
    });
    assert!(all_of(&template, "AWS::S3::Bucket").is_empty());
    let (_, app) = only(&template, "AWS::SageMaker::MlflowApp");
    assert_eq!(app["Properties"]["ArtifactStoreUri"], "s3://team-artifacts/experiments/mlflow");
    let objects = &statements(&template, "MlflowServiceRolePolicy")[0]["Resource"];
    assert_eq!(
        *objects,
        json!({"Fn::Sub": "arn:${AWS::Partition}:s3:::team-artifacts/experiments/mlflow/*"})
    );
}

#[test]
fn an_existing_server_or_app_is_known_by_its_arn() {
    synth_with(Some("us-east-1"), |stack| {
        let arn = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app/app-ABC123";
        let mlflow = ManagedMlflow::existing(stack, "Mlflow", arn, None);
        assert_eq!(mlflow.mode, MlflowType::Serverless);
        assert_eq!(mlflow.name, "app-ABC123");
        assert_eq!(
            mlflow.endpoint.as_literal(),
            Some(json!("https://mlflow.sagemaker.eu-west-1.app.aws")),
            "the endpoint is in the region of the app, not of the stack"
        );
        assert_eq!(mlflow.other_region(stack).as_deref(), Some("eu-west-1"));
        let near = ManagedMlflow::existing(stack, "Near", &arn.replace("eu-west-1", "us-east-1"), None);
        assert_eq!(near.other_region(stack), None);
        formwork::CfnResource::new("AWS::SNS::Topic").define(stack, "Topic");
    });
}
