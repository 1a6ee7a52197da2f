//! The order of the stacks: each comes after those whose values it reads, and a circle names the values that make it.

use std::collections::BTreeMap;

use formwork_assembly::{Cycle, Diagnostic, Graph};

use super::resolve::{Resolver, StackArrow};
use crate::tree::NodeId;

/// The stacks in the order of their definition, each with those that it comes after and a value that makes it so.
pub(crate) type StackGraph = Graph<NodeId, StackArrow>;

/// What each stack comes after. Circles are reported with the values on their way.
pub(crate) fn dependencies(resolver: &mut Resolver<'_>, stacks: &[NodeId]) -> StackGraph {
    let mut arrows: BTreeMap<(NodeId, NodeId), StackArrow> = BTreeMap::new();
    let declared: Vec<StackArrow> =
        stacks.iter().flat_map(|stack| declared_arrows(resolver, *stack)).collect();
    for arrow in resolver.arrows.iter().cloned().chain(declared) {
        arrows.entry((arrow.consumer, arrow.producer)).or_insert(arrow);
    }
    let mut graph = StackGraph::new();
    stacks.iter().for_each(|stack| graph.add_node(*stack));
    for ((consumer, producer), arrow) in arrows {
        graph.add_edge(consumer, producer, arrow);
    }
    let circles: Vec<Diagnostic> = graph.cycles().iter().map(|circle| in_words(resolver, circle)).collect();
    resolver.diagnostics.extend(circles);
    graph
}

/// The arrows of `depends_on` on a stack as a whole.
fn declared_arrows(resolver: &Resolver<'_>, stack: NodeId) -> Vec<StackArrow> {
    let arena = resolver.arena;
    arena
        .ancestors(stack)
        .flat_map(|node| arena.node(node).depends_on.iter())
        .filter_map(|target| Some((arena.node(*target).stack?, *target)))
        .filter(|(producer, _)| *producer != stack)
        .map(|(producer, target)| StackArrow {
            consumer: stack,
            producer,
            user: stack,
            value: arena.path(target),
        })
        .collect()
}

fn in_words(resolver: &Resolver<'_>, circle: &Cycle<'_, NodeId, StackArrow>) -> Diagnostic {
    let arena = resolver.arena;
    let names: Vec<String> = circle.steps.iter().map(|(stack, _)| arena.path(**stack)).collect();
    let uses: Vec<String> = circle
        .steps
        .iter()
        .map(|(_, arrow)| format!("`{}` uses `{}`", arena.path(arrow.user), arrow.value))
        .collect();
    let message =
        format!("stacks {} depend on each other in a circle: {}", names.join(", "), uses.join("; "));
    let hint = "move one of the two constructs into the other stack, or define a rule between them in the stack that comes last";
    arena.locate(*circle.steps[0].0, Diagnostic::error("stack-circle", message).with_hint(hint))
}
