//! The functions of a template, evaluated.
//!
//! Before an operation only a part of the values is known: a preview puts [`UNKNOWN`] where a value has to wait, which is
//! the marker that CloudFormation itself shows in change sets.

use std::collections::BTreeMap;

use formwork_assembly::references::only_member;
use serde_json::{Map, Value};

use super::parameters::{Values, plain};

mod functions;

use functions::base64;

/// What stands for a value that is known only once a change is made.
pub(crate) const UNKNOWN: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// Where values outside the template come from.
pub(crate) trait Lookup {
    /// What `Ref` of a resource gives; `None` while it has no physical id.
    fn reference(&self, id: &str) -> Option<Value>;
    /// What `Fn::GetAtt` gives.
    fn attribute(&self, id: &str, name: &str) -> Result<Value, String>;
    /// The value of an export of the same account and region.
    fn import(&self, name: &str) -> Option<String>;
    /// The output of a stack, by default of the same account and region.
    fn stack_output(&self, stack: &str, output: &str, region: Option<&str>) -> Option<String>;
    /// The value of a parameter in SSM.
    fn parameter(&self, name: &str) -> Option<String>;
    /// Whether values that are not known yet are an error.
    fn is_strict(&self) -> bool;
}

/// CloudFormation's own names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pseudo {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) partition: String,
    pub(crate) stack_id: String,
    pub(crate) stack_name: String,
    pub(crate) notification_arns: Vec<String>,
}

/// What an evaluation knows.
pub(crate) struct Scope<'s> {
    pub(crate) template: &'s Value,
    pub(crate) values: &'s Values,
    pub(crate) conditions: &'s BTreeMap<String, bool>,
    pub(crate) pseudo: &'s Pseudo,
    pub(crate) lookup: &'s dyn Lookup,
}

type Evaluated = Result<Option<Value>, String>;

/// Evaluates all conditions of a template; they depend on parameters and mappings only.
pub(crate) fn conditions(
    template: &Value,
    values: &Values,
    pseudo: &Pseudo,
    lookup: &dyn Lookup,
) -> Result<BTreeMap<String, bool>, String> {
    let mut known = BTreeMap::new();
    let Some(declared) = template.get("Conditions").and_then(Value::as_object) else { return Ok(known) };
    // Conditions may name each other in any order: one more round as long as something new is known.
    while known.len() < declared.len() {
        let before = known.len();
        for (name, expression) in declared {
            if known.contains_key(name) {
                continue;
            }
            let scope = Scope { template, values, conditions: &known, pseudo, lookup };
            if let Some(truth) = scope.truth(expression)? {
                known.insert(name.clone(), truth);
            }
        }
        if known.len() == before {
            return Err("Template format error: Circular dependencies for conditions".to_owned());
        }
    }
    Ok(known)
}

