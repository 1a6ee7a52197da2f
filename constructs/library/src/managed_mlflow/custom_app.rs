//! The serverless app by a custom resource: a function that calls the service's API with a boto3 new enough for it.

use formwork::{Asset, CommandAsset, IntoValue, Resource, ResourceId, Scope, Value, pseudo, text};
use formwork_lambda_layers::boto3_layer::{self, Architecture};
use formwork_lambda_layers::{MLFLOW_APP_ENTRY_POINT, PYTHON_RUNTIME, mlflow_app_handler};
use formwork_resources::lambda::{
    CfnLayerVersion, Content, LayerVersionCompatibleArchitectures, LayerVersionCompatibleRuntimes,
};

use super::service_role::ServiceRole;
use super::{Made, ManagedMlflowProps, app};
use crate::custom_resource::CustomResource;
use crate::function::{Function, FunctionProps, embedded};
use crate::iam::Statement;
use crate::storage::DataBucket;

/// Every region has it; some lack Graviton. The handler has no compiled parts, so speed is the same.
const ARCHITECTURE: Architecture = Architecture::X86_64;

/// The most that Lambda gives; the handler answers 30 seconds before.
const TIMEOUT_SECONDS: i64 = 900;

/// One run answers, with a failure when its time is too short. Lambda repeats a run that died without an answer twice,
/// and what it left behind is found again: there is time for those runs and the pauses between them.
const SERVICE_TIMEOUT_SECONDS: i64 = 3000;

/// The tag by which the handler marks the apps of a stack.
const STACK_TAG: &str = "formwork:stack-id";

/// Adds the app to `scope`'s `service` and the function beside it.
#[track_caller]
pub(super) fn define(
    scope: Scope<'_>,
    service: Scope<'_>,
    props: &ManagedMlflowProps,
    artifacts: &DataBucket,
    role: &ServiceRole,
) -> Made {
    let provisioner = scope.child("Provisioner");
    let function = handler(provisioner, props);
    let permissions = function.role.grant(provisioner, "Permissions", permissions(props, role));
    let mut app = CustomResource::new("Custom::MlflowApp", &function)
        .service_timeout(SERVICE_TIMEOUT_SECONDS)
        .property::<String>("Name", &props.name)
        .property::<String>("ArtifactStoreUri", artifacts.uri(&props.artifact_prefix))
        .property::<String>("RoleArn", &role.role.arn)
        .property::<String>("ModelRegistrationMode", app::registration_mode(props).as_str())
        .property::<String>("WeeklyMaintenanceWindowStart", &props.maintenance_window);
    if let Some(key) = &props.app_key {
        app = app.property::<String>("KmsKeyId", key);
    }
    if let Some(is_default) = props.account_default {
        app = app.property::<String>("AccountDefaultStatus", if is_default { "ENABLED" } else { "DISABLED" });
    }
    if !props.default_domains.is_empty() {
        app = app.property::<Vec<String>>("DefaultDomainIdList", &props.default_domains);
    }
    // The policies have to outlive the app: its deletion calls the function for the last time.
    let app: ResourceId = app
        .depends_on(role.policy)
        .depends_on(permissions)
        .removal_policy(props.removal_policy)
        .define(service, "CustomApp");
    Made { arn: app.attribute("MlflowAppArn"), endpoint: app.attribute("Endpoint") }
}

#[track_caller]
fn handler(scope: Scope<'_>, props: &ManagedMlflowProps) -> Function {
    let code = embedded(scope, "Handler", mlflow_app_handler());
    let layer = boto3_layer(scope);
    let props = FunctionProps {
        description: "Makes, changes and deletes MLflow apps for CloudFormation".to_owned(),
        architecture: ARCHITECTURE,
        timeout_seconds: TIMEOUT_SECONDS,
        layers: vec![layer],
        log_retention_days: props.log_retention_days,
        log_key: props.log_key.clone(),
        ..FunctionProps::new(code, PYTHON_RUNTIME, MLFLOW_APP_ENTRY_POINT)
    };
    Function::new(scope, "Function", props)
}

/// The layer is identified by its pins and built when it is published; synth runs no pip.
#[track_caller]
fn boto3_layer(scope: Scope<'_>) -> Value<String> {
    let architecture = ARCHITECTURE.lambda_name();
    let command = ["formwork", "asset", "boto3-layer", "--architecture", architecture];
    let archive = Asset::command(
        scope,
        "Boto3LayerArchive",
        CommandAsset {
            executable: command.map(str::to_owned).to_vec(),
            source_hash: boto3_layer::source_hash(ARCHITECTURE),
            extension: "zip".to_owned(),
        },
    );
    CfnLayerVersion::new(Content::new(&archive.bucket, &archive.key))
        .description(format!("boto3 {} with the API of MLflow apps", boto3_layer::boto3_version()))
        .compatible_architectures([LayerVersionCompatibleArchitectures::other(architecture)])
        .compatible_runtimes([LayerVersionCompatibleRuntimes::other(PYTHON_RUNTIME)])
        .define(scope, "Boto3Layer")
        .layer_version_arn()
}

/// What the handler calls. It finds apps by listing, and changes and deletes those alone that carry its stack's tag.
fn permissions(props: &ManagedMlflowProps, service_role: &ServiceRole) -> Vec<Statement> {
    let apps = || {
        text!(
            "arn:{}:sagemaker:{}:{}:mlflow-app/*",
            pseudo::partition(),
            pseudo::region(),
            pseudo::account_id()
        )
    };
    let of_this_stack = |statement: Statement, key: &str| {
        statement.when("StringEquals", &format!("{key}/{STACK_TAG}"), pseudo::stack_id())
    };
    let mut statements = vec![
        Statement::allow(["sagemaker:ListMlflowApps"])
            .sid("FindApps")
            .on_any_resource("the action has no resource type"),
        // An app's id is the service's choice, so apps that do not exist yet cannot be named.
        Statement::allow(["sagemaker:DescribeMlflowApp", "sagemaker:ListTags"]).sid("ReadApps").on(apps()),
        of_this_stack(
            Statement::allow(["sagemaker:AddTags", "sagemaker:CreateMlflowApp"]).sid("MakeApps").on(apps()),
            "aws:RequestTag",
        ),
        of_this_stack(
            Statement::allow([
                "sagemaker:AddTags",
                "sagemaker:DeleteMlflowApp",
                "sagemaker:DeleteTags",
                "sagemaker:UpdateMlflowApp",
            ])
            .sid("ChangeApps")
            .on(apps()),
            "aws:ResourceTag",
        ),
        Statement::allow(["iam:PassRole"]).sid("PassServiceRole").on(&service_role.role.arn).when(
            "StringEquals",
            "iam:PassedToService",
            "sagemaker.amazonaws.com",
        ),
    ];
    if let Some(key) = &props.app_key {
        statements.push(
            Statement::allow(["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"])
                .sid("AppKey")
                .on(IntoValue::<String>::into_value(key))
                .when(
                    "StringEquals",
                    "kms:ViaService",
                    text!("sagemaker.{}.{}", pseudo::region(), pseudo::url_suffix()),
                ),
        );
    }
    statements
}
