//! A request as a call: which service, which operation, for which region, with what.

use serde_json::Value;

use super::{Credential, SimulatorOptions};
use crate::api::{ApiError, Parameters, Request};
use crate::protocol::{json, query};
use crate::storage;

/// The operations that nobody has to sign.
const UNSIGNED: [&str; 2] = ["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"];

/// A request as a call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The service by its name in signatures, such as `cloudformation`.
    pub service: String,
    /// The operation by its name in the service's model.
    pub operation: String,
    /// The region.
    pub region: String,
    /// Who signed; nobody in the few calls that need no signature.
    pub credential: Option<Credential>,
    /// What came with it.
    pub input: Input,
}

/// The input of a call by protocol.
#[derive(Clone, Debug)]
pub enum Input {
    /// AWS Query.
    Query(Parameters),
    /// AWS JSON.
    Json(Value),
    /// S3's REST.
    Storage(storage::Asked),
}

impl Call {
    /// Reads a request.
    ///
    /// # Errors
    /// What AWS says of requests that are not signed, or that no operation fits.
    pub fn read(request: &Request, options: &SimulatorOptions) -> Result<Self, ApiError> {
        let credential = Credential::read(request)?;
        let host = host(request);
        let (service, region) = match &credential {
            Some(credential) => (credential.service.clone(), credential.region.clone()),
            None => by_host(host),
        };
        let service = if service == "s3express" { "s3".to_owned() } else { service };
        let region = region.or_else(|| by_host(host).1).unwrap_or_else(|| options.region.clone());
        let (operation, input) = if service == "s3" {
            let asked = storage::Asked::read(request, host)?;
            (asked.operation.to_owned(), Input::Storage(asked))
        } else if let Some(call) = json::call(request) {
            let call = call?;
            (call.operation, Input::Json(call.input))
        } else if let Some((action, parameters)) = query::call(request) {
            (action, Input::Query(parameters))
        } else {
            return Err(ApiError::new(
                "MissingAction",
                "the request names no operation: neither Action nor X-Amz-Target",
            ));
        };
        if credential.is_none() && !UNSIGNED.contains(&operation.as_str()) {
            let error =
                ApiError::new("MissingAuthenticationToken", "Request is missing Authentication Token");
            return Err(error.with_status(403));
        }
        Ok(Self { service, operation, region, credential, input })
    }

    /// The names that a script can mean by `of NAME`: of stacks, change sets, buckets, objects, parameters, roles.
    pub fn names(&self) -> Vec<String> {
        match &self.input {
            Input::Query(parameters) => {
                ["StackName", "ChangeSetName", "RoleArn", "ExportName", "NestedStackId"]
                    .into_iter()
                    .filter_map(|name| parameters.get(name))
                    .flat_map(names_of_arn)
                    .collect()
            }
            Input::Json(input) => input
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(_, value)| value.as_str())
                .map(str::to_owned)
                .collect(),
            Input::Storage(asked) => [&asked.bucket, &asked.key].into_iter().flatten().cloned().collect(),
        }
    }

    /// The token of the next page, if this call asks for one.
    pub fn next_token(&self) -> Option<&str> {
        match &self.input {
            Input::Query(parameters) => parameters.get("NextToken"),
            Input::Json(input) => input.get("NextToken").and_then(Value::as_str),
            Input::Storage(asked) => asked.query.get("continuation-token").map(String::as_str),
        }
    }

    /// The token that makes a repeat harmless.
    pub fn idempotency_token(&self) -> Option<&str> {
        match &self.input {
            Input::Query(parameters) => {
                ["ClientRequestToken", "ClientToken"].into_iter().find_map(|name| parameters.get(name))
            }
            Input::Json(input) => ["ClientRequestToken", "ClientToken", "IdempotencyToken"]
                .into_iter()
                .find_map(|name| input.get(name))
                .and_then(Value::as_str),
            Input::Storage(_) => None,
        }
    }
}

/// An ARN's own name beside the whole: `arn:aws:cloudformation:…:stack/web/1234` is also `web`.
fn names_of_arn(text: &str) -> Vec<String> {
    let mut names = vec![text.to_owned()];
    if text.starts_with("arn:") {
        names.extend(text.split('/').nth(1).map(str::to_owned));
    }
    names
}

/// The host without its port: from the header, or from the address.
pub(crate) fn host(request: &Request) -> &str {
    let named = request.headers().get(http::header::HOST).and_then(|value| value.to_str().ok());
    let host = named.or_else(|| request.uri().host()).unwrap_or_default();
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The service and region of one of AWS's own hosts: `cloudformation.eu-west-1.amazonaws.com`.
fn by_host(host: &str) -> (String, Option<String>) {
    let Some(stem) = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))
    else {
        return (String::new(), None);
    };
    let labels: Vec<&str> = stem.split('.').collect();
    let region = labels.iter().rev().find(|label| is_region(label)).map(|label| (*label).to_owned());
    let service = labels.iter().rev().find(|label| !is_region(label) && **label != "dualstack");
    (service.copied().unwrap_or_default().trim_end_matches("-fips").to_owned(), region)
}

fn is_region(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    parts.len() >= 3 && parts.last().is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}
