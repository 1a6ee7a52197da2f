//! The order of resources: circles, and dependencies that are written twice.

use std::collections::BTreeMap;

use formwork_assembly::{Graph, ReferenceKind};

use super::context::{Context, pointer};

pub(super) fn check(context: &mut Context<'_>) {
    let mut graph: Graph<&str, &str> = Graph::new();
    // What refers to what by a function, with the first place where it does.
    let mut by_function: BTreeMap<(&str, &str), (&str, &str)> = BTreeMap::new();
    let references = context.references.list.clone();
    for reference in &references {
        let both = context.resources.contains_key(reference.owner)
            && context.resources.contains_key(reference.target);
        if reference.section != "Resources" || !reference.orders_resources() || !both {
            continue;
        }
        graph.add_edge(reference.owner, reference.target, &reference.pointer);
        let name = match reference.kind {
            ReferenceKind::Ref => "Ref",
            ReferenceKind::GetAtt => "Fn::GetAtt",
            ReferenceKind::Sub => "Fn::Sub",
            _ => continue,
        };
        by_function.entry((reference.owner, reference.target)).or_insert((name, &reference.pointer));
    }
    redundant(context, &references, &by_function);
    cycles(context, &graph);
}

fn redundant(
    context: &mut Context<'_>,
    references: &[formwork_assembly::Reference<'_>],
    by_function: &BTreeMap<(&str, &str), (&str, &str)>,
) {
    for reference in references.iter().filter(|reference| reference.kind == ReferenceKind::DependsOn) {
        if let Some((function, place)) = by_function.get(&(reference.owner, reference.target)) {
            let message = format!(
                "`DependsOn` repeats `{}`, which `{function}` at {place} orders already",
                reference.target
            );
            context.warning("redundant-depends-on", &reference.pointer, message).hint =
                Some("remove it".to_owned());
        }
    }
}

fn cycles(context: &mut Context<'_>, graph: &Graph<&str, &str>) {
    for cycle in graph.cycles() {
        // The serverless transform splits resources, and with them their circles.
        let split =
            |name: &&str| context.resources.get(name).is_some_and(|resource| resource.is_serverless());
        if cycle.steps.iter().any(|(name, _)| split(name)) {
            continue;
        }
        let Some((first, _)) = cycle.steps.first() else { continue };
        let places: Vec<&str> = cycle.steps.iter().map(|(_, place)| **place).collect();
        let message = match cycle.steps.len() {
            1 => format!("the resource `{first}` refers to itself at {}", places[0]),
            _ => format!("circular dependency: {cycle}, by {}", places.join(", ")),
        };
        let hint = "move one of the references into a resource of its own, such as a policy or a rule of a security group";
        context.error("circular-dependency", pointer(&["Resources", first]), message).hint =
            Some(hint.to_owned());
    }
}
