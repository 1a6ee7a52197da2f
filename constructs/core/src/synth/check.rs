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
    let options =
        formwork_schema::Options { region: data.environment.region.as_deref(), size_bytes: Some(bytes) };
    formwork_schema::validate_template(template, &options)
        .into_iter()
        .map(|finding| bring_home(arena, stack, sections, finding))
        .collect()
}

/// A finding about a place in a template as one about the construct behind that place.
fn bring_home(
    arena: &Arena,
    stack: NodeId,
    sections: &Sections,
    finding: formwork_schema::Finding,
) -> Diagnostic {
    let node = node_at(sections, &finding.pointer).unwrap_or(stack);
    let mut diagnostic = Diagnostic::new(finding.severity, finding.rule, finding.message);
    diagnostic.hint = finding.hint;
    diagnostic.template = Some(super::stack_data(arena, stack).name.clone());
    diagnostic.pointer = Some(finding.pointer);
    arena.locate(node, diagnostic)
}

/// The node behind a place in a template.
fn node_at(sections: &Sections, pointer: &str) -> Option<NodeId> {
    let mut parts = pointer.split('/').skip(1);
    let (section, name) = (parts.next()?, parts.next()?);
    sections.nodes.iter().find(|((known, id), _)| *known == section && id == name).map(|(_, node)| *node)
}

/// Checks what only all templates together can show: names that have to be unique in an account and region.
pub(crate) fn assembly(
    arena: &Arena,
    templates: &[(NodeId, Json)],
    sections: &BTreeMap<NodeId, Sections>,
) -> Vec<Diagnostic> {
    let mut by_environment: BTreeMap<_, Vec<&(NodeId, Json)>> = BTreeMap::new();
    for entry in templates {
        let environment = super::stack_data(arena, entry.0).environment.clone();
        by_environment.entry((environment.account, environment.region)).or_default().push(entry);
    }
    by_environment.values().flat_map(|together| unique_names(arena, together, sections)).collect()
}

fn unique_names(
    arena: &Arena,
    together: &[&(NodeId, Json)],
    sections: &BTreeMap<NodeId, Sections>,
) -> Vec<Diagnostic> {
    let mut stacks: BTreeMap<&str, NodeId> = BTreeMap::new();
    let mut found = Vec::new();
    for (stack, _) in together {
        let name = super::stack_data(arena, *stack).name.as_str();
        if let Some(first) = stacks.get(name) {
            let message = format!("stack name `{name}` is used by `{}` already", arena.path(*first));
            let hint = "give one of the stacks another name";
            found.push(
                arena.locate(*stack, Diagnostic::error("duplicate-stack-name", message).with_hint(hint)),
            );
        } else {
            stacks.insert(name, *stack);
        }
    }
    let named =
        together.iter().map(|(stack, template)| (super::stack_data(arena, *stack).name.as_str(), template));
    for (name, finding) in formwork_schema::duplicate_exports(named) {
        let stack = stacks[name];
        found.push(bring_home(arena, stack, &sections[&stack], finding));
    }
    found
}
