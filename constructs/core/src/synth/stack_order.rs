//! The order of the stacks: each comes after those whose values it reads, and a circle names the values that make it.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::Diagnostic;

use super::resolve::{Resolver, StackArrow};
use crate::tree::NodeId;

/// The stacks that each stack comes after.
pub(crate) type StackDependencies = BTreeMap<NodeId, BTreeSet<NodeId>>;

/// The dependencies between stacks. A circle is reported with the values on its way.
pub(crate) fn dependencies(resolver: &mut Resolver<'_>, stacks: &[NodeId]) -> StackDependencies {
    let mut arrows: BTreeMap<(NodeId, NodeId), StackArrow> = BTreeMap::new();
    let declared: Vec<StackArrow> =
        stacks.iter().flat_map(|stack| declared_arrows(resolver, *stack)).collect();
    for arrow in resolver.arrows.iter().cloned().chain(declared) {
        arrows.entry((arrow.consumer, arrow.producer)).or_insert(arrow);
    }
    let mut dependencies: StackDependencies = stacks.iter().map(|stack| (*stack, BTreeSet::new())).collect();
    for (consumer, producer) in arrows.keys() {
        dependencies.entry(*consumer).or_default().insert(*producer);
    }
    if let Some(circle) = find_circle(&dependencies) {
        report_circle(resolver, &circle, &arrows);
    }
    dependencies
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

/// The first circle in the order of the stacks, each stack before the one that it depends on.
fn find_circle(dependencies: &StackDependencies) -> Option<Vec<NodeId>> {
    dependencies.keys().find_map(|start| {
        // Breadth first, so that the circle shown is a shortest one.
        let mut came_from: BTreeMap<NodeId, NodeId> = BTreeMap::new();
        let mut open = std::collections::VecDeque::from([*start]);
        while let Some(stack) = open.pop_front() {
            for next in dependencies.get(&stack).into_iter().flatten() {
                if next == start {
                    let mut circle: Vec<NodeId> =
                        std::iter::successors(Some(stack), |at| came_from.get(at).copied()).collect();
                    circle.reverse();
                    return Some(circle);
                }
                if !came_from.contains_key(next) {
                    came_from.insert(*next, stack);
                    open.push_back(*next);
                }
            }
        }
        None
    })
}

fn report_circle(
    resolver: &mut Resolver<'_>,
    circle: &[NodeId],
    arrows: &BTreeMap<(NodeId, NodeId), StackArrow>,
) {
    let arena = resolver.arena;
    let next = circle.iter().skip(1).chain(circle.first());
    let uses: Vec<String> = circle
        .iter()
        .zip(next)
        .filter_map(|pair| arrows.get(&(*pair.0, *pair.1)))
        .map(|arrow| format!("`{}` uses `{}`", arena.path(arrow.user), arrow.value))
        .collect();
    let names: Vec<String> = circle.iter().map(|stack| arena.path(*stack)).collect();
    let message =
        format!("stacks {} depend on each other in a circle: {}", names.join(", "), uses.join("; "));
    let hint = "move one of the two constructs into the other stack, or define a rule between them in the stack that comes last";
    let diagnostic = arena.locate(circle[0], Diagnostic::error("stack-circle", message).with_hint(hint));
    resolver.diagnostics.push(diagnostic);
}
