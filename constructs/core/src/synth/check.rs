//! The checks of finished templates, with each finding brought home to the construct that caused it.

use std::collections::BTreeMap;

use formwork_assembly::Diagnostic;
use serde_json::Value as Json;

use super::template::Sections;
use crate::stack::StackData;
use crate::tree::{Arena, NodeId};

/// Checks one template against the schemas and limits of CloudFormation.
pub(crate) fn template(
    arena: &Arena,
    stack: NodeId,
    data: &StackData,
    sections: &Sections,
    template: &Json,
    bytes: usize,
) -> Vec<Diagnostic> {
    let options = formwork_schema::template::Options {
        region: data.environment.region.as_deref(),
        size_bytes: Some(bytes),
    };
    formwork_schema::template::validate_template(template, &options)
        .into_iter()
        .map(|finding| {
            let node = node_at(sections, &finding.pointer).unwrap_or(stack);
            let mut diagnostic = Diagnostic::new(finding.severity, finding.rule, finding.message);
            diagnostic.hint = finding.hint;
            diagnostic.template = Some(data.name.clone());
            diagnostic.pointer = Some(finding.pointer);
            arena.locate(node, diagnostic)
        })
        .collect()
}

/// The node behind a place in a template.
fn node_at(sections: &Sections, pointer: &str) -> Option<NodeId> {
    let mut parts = pointer.split('/').skip(1);
    let (section, name) = (parts.next()?, parts.next()?);
    sections.nodes.iter().find(|((known, id), _)| *known == section && id == name).map(|(_, node)| *node)
}

/// Checks what only all templates together can show: names that have to be unique in an account and region.
pub(crate) fn assembly(arena: &Arena, templates: &[(NodeId, Json)]) -> Vec<Diagnostic> {
    let mut stack_names: BTreeMap<(String, String, String), NodeId> = BTreeMap::new();
    let mut found = Vec::new();
    for (stack, _) in templates {
        let data = super::stack_data(arena, *stack);
        let environment = data.environment.clone();
        let key = (
            data.name.clone(),
            environment.account.unwrap_or_default(),
            environment.region.unwrap_or_default(),
        );
        if let Some(first) = stack_names.insert(key, *stack) {
            let message = format!("stack name `{}` is used by `{}` already", data.name, arena.path(first));
            let hint = "give one of the stacks another name";
            found.push(
                arena.locate(*stack, Diagnostic::error("duplicate-stack-name", message).with_hint(hint)),
            );
        }
    }
    found
}
