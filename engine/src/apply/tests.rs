//! The schedule in all orders in which things can happen.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::schedule::{Phase, Schedule, Step, Verdict};
use crate::plan::model::{Environment, FirstPhase, Operation, Plan, PlannedTemplate, StackPlan};

/// A plan of stacks that each need the named ones.
pub(crate) fn plan(stacks: &[(&str, &[&str])]) -> Plan {
    let stacks = stacks.iter().map(|(id, needs)| stack(id, needs)).collect();
    Plan {
        format: crate::plan::model::FORMAT,
        program: "0.0.0".to_owned(),
        run: "20260102-030405-abcd".to_owned(),
        command: crate::plan::model::Command::Deploy,
        created: "2026-01-02T03:04:05Z".parse().unwrap(),
        assembly: "cfn-out".to_owned(),
        environments: Vec::new(),
        options: Default::default(),
        stacks,
        digest: String::new(),
    }
}

fn stack(id: &str, needs: &[&str]) -> StackPlan {
    let value = serde_json::json!({
        "id": id,
        "name": id,
        "environment": {"account": "123456789012", "region": "us-east-1"},
        "operation": Operation::Update,
        "needs": needs,
    });
    let stack: StackPlan = serde_json::from_value(value).unwrap();
    assert_eq!(stack.environment, Environment { account: "123456789012".into(), region: "us-east-1".into() });
    stack
}

fn first(stack: usize) -> Step {
    Step { stack, phase: Phase::First }
}

fn second(stack: usize) -> Step {
    Step { stack, phase: Phase::Second }
}

fn schedule(plan: &Plan, concurrency: usize) -> Schedule {
    Schedule::of(plan, concurrency, false, |_| 1).unwrap()
}

#[test]
fn a_failure_takes_with_it_what_needs_it_and_nothing_else() {
    // net <- domain <- app, net <- proxy, other
    let plan = plan(&[
        ("net", &[]),
        ("domain", &["net"]),
        ("app", &["domain"]),
        ("proxy", &["net"]),
        ("other", &[]),
    ]);
    let mut schedule = schedule(&plan, 9);
    assert_eq!(schedule.start(), [first(0), first(4)]);
    assert_eq!(schedule.ended(first(0), Verdict::Fine), []);
    assert_eq!(schedule.start().into_iter().collect::<BTreeSet<_>>(), [first(1), first(3)].into());
    assert_eq!(schedule.ended(first(1), Verdict::Failed), [(first(2), Some(1))]);
    assert_eq!(schedule.ended(first(4), Verdict::Fine), []);
    assert_eq!(schedule.ended(first(3), Verdict::Fine), []);
    assert_eq!(schedule.start(), []);
}

/// Fault 45: the one that exports failed; fail-fast stops even what does not import.
#[test]
fn fail_fast_stops_all_that_has_not_started() {
    let plan = plan(&[("a", &[]), ("b", &[]), ("c", &["b"])]);
    let mut schedule = Schedule::of(&plan, 1, true, |_| 1).unwrap();
    let started = schedule.start();
    assert_eq!(started, [first(1)], "the longer way comes first");
    let skipped: BTreeSet<Step> =
        schedule.ended(first(1), Verdict::Failed).into_iter().map(|(step, _)| step).collect();
    assert_eq!(skipped, [first(0), first(2)].into());
    assert_eq!(schedule.start(), []);
}

/// Fault 44: an export in use is removed in two phases, the second after its importers.
#[test]
fn kept_exports_go_after_the_stacks_that_imported_them() {
    let mut plan = plan(&[("producer", &[]), ("consumer", &["producer"]), ("outside", &[])]);
    plan.stacks[0].first_phase = Some(FirstPhase {
        template: PlannedTemplate { sha256: String::new(), bytes: 0, url: None },
        kept_exports: [("vpc".to_owned(), vec!["consumer".to_owned()])].into(),
        then_after: vec!["consumer".to_owned()],
        held_by: Vec::new(),
    });
    let mut schedule = schedule(&plan, 1);
    let mut order = Vec::new();
    while let [step] = schedule.start()[..] {
        order.push(step);
        schedule.ended(step, Verdict::Fine);
    }
    let place = |step| order.iter().position(|other| *other == step).unwrap();
    assert_eq!(order.len(), 4);
    assert!(place(first(0)) < place(first(1)) && place(first(1)) < place(second(0)), "{order:?}");

    plan.stacks[0].first_phase.as_mut().unwrap().held_by.push("stranger".to_owned());
    let mut held = self::schedule(&plan, 9);
    let started = held.start();
    assert_eq!(held.ended(first(0), Verdict::Fine), []);
    assert!(started.contains(&first(0)));
    assert!(!held.start().contains(&second(0)), "somebody else still imports");
}

#[test]
fn a_circle_is_refused() {
    let plan = plan(&[("a", &["b"]), ("b", &["a"])]);
    assert!(Schedule::of(&plan, 1, false, |_| 1).is_err());
}

proptest! {
    /// Fault 45, in every order: nothing starts before what it needs has gone well, nobody waits for ever, and a
    /// failure stops exactly what needs it.
    #[test]
    fn in_every_order_each_stack_ends_once_and_after_what_it_needs(
        needs in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..12),
        fails in prop::collection::vec(prop::bool::weighted(0.2), 12),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 40),
        concurrency in 1usize..5,
        stop_after in prop::option::of(0usize..12),
    ) {
        let names: Vec<String> = (0..needs.len()).map(|it| format!("s{it}")).collect();
        let mut plan = plan(&[]);
        let mut wanted: Vec<BTreeSet<usize>> = Vec::new();
        for (index, needs) in needs.iter().enumerate() {
            let before: BTreeSet<usize> =
                needs.iter().filter(|_| index > 0).map(|need| need.index(index)).collect();
            let ids: Vec<&str> = before.iter().map(|need| names[*need].as_str()).collect();
            plan.stacks.push(stack(&names[index], &ids));
            wanted.push(before);
        }
        let mut schedule = schedule(&plan, concurrency);
        let (mut running, mut fine, mut failed, mut skipped) = (Vec::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut ends = 0;
        for pick in picks.iter().cycle().take(200) {
            for step in schedule.start() {
                prop_assert!(wanted[step.stack].is_subset(&fine), "{step:?} started too early");
                prop_assert!(!running.contains(&step.stack) && !fine.contains(&step.stack));
                running.push(step.stack);
            }
            prop_assert!(running.len() <= concurrency);
            if running.is_empty() {
                break;
            }
            let stack = running.remove(pick.index(running.len()));
            let verdict = if fails[stack] { Verdict::Failed } else { Verdict::Fine };
            (if fails[stack] { &mut failed } else { &mut fine }).insert(stack);
            for (step, cause) in schedule.ended(first(stack), verdict) {
                prop_assert_eq!(cause, Some(stack));
                prop_assert!(skipped.insert(step.stack));
            }
            ends += 1;
            if stop_after == Some(ends) {
                skipped.extend(schedule.stop().into_iter().map(|(step, _)| step.stack));
            }
        }
        prop_assert!(running.is_empty());
        prop_assert_eq!(fine.len() + failed.len() + skipped.len(), plan.stacks.len(), "each ends exactly once");
        if stop_after.is_none() {
            for (stack, needs) in wanted.iter().enumerate() {
                let stopped = needs.iter().any(|need| failed.contains(need) || skipped.contains(need));
                prop_assert_eq!(stopped, skipped.contains(&stack), "{} was stopped wrongly", stack);
            }
        }
    }
}
