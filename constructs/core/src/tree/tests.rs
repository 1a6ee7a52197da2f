//! Properties of every tree: ids are unique and do not depend on order, and no reference is lost.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value as Json;

use crate::{App, AppProps, CfnResource, Synthesis};

/// A resource: its stack, its construct within the stack, and the earlier resource that it refers to.
type Plan = Vec<(u8, u8, Option<prop::sample::Index>)>;

fn plans() -> impl Strategy<Value = Plan> {
    prop::collection::vec((0..3_u8, 0..4_u8, prop::option::of(any::<prop::sample::Index>())), 1..24)
}

/// Grows a plan. References go to stacks of a lower number only, so that there is no circle.
fn grow(plan: &Plan, order: impl Fn(usize) -> usize) -> (Synthesis, usize) {
    let app = App::new(AppProps::default());
    let mut stacks = BTreeMap::new();
    let mut scopes = BTreeMap::new();
    let mut made: Vec<(u8, crate::ResourceId)> = Vec::new();
    let mut references = 0;
    for position in 0..plan.len() {
        let (stack, group, target) = &plan[order(position)];
        let scope = *stacks.entry(*stack).or_insert_with(|| app.stack(&format!("stack-{stack}")));
        let scope = *scopes.entry((*stack, *group)).or_insert_with(|| scope.child(&format!("Group{group}")));
        let mut topic = CfnResource::new("AWS::SNS::Topic");
        let reachable: Vec<_> = made.iter().filter(|(other, _)| other <= stack).collect();
        if let (Some(target), false) = (target, reachable.is_empty()) {
            topic = topic.property("DisplayName", target.get(&reachable).1.attribute::<String>("TopicName"));
            references += 1;
        }
        made.push((*stack, topic.define(scope, &format!("Topic{}", order(position)))));
    }
    (app.synth().expect("no mistakes"), references)
}

fn resources(synthesis: &Synthesis) -> BTreeMap<String, BTreeSet<String>> {
    let names = |id: &str| {
        let template = synthesis.template(id).expect("the stack");
        template["Resources"].as_object().expect("resources").keys().cloned().collect()
    };
    synthesis.stacks.iter().map(|stack| (stack.id.clone(), names(&stack.id))).collect()
}

fn count(json: &Json, name: &str) -> usize {
    match json {
        Json::Object(fields) => {
            fields.iter().map(|(key, value)| usize::from(key == name) + count(value, name)).sum()
        }
        Json::Array(items) => items.iter().map(|item| count(item, name)).sum(),
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ids_are_unique_and_do_not_depend_on_the_order_of_siblings(plan in plans()) {
        let (forward, _) = grow(&plan, |position| position);
        let (backward, _) = grow(&plan, |position| plan.len() - 1 - position);
        let total: usize = resources(&forward).values().map(BTreeSet::len).sum();
        prop_assert_eq!(total, plan.len());
        prop_assert_eq!(resources(&forward), resources(&backward));
    }

    #[test]
    fn no_reference_is_lost_and_every_import_has_its_export(plan in plans()) {
        let (synthesis, references) = grow(&plan, |position| position);
        let templates: Vec<Json> =
            synthesis.stacks.iter().filter_map(|stack| synthesis.template(&stack.id)).collect();
        let read: usize = templates
            .iter()
            .map(|template| &template["Resources"])
            .map(|resources| count(resources, "Fn::GetAtt") + count(resources, "Fn::ImportValue"))
            .sum();
        prop_assert_eq!(read, references);
        let text = templates.iter().map(Json::to_string).collect::<String>();
        for template in &templates {
            for output in template["Outputs"].as_object().into_iter().flatten().map(|(_, output)| output) {
                let name = output["Export"]["Name"].as_str().expect("an export");
                let import = format!("{{\"Fn::ImportValue\":\"{name}\"}}");
                prop_assert!(text.contains(&import), "{} is imported nowhere", name);
            }
        }
    }

    #[test]
    fn a_stack_comes_after_all_that_it_depends_on(plan in plans()) {
        let (synthesis, _) = grow(&plan, |position| position);
        let mut seen = BTreeSet::new();
        for stack in &synthesis.stacks {
            prop_assert!(stack.dependencies.iter().all(|before| seen.contains(before)));
            seen.insert(stack.id.clone());
        }
    }
}
