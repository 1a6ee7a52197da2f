//! What SageMaker runs: domains, tracking servers and MLflow apps.

use super::super::services::sagemaker;
use super::super::{Component, ComponentKind, Health, addresses, words};
use super::{blank, gone, unread};
use crate::aws::Session;
use crate::aws::cloudformation::{Stack, StackResource};

pub(super) async fn domain(session: &Session, resource: &StackResource, id: &str) -> Component {
    let blank = blank(ComponentKind::StudioDomain, resource, id);
    match sagemaker::domain(session, id).await {
        Err(error) => unread(blank, &error),
        Ok(found) => Component {
            name: found.name,
            health: words::domain(&found.status),
            state: Some(found.status),
            url: found.url,
            detail: found.reason,
            ..blank
        },
    }
}

pub(super) async fn server(
    session: &Session,
    stack: &Stack,
    resource: &StackResource,
    id: &str,
) -> Component {
    let blank = blank(ComponentKind::TrackingServer, resource, id);
    match sagemaker::tracking_server(session, id).await {
        Err(error) => unread(blank, &error),
        Ok(found) => {
            let health = match (words::mlflow(&found.status), found.is_active) {
                (Health::Healthy, Some(false)) => Health::Unhealthy,
                (health, _) => health,
            };
            let idle = found.is_active == Some(false);
            let size = found.size.map(|size| size.to_lowercase());
            let detail = [size, idle.then(|| "not active".to_owned())];
            let detail: Vec<String> = detail.into_iter().flatten().collect();
            Component {
                name: found.name,
                health,
                state: Some(found.status),
                url: found.url.or_else(|| addresses::mlflow(stack)),
                version: found.version,
                detail: (!detail.is_empty()).then(|| detail.join(", ")),
                ..blank
            }
        }
    }
}

pub(super) async fn app(session: &Session, stack: &Stack, resource: &StackResource, arn: &str) -> Component {
    let blank = blank(ComponentKind::MlflowApp, resource, arn);
    match sagemaker::app(session, arn).await {
        Err(error) => unread(blank, &error),
        // An app is described for some time after it is deleted.
        Ok(found) if found.status == "Deleted" => gone(blank),
        Ok(found) => Component {
            name: found.name,
            health: words::mlflow(&found.status),
            state: Some(found.status),
            url: addresses::mlflow(stack),
            version: found.version,
            ..blank
        },
    }
}
