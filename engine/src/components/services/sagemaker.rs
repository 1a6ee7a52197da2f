//! SageMaker on domains, tracking servers and MLflow apps.

use serde_json::{Value, json};

use crate::aws::{Error, Session};

/// A domain of SageMaker Studio.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Domain {
    /// Its name.
    pub(crate) name: String,
    /// SageMaker's word.
    pub(crate) status: String,
    /// Why it failed.
    pub(crate) reason: Option<String>,
    /// Where it is reached.
    pub(crate) url: Option<String>,
    /// The VPC that its apps stand in.
    pub(crate) vpc: String,
    /// The subnets that its apps stand in.
    pub(crate) subnets: Vec<String>,
    /// The security groups of its apps.
    pub(crate) groups: Vec<String>,
    /// Whether its apps reach the internet by the VPC only.
    pub(crate) is_in_vpc_only: bool,
}

/// A tracking server or an MLflow app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mlflow {
    /// Its name.
    pub(crate) name: String,
    /// SageMaker's word.
    pub(crate) status: String,
    /// Whether a server answers; nothing for an app, which has no such word.
    pub(crate) is_active: Option<bool>,
    /// The version of MLflow.
    pub(crate) version: Option<String>,
    /// Where a server is reached.
    pub(crate) url: Option<String>,
    /// How large a server is.
    pub(crate) size: Option<String>,
}

/// A domain.
pub(crate) async fn domain(session: &Session, id: &str) -> Result<Domain, Error> {
    let answer =
        session.call().json("sagemaker", "SageMaker.DescribeDomain", &json!({ "DomainId": id })).await?;
    let groups = [
        texts(&answer["DefaultUserSettings"]["SecurityGroups"]),
        texts(&answer["DomainSettings"]["SecurityGroupIds"]),
    ]
    .concat();
    Ok(Domain {
        name: text(&answer, "DomainName").unwrap_or_else(|| id.to_owned()),
        status: text(&answer, "Status").unwrap_or_default(),
        reason: text(&answer, "FailureReason"),
        url: text(&answer, "Url"),
        vpc: text(&answer, "VpcId").unwrap_or_default(),
        subnets: texts(&answer["SubnetIds"]),
        groups,
        is_in_vpc_only: text(&answer, "AppNetworkAccessType").as_deref() == Some("VpcOnly"),
    })
}

/// A tracking server.
pub(crate) async fn tracking_server(session: &Session, name: &str) -> Result<Mlflow, Error> {
    let body = json!({ "TrackingServerName": name });
    let answer = session.call().json("sagemaker", "SageMaker.DescribeMlflowTrackingServer", &body).await?;
    Ok(Mlflow {
        name: text(&answer, "TrackingServerName").unwrap_or_else(|| name.to_owned()),
        status: text(&answer, "TrackingServerStatus").unwrap_or_default(),
        is_active: text(&answer, "IsActive").map(|word| word == "Active"),
        version: text(&answer, "MlflowVersion"),
        url: text(&answer, "TrackingServerUrl"),
        size: text(&answer, "TrackingServerSize"),
    })
}

/// A serverless MLflow app, by its ARN.
pub(crate) async fn app(session: &Session, arn: &str) -> Result<Mlflow, Error> {
    let body = json!({ "Arn": arn });
    let answer = session.call().json("sagemaker", "SageMaker.DescribeMlflowApp", &body).await?;
    Ok(Mlflow {
        name: text(&answer, "Name").unwrap_or_else(|| arn.to_owned()),
        status: text(&answer, "Status").unwrap_or_default(),
        version: text(&answer, "MlflowVersion"),
        ..Mlflow::default()
    })
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
