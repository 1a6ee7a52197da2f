//! SSM's parameters.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::api::ApiError;
use crate::cloudformation::Context;
use crate::protocol::encoding::hex;

/// The parameters of all accounts and regions.
#[derive(Clone, Debug)]
pub struct ParameterStore {
    account: String,
    region: String,
    values: BTreeMap<(String, String, String), Parameter>,
}

#[derive(Clone, Debug)]
struct Parameter {
    value: String,
    kind: String,
    version: u64,
}

impl ParameterStore {
    /// An empty store; the account and region are those of [`ParameterStore::set`].
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: account.to_owned(), region: region.to_owned(), values: BTreeMap::new() }
    }

    /// Sets a parameter in the simulator's own account and region.
    pub fn set(&mut self, name: &str, value: &str) {
        let (account, region) = (self.account.clone(), self.region.clone());
        self.put(&account, &region, name, value);
    }

    /// Sets a parameter.
    pub fn put(&mut self, account: &str, region: &str, name: &str, value: &str) {
        let entry = self.values.entry(key(account, region, name)).or_insert_with(|| Parameter {
            value: String::new(),
            kind: "String".to_owned(),
            version: 0,
        });
        value.clone_into(&mut entry.value);
        entry.version += 1;
    }

    /// The value of a parameter.
    pub fn value(&self, account: &str, region: &str, name: &str) -> Option<String> {
        let own = self.values.get(&key(account, region, name)).map(|parameter| parameter.value.clone());
        own.or_else(|| public(region, name))
    }

    /// Removes a parameter, if it is there.
    pub fn remove(&mut self, account: &str, region: &str, name: &str) {
        self.values.remove(&key(account, region, name));
    }

    pub(crate) fn make_for_stack(
        &mut self,
        account: &str,
        region: &str,
        name: &str,
        value: &str,
    ) -> Result<(), String> {
        if self.value(account, region, name).is_some() {
            return Err(format!("{name} already exists in stack or as a parameter"));
        }
        self.put(account, region, name, value);
        Ok(())
    }

    pub(crate) fn call(
        &mut self,
        context: &Context,
        operation: &str,
        input: &Value,
    ) -> Result<Value, ApiError> {
        let names = |field: &str| -> Vec<String> {
            let list = input.get(field).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        match operation {
            "GetParameter" => {
                let name = text(input, "Name")?;
                let found = self.described(context, name).ok_or_else(|| not_found(name))?;
                Ok(json!({ "Parameter": found }))
            }
            "GetParameters" => {
                let (found, invalid): (Vec<_>, Vec<_>) = names("Names")
                    .into_iter()
                    .map(|name| self.described(context, &name).ok_or(name))
                    .partition(Result::is_ok);
                let found: Vec<Value> = found.into_iter().filter_map(Result::ok).collect();
                let invalid: Vec<String> = invalid.into_iter().filter_map(Result::err).collect();
                Ok(json!({ "Parameters": found, "InvalidParameters": invalid }))
            }
            "GetParametersByPath" => Ok(json!({ "Parameters": self.below(context, input)? })),
            "PutParameter" => self.put_parameter(context, input),
            "DeleteParameter" => {
                let name = text(input, "Name")?;
                let removed = self.values.remove(&key(&context.account, &context.region, name));
                removed.map(|_| json!({})).ok_or_else(|| not_found(name))
            }
            "DeleteParameters" => {
                let (deleted, invalid): (Vec<String>, Vec<String>) =
                    names("Names").into_iter().partition(|name| {
                        self.values.remove(&key(&context.account, &context.region, name)).is_some()
                    });
                Ok(json!({ "DeletedParameters": deleted, "InvalidParameters": invalid }))
            }
            _ => Err(ApiError::new(
                "UnknownOperationException",
                format!("the simulator has no ssm:{operation}"),
            )),
        }
    }

    fn below(&self, context: &Context, input: &Value) -> Result<Vec<Value>, ApiError> {
        let path = format!("{}/", text(input, "Path")?.trim_end_matches('/'));
        let recursive = input.get("Recursive").and_then(Value::as_bool).unwrap_or(false);
        Ok(self
            .values
            .keys()
            .filter(|(account, region, _)| *account == context.account && *region == context.region)
            .filter(|(_, _, name)| {
                name.strip_prefix(&path).is_some_and(|rest| recursive || !rest.contains('/'))
            })
            .filter_map(|(_, _, name)| self.described(context, name))
            .collect())
    }

    fn put_parameter(&mut self, context: &Context, input: &Value) -> Result<Value, ApiError> {
        let name = text(input, "Name")?;
        let there = self.value(&context.account, &context.region, name).is_some();
        if there && input.get("Overwrite").and_then(Value::as_bool) != Some(true) {
            return Err(ApiError::new(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
            ));
        }
        self.put(&context.account, &context.region, name, text(input, "Value")?);
        let Some(parameter) = self.values.get_mut(&key(&context.account, &context.region, name)) else {
            return Err(not_found(name));
        };
        if let Some(kind) = input.get("Type").and_then(Value::as_str) {
            kind.clone_into(&mut parameter.kind);
        }
        Ok(json!({ "Version": parameter.version, "Tier": "Standard" }))
    }

    fn described(&self, context: &Context, name: &str) -> Option<Value> {
        let (account, region) = (&context.account, &context.region);
        // An ARN names the same parameter.
        let prefix = format!("arn:{}:ssm:{region}:{account}:parameter", context.partition);
        let name = name.strip_prefix(&prefix).unwrap_or(name);
        let public =
            public(region, name).map(|value| Parameter { value, kind: "String".to_owned(), version: 1 });
        let parameter = self.values.get(&key(account, region, name)).or(public.as_ref())?;
        let slash = if name.starts_with('/') { "" } else { "/" };
        Some(json!({
            "Name": name,
            "Type": parameter.kind,
            "Value": parameter.value,
            "Version": parameter.version,
            "ARN": format!("{prefix}{slash}{name}"),
            "DataType": "text",
        }))
    }
}

fn key(account: &str, region: &str, name: &str) -> (String, String, String) {
    (account.to_owned(), region.to_owned(), name.to_owned())
}

/// The value of one of AWS's own parameters: the machine images that it publishes, one for each name and region.
fn public(region: &str, name: &str) -> Option<String> {
    let rest = name.strip_prefix("/aws/service/")?;
    let digest = hex(&Sha256::digest(format!("{region}{name}")));
    rest.contains("ami").then(|| format!("ami-{}", &digest[..17]))
}

fn text<'i>(input: &'i Value, name: &str) -> Result<&'i str, ApiError> {
    input
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| ApiError::new("ValidationException", format!("{name} must not be null")))
}

/// SSM says nothing but the code.
fn not_found(_name: &str) -> ApiError {
    ApiError::new("ParameterNotFound", "")
}
