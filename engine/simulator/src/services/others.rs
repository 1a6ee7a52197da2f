//! Services that speak JSON: a table of small answers made from what stacks made.

use serde_json::{Value, json};

use super::{Services, logs, platform};
use crate::api::ApiError;
use crate::cloudformation::Context;

/// What answers an operation.
type Answer = fn(&Services, &Context, &Value) -> Result<Value, ApiError>;

/// The operations by service, as the service is named in signatures.
const OPERATIONS: &[(&str, &str, Answer)] = &[
    ("sagemaker", "ListDomains", |services, context, _| {
        let domains: Vec<Value> = services
            .made(context, "AWS::SageMaker::Domain")
            .map(|(id, found)| json!({ "DomainId": id, "DomainName": found.get("DomainName"), "Status": "InService" }))
            .collect();
        Ok(json!({ "Domains": domains }))
    }),
    ("logs", "DescribeLogStreams", logs::streams),
    ("logs", "FilterLogEvents", logs::lines),
    ("sagemaker", "DescribeDomain", platform::domain),
    ("sagemaker", "DescribeMlflowTrackingServer", platform::tracking_server),
    ("sagemaker", "DescribeMlflowApp", platform::app),
    ("secretsmanager", "DescribeSecret", |services, context, input| {
        let id = text(input, "SecretId")?;
        let found = find(services, context, "AWS::SecretsManager::Secret", id)?;
        let mut told = json!({ "ARN": id, "Name": found.get("Name") });
        // A secret without a value has no version, and the field is left out.
        if let Some(labels) = services.labels_of(id) {
            told["VersionIdsToStages"] = labels;
        } else if let Some(("HasValue", _)) = services.state("AWS::SecretsManager::Secret", id) {
            told["VersionIdsToStages"] = json!({ "00000000-0000-4000-8000-000000000000": ["AWSCURRENT"] });
        } else if found.get("SecretString").or_else(|| found.get("GenerateSecretString")).is_some() {
            told["VersionIdsToStages"] = json!({ "00000000-0000-4000-8000-000000000001": ["AWSCURRENT"] });
        }
        Ok(told)
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
            "sagemaker" => {
                let powered = self.power(context, operation, input);
                powered.or_else(|| self.studio(context, operation, input))
            }
            "logs" => self.insights(context, operation, input),
            "ecr" => self.registry(context, operation, input),
            "secretsmanager" => self.secrets(context, operation, input),
            "servicequotas" => self.quotas(operation, input),
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
