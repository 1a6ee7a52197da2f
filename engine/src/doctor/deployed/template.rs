//! What the expressions of a deployed template came to, as far as the stack and its neighbours tell.
//!
//! A policy names a server by an import and a role by a reference. To ask IAM about them their ARNs are needed, and the
//! stack has them: as physical ids, as values of parameters, as exports of the stacks beside it.

use std::collections::BTreeMap;

use formwork_assembly::TemplateFile;
use serde_json::Value;

use crate::aws::Error;
use crate::aws::cloudformation::Stack;
use crate::components::{Found, custom_arn};

/// A deployed template and what its expressions are read by.
pub(super) struct Deployed<'f> {
    /// The template.
    pub(super) template: Value,
    found: &'f Found,
    stack: &'f Stack,
    exports: BTreeMap<String, String>,
}

impl<'f> Deployed<'f> {
    /// The template of a stack; nothing when the stack is not deployed or the template cannot be read as one.
    pub(super) async fn of(
        found: &'f Found,
        exports: BTreeMap<String, String>,
    ) -> Result<Option<Self>, Error> {
        let Some(stack) = found.deployed() else { return Ok(None) };
        let text = found.located.session.cloudformation().template(&stack.id).await?;
        let read = |text: String| TemplateFile::from_bytes(stack.name.as_str(), text.as_bytes()).ok();
        let template = text.and_then(read).map(TemplateFile::into_value);
        Ok(template.map(|template| Self { template, found, stack, exports }))
    }

    /// The same with more exports.
    pub(super) fn with_exports(mut self, exports: impl IntoIterator<Item = (String, String)>) -> Self {
        self.exports.extend(exports);
        self
    }

    /// The resources of a type, by logical id.
    pub(super) fn of_type<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = (&'s str, &'s Value)> {
        let resources = self.template.get("Resources").and_then(Value::as_object);
        let all = resources.into_iter().flatten().filter(move |(_, body)| body["Type"] == kind);
        all.map(|(id, body)| (id.as_str(), &body["Properties"]))
    }

    /// What an expression came to; nothing when the stack does not tell.
    pub(super) fn text(&self, value: &Value) -> Option<String> {
        if let Value::String(text) = value {
            return Some(text.clone());
        }
        let (function, argument) = single(value)?;
        match function {
            "Ref" => self.reference(argument.as_str()?),
            "Fn::ImportValue" => self.exports.get(&self.text(argument)?).cloned(),
            "Fn::GetAtt" => match argument {
                Value::String(text) => self.attribute(text.split_once('.')?),
                Value::Array(parts) => self.attribute((parts.first()?.as_str()?, parts.get(1)?.as_str()?)),
                _ => None,
            },
            "Fn::Sub" => match argument {
                Value::String(text) => self.substituted(text, &Value::Null),
                Value::Array(parts) => self.substituted(parts.first()?.as_str()?, parts.get(1)?),
                _ => None,
            },
            "Fn::Join" => {
                let parts = argument.get(1)?.as_array()?;
                let parts: Option<Vec<String>> = parts.iter().map(|part| self.text(part)).collect();
                Some(parts?.join(argument.get(0)?.as_str()?))
            }
            _ => None,
        }
    }

    fn reference(&self, name: &str) -> Option<String> {
        let session = &self.found.located.session;
        match name {
            "AWS::AccountId" => return Some(session.account().to_owned()),
            "AWS::Region" => return Some(session.region().to_owned()),
            "AWS::Partition" => return Some(session.partition().to_owned()),
            "AWS::StackName" => return Some(self.stack.name.clone()),
            "AWS::StackId" => return Some(self.stack.id.clone()),
            _ => {}
        }
        let parameter = self.stack.resolved_parameters.get(name).or_else(|| self.stack.parameters.get(name));
        parameter.cloned().or_else(|| self.resource(name).map(|(_, id)| id.to_owned()))
    }

    /// The type and the physical id of a resource.
    fn resource(&self, logical_id: &str) -> Option<(&str, &str)> {
        let mut all = self.found.resources.as_deref().unwrap_or_default().iter();
        let found = all.find(|resource| resource.logical_id == logical_id)?;
        Some((found.resource_type.as_str(), found.physical_id.as_deref()?))
    }

    /// The ARNs that follow from an id. No other attribute is needed here.
    fn attribute(&self, (logical_id, name): (&str, &str)) -> Option<String> {
        let (kind, id) = self.resource(logical_id)?;
        if !name.ends_with("Arn") {
            return None;
        }
        if id.starts_with("arn:") {
            return Some(id.to_owned());
        }
        let session = &self.found.located.session;
        let (partition, account, region) = (session.partition(), session.account(), session.region());
        match kind {
            "AWS::IAM::Role" => Some(format!("arn:{partition}:iam::{account}:role/{id}")),
            "AWS::S3::Bucket" => Some(format!("arn:{partition}:s3:::{id}")),
            "AWS::SageMaker::MlflowTrackingServer" => {
                Some(format!("arn:{partition}:sagemaker:{region}:{account}:mlflow-tracking-server/{id}"))
            }
            kind if kind.starts_with("Custom::") => {
                Some(custom_arn(self.stack, id).to_owned()).filter(|arn| arn.starts_with("arn:"))
            }
            _ => None,
        }
    }

    fn substituted(&self, text: &str, own: &Value) -> Option<String> {
        let mut whole = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}')?;
            whole.push_str(before);
            match name.strip_prefix('!') {
                Some(literal) => whole.push_str(&format!("${{{literal}}}")),
                None => {
                    let value = match (own.get(name), name.split_once('.')) {
                        (Some(value), _) => self.text(value),
                        (None, Some(parts)) => self.attribute(parts),
                        (None, None) => self.reference(name),
                    };
                    whole.push_str(&value?);
                }
            }
            rest = after;
        }
        whole.push_str(rest);
        Some(whole)
    }
}

fn single(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object()?;
    let (function, argument) = object.iter().next()?;
    (object.len() == 1).then_some((function.as_str(), argument))
}
