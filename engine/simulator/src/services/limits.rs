//! Service Quotas, and how long RDS keeps its engines up.

use serde_json::{Value, json};

use super::Services;
use super::others::text;
use crate::api::{ApiError, Content, Element, Parameters};

/// The defaults of quotas by service and code. Source: the endpoints and quotas of each service in the AWS General
/// Reference; where they have none that is the same for all accounts, a value that leaves room.
const QUOTAS: &[(&str, &str, &str, f64)] = &[
    ("cloudformation", "L-0485CB21", "Stack count", 2_000.0),
    ("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5.0),
    ("lambda", "L-B99A9384", "Concurrent executions", 1_000.0),
    ("sagemaker", "L-4E39DDC4", "Maximum number of running Studio apps allowed per account", 50.0),
    ("sagemaker", "L-B683BCB0", "Total domains", 10.0),
    ("vpc", "L-F678F1CE", "VPCs per Region", 5.0),
    ("vpc", "L-FE5A380F", "NAT gateways per Availability Zone", 5.0),
];

/// The engines of databases with the end of their standard support.
const ENGINES: &[(&str, &str, &str)] = &[
    ("postgres", "13", "2026-02-28T23:59:59Z"),
    ("postgres", "14", "2027-02-28T23:59:59Z"),
    ("postgres", "15", "2028-02-29T23:59:59Z"),
    ("postgres", "16", "2029-02-28T23:59:59Z"),
    ("postgres", "17", "2030-02-28T23:59:59Z"),
    ("mysql", "8.0", "2026-07-31T23:59:59Z"),
    ("mysql", "8.4", "2029-07-31T23:59:59Z"),
];

impl Services {
    /// The operations of Service Quotas; nothing for those that it does not know. The defaults count, because nobody has
    /// asked for more.
    pub(super) fn quotas(&self, operation: &str, input: &Value) -> Option<Result<Value, ApiError>> {
        if !matches!(operation, "GetServiceQuota" | "GetAWSDefaultServiceQuota") {
            return None;
        }
        let found = text(input, "ServiceCode").and_then(|service| {
            let code = text(input, "QuotaCode")?;
            let quota = QUOTAS.iter().find(|(of, it, ..)| *of == service && *it == code);
            quota.ok_or_else(|| {
                ApiError::new(
                    "NoSuchResourceException",
                    "The request failed because the specified service does not exist.",
                )
            })
        });
        Some(found.map(|(service, code, name, value)| {
            json!({ "Quota": {
                "ServiceCode": service, "QuotaCode": code, "QuotaName": name, "Value": value, "Adjustable": true,
                "GlobalQuota": false, "Unit": "None",
            } })
        }))
    }

    pub(super) fn databases(&self, action: &str, parameters: &Parameters) -> Result<Vec<Element>, ApiError> {
        if action != "DescribeDBMajorEngineVersions" {
            let message = format!("Could not find operation {action} for version 2014-10-31");
            return Err(ApiError::new("InvalidAction", message));
        }
        let engine = parameters.get("Engine");
        let wanted = ENGINES.iter().filter(|(name, ..)| engine.is_none_or(|engine| engine == *name));
        let items = wanted.map(|(name, version, end)| {
            let lifecycle = vec![
                Element::text("LifecycleSupportName", "open-source-rds-standard-support"),
                Element::text("LifecycleSupportEndDate", *end),
            ];
            Content::Elements(vec![
                Element::text("Engine", *name),
                Element::text("MajorEngineVersion", *version),
                Element::list("SupportedEngineLifecycles", [Content::Elements(lifecycle)]),
            ])
        });
        Ok(vec![Element::list("DBMajorEngineVersions", items)])
    }
}
