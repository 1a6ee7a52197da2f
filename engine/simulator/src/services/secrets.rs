//! Secrets Manager: the versions of the secrets that stacks made, and their labels.
//!
//! A label is at one version at a time, and moving the label of the current version names the version that it is taken
//! from: that is what writers rely on who must not undo each other's work.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Services;
use super::others::text;
use crate::api::ApiError;
use crate::cloudformation::Context;

const TYPE: &str = "AWS::SecretsManager::Secret";
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// The values that were put into secrets, by the secret's ARN.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    versions: BTreeMap<String, Vec<Version>>,
}

#[derive(Clone, Debug)]
struct Version {
    id: String,
    value: String,
    labels: BTreeSet<String>,
}

impl Secrets {
    /// The current value of a secret.
    pub fn value(&self, secret: &str) -> Option<&str> {
        self.labelled(secret, CURRENT).map(|version| version.value.as_str())
    }

    /// Puts a value as somebody else would: at once, as the current version.
    pub fn set(&mut self, secret: &str, value: &str) {
        let id = format!("00000000-0000-4000-8000-{:012}", self.count(secret) + 1);
        let versions = self.versions.entry(secret.to_owned()).or_default();
        versions.push(Version { id: id.clone(), value: value.to_owned(), labels: BTreeSet::new() });
        self.label(secret, CURRENT, &id);
    }

    /// How many versions of a secret were put.
    pub fn count(&self, secret: &str) -> usize {
        self.versions.get(secret).map_or(0, Vec::len)
    }

    fn labelled(&self, secret: &str, label: &str) -> Option<&Version> {
        self.versions.get(secret)?.iter().find(|version| version.labels.contains(label))
    }

    fn put(&mut self, secret: &str, id: &str, value: &str, labels: &[&str]) -> Result<Vec<String>, ApiError> {
        let versions = self.versions.entry(secret.to_owned()).or_default();
        if let Some(same) = versions.iter().find(|version| version.id == id) {
            if same.value != value {
                let message = "You can't use ClientRequestToken because that value is already in use for a version of this secret.";
                return Err(ApiError::new("ResourceExistsException", message));
            }
            return Ok(same.labels.iter().cloned().collect());
        }
        let is_first = versions.is_empty();
        versions.push(Version { id: id.to_owned(), value: value.to_owned(), labels: BTreeSet::new() });
        let first = is_first.then_some(CURRENT);
        for label in labels.iter().copied().chain(first) {
            self.label(secret, label, id);
        }
        let versions = self.versions.get(secret);
        let labels = versions.and_then(|versions| versions.last()).map(|version| version.labels.clone());
        Ok(labels.unwrap_or_default().into_iter().collect())
    }

    /// Moves a label to a version; where it leaves, the current version becomes the previous one.
    fn label(&mut self, secret: &str, label: &str, id: &str) {
        let versions = self.versions.entry(secret.to_owned()).or_default();
        let before = versions.iter_mut().find(|version| version.labels.contains(label));
        let before = before.filter(|version| version.id != id).map(|version| {
            version.labels.remove(label);
            version.id.clone()
        });
        if let Some(version) = versions.iter_mut().find(|version| version.id == id) {
            version.labels.insert(label.to_owned());
        }
        if let (CURRENT, Some(before)) = (label, before) {
            versions.iter_mut().for_each(|version| {
                version.labels.remove(PREVIOUS);
            });
            if let Some(version) = versions.iter_mut().find(|version| version.id == before) {
                version.labels.insert(PREVIOUS.to_owned());
            }
        }
    }
}

impl Services {
    /// The operations on values; nothing for the others.
    pub(super) fn secrets(
        &mut self,
        context: &Context,
        operation: &str,
        input: &Value,
    ) -> Option<Result<Value, ApiError>> {
        match operation {
            "GetSecretValue" => Some(self.get_secret(context, input)),
            "PutSecretValue" => Some(self.put_secret(context, input)),
            "UpdateSecretVersionStage" => Some(self.move_label(context, input)),
            _ => None,
        }
    }

    /// The versions of a secret and their labels, as `DescribeSecret` tells them.
    pub(super) fn labels_of(&self, secret: &str) -> Option<Value> {
        let versions = self.secrets.versions.get(secret)?;
        let labels = versions.iter().map(|version| (version.id.clone(), json!(version.labels)));
        Some(Value::Object(labels.collect()))
    }

    fn secret_of<'i>(&self, context: &Context, input: &'i Value) -> Result<&'i str, ApiError> {
        let id = text(input, "SecretId")?;
        if self.made(context, TYPE).any(|(made, _)| made == id) {
            return Ok(id);
        }
        Err(missing("secret"))
    }

    fn get_secret(&self, context: &Context, input: &Value) -> Result<Value, ApiError> {
        let id = self.secret_of(context, input)?;
        let label = input.get("VersionStage").and_then(Value::as_str).unwrap_or(CURRENT);
        let version = self
            .secrets
            .labelled(id, label)
            .ok_or_else(|| missing(&format!("secret value for staging label: {label}")))?;
        Ok(json!({
            "ARN": id,
            "VersionId": version.id,
            "SecretString": version.value,
            "VersionStages": version.labels,
        }))
    }

    fn put_secret(&mut self, context: &Context, input: &Value) -> Result<Value, ApiError> {
        let secret = self.secret_of(context, input)?;
        let (id, value) = (text(input, "ClientRequestToken")?, text(input, "SecretString")?);
        let labels: Option<Vec<&str>> =
            input["VersionStages"].as_array().map(|labels| labels.iter().filter_map(Value::as_str).collect());
        let labels = self.secrets.put(secret, id, value, &labels.unwrap_or_else(|| vec![CURRENT]))?;
        Ok(json!({ "ARN": secret, "VersionId": id, "VersionStages": labels }))
    }

    fn move_label(&mut self, context: &Context, input: &Value) -> Result<Value, ApiError> {
        let secret = self.secret_of(context, input)?;
        let (label, to) = (text(input, "VersionStage")?, text(input, "MoveToVersionId")?);
        let from = input.get("RemoveFromVersionId").and_then(Value::as_str);
        let known = |id: &str| {
            let versions = self.secrets.versions.get(secret);
            versions.is_some_and(|versions| versions.iter().any(|version| version.id == id))
        };
        if !known(to) || from.is_some_and(|from| !known(from)) {
            return Err(missing("secret version"));
        }
        let holder = self.secrets.labelled(secret, label).map(|version| version.id.clone());
        if holder.as_deref() != from {
            let held = holder.as_deref().unwrap_or("none");
            let message = format!(
                "The parameter RemoveFromVersionId is not right. Staging label {label} is currently attached to version \
                 {held}, so you must explicitly reference that version in RemoveFromVersionId."
            );
            return Err(ApiError::new("InvalidParameterException", message));
        }
        self.secrets.label(secret, label, to);
        Ok(json!({ "ARN": secret }))
    }
}

fn missing(what: &str) -> ApiError {
    ApiError::new("ResourceNotFoundException", format!("Secrets Manager can't find the specified {what}."))
}
