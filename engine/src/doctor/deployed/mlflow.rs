//! Tracking servers, MLflow apps, and the functions that make apps for CloudFormation.

use super::super::{Check, Outcome};
use super::unread;
use crate::aws::cloudformation::Stack;
use crate::components::services::sagemaker::{self, Mlflow};
use crate::components::{Found, Health, custom_arn, is_custom_app, words};

/// The checks of a stack's servers and apps.
pub(super) async fn checks(found: &Found) -> Vec<Check> {
    let session = &found.located.session;
    let mut checks = Vec::new();
    for (_, name) in found.of_type("AWS::SageMaker::MlflowTrackingServer") {
        checks.push(match sagemaker::tracking_server(session, name).await {
            Err(error) => unread("mlflow-tracking-server", name, found, &error),
            Ok(server) => status("mlflow-tracking-server", name, &server, &commands_of_server(name)),
        });
    }
    for arn in apps(found) {
        checks.push(match sagemaker::app(session, arn).await {
            Err(error) => unread("mlflow-app", arn, found, &error),
            Ok(app) => {
                let look = format!("`aws sagemaker describe-mlflow-app --arn {arn}` tells more");
                status("mlflow-app", arn, &app, &look)
            }
        });
    }
    checks
}

/// The ARNs of the apps of a stack, whichever way they were made.
pub(super) fn apps(found: &Found) -> Vec<&str> {
    let Some(stack): Option<&Stack> = found.deployed() else { return Vec::new() };
    let all = found.resources.as_deref().unwrap_or_default().iter();
    all.filter_map(|resource| {
        let id = resource.physical_id.as_deref()?;
        match resource.resource_type.as_str() {
            "AWS::SageMaker::MlflowApp" => Some(id),
            kind if is_custom_app(kind) => Some(custom_arn(stack, id)),
            _ => None,
        }
    })
    .collect()
}

fn commands_of_server(name: &str) -> String {
    format!("`aws sagemaker describe-mlflow-tracking-server --tracking-server-name {name}` tells more")
}

fn status(check: &str, subject: &str, found: &Mlflow, look: &str) -> Check {
    let version = found.version.as_deref().map(|version| format!(", MLflow {version}")).unwrap_or_default();
    let detail = format!("{}{version}", found.status);
    match (words::mlflow(&found.status), found.is_active) {
        (Health::Healthy, Some(false)) => {
            Check::failed(check, subject, format!("{detail}; it is not active and answers nobody")).with_hint(look)
        }
        (Health::Healthy, _) => Check::ok(check, subject, detail),
        (Health::Changing, _) => {
            let detail = format!("{detail}; a server takes half an hour, an app some minutes");
            Check::warning(check, subject, detail).with_hint(look)
        }
        (Health::Unhealthy, _) if found.status == "Stopped" => Check::failed(check, subject, detail).with_hint(
            format!("`aws sagemaker start-mlflow-tracking-server --tracking-server-name {subject}` starts it"),
        ),
        (Health::Unhealthy, _) => Check::failed(check, subject, detail).with_hint(format!(
            "{look}; the role of the service has to reach the artifact bucket, and `formwork diagnose` tells what CloudFormation knows"
        )),
        _ => Check::new(check, subject, Outcome::Unknown, format!("{detail}; this word is not known here"))
            .with_hint(look),
    }
}
