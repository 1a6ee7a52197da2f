//! CloudFormation's limits, checked before any call: sizes in bytes of UTF-8, counts of entries, names that two stacks
//! export.

use std::collections::BTreeMap;

use formwork_assembly::Severity;
use formwork_assembly::limits;
use formwork_assembly::references::references;
use formwork_schema::{Options, validate_template};
use serde_json::Value;

use super::input::Input;
use super::names::{Scope, exports};
use crate::error::{Class, EngineError};

/// What is too large, and what nearly is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What CloudFormation would refuse.
    pub(crate) errors: Vec<String>,
    /// What is at four fifths of a limit or beyond.
    pub(crate) warnings: Vec<String>,
}

/// Checks the limits of one stack.
pub(crate) fn check(input: &Input, tags: &BTreeMap<String, String>) -> Verdict {
    let mut verdict = Verdict::default();
    let id = &input.artifact.id;
    let mut count = |what: &str, count: usize, limit: usize, advice: &str| {
        if count > limit {
            verdict.errors.push(format!("{id}: {count} {what}, {limit} is the limit: {advice}"));
        } else if count * 5 >= limit * 4 {
            verdict.warnings.push(format!("{id}: {count} {what} of at most {limit}: {advice}"));
        }
    };
    let resources = input.section("Resources").count();
    let split = format!("split the stack{}", top_types(&input.template));
    count("resources", resources, limits::RESOURCES, &split);
    count("outputs", input.section("Outputs").count(), limits::OUTPUTS, "split the stack");
    count("parameters", input.section("Parameters").count(), limits::PARAMETERS, "split the stack");
    count("mappings", input.section("Mappings").count(), limits::MAPPINGS, "split the stack");
    count("bytes of template", input.text.len(), limits::TEMPLATE_BYTES, &largest(&input.template));
    count("tags", tags.len(), limits::STACK_TAGS, "remove tags of the stack");
    let name = input.name();
    if name.chars().count() > limits::STACK_NAME {
        let length = name.chars().count();
        let limit = limits::STACK_NAME;
        verdict.errors.push(format!("{id}: the stack's name has {length} characters, {limit} is the limit"));
    }
    if !is_stack_name(name) {
        verdict.errors.push(format!(
            "{id}: the stack's name `{name}` is not a letter followed by letters, digits and hyphens"
        ));
    }
    for (key, value) in tags {
        if key.chars().count() > 128 || value.chars().count() > 256 {
            verdict.errors.push(format!(
                "{id}: the tag `{}` is longer than 128 characters of key and 256 of value",
                key.chars().take(40).collect::<String>()
            ));
        }
        if key.starts_with("aws:") {
            verdict.errors.push(format!("{id}: the tag `{key}` begins with aws:, which AWS keeps to itself"));
        }
    }
    verdict.errors.extend(findings(input));
    verdict
}

/// What the template's own validator says of limits; counts of sections are told above already.
fn findings(input: &Input) -> Vec<String> {
    let options = Options { region: None, size_bytes: None };
    validate_template(&input.template, &options)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error && finding.rule == "limit")
        .filter(|finding| {
            !["/Resources", "/Outputs", "/Parameters", "/Mappings"].contains(&finding.pointer.as_str())
        })
        .map(|finding| format!("{}: {} ({})", input.artifact.id, finding.message, place(&finding.pointer)))
        .collect()
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the whole template" } else { pointer }
}

fn is_stack_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// `; the most are 120 AWS::IAM::Role, 80 AWS::EC2::Subnet`
fn top_types(template: &Value) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, resource) in super::input::entries(template, "Resources") {
        *counts.entry(resource.get("Type").and_then(Value::as_str).unwrap_or_default()).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let top: Vec<String> = counts.iter().take(3).map(|(name, count)| format!("{count} {name}")).collect();
    if top.is_empty() { String::new() } else { format!("; the most are {}", top.join(", ")) }
}

/// `the largest resource is Function with 40960 bytes`
fn largest(template: &Value) -> String {
    let sizes = super::input::entries(template, "Resources")
        .map(|(name, body)| (formwork_assembly::json::to_compact_text(body).len(), name));
    match sizes.max() {
        Some((bytes, name)) => format!("split the stack; the largest resource is {name} with {bytes} bytes"),
        None => "split the stack".to_owned(),
    }
}

/// Names that two stacks of one environment export.
pub(crate) fn duplicate_exports<'i>(stacks: impl IntoIterator<Item = (&'i Input, Scope)>) -> Vec<String> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for (input, scope) in stacks {
        for (name, _) in exports(&input.template, &scope) {
            match seen.get(&name) {
                Some(first) => found.push(format!(
                    "{}: the export name `{name}` is taken by {first}; names are unique in an account and region",
                    input.artifact.id
                )),
                None => {
                    seen.insert(name, &input.artifact.id);
                }
            }
        }
    }
    found
}

/// Resources that need each other in a circle, which CloudFormation finds only when it validates the template.
pub(crate) fn circles(input: &Input) -> Vec<String> {
    let mut graph = formwork_assembly::Graph::<&str, ()>::new();
    input.section("Resources").for_each(|(id, _)| graph.add_node(id));
    for reference in references(&input.template).list {
        if reference.section == "Resources"
            && reference.orders_resources()
            && graph.contains(&reference.target)
        {
            graph.add_edge(reference.owner, reference.target, ());
        }
    }
    graph
        .cycles()
        .iter()
        .map(|circle| format!("{}: resources need each other in a circle: {circle}", input.artifact.id))
        .collect()
}

/// Whether the text can go with the call itself.
pub(crate) fn fits_inline(text: &str) -> bool {
    text.len() <= limits::INLINE_TEMPLATE_BYTES
}

/// Refuses with everything that was found.
///
/// # Errors
/// When something was found.
pub(crate) fn refuse(problems: &[String], what: &str) -> Result<(), EngineError> {
    match problems {
        [] => Ok(()),
        [one] => Err(EngineError::new(Class::Input, one.clone())),
        many => {
            Err(EngineError::new(Class::Input, format!("{} {what}:\n  {}", many.len(), many.join("\n  "))))
        }
    }
}

#[cfg(test)]
mod tests;
