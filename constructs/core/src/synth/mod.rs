//! Synthesis: aspects, then values to JSON, then checks, then the files of the assembly.
//!
//! It is a pure function of the tree and its context. All mistakes are collected; when there is an error, nothing is
//! written.

mod check;
mod files;
mod logical_id;
mod resolve;
mod stack_order;
mod tags;
mod template;

use std::collections::BTreeMap;

use formwork_assembly::{AssemblyFiles, Diagnostic, Severity, json};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::app::App;
use crate::context::AssetDestination;
use crate::stack::StackData;
use crate::tree::{Arena, NodeId, NodeKind, Scope};

use files::FinishedStack;
pub(crate) use logical_id::logical_id;
use resolve::Resolver;
use template::{Sections, Structure};

/// What synthesis made.
#[derive(Clone, Debug)]
pub struct Synthesis {
    /// The files of the assembly.
    pub files: AssemblyFiles,
    /// The stacks, each after those that it depends on.
    pub stacks: Vec<StackSummary>,
    /// Warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
}

/// A stack in a few figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackSummary {
    /// The id of its artifact in the assembly.
    pub id: String,
    /// The name in CloudFormation.
    pub name: String,
    /// The size of its template in bytes.
    pub template_bytes: usize,
    /// The number of its resources.
    pub resources: usize,
    /// The ids of the stacks that it depends on.
    pub dependencies: Vec<String>,
}

/// Why nothing was written: every finding, errors and others.
#[derive(Clone, Debug, thiserror::Error)]
#[error("synthesis found {} {}", self.errors(), if self.errors() == 1 { "error" } else { "errors" })]
pub struct SynthesisError {
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
}

impl SynthesisError {
    /// The number of findings that are errors.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }
}

impl Synthesis {
    /// The template of a stack by its artifact id.
    pub fn template(&self, id: &str) -> Option<Json> {
        let bytes = self.files.get(&format!("{id}.template.json"))?;
        Some(serde_json::from_slice(bytes).expect("synthesis writes valid JSON"))
    }
}

impl App {
    /// Turns the tree into a checked cloud assembly in memory.
    ///
    /// # Errors
    /// Every mistake that was made while the tree grew and every fault of the templates, all at once.
    pub fn synth(&self) -> Result<Synthesis, SynthesisError> {
        self.report_unknown_context();
        self.visit_aspects();
        let arena = self.arena.borrow();
        let mut resolver = Resolver::new(&arena);
        let structure = Structure::new(&resolver);
        let stacks: Vec<NodeId> =
            arena.ids().filter(|id| matches!(arena.node(*id).kind, NodeKind::Stack(_))).collect();
        let mut sections: BTreeMap<NodeId, Sections> =
            stacks.iter().map(|id| (*id, Sections::default())).collect();
        for id in arena.ids() {
            if let Some(sections) = arena.node(id).stack.and_then(|stack| sections.get_mut(&stack)) {
                template::add_node(&mut resolver, &structure, id, sections);
            }
        }
        for stack in &stacks {
            for value in &stack_data(&arena, *stack).exports {
                resolver.share_all(value, *stack);
            }
        }
        let dependencies = stack_order::dependencies(&mut resolver, &stacks);
        let shared = std::mem::take(&mut resolver.shared);
        let none = BTreeMap::new();
        let mut found = Vec::new();
        let mut finished = Vec::new();
        let mut templates = Vec::new();
        for stack in &stacks {
            let data = stack_data(&arena, *stack);
            let sections = &sections[stack];
            let shared = shared.get(stack).unwrap_or(&none);
            let mut template = template::finish(&mut resolver, *stack, data, sections, shared);
            let settings = self.framework_settings();
            if settings.destination() == AssetDestination::Cdk {
                template::add_bootstrap_rule(
                    &mut template,
                    settings.qualifier(),
                    files::CDK_BOOTSTRAP_VERSION,
                );
            }
            let template = Json::Object(template);
            let text = json::to_text(&template);
            found.extend(check::template(&arena, *stack, data, sections, &template, text.len()));
            finished.push(FinishedStack { node: *stack, data, template: text });
            templates.push((*stack, template));
        }
        found.extend(check::assembly(&arena, &templates, &sections));
        let mut diagnostics = arena.diagnostics.clone();
        diagnostics.append(&mut resolver.diagnostics);
        diagnostics.append(&mut found);
        diagnostics.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.severity));
        if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return Err(SynthesisError { diagnostics });
        }
        let files = files::assembly_files(self, &arena, &finished, &dependencies, &diagnostics);
        let summaries = summaries(&arena, &finished, &templates, &dependencies);
        Ok(Synthesis { files, stacks: summaries, diagnostics })
    }

    /// Runs each aspect over its part of the tree. Nodes that aspects add are visited as well; the arena is not borrowed
    /// while an aspect runs.
    fn visit_aspects(&self) {
        let aspects = self.aspects.take();
        for (root, visit) in &aspects {
            let mut index = 0;
            while index < self.arena.borrow().nodes.len() {
                let node = {
                    let arena = self.arena.borrow();
                    let id = NodeId {
                        app: arena.app,
                        index: u32::try_from(index).expect("fewer than 2^32 nodes"),
                    };
                    arena.is_within(id, *root).then_some(id)
                };
                if let Some(node) = node {
                    visit(Scope { app: self, node });
                }
                index += 1;
            }
        }
        // Aspects are kept, so that a second synth of the same app does what the first did.
        let added = self.aspects.replace(aspects);
        self.aspects.borrow_mut().extend(added);
    }
}

fn stack_data(arena: &Arena, stack: NodeId) -> &StackData {
    match &arena.node(stack).kind {
        NodeKind::Stack(data) => data,
        other => unreachable!("only stacks are finished, not {other:?}"),
    }
}

/// The stacks in an order in which each comes after what it depends on, ties in the order of their definition.
fn summaries(
    arena: &Arena,
    finished: &[FinishedStack<'_>],
    templates: &[(NodeId, Json)],
    dependencies: &stack_order::StackGraph,
) -> Vec<StackSummary> {
    let made: BTreeMap<NodeId, (&FinishedStack<'_>, &Json)> = finished
        .iter()
        .zip(templates)
        .map(|(stack, (_, template))| (stack.node, (stack, template)))
        .collect();
    // Circles have been reported as errors, so there is an order.
    let ordered = dependencies.order().unwrap_or_default();
    let of_stacks = ordered.into_iter().filter_map(|node| made.get(node));
    of_stacks
        .map(|(stack, template)| StackSummary {
            id: files::artifact_id(arena, stack.node),
            name: stack.data.name.clone(),
            template_bytes: stack.template.len(),
            resources: template["Resources"].as_object().map_or(0, serde_json::Map::len),
            dependencies: files::artifacts_before(arena, dependencies, stack.node),
        })
        .collect()
}

#[cfg(test)]
mod tests;
