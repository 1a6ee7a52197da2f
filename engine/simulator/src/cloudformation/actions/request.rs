//! What calls that make or change a stack have in common: template, parameters, tags, grants.

use std::collections::BTreeMap;

use formwork_assembly::limits;

use super::Call;
use crate::api::ApiError;
use crate::cloudformation::revision::Request;
use crate::cloudformation::state::{RollbackConfiguration, StackKey};
use crate::cloudformation::template::parameters::Given;

impl Call<'_, '_> {
    /// Everything that the call says of a stack that is to be; `stack` is the one that there is.
    pub(super) fn request(&self, stack: Option<StackKey>) -> Result<Request, ApiError> {
        let parameters = self.parameters;
        let mut given = BTreeMap::new();
        for parameter in parameters.structures("Parameters") {
            let name = parameter.required("ParameterKey")?.to_owned();
            let value = if parameter.flag("UsePreviousValue") {
                Given::Previous
            } else {
                Given::Text(parameter.get("ParameterValue").unwrap_or_default().to_owned())
            };
            given.insert(name, value);
        }
        let previous = stack.and_then(|key| self.engine.world.stacks[key].revision.clone());
        let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let topics = owned(parameters.list("NotificationARNs"));
        if topics.len() > 5 {
            return Err(ApiError::validation("Only 5 notification ARNs are allowed"));
        }
        let has = |name: &str| {
            parameters.get(&format!("{name}.member.1")).is_some() || parameters.get(name).is_some()
        };
        let tags = self.tags()?;
        Ok(Request {
            template: self.template(stack)?,
            given,
            // What an update does not say stays as it is.
            tags: match (&previous, parameters.structures("Tags").is_empty()) {
                (Some(previous), true) if parameters.get("Tags").is_none() => previous.tags.clone(),
                _ => tags,
            },
            capabilities: owned(parameters.list("Capabilities")),
            notification_arns: match &previous {
                Some(previous) if !has("NotificationARNs") => previous.notification_arns.clone(),
                _ => topics,
            },
            role_arn: parameters
                .get("RoleARN")
                .map(str::to_owned)
                .or_else(|| previous.as_ref().and_then(|it| it.role_arn.clone())),
            rollback: self.rollback_configuration(previous.as_ref().map(|it| &it.rollback)),
        })
    }

    fn tags(&self) -> Result<BTreeMap<String, String>, ApiError> {
        let mut tags = BTreeMap::new();
        for tag in self.parameters.structures("Tags") {
            let key = tag.required("Key")?;
            if key.starts_with("aws:") {
                return Err(ApiError::validation(
                    "aws: prefixed tag key names are not allowed for external use.",
                ));
            }
            if tags.insert(key.to_owned(), tag.get("Value").unwrap_or_default().to_owned()).is_some() {
                return Err(ApiError::validation(format!("Duplicate tag keys found: {key}")));
            }
        }
        if tags.len() > limits::STACK_TAGS {
            return Err(ApiError::validation(format!(
                "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length \
                 less than or equal to {}",
                limits::STACK_TAGS
            )));
        }
        Ok(tags)
    }

    fn rollback_configuration(&self, previous: Option<&RollbackConfiguration>) -> RollbackConfiguration {
        let given = self.parameters.within("RollbackConfiguration");
        let triggers: Vec<(String, String)> = given
            .structures("RollbackTriggers")
            .iter()
            .map(|trigger| {
                let part = |name| trigger.get(name).unwrap_or_default().to_owned();
                (part("Arn"), part("Type"))
            })
            .collect();
        let minutes = given.get("MonitoringTimeInMinutes").and_then(|text| text.parse().ok());
        match previous {
            Some(previous) if triggers.is_empty() && minutes.is_none() => previous.clone(),
            _ => RollbackConfiguration { triggers, minutes },
        }
    }

    /// The text of the template that the call names.
    pub(super) fn template(&self, stack: Option<StackKey>) -> Result<String, ApiError> {
        let (body, url) = (self.parameters.get("TemplateBody"), self.parameters.get("TemplateURL"));
        let previous = self.parameters.flag("UsePreviousTemplate");
        match (body, url, previous) {
            (Some(body), None, false) => {
                if body.len() > limits::INLINE_TEMPLATE_BYTES {
                    return Err(ApiError::validation(format!(
                        "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must \
                         have length less than or equal to {}",
                        limits::INLINE_TEMPLATE_BYTES
                    )));
                }
                if body.is_empty() {
                    return Err(ApiError::validation(
                        "1 validation error detected: Value '' at 'templateBody' failed to satisfy constraint: Member \
                         must have length greater than or equal to 1",
                    ));
                }
                Ok(body.to_owned())
            }
            (None, Some(url), false) => {
                let text = self
                    .engine
                    .around
                    .template(&self.context.account, &self.context.region, url)
                    .map_err(|error| ApiError::validation(format!("S3 error: {error}")))?;
                if text.len() > limits::TEMPLATE_BYTES {
                    return Err(ApiError::validation(format!(
                        "Template may not exceed {} bytes in size.",
                        limits::TEMPLATE_BYTES
                    )));
                }
                Ok(text)
            }
            (None, None, true) => {
                let revision = stack.and_then(|key| self.engine.world.stacks[key].revision.as_ref());
                revision.map(|it| it.template.text.clone()).ok_or_else(|| {
                    ApiError::validation("UsePreviousTemplate cannot be true when the stack has no template")
                })
            }
            (None, None, false) => {
                Err(ApiError::validation("Either Template URL or Template Body must be specified."))
            }
            _ => Err(ApiError::validation(
                "Specify exactly one of 'TemplateBody', 'TemplateUrl' and 'UsePreviousTemplate'",
            )),
        }
    }

    /// Refuses names of stacks and change sets that have other characters than CloudFormation takes.
    pub(super) fn check_name(&self, field: &str, name: &str, limit: usize) -> Result<(), ApiError> {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let good = name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(letters);
        if good && name.len() <= limit {
            return Ok(());
        }
        let constraint = if good {
            format!("Member must have length less than or equal to {limit}")
        } else {
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*".to_owned()
        };
        Err(ApiError::validation(format!(
            "1 validation error detected: Value '{name}' at '{field}' failed to satisfy constraint: {constraint}"
        )))
    }
}

/// Which kind of operation a revision asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    pub(super) creating: bool,
    pub(super) import: bool,
}