impl Scope<'_> {
    /// Evaluates a value; `None` for `AWS::NoValue`.
    pub(crate) fn evaluate(&self, value: &Value) -> Evaluated {
        match value {
            Value::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.extend(self.evaluate(item)?);
                }
                Ok(Some(Value::Array(list)))
            }
            Value::Object(members) => {
                if let Some((name, argument)) = only_member(value)
                    && (name == "Ref" || name.starts_with("Fn::"))
                {
                    return self.function(name, argument);
                }
                let mut object = Map::new();
                for (name, member) in members {
                    if let Some(member) = self.evaluate(member)? {
                        object.insert(name.clone(), member);
                    }
                }
                Ok(Some(Value::Object(object)))
            }
            Value::String(text) if text.contains("{{resolve:ssm:") => self.dynamic(text).map(Some),
            scalar => Ok(Some(scalar.clone())),
        }
    }

    /// Evaluates a value that has to be there.
    pub(crate) fn required(&self, value: &Value) -> Result<Value, String> {
        Ok(self.evaluate(value)?.unwrap_or(Value::Null))
    }

    /// Evaluates a value to text.
    pub(crate) fn text(&self, value: &Value) -> Result<String, String> {
        match self.required(value)? {
            Value::Array(_) | Value::Object(_) | Value::Null => {
                Err("Template error: every value of the function must evaluate to a String".to_owned())
            }
            scalar => Ok(plain(&scalar)),
        }
    }

    fn function(&self, name: &str, argument: &Value) -> Evaluated {
        let items = || argument.as_array().map(Vec::as_slice).unwrap_or_default();
        let value = match name {
            "Ref" => return self.reference(argument.as_str().unwrap_or_default()),
            "Fn::GetAtt" => self.get_att(argument)?,
            "Fn::Sub" => Value::from(self.substitute(argument)?),
            "Fn::Join" => {
                let delimiter = items().first().map(plain).unwrap_or_default();
                let parts = self.list(items().get(1).unwrap_or(&Value::Null))?;
                Value::from(parts.iter().map(plain).collect::<Vec<_>>().join(&delimiter))
            }
            "Fn::Select" => return self.select(items()),
            "Fn::Split" => {
                let delimiter = items().first().map(plain).unwrap_or_default();
                let text = self.text(items().get(1).unwrap_or(&Value::Null))?;
                if text.contains(UNKNOWN) && !text.contains(&delimiter) {
                    return Ok(Some(Value::from(UNKNOWN)));
                }
                Value::Array(text.split(delimiter.as_str()).map(Value::from).collect())
            }
            "Fn::FindInMap" => self.find_in_map(items())?,
            "Fn::GetAZs" => {
                let region = self.text(argument).unwrap_or_default();
                let region = if region.is_empty() { self.pseudo.region.clone() } else { region };
                Value::Array(
                    ["a", "b", "c"].iter().map(|zone| Value::from(format!("{region}{zone}"))).collect(),
                )
            }
            "Fn::Cidr" => self.cidr(items())?,
            "Fn::Base64" => Value::from(base64(self.text(argument)?.as_bytes())),
            "Fn::If" => {
                let condition = items().first().and_then(Value::as_str).unwrap_or_default();
                let branch = if self.conditions.get(condition).copied().unwrap_or_default() { 1 } else { 2 };
                return items().get(branch).map_or(Ok(None), |chosen| self.evaluate(chosen));
            }
            "Fn::ImportValue" => {
                let export = self.text(argument)?;
                match self.lookup.import(&export) {
                    Some(value) => Value::from(value),
                    None if self.lookup.is_strict() => return Err(format!("No export named {export} found")),
                    None => Value::from(UNKNOWN),
                }
            }
            "Fn::GetStackOutput" => self.stack_output(argument)?,
            "Fn::ToJsonString" => Value::from(self.required(argument)?.to_string()),
            "Fn::Length" => Value::from(self.list(argument)?.len()),
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => {
                let truth =
                    self.truth(&Value::Object(Map::from_iter([(name.to_owned(), argument.clone())])))?;
                Value::from(truth.unwrap_or_default())
            }
            other => return Err(format!("Template error: {other} is not supported by this simulator")),
        };
        Ok(Some(value))
    }

    /// A condition's truth; `None` while it needs another condition that is not known yet.
    fn truth(&self, expression: &Value) -> Result<Option<bool>, String> {
        let Some((name, argument)) = only_member(expression) else {
            return Err("Template format error: Every Conditions member must be a function".to_owned());
        };
        let items = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match name {
            "Condition" => Ok(argument.as_str().and_then(|name| self.conditions.get(name).copied())),
            "Fn::Equals" => {
                let [left, right] = items else {
                    return Err(
                        "Template error: every Fn::Equals object requires a list of 2 string parameters"
                            .to_owned(),
                    );
                };
                let (left, right) = (self.required(left)?, self.required(right)?);
                Ok(Some(left == right || plain(&left) == plain(&right)))
            }
            "Fn::Not" => match items.first() {
                Some(inner) => Ok(self.truth(inner)?.map(|truth| !truth)),
                None => Ok(Some(true)),
            },
            "Fn::And" | "Fn::Or" => {
                let mut truths = Vec::new();
                for item in items {
                    truths.push(self.truth(item)?);
                }
                let deciding = name == "Fn::Or";
                Ok(if truths.contains(&Some(deciding)) {
                    Some(deciding)
                } else if truths.contains(&None) {
                    None
                } else {
                    Some(!deciding)
                })
            }
            other => Err(format!("Template error: {other} cannot be used in a condition")),
        }
    }

    fn reference(&self, name: &str) -> Evaluated {
        let text = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => self.pseudo.account.clone(),
            "AWS::Region" => self.pseudo.region.clone(),
            "AWS::Partition" => self.pseudo.partition.clone(),
            "AWS::StackId" => self.pseudo.stack_id.clone(),
            "AWS::StackName" => self.pseudo.stack_name.clone(),
            "AWS::URLSuffix" if self.pseudo.partition == "aws-cn" => "amazonaws.com.cn".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::NotificationARNs" => {
                let arns = self.pseudo.notification_arns.iter().map(|arn| Value::from(arn.as_str()));
                return Ok(Some(Value::Array(arns.collect())));
            }
            _ => {
                if let Some(value) = self.values.get(name) {
                    return Ok(Some(value.value()));
                }
                return match self.lookup.reference(name) {
                    Some(value) => Ok(Some(value)),
                    None if self.lookup.is_strict() => Err(format!(
                        "Unresolved resource dependencies [{name}] in the Resources block of the template"
                    )),
                    None => Ok(Some(Value::from(UNKNOWN))),
                };
            }
        };
        Ok(Some(Value::from(text)))
    }

    fn get_att(&self, argument: &Value) -> Result<Value, String> {
        let (id, attribute) = match argument {
            Value::String(text) => {
                let (id, attribute) = text.split_once('.').unwrap_or((text, ""));
                (id.to_owned(), attribute.to_owned())
            }
            Value::Array(items) if items.len() == 2 => (plain(&items[0]), self.text(&items[1])?),
            _ => {
                return Err(
                    "Template error: every Fn::GetAtt object requires two non-empty parameters, the \
                            resource name and the resource attribute"
                        .to_owned(),
                );
            }
        };
        self.lookup.attribute(&id, &attribute)
    }

    fn substitute(&self, argument: &Value) -> Result<String, String> {
        let (text, own) = match argument {
            Value::String(text) => (text.as_str(), None),
            Value::Array(items) => (
                items.first().and_then(Value::as_str).unwrap_or_default(),
                items.get(1).and_then(Value::as_object),
            ),
            _ => return Err("Template error: every Fn::Sub object requires a string".to_owned()),
        };
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            out.push_str(&rest[..start]);
            let Some(length) = rest[start..].find('}') else { break };
            let name = rest[start + 2..start + length].trim();
            rest = &rest[start + length + 1..];
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let value = match own.and_then(|own| own.get(name)) {
                Some(value) => self.required(value)?,
                None if name.starts_with("AWS::") || !name.contains('.') => {
                    self.reference(name)?.unwrap_or(Value::Null)
                }
                None => self.get_att(&Value::from(name))?,
            };
            match value {
                Value::Array(items) => out.push_str(&items.iter().map(plain).collect::<Vec<_>>().join(",")),
                scalar => out.push_str(&plain(&scalar)),
            }
        }
        out.push_str(rest);
        // A dynamic reference may be put together from parts.
        if out.contains("{{resolve:ssm:") { self.dynamic(&out).map(|value| plain(&value)) } else { Ok(out) }
    }

    fn list(&self, value: &Value) -> Result<Vec<Value>, String> {
        match self.required(value)? {
            Value::Array(items) => Ok(items),
            scalar => Ok(vec![scalar]),
        }
    }
}
