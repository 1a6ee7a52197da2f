//! The intrinsic functions: their names, and what they return.

use serde_json::Value;

use super::{Assumption, Check, Mode, Outcome, Path, presence};
use crate::finding::Finding;
use crate::keyword::JsonType;
use crate::schema::Schema;

/// The functions that may stand for a value, without `Fn::ForEach::…`, which stands for several.
pub const FUNCTION_NAMES: &[&str] = &[
    "Ref",
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::FindInMap",
    "Fn::GetAtt",
    "Fn::GetAZs",
    "Fn::GetStackOutput",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Length",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Fn::Transform",
];

const SCALAR: &[JsonType] = &[JsonType::String, JsonType::Number, JsonType::Integer, JsonType::Boolean];
const LIST: &[JsonType] = &[JsonType::Array];
const WHOLE: &[JsonType] = &[JsonType::Integer, JsonType::Number, JsonType::String];
const SCALAR_OR_LIST: &[JsonType] =
    &[JsonType::String, JsonType::Number, JsonType::Integer, JsonType::Boolean, JsonType::Array];

/// The name and the argument when a value is a function: an object whose only key is one of their names.
pub fn function_of(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object()?;
    if map.len() != 1 {
        return None;
    }
    let (name, argument) = map.iter().next()?;
    (FUNCTION_NAMES.contains(&name.as_str()) || is_loop(name)).then_some((name.as_str(), argument))
}

/// Whether a key is `Fn::ForEach::…`, which may stand beside properties.
pub(super) fn is_loop(name: &str) -> bool {
    name.starts_with("Fn::ForEach::")
}

/// Whether a text is resolved at deployment, or is meant to be: one with blanks is reported by the validator of the
/// template.
pub(super) fn is_dynamic_reference(text: &str) -> bool {
    text.match_indices("{{").any(|(start, _)| {
        text[start + 2..]
            .trim_start()
            .strip_prefix("resolve")
            .is_some_and(|rest| rest.trim_start().starts_with(':'))
    })
}

/// The JSON types that a function can stand for; `None` when it can be anything.
fn produced(name: &str, argument: &Value) -> Option<&'static [JsonType]> {
    Some(match name {
        "Fn::Base64" | "Fn::Join" | "Fn::Sub" | "Fn::ToJsonString" | "Fn::ImportValue"
        | "Fn::GetStackOutput" => SCALAR,
        "Fn::Cidr" | "Fn::GetAZs" | "Fn::Split" => LIST,
        "Fn::Length" => WHOLE,
        "Fn::FindInMap" => SCALAR_OR_LIST,
        "Ref" => match argument.as_str()? {
            "AWS::NotificationARNs" => LIST,
            "AWS::AccountId" | "AWS::Partition" | "AWS::Region" | "AWS::StackId" | "AWS::StackName"
            | "AWS::URLSuffix" => SCALAR,
            _ => return None,
        },
        _ => return None,
    })
}

impl Check<'_> {
    /// Checks a function in the place of a value.
    pub(super) fn function(
        &self,
        schema: &Schema,
        name: &str,
        argument: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) {
        if name == "Fn::If" {
            self.branches(schema, argument, path, outcome);
            return;
        }
        outcome.unknown = true;
        if self.mode != Mode::Report {
            return;
        }
        let wanted = self.resource.resolve(schema).types();
        let Some(types) = produced(name, argument) else { return };
        if !wanted.is_empty() && !wanted.iter().any(|wanted| types.contains(wanted)) {
            let is = if types == LIST { "a list" } else { "a single value" };
            let message = format!("`{name}` gives {is} where {} is wanted", super::scalars::any(wanted));
            let finding = Finding::error("wrong-type", path.pointer(), message);
            outcome.findings.push(match (types == LIST, wanted) {
                (true, _) => finding.with_hint("take one of the items with `Fn::Select`"),
                (false, [JsonType::Array]) => finding.with_hint("put it into a list"),
                _ => finding,
            });
        }
    }

    /// Checks both branches of `Fn::If` in place, each with its condition settled.
    fn branches(&self, schema: &Schema, argument: &Value, path: Path<'_>, outcome: &mut Outcome) {
        let Some([Value::String(condition), then, otherwise]) = argument.as_array().map(Vec::as_slice) else {
            // A malformed function is reported by the validator of the template.
            outcome.unknown = true;
            return;
        };
        if self.mode != Mode::Report {
            match self.assumed(condition) {
                Some(true) => self.branch(schema, then, path.function("Fn::If", 1), outcome),
                Some(false) => self.branch(schema, otherwise, path.function("Fn::If", 2), outcome),
                None => outcome.unknown = true,
            }
            return;
        }
        for (value, branch, position) in [(true, then, 1), (false, otherwise, 2)] {
            if self.assumed(condition).is_some_and(|assumed| assumed != value) {
                continue;
            }
            let mut assumptions: Vec<Assumption<'_>> = self.assumptions.to_vec();
            if self.assumed(condition).is_none() {
                assumptions.push((condition, value));
            }
            let check = Check { assumptions: &assumptions, ..*self };
            check.branch(schema, branch, path.function("Fn::If", position), outcome);
        }
    }

    fn branch(&self, schema: &Schema, branch: &Value, path: Path<'_>, outcome: &mut Outcome) {
        if !presence::is_no_value(branch) {
            self.value(schema, branch, path, outcome);
        }
    }

    /// The settled value of a condition.
    pub(super) fn assumed(&self, condition: &str) -> Option<bool> {
        self.assumptions.iter().find(|(name, _)| *name == condition).map(|(_, value)| *value)
    }
}
