//! The values of a stack's parameters: where each comes from, and everything that is wrong with them at once.
//!
//! Given beats the assembly, the assembly beats a published asset, that beats what the stack has, and the default comes
//! last. Values of `NoEcho` parameters are passed on and never kept.

use std::collections::BTreeMap;

use formwork_assembly::limits::PARAMETER_VALUE_BYTES;
use regex::Regex;
use serde_json::Value;

use super::input::{Input, entries, sha256};
use super::model::{ParameterSource, PlannedParameter};
use super::request::GivenParameter;
use crate::aws::cloudformation::{ParameterValue, Stack};

/// The parameters of a stack with their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved {
    /// As the plan shows them.
    pub(crate) planned: BTreeMap<String, PlannedParameter>,
    /// As `CreateChangeSet` gets them; those that take their default are left out.
    pub(crate) values: BTreeMap<String, ParameterValue>,
    /// What the user should know.
    pub(crate) notes: Vec<String>,
}

impl Resolved {
    /// The values that can be shown, for names that are made of them.
    pub(crate) fn known(&self) -> BTreeMap<String, String> {
        let shown = |planned: &PlannedParameter| planned.value.clone();
        self.planned.iter().filter_map(|(name, planned)| Some((name.clone(), shown(planned)?))).collect()
    }
}

/// A parameter as a template declares it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared<'t>(&'t Value);

impl<'t> Declared<'t> {
    /// The parameters of a template.
    pub(crate) fn of(template: &'t Value) -> BTreeMap<&'t str, Self> {
        entries(template, "Parameters").map(|(name, body)| (name, Self(body))).collect()
    }

    fn text(&self, member: &str) -> Option<String> {
        match self.0.get(member)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// The type.
    pub(crate) fn kind(&self) -> &'t str {
        self.0.get("Type").and_then(Value::as_str).unwrap_or("String")
    }

    /// Whether the value is the name of an SSM parameter.
    pub(crate) fn is_ssm(&self) -> bool {
        self.kind().starts_with("AWS::SSM::Parameter::Value<")
    }

    /// Whether the value must not be shown.
    pub(crate) fn is_secret(&self) -> bool {
        self.text("NoEcho").is_some_and(|flag| flag.eq_ignore_ascii_case("true"))
    }

    /// The default.
    pub(crate) fn default(&self) -> Option<String> {
        self.text("Default")
    }

    /// What is wrong with a value; nothing that depends on what exists in an account.
    pub(crate) fn problem(&self, value: &str) -> Option<String> {
        if value.len() > PARAMETER_VALUE_BYTES {
            return Some(format!(
                "the value has {} bytes, {PARAMETER_VALUE_BYTES} is the limit",
                value.len()
            ));
        }
        let shown = if self.is_secret() { "the value".to_owned() } else { format!("`{}`", shorten(value)) };
        let explained = |text: String| match self.text("ConstraintDescription") {
            Some(why) => Some(format!("{text}: {why}")),
            None => Some(text),
        };
        let items: Vec<&str> = if self.kind() == "CommaDelimitedList" || self.kind().starts_with("List<") {
            value.split(',').map(str::trim).collect()
        } else {
            vec![value]
        };
        if let Some(allowed) =
            self.0.get("AllowedValues").and_then(Value::as_array).filter(|_| !self.is_ssm())
        {
            let allowed: Vec<String> = allowed
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect();
            if items.iter().any(|item| !allowed.iter().any(|other| other == item)) {
                return explained(format!("{shown} is not one of {}", allowed.join(", ")));
            }
        }
        match self.kind() {
            "String" => self.text_problem(value, &shown).and_then(explained),
            "Number" | "List<Number>" => {
                items.iter().find_map(|item| self.number_problem(item, &shown)).and_then(explained)
            }
            _ => None,
        }
    }

    fn text_problem(&self, value: &str, shown: &str) -> Option<String> {
        let length = value.chars().count();
        if let Some(least) = self.number("MinLength").filter(|least| (length as f64) < *least) {
            return Some(format!("{shown} has {length} characters, at least {least} are wanted"));
        }
        if let Some(most) = self.number("MaxLength").filter(|most| (length as f64) > *most) {
            return Some(format!("{shown} has {length} characters, at most {most} are taken"));
        }
        let pattern = self.text("AllowedPattern")?;
        // A pattern that another dialect allows is left to CloudFormation; one that matches nowhere in the value cannot
        // match all of it.
        let regex = Regex::new(&pattern).ok()?;
        (!regex.is_match(value)).then(|| format!("{shown} does not match {pattern}"))
    }

    fn number_problem(&self, item: &str, shown: &str) -> Option<String> {
        let Ok(number) = item.parse::<f64>() else { return Some(format!("{shown} is not a number")) };
        if let Some(least) = self.number("MinValue").filter(|least| number < *least) {
            return Some(format!("{shown} is less than {least}"));
        }
        let most = self.number("MaxValue").filter(|most| number > *most)?;
        Some(format!("{shown} is more than {most}"))
    }

    fn number(&self, member: &str) -> Option<f64> {
        self.text(member)?.parse().ok()
    }
}

fn shorten(value: &str) -> String {
    if value.chars().count() <= 80 {
        return value.to_owned();
    }
    value.chars().take(77).chain("...".chars()).collect()
}

/// The given values of a stack.
pub(crate) fn given<'g>(input: &Input, all: &'g [GivenParameter]) -> BTreeMap<&'g str, &'g str> {
    let meant = |parameter: &&GivenParameter| match parameter.stack.as_deref() {
        Some(stack) => stack == input.artifact.id || stack == input.name(),
        None => true,
    };
    let mut parameters: Vec<&GivenParameter> = all.iter().filter(meant).collect();
    // What is said of this stack beats what is said of all.
    parameters.sort_by_key(|parameter| parameter.stack.is_some());
    parameters.into_iter().map(|parameter| (parameter.name.as_str(), parameter.value.as_str())).collect()
}

