//! Conditions: each is a function of parameters, and they may not be circular.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html>.

use formwork_assembly::{Graph, ReferenceKind};

use super::context::{Context, pointer};

pub(super) fn check(context: &mut Context<'_>) {
    let mut graph = Graph::new();
    for reference in &context.references.list {
        if reference.section == "Conditions" && reference.kind == ReferenceKind::Condition {
            graph.add_edge(reference.owner, reference.target, reference.pointer.clone());
        }
    }
    for cycle in graph.cycles() {
        let Some((first, _)) = cycle.steps.first() else { continue };
        let place = pointer(&["Conditions", first]);
        context.error("circular-condition", place, format!("conditions need each other: {cycle}")).hint =
            Some("a condition is computed from parameters: break the circle".to_owned());
    }
}
