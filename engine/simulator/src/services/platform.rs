//! SageMaker's words on domains, tracking servers and MLflow apps.

use serde_json::{Value, json};

use super::Services;
use super::others::text;
use crate::api::ApiError;
use crate::cloudformation::Context;

const DOMAIN: &str = "AWS::SageMaker::Domain";
const SERVER: &str = "AWS::SageMaker::MlflowTrackingServer";
const APP: &str = "AWS::SageMaker::MlflowApp";
const CUSTOM_APP: &str = "Custom::MlflowApp";

fn missing(id: &str) -> ApiError {
    ApiError::new("ResourceNotFound", format!("{id} does not exist"))
}

/// The versions that servers and apps run when nothing names one.
const SERVER_VERSION: &str = "3.0";
const APP_VERSION: &str = "3.10.1";

pub(super) fn domain(services: &Services, context: &Context, input: &Value) -> Result<Value, ApiError> {
    let id = text(input, "DomainId")?;
    let (_, found) = services.made(context, DOMAIN).find(|(it, _)| *it == id).ok_or_else(|| missing(id))?;
    let (status, reason) = services.state(DOMAIN, id).unwrap_or(("InService", None));
    let settings = &found["DefaultUserSettings"];
    let own = &found["DomainSettings"]["SecurityGroupIds"];
    let mut told = json!({
        "DomainId": id,
        "DomainArn": format!("arn:{}:sagemaker:{}:{}:domain/{id}", context.partition, context.region, context.account),
        "DomainName": found.get("DomainName"),
        "Status": status,
        "Url": format!("https://{id}.studio.{}.sagemaker.aws", context.region),
        "VpcId": found.get("VpcId"),
        "SubnetIds": found.get("SubnetIds"),
        "AppNetworkAccessType": found.get("AppNetworkAccessType").unwrap_or(&json!("PublicInternetOnly")),
        "DefaultUserSettings": { "SecurityGroups": settings["SecurityGroups"], "ExecutionRole": settings["ExecutionRole"] },
        "DomainSettings": { "SecurityGroupIds": own },
    });
    if let Some(reason) = reason {
        told["FailureReason"] = reason.into();
    }
    Ok(told)
}

pub(super) fn tracking_server(
    services: &Services,
    context: &Context,
    input: &Value,
) -> Result<Value, ApiError> {
    let name = text(input, "TrackingServerName")?;
    let (id, found) = services
        .made(context, SERVER)
        .find(|(id, found)| id.ends_with(name) || found["TrackingServerName"] == name)
        .ok_or_else(|| missing(name))?;
    let (status, _) = services.state(SERVER, id).unwrap_or(("Created", None));
    let runs = !["CreateFailed", "Creating", "Starting", "Stopping", "Stopped", "Deleting"].contains(&status);
    Ok(json!({
        "TrackingServerName": name,
        "TrackingServerArn": format!(
            "arn:{}:sagemaker:{}:{}:mlflow-tracking-server/{name}", context.partition, context.region, context.account
        ),
        "TrackingServerStatus": status,
        "IsActive": if runs { "Active" } else { "Inactive" },
        "TrackingServerSize": found.get("TrackingServerSize").unwrap_or(&json!("Small")),
        "MlflowVersion": found.get("MlflowVersion").unwrap_or(&json!(SERVER_VERSION)),
        "TrackingServerUrl": format!("https://t-{name}.{}.experiments.sagemaker.aws", context.region),
    }))
}

pub(super) fn app(services: &Services, context: &Context, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "Arn")?;
    // What a function makes for a custom resource is known by what CloudFormation was told: the end of its ARN.
    let tail = arn.rsplit('-').next().unwrap_or_default();
    let own = services.made(context, APP).find(|(id, _)| *id == arn);
    let custom = || services.made(context, CUSTOM_APP).find(|(id, _)| *id == arn || id.ends_with(tail));
    let (id, found) = own.or_else(custom).ok_or_else(|| missing(arn))?;
    let kind = if own.is_some() { APP } else { CUSTOM_APP };
    let (status, _) = services.state(kind, id).unwrap_or(("Created", None));
    Ok(json!({ "Arn": arn, "Name": found.get("Name"), "Status": status, "MlflowVersion": APP_VERSION }))
}