/// Everything that is wrong with given values and with those of the assembly, before any call.
pub(crate) fn problems(inputs: &[&Input], all: &[GivenParameter]) -> Vec<String> {
    let mut found = Vec::new();
    for parameter in all {
        let GivenParameter { stack, name, .. } = parameter;
        let meant: Vec<&&Input> = inputs
            .iter()
            .filter(|input| {
                stack.as_deref().is_none_or(|stack| stack == input.artifact.id || stack == input.name())
            })
            .collect();
        let names = || meant.iter().flat_map(|input| input.section("Parameters").map(|(name, _)| name));
        if meant.is_empty() {
            found.push(format!(
                "parameter {name}: the plan has no stack `{}`",
                stack.as_deref().unwrap_or("*")
            ));
        } else if !names().any(|other| other == name) {
            let whose =
                stack.as_deref().map_or_else(|| "no stack".to_owned(), |stack| format!("stack {stack} not"));
            let near = formwork_schema::spelling::closest(name, names());
            let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            found.push(format!("parameter {name} is unknown: {whose} declares it{hint}"));
        }
    }
    for input in inputs {
        let declared = Declared::of(&input.template);
        let given = given(input, all);
        let assembly = &input.artifact.properties.parameters;
        for (name, parameter) in &declared {
            let value = given.get(name).copied().or_else(|| assembly.get(*name).map(String::as_str));
            if let Some(problem) = value.and_then(|value| parameter.problem(value)) {
                found.push(format!("{}: parameter {name}: {problem}", input.artifact.id));
            }
        }
        for name in assembly.keys().filter(|name| !declared.contains_key(name.as_str())) {
            found.push(format!(
                "{}: the assembly gives a value to parameter {name}, which the template does not declare",
                input.artifact.id
            ));
        }
    }
    found
}

/// A stack as it is deployed: what `DescribeStacks` and `GetTemplate` tell.
#[derive(Clone, Debug)]
pub(crate) struct Deployed {
    /// The stack.
    pub(crate) stack: Stack,
    /// Its template in long form; nothing for a shell.
    pub(crate) template: Option<Value>,
}

/// Finds each parameter's value.
///
/// # Errors
/// The names of parameters without a value.
pub(crate) fn resolve(
    input: &Input,
    all: &[GivenParameter],
    assets: &BTreeMap<String, String>,
    deployed: Option<&Deployed>,
    previous_wanted: bool,
) -> Result<Resolved, Vec<String>> {
    let mut resolved = Resolved::default();
    let mut missing = Vec::new();
    let given = given(input, all);
    for (name, declared) in Declared::of(&input.template) {
        let previous = previous(name, declared, deployed, previous_wanted, &mut resolved.notes);
        let assembly = input.artifact.properties.parameters.get(name);
        let (source, value) = if let Some(value) = given.get(name) {
            (ParameterSource::Given, (*value).to_owned())
        } else if let Some(value) = assembly {
            (ParameterSource::Assembly, value.clone())
        } else if let Some(value) = assets.get(name) {
            (ParameterSource::Asset, value.clone())
        } else if let Some(value) = previous {
            (ParameterSource::Previous, value)
        } else if let Some(value) = declared.default() {
            (ParameterSource::Default, value)
        } else {
            missing.push(format!("{}: parameter {name} has no value", input.artifact.id));
            continue;
        };
        match source {
            ParameterSource::Previous => {
                resolved.values.insert(name.to_owned(), ParameterValue::Previous);
            }
            ParameterSource::Default => {}
            _ => {
                resolved.values.insert(name.to_owned(), ParameterValue::Value(value.clone()));
            }
        }
        let shown = (!declared.is_secret()).then_some(value);
        let digest = shown.as_ref().map(sha256);
        let planned = PlannedParameter { source, value: shown, sha256: digest, resolved: None };
        resolved.planned.insert(name.to_owned(), planned);
    }
    if missing.is_empty() { Ok(resolved) } else { Err(missing) }
}

/// The value that the stack has and keeps. One that equals the default of the deployed template was never set by anybody,
/// so that it follows the new default. Of a parameter of an SSM type the name is kept, and only where it is known to be
/// one: who tells no resolved value beside it may have told the resolved value itself.
fn previous(
    name: &str,
    declared: Declared<'_>,
    deployed: Option<&Deployed>,
    wanted: bool,
    notes: &mut Vec<String>,
) -> Option<String> {
    let deployed = deployed?;
    let value = deployed.stack.parameters.get(name)?;
    let default = declared.default();
    if !wanted && default.is_some() {
        return None;
    }
    if declared.is_ssm() && deployed.stack.resolved_parameters.get(name).is_none_or(|it| it == value) {
        return None;
    }
    let old = deployed
        .template
        .as_ref()
        .and_then(|template| Declared::of(template).get(name).and_then(Declared::default));
    if default.is_some() && old != default && !declared.is_secret() {
        if old.as_ref() == Some(value) {
            return None;
        }
        notes.push(format!("parameter {name} keeps its value although the template's default has changed"));
    }
    Some(value.clone())
}

#[cfg(test)]
mod tests;
