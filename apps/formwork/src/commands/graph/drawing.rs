//! A drawing: named nodes in groups, and labelled arrows from each node to what it needs.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::{Graph, Reference, ReferenceKind, references};
use serde_json::Value as Json;

use crate::console::count;
use crate::report::{LoadedStack, StackReport};

/// What is drawn.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Drawing {
    pub(super) groups: Vec<Group>,
    pub(super) arrows: Vec<Arrow>,
}

/// Nodes that belong together. A group without a title has no frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) title: Option<String>,
    pub(super) nodes: Vec<Node>,
}

/// A stack or a resource.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// What tells it apart in the whole drawing.
    pub(super) key: String,
    pub(super) name: String,
    /// The second line: how much is in a stack, or the type of a resource.
    pub(super) detail: String,
}

/// An arrow from a node to one that it needs, with all reasons why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) reasons: Vec<String>,
}

impl Drawing {
    /// All nodes in the order of the drawing.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.groups.iter().flat_map(|group| &group.nodes)
    }

    /// The place of a node among all, which formats use as its identifier.
    pub(super) fn index(&self) -> BTreeMap<&str, usize> {
        self.nodes().enumerate().map(|(index, node)| (node.key.as_str(), index)).collect()
    }
}

/// The chosen stacks and all that they need.
pub(super) fn stacks(loaded: &[LoadedStack], selected: &[&StackReport]) -> Drawing {
    let mut graph: Graph<&str, ()> = Graph::new();
    for stack in loaded {
        graph.add_node(stack.report.id.as_str());
        for need in &stack.report.dependencies {
            graph.add_edge(stack.report.id.as_str(), need, ());
        }
    }
    let chosen: Vec<&str> = selected.iter().map(|stack| stack.id.as_str()).collect();
    let mut drawn: BTreeSet<&str> = graph.closure(&chosen).into_iter().copied().collect();
    drawn.extend(chosen);
    let drawn: Vec<&LoadedStack> =
        loaded.iter().filter(|stack| drawn.contains(stack.report.id.as_str())).collect();

    let outputs = Outputs::of(loaded);
    let mut arrows = Vec::new();
    for stack in &drawn {
        let found = references(stack.template.value());
        for need in &stack.report.dependencies {
            let named = found.list.iter().filter_map(|reference| outputs.find(reference));
            let reasons: BTreeSet<String> = named
                .filter(|output| output.stack.report.id == *need)
                .map(|output| output.name.to_owned())
                .collect();
            arrows.push(Arrow {
                from: stack.report.id.clone(),
                to: need.clone(),
                reasons: reasons.into_iter().collect(),
            });
        }
    }
    let node = |stack: &&LoadedStack| Node {
        key: stack.report.id.clone(),
        name: stack.report.id.clone(),
        detail: count(stack.report.resources, "resource"),
    };
    Drawing { groups: vec![Group { title: None, nodes: drawn.iter().map(node).collect() }], arrows }
}

/// The resources of the chosen stacks, one group a stack.
pub(super) fn resources(loaded: &[LoadedStack], selected: &[&StackReport]) -> Drawing {
    let outputs = Outputs::of(loaded);
    let mut groups = Vec::new();
    let mut reasons: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for stack in loaded.iter().filter(|stack| selected.iter().any(|chosen| chosen.id == stack.report.id)) {
        let template = stack.template.value();
        let entries = template["Resources"].as_object().into_iter().flatten();
        let mut nodes: Vec<Node> = entries
            .map(|(name, resource)| Node {
                key: key(stack, name),
                name: name.clone(),
                detail: resource["Type"].as_str().unwrap_or_default().to_owned(),
            })
            .collect();
        nodes.sort_by(|one, other| one.name.cmp(&other.name));
        groups.push(Group { title: Some(stack.report.id.clone()), nodes });
        for reference in references(template).list.iter().filter(|found| found.section == "Resources") {
            let from = key(stack, reference.owner);
            if reference.orders_resources() && template["Resources"].get(reference.target).is_some() {
                let to = key(stack, reference.target);
                reasons.entry((from, to)).or_default().insert(reason(reference));
            } else if let Some(output) = outputs.find(reference) {
                for name in output.resources() {
                    let to = key(output.stack, name);
                    reasons.entry((from.clone(), to)).or_default().insert(format!("output {}", output.name));
                }
            }
        }
    }
    let drawn: BTreeSet<&str> =
        groups.iter().flat_map(|group| &group.nodes).map(|node| node.key.as_str()).collect();
    let arrows = reasons
        .into_iter()
        .filter(|((from, to), _)| drawn.contains(from.as_str()) && drawn.contains(to.as_str()))
        .map(|((from, to), reasons)| Arrow { from, to, reasons: reasons.into_iter().collect() })
        .collect();
    Drawing { groups, arrows }
}

fn key(stack: &LoadedStack, name: &str) -> String {
    format!("{}/{name}", stack.report.id)
}

fn reason(reference: &Reference<'_>) -> String {
    let function = match reference.kind {
        ReferenceKind::GetAtt => "GetAtt",
        ReferenceKind::Sub => "Sub",
        ReferenceKind::DependsOn => "DependsOn",
        _ => "Ref",
    };
    match reference.attribute {
        Some(attribute) => format!("{function} {attribute}"),
        None => function.to_owned(),
    }
}

/// The outputs of all stacks, by which values cross from one to another.
struct Outputs<'s> {
    exports: BTreeMap<&'s str, Output<'s>>,
    by_stack: BTreeMap<(&'s str, &'s str), Output<'s>>,
}

/// An output of a stack.
#[derive(Clone, Copy)]
struct Output<'s> {
    stack: &'s LoadedStack,
    name: &'s str,
}

impl<'s> Outputs<'s> {
    fn of(loaded: &'s [LoadedStack]) -> Self {
        let mut outputs = Self { exports: BTreeMap::new(), by_stack: BTreeMap::new() };
        for stack in loaded {
            for (name, body) in stack.template.value()["Outputs"].as_object().into_iter().flatten() {
                let output = Output { stack, name };
                outputs.by_stack.insert((&stack.report.name, name), output);
                if let Some(export) = body["Export"]["Name"].as_str() {
                    outputs.exports.insert(export, output);
                }
            }
        }
        outputs
    }

    /// The output that a reference reads.
    fn find(&self, reference: &Reference<'_>) -> Option<Output<'s>> {
        match (reference.kind, reference.attribute) {
            (ReferenceKind::ImportValue, _) => self.exports.get(reference.target).copied(),
            (ReferenceKind::GetStackOutput, Some(output)) => {
                self.by_stack.get(&(reference.target, output)).copied()
            }
            _ => None,
        }
    }
}

impl<'s> Output<'s> {
    /// The resources that its value is made of.
    fn resources(self) -> Vec<&'s str> {
        let template: &Json = self.stack.template.value();
        references(template)
            .list
            .into_iter()
            .filter(|found| found.section == "Outputs" && found.owner == self.name)
            .filter(|found| found.orders_resources() && template["Resources"].get(found.target).is_some())
            .map(|found| found.target)
            .collect()
    }
}
