//! What every check looks at: the sections by name, the resources with the facts of their types, all references.

use std::collections::BTreeMap;

use formwork_assembly::references::{push_pointer, references};
use formwork_assembly::{References, Severity};
use serde_json::{Map, Value};

use super::{Options, finding};
use crate::{Finding, ResourceType};

/// The transform that makes `AWS::Serverless::*` resources.
const SERVERLESS: &str = "AWS::Serverless-2016-10-31";
/// The transform that allows functions in more places and adds a few.
const LANGUAGE_EXTENSIONS: &str = "AWS::LanguageExtensions";

pub(super) struct Context<'t> {
    pub(super) sections: &'t Map<String, Value>,
    pub(super) options: &'t Options<'t>,
    pub(super) references: References<'t>,
    pub(super) resources: BTreeMap<&'t str, Resource<'t>>,
    pub(super) parameters: BTreeMap<&'t str, &'t Value>,
    pub(super) conditions: BTreeMap<&'t str, &'t Value>,
    findings: Vec<Finding>,
}

/// A resource of the template that is an object, with what is known of it.
#[derive(Clone, Copy)]
pub(super) struct Resource<'t> {
    pub(super) name: &'t str,
    pub(super) body: &'t Map<String, Value>,
    /// The type's name; empty when it is missing or no text.
    pub(super) type_name: &'t str,
    pub(super) facts: Option<&'static ResourceType>,
    pub(super) condition: Option<&'t str>,
}

impl<'t> Resource<'t> {
    fn new(name: &'t str, body: &'t Map<String, Value>) -> Self {
        let text = |member: &str| body.get(member).and_then(Value::as_str);
        let type_name = text("Type").unwrap_or_default();
        Self { name, body, type_name, facts: crate::resource_type(type_name), condition: text("Condition") }
    }

    pub(super) fn properties(&self) -> Option<&'t Value> {
        self.body.get("Properties")
    }

    pub(super) fn is_custom(&self) -> bool {
        self.type_name.starts_with("Custom::") || self.type_name == "AWS::CloudFormation::CustomResource"
    }

    pub(super) fn is_module(&self) -> bool {
        self.type_name.ends_with("::MODULE")
    }

    pub(super) fn is_serverless(&self) -> bool {
        self.type_name.starts_with("AWS::Serverless::")
    }
}

impl<'t> Context<'t> {
    pub(super) fn new(
        template: &'t Value,
        sections: &'t Map<String, Value>,
        options: &'t Options<'t>,
    ) -> Self {
        let mut context = Self {
            sections,
            options,
            references: references(template),
            resources: BTreeMap::new(),
            parameters: BTreeMap::new(),
            conditions: BTreeMap::new(),
            findings: Vec::new(),
        };
        context.parameters = context.entries("Parameters").collect();
        context.conditions = context.entries("Conditions").collect();
        context.resources = context
            .entries("Resources")
            .filter_map(|(name, body)| Some((name, Resource::new(name, body.as_object()?))))
            .collect();
        context
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// The entries of a section, without those that a macro or a loop puts there.
    pub(super) fn entries(&self, section: &str) -> impl Iterator<Item = (&'t str, &'t Value)> + use<'t> {
        let entries = self.sections.get(section).and_then(Value::as_object);
        entries
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value))
            .filter(|(name, _)| !name.starts_with("Fn::"))
    }

    pub(super) fn report(
        &mut self,
        severity: Severity,
        rule: &'static str,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.findings.push(finding(severity, rule, pointer, message));
        self.findings.last_mut().expect("a finding was pushed just now")
    }

    pub(super) fn error(
        &mut self,
        rule: &'static str,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.report(Severity::Error, rule, pointer, message)
    }

    pub(super) fn warning(
        &mut self,
        rule: &'static str,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.report(Severity::Warning, rule, pointer, message)
    }

    /// Whether a rule has been reported at a place.
    pub(super) fn has_finding(&self, rule: &str, pointer: &str) -> bool {
        self.findings.iter().any(|finding| finding.rule == rule && finding.pointer == pointer)
    }

    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    pub(super) fn has_transform(&self) -> bool {
        !self.references.macros.names.is_empty() || self.references.macros.has_loops
    }

    pub(super) fn is_serverless(&self) -> bool {
        self.references.macros.names.contains(&SERVERLESS)
    }

    pub(super) fn has_language_extensions(&self) -> bool {
        self.references.macros.names.contains(&LANGUAGE_EXTENSIONS)
    }

    /// Whether a macro that nobody knows, a loop or an include may add entries.
    pub(super) fn has_unknown_macro(&self) -> bool {
        let known = [SERVERLESS, LANGUAGE_EXTENSIONS];
        self.references.macros.has_loops
            || self.references.macros.names.iter().any(|name| !known.contains(name))
    }

    /// Whether a resource of this name may come from the expansion of a known construct: a serverless resource or a module
    /// makes others whose names begin with its own.
    pub(super) fn may_be_made_by_resource(&self, name: &str) -> bool {
        let makers =
            self.resources.values().filter(|resource| resource.is_serverless() || resource.is_module());
        let mut makers = makers.map(|resource| resource.name);
        makers.any(|maker| name.starts_with(maker) && name != maker)
            || (self.is_serverless() && name.starts_with("Serverless"))
    }
}

/// A JSON pointer of several tokens.
pub(super) fn pointer(tokens: &[&str]) -> String {
    let mut pointer = String::new();
    for token in tokens {
        push_pointer(&mut pointer, token);
    }
    pointer
}

/// Lists names in a sentence: `a`, `b` or `c`.
pub(super) fn listing<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if first.len() < 12 => format!("{} or {last}", first.join(", ")),
        many => format!("{} and {} more", many[..10].join(", "), many.len() - 10),
    }
}

/// The hint for a name that is not known: what was meant, or what there is.
pub(super) fn hint_for<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    match crate::spelling::closest(name, known.clone()) {
        Some(closest) => Some(format!("did you mean `{closest}`?")),
        None => Some(listing(known)).filter(|list| !list.is_empty()).map(|list| format!("there is {list}")),
    }
}
