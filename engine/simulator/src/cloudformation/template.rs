//! A template as CloudFormation reads it: parsed, checked and asked for its parts.
//!
//! What is refused here is refused by the call itself (`ValidateTemplate`, `CreateChangeSet`); what only shows once values
//! are known is told by [`evaluate`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use formwork_assembly::template_file::TemplateFormat;
use formwork_assembly::{Graph, ReferenceKind, TemplateFile, references};
use serde_json::{Map, Value};

use crate::api::ApiError;

mod capabilities;
mod check;
mod cidr;
pub(crate) mod evaluate;
pub(crate) mod parameters;

/// A template.
#[derive(Debug)]
pub(crate) struct Template {
    /// The text as it came.
    pub(crate) text: String,
    /// The long form.
    pub(crate) value: Value,
    /// The resources that each resource needs.
    pub(crate) needs: BTreeMap<String, BTreeSet<String>>,
}

impl Template {
    /// Reads a template and refuses what CloudFormation refuses at once.
    pub(crate) fn parse(text: &str) -> Result<Arc<Self>, ApiError> {
        let file = TemplateFile::from_bytes("template", text.as_bytes()).map_err(|error| {
            let format = if text.trim_start().starts_with('{') { "JSON" } else { "YAML" };
            let place = error
                .place
                .map_or_else(String::new, |place| format!(" (line {}, column {})", place.line, place.column));
            ApiError::validation(format!("Template format error: {format} not well-formed.{place}"))
        })?;
        if file.format() == TemplateFormat::Yaml && file.first_alias().is_some() {
            return Err(ApiError::validation(
                "Template error: YAML aliases are not allowed in CloudFormation templates",
            ));
        }
        let mut template = Self { text: text.to_owned(), value: file.into_value(), needs: BTreeMap::new() };
        check::shape(&template)?;
        check::references(&template)?;
        template.needs = template.order()?;
        Ok(Arc::new(template))
    }

    fn order(&self) -> Result<BTreeMap<String, BTreeSet<String>>, ApiError> {
        let mut needs: BTreeMap<String, BTreeSet<String>> =
            self.resources().map(|(id, _)| (id.to_owned(), BTreeSet::new())).collect();
        for reference in references(&self.value).list {
            let target = reference.target;
            let ordered = reference.section == "Resources" && reference.orders_resources();
            if ordered
                && self.resource(target).is_some()
                && let Some(needed) = needs.get_mut(reference.owner)
            {
                needed.insert(target.to_owned());
            }
        }
        let mut graph: Graph<&str, ()> = Graph::new();
        for (id, needed) in &needs {
            graph.add_node(id);
            needed.iter().for_each(|target| graph.add_edge(id, target, ()));
        }
        let circle = graph.order().err().map(|cycles| {
            let names: BTreeSet<&str> =
                cycles.iter().flat_map(|cycle| cycle.steps.iter().map(|(node, ())| **node)).collect();
            names.into_iter().collect::<Vec<_>>().join(", ")
        });
        match circle {
            Some(names) => {
                Err(ApiError::validation(format!("Circular dependency between resources: [{names}]")))
            }
            None => Ok(needs),
        }
    }

    fn section(&self, name: &str) -> Option<&Map<String, Value>> {
        self.value.get(name).and_then(Value::as_object)
    }

    fn entries(&self, section: &str) -> impl Iterator<Item = (&str, &Value)> {
        self.section(section).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    /// The resources by logical id.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries("Resources")
    }

    /// A resource.
    pub(crate) fn resource(&self, id: &str) -> Option<&Value> {
        self.section("Resources")?.get(id)
    }

    /// The type of a resource.
    pub(crate) fn resource_type(&self, id: &str) -> &str {
        self.resource(id).and_then(|it| it.get("Type")).and_then(Value::as_str).unwrap_or_default()
    }

    /// The parameters by name.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries("Parameters")
    }

    /// The outputs by name.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries("Outputs")
    }

    /// The conditions by name.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries("Conditions")
    }

    /// The description.
    pub(crate) fn description(&self) -> Option<&str> {
        self.value.get("Description").and_then(Value::as_str)
    }

    /// The transforms that it declares.
    pub(crate) fn transforms(&self) -> Vec<&str> {
        match self.value.get("Transform") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The capabilities that it needs and the reason, as `ValidateTemplate` tells them.
    pub(crate) fn capabilities(&self) -> (Vec<&'static str>, Option<String>) {
        capabilities::of(self)
    }

    /// Refuses a call that grants less than the template needs.
    pub(crate) fn check_capabilities(&self, granted: &[&str]) -> Result<(), ApiError> {
        capabilities::check(self, granted)
    }

    /// The functions `Fn::ImportValue` of the entries for which `wanted` holds, as section and name of the entry with the
    /// argument of the function.
    pub(crate) fn imports(&self) -> Vec<(&str, &str, &Value)> {
        let mut found = Vec::new();
        for section in ["Resources", "Outputs"] {
            for (name, entry) in self.entries(section) {
                let mut arguments = Vec::new();
                collect_imports(entry, &mut arguments);
                found.extend(arguments.into_iter().map(|argument| (section, name, argument)));
            }
        }
        found
    }

    /// Whether a reference of this kind names a parameter of this name in the value.
    pub(crate) fn has_parameter(&self, name: &str) -> bool {
        self.section("Parameters").is_some_and(|parameters| parameters.contains_key(name))
    }
}

fn collect_imports<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_imports(item, found)),
        Value::Object(members) => {
            for (name, inner) in members {
                if name == "Fn::ImportValue" && members.len() == 1 {
                    found.push(inner);
                }
                collect_imports(inner, found);
            }
        }
        _ => {}
    }
}

/// The names that a value refers to: parameters, resources and attributes, without CloudFormation's own.
pub(crate) fn mentioned(value: &Value) -> Vec<(String, Option<String>)> {
    // The walk over a template wants a template: the value stands as the property of one resource.
    let wrapped = serde_json::json!({"Resources": {"It": {"Properties": {"Value": value}}}});
    references(&wrapped)
        .list
        .into_iter()
        .filter(|it| {
            matches!(it.kind, ReferenceKind::Ref | ReferenceKind::GetAtt | ReferenceKind::Sub)
                && !it.is_pseudo_parameter()
        })
        .map(|it| (it.target.to_owned(), it.attribute.map(str::to_owned)))
        .collect()
}

#[cfg(test)]
mod tests;
