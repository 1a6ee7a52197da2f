//! The longest way through a plan, by the typical times of resource types: how long a run takes at best, and because of
//! what.
//!
//! It is an estimate and decides nothing but which of several stacks starts first. Inside a stack the way goes along the
//! references of its template, as CloudFormation makes a resource after all that it names.

use formwork_assembly::references::references;
use formwork_assembly::{CloudAssembly, Graph};
use serde_json::Value;

use super::model::{Operation, Plan, StackPlan};
use crate::follow::typical_seconds;

/// How long an operation is taken to last about whose resources nothing is known, in seconds.
const UNKNOWN_SECONDS: u64 = 30;

/// A stack on the longest way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CriticalStack {
    /// The stack's name in CloudFormation.
    pub name: String,
    /// How long its operation typically takes, in seconds.
    pub seconds: u64,
    /// The resources that it waits for, each after the one before.
    pub resources: Vec<CriticalResource>,
}

/// A resource on the longest way of its stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CriticalResource {
    /// The logical id.
    pub logical_id: String,
    /// The type.
    pub resource_type: String,
    /// How long one of its type typically takes, in seconds.
    pub seconds: u64,
}

/// The longest way through a plan: stacks of which each waits for the one before. Without the assembly the way inside a
/// stack is its slowest resource.
pub fn critical_path(plan: &Plan, assembly: Option<&CloudAssembly>) -> Vec<CriticalStack> {
    let stacks: Vec<CriticalStack> =
        ways(plan, assembly).into_iter().zip(&plan.stacks).map(|(way, stack)| in_stack(way, stack)).collect();
    let place = |id: &String| plan.stacks.iter().position(|stack| stack.id == *id);
    let mut graph = Graph::new();
    for (index, stack) in plan.stacks.iter().enumerate() {
        graph.add_node(index);
        stack.needs.iter().filter_map(place).for_each(|need| graph.add_edge(index, need, ()));
    }
    let way = longest(&graph, |index| stacks[*index].seconds);
    way.into_iter().filter(|index| stacks[*index].seconds > 0).map(|index| stacks[index].clone()).collect()
}

fn in_stack(resources: Vec<CriticalResource>, stack: &StackPlan) -> CriticalStack {
    let seconds = seconds(&resources, stack);
    CriticalStack { name: stack.name.clone(), seconds, resources }
}

/// How long a stack's operation typically takes along a way, in seconds.
fn seconds(way: &[CriticalResource], stack: &StackPlan) -> u64 {
    match stack.operation {
        Operation::Nothing => 0,
        _ if stack.changes.is_empty() => UNKNOWN_SECONDS,
        _ => way.iter().map(|resource| resource.seconds).sum(),
    }
}

/// How long the operation of each stack of a plan typically takes, in seconds.
pub(crate) fn seconds_of_stacks(plan: &Plan, assembly: Option<&CloudAssembly>) -> Vec<u64> {
    ways(plan, assembly).iter().zip(&plan.stacks).map(|(way, stack)| seconds(way, stack)).collect()
}

/// The longest way inside each stack of a plan.
fn ways(plan: &Plan, assembly: Option<&CloudAssembly>) -> Vec<Vec<CriticalResource>> {
    let artifacts = assembly.and_then(|assembly| assembly.stacks().ok()).unwrap_or_default();
    let template = |stack: &StackPlan| {
        let artifact = artifacts.iter().find(|artifact| artifact.id == stack.id)?;
        assembly?.template(artifact).ok()
    };
    plan.stacks.iter().map(|stack| way_inside(stack, template(stack).as_ref())).collect()
}

fn way_inside(stack: &StackPlan, template: Option<&Value>) -> Vec<CriticalResource> {
    let mut graph = Graph::new();
    for index in 0..stack.changes.len() {
        graph.add_node(index);
    }
    let place = |id: &str| stack.changes.iter().position(|change| change.logical_id == id);
    for reference in template.map(references).unwrap_or_default().list {
        let orders = reference.section == "Resources" && reference.orders_resources();
        if let (true, Some(owner), Some(target)) = (orders, place(reference.owner), place(reference.target)) {
            graph.add_edge(owner, target, ());
        }
    }
    let resource = |index: usize| CriticalResource {
        logical_id: stack.changes[index].logical_id.clone(),
        resource_type: stack.changes[index].resource_type.clone(),
        seconds: typical_seconds(&stack.changes[index].resource_type),
    };
    let way = longest(&graph, |index| typical_seconds(&stack.changes[*index].resource_type));
    way.into_iter().map(resource).collect()
}

/// The longest way through a graph, each node after the one that it needs; empty where nodes need each other in a circle.
fn longest(graph: &Graph<usize, ()>, seconds: impl Fn(&usize) -> u64) -> Vec<usize> {
    let Ok(order) = graph.order() else { return Vec::new() };
    // The end of the longest way to each node, and the node before it.
    let mut ends: Vec<(u64, Option<usize>)> = vec![(0, None); order.len()];
    for node in &order {
        let before = graph.needs(node).map(|(need, ())| *need).max_by_key(|need| ends[*need].0);
        ends[**node] = (before.map_or(0, |need| ends[need].0) + seconds(node), before);
    }
    let mut way = Vec::new();
    let mut at = (0..ends.len()).max_by_key(|node| ends[*node].0);
    while let Some(node) = at {
        way.push(node);
        at = ends[node].1;
    }
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::changes::between;
    use crate::plan::testing;

    /// A new stack with resources of a template.
    fn stack(id: &str, needs: &[&str], template: &Value) -> StackPlan {
        StackPlan {
            id: id.to_owned(),
            name: id.to_owned(),
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            changes: between(None, template),
            ..testing::plan().stacks.remove(0)
        }
    }

    #[test]
    fn the_longest_way_inside_a_stack_follows_its_references() {
        let template = json!({"Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC"},
            "Nat": {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": {"Ref": "Vpc"}}},
            "Role": {"Type": "AWS::IAM::Role"}
        }});
        let stack = stack("net", &[], &template);
        let ids = |template: Option<&Value>| -> Vec<String> {
            way_inside(&stack, template).into_iter().map(|resource| resource.logical_id).collect()
        };
        assert_eq!(ids(Some(&template)), ["Vpc", "Nat"]);
        assert_eq!(ids(None), ["Nat"], "without a template it is the slowest resource");
        assert_eq!(seconds(&way_inside(&stack, Some(&template)), &stack), 132);
    }

    #[test]
    fn the_longest_way_through_a_plan_goes_along_what_stacks_need() {
        let one = |kind: &str| json!({"Resources": {"Main": {"Type": kind}}});
        let mut still = stack("still", &["domain"], &one("AWS::RDS::DBInstance"));
        still.operation = Operation::Nothing;
        let plan = Plan {
            stacks: vec![
                stack("net", &[], &one("AWS::EC2::VPC")),
                stack("domain", &["net"], &one("AWS::SageMaker::Domain")),
                stack("proxy", &["net"], &one("AWS::SNS::Topic")),
                still,
            ],
            ..testing::plan()
        };
        let way = critical_path(&plan, None);
        let names: Vec<(&str, u64)> = way.iter().map(|stack| (stack.name.as_str(), stack.seconds)).collect();
        assert_eq!(names, [("net", 12), ("domain", 300)]);
    }
}
