//! The outputs that a run leaves beside its journal for an audit: all but those that are made of a secret.
//!
//! CloudFormation hides what a `NoEcho` parameter holds, but not an output that repeats it. Which outputs do so stands in
//! the template; without the template nothing can be said, and no value is kept.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::CloudAssembly;
use serde_json::Value;

use super::report::StackReport;
use crate::journal::{Journal, kept};
use crate::plan::stack::secrets;
use crate::plan::{distinct, input};

/// What the name of the file ends with, after the run.
pub(crate) const SUFFIX: &str = "outputs.json";

/// Said instead of a value.
const HIDDEN: &str = "(not kept: it may be made of a secret)";

/// Keeps the outputs of a run's stacks. That they cannot be written is no failure of the run.
pub(super) fn keep(stacks: &[StackReport], assembly: Option<&CloudAssembly>, journal: &Journal) {
    if journal.path().is_none() {
        return;
    }
    let places: Vec<_> = stacks.iter().map(|stack| (stack.name.as_str(), &stack.environment)).collect();
    let kept: BTreeMap<String, BTreeMap<&str, &str>> = distinct(&places)
        .into_iter()
        .zip(stacks)
        .filter(|(_, stack)| !stack.outputs.is_empty())
        .map(|(label, stack)| {
            let input = assembly.and_then(|assembly| input::read_one(assembly, &stack.id).ok().flatten());
            let safe = input.map(|input| safe_outputs(&input.template)).unwrap_or_default();
            let value = |name: &String, value| if safe.contains(name) { value } else { HIDDEN };
            let outputs = stack.outputs.iter();
            let outputs = outputs.map(|(name, output)| (name.as_str(), value(name, output.value.as_str())));
            (label, outputs.collect())
        })
        .collect();
    if let Ok(text) = serde_json::to_vec_pretty(&kept) {
        let _ = kept::write_beside(journal, SUFFIX, &text);
    }
}

/// The outputs of a template that name no secret.
fn safe_outputs(template: &Value) -> BTreeSet<String> {
    let hidden = secrets(template);
    let outputs = template["Outputs"].as_object().into_iter().flatten();
    outputs.filter(|(_, output)| !names_secret(output, &hidden)).map(|(name, _)| name.clone()).collect()
}

fn names_secret(value: &Value, hidden: &BTreeSet<String>) -> bool {
    match value {
        Value::String(text) => {
            text.contains("{{resolve:secretsmanager:")
                || text.contains("{{resolve:ssm-secure:")
                || hidden.contains(text)
                || hidden.iter().any(|name| text.contains(&format!("${{{name}}}")))
        }
        Value::Array(items) => items.iter().any(|item| names_secret(item, hidden)),
        Value::Object(members) => members.values().any(|member| names_secret(member, hidden)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Fault 74: CloudFormation shows an output that repeats a secret.
    #[test]
    fn outputs_that_are_made_of_secrets_are_not_kept() {
        let template = json!({
            "Parameters": {"Password": {"Type": "String", "NoEcho": true}, "Name": {"Type": "String"}},
            "Outputs": {
                "Plain": {"Value": {"Ref": "Name"}},
                "Same": {"Value": {"Ref": "Password"}},
                "Inside": {"Value": {"Fn::Sub": "https://x:${Password}@${Name}/"}},
                "Chosen": {"Value": {"Fn::If": ["Is", {"Fn::Join": ["", ["a", {"Ref": "Password"}]]}, "b"]}},
                "Resolved": {"Value": "{{resolve:secretsmanager:db:SecretString:password}}"},
            }
        });
        assert_eq!(safe_outputs(&template).into_iter().collect::<Vec<_>>(), ["Plain"]);
    }
}
