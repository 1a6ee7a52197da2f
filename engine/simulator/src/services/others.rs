//! Services that speak JSON: a table of small answers made from what stacks made.

use serde_json::{Value, json};

use super::Services;
use crate::api::ApiError;
use crate::cloudformation::Context;

/// What answers an operation.
type Answer = fn(&Services, &Context, &Value) -> Result<Value, ApiError>;

/// The operations by service, as the service is named in signatures.
const OPERATIONS: &[(&str, &str, Answer)] = &[
    ("sagemaker", "DescribeDomain", |services, context, input| {
        let id = text(input, "DomainId")?;
        let found = find(services, context, "AWS::SageMaker::Domain", id)?;
        Ok(json!({ "DomainId": id, "DomainName": found.get("DomainName"), "Status": "InService" }))
    }),
    ("sagemaker", "ListDomains", |services, context, _| {
        let domains: Vec<Value> = services
            .made(context, "AWS::SageMaker::Domain")
            .map(|(id, found)| json!({ "DomainId": id, "DomainName": found.get("DomainName"), "Status": "InService" }))
            .collect();
        Ok(json!({ "Domains": domains }))
    }),
    ("sagemaker", "DescribeMlflowTrackingServer", |services, context, input| {
        let name = text(input, "TrackingServerName")?;
        let (_, found) = services
            .made(context, "AWS::SageMaker::MlflowTrackingServer")
            .find(|(id, found)| {
                id.ends_with(name) || found.get("TrackingServerName") == input.get("TrackingServerName")
            })
            .ok_or_else(|| missing(name))?;
        Ok(json!({
            "TrackingServerName": name,
            "TrackingServerStatus": "Created",
            "IsActive": "Active",
            "MlflowVersion": found.get("MlflowVersion"),
            "TrackingServerUrl": format!("https://{name}.{}.simulated.invalid", context.region),
        }))
    }),
    ("sagemaker", "DescribeMlflowApp", |services, context, input| {
        let arn = text(input, "Arn")?;
        let found = find(services, context, "AWS::SageMaker::MlflowApp", arn)?;
        Ok(json!({ "Arn": arn, "Name": found.get("Name"), "Status": "Created" }))
    }),
    ("secretsmanager", "DescribeSecret", |services, context, input| {
        let id = text(input, "SecretId")?;
        let found = find(services, context, "AWS::SecretsManager::Secret", id)?;
        Ok(json!({ "ARN": id, "Name": found.get("Name") }))
    }),
    ("servicecatalog", "SearchProductsAsAdmin", |_, _, _| Ok(json!({ "ProductViewDetails": [] }))),
    ("servicecatalog", "ListPortfolios", |_, _, _| Ok(json!({ "PortfolioDetails": [] }))),
];

impl Services {
    pub(super) fn other(
        &mut self,
        context: &Context,
        service: &str,
        operation: &str,
        input: &Value,
    ) -> Result<Value, ApiError> {
        let kept = match service {
            "sagemaker" => self.studio(context, operation, input),
            "ecr" => self.registry(context, operation, input),
            _ => None,
        };
        if let Some(answer) = kept {
            return answer;
        }
        let answer = OPERATIONS
            .iter()
            .find(|(of, name, _)| *of == service && *name == operation)
            .map(|(_, _, answer)| answer)
            .ok_or_else(|| {
                ApiError::new(
                    "UnknownOperationException",
                    format!("the simulator has no {service}:{operation}"),
                )
            })?;
        answer(self, context, input)
    }
}

pub(super) fn text<'i>(input: &'i Value, name: &str) -> Result<&'i str, ApiError> {
    input
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| ApiError::new("ValidationException", format!("{name} must not be null")))
}

fn find<'s>(
    services: &'s Services,
    context: &'s Context,
    kind: &'s str,
    id: &str,
) -> Result<&'s Value, ApiError> {
    services.made(context, kind).find(|(it, _)| *it == id).map(|(_, found)| found).ok_or_else(|| missing(id))
}

pub(super) fn missing(id: &str) -> ApiError {
    ApiError::new("ResourceNotFoundException", format!("{id} does not exist"))
}
