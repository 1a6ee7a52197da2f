//! Random calls, faults and times: whatever happens, every stack ends in a status of the table and can be deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Bench;
use crate::cloudformation::StackStatus;
use crate::cloudformation::faults::{Moment, Outcome, ResourceFault};

/// Numbers that look drawn by lot and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.below(items.len() as u64)).unwrap()]
    }
}

/// A template of topics and queues, some of which need others, import or export.
fn template(chance: &mut Chance, stack: &str) -> String {
    let mut resources = Vec::new();
    for (index, name) in ["A", "B", "C", "D"].iter().enumerate() {
        if chance.below(4) == 0 {
            continue;
        }
        let value = chance.below(3);
        // A fixed name makes a replacement.
        let queue = if chance.below(2) == 0 {
            format!(r#""QueueName": "{stack}-{name}-{value}""#)
        } else {
            format!(r#""DelaySeconds": {value}"#)
        };
        let needs = if index > 0 && chance.below(2) == 0 && !resources.is_empty() {
            r#", "DependsOn": "Always""#
        } else {
            ""
        };
        let policy = if chance.below(5) == 0 { r#", "DeletionPolicy": "Retain""# } else { "" };
        resources.push(format!(
            r#""{name}": {{"Type": "AWS::SQS::Queue", "Properties": {{{queue}}}{needs}{policy}}}"#
        ));
    }
    let import = if stack == "two" && chance.below(2) == 0 {
        r#"{"Fn::ImportValue": "one-shared"}"#
    } else {
        r#""plain""#
    };
    resources.push(format!(
        r#""Always": {{"Type": "AWS::SNS::Topic", "Properties": {{"DisplayName": {import}}}}}"#
    ));
    if stack == "one" && chance.below(2) == 0 {
        resources.push(
            r#""Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "inner"}, "DependsOn": "Always"}"#
                .to_owned(),
        );
    }
    let exports = chance.below(3) > 0;
    let outputs = if stack == "one" && exports {
        r#", "Outputs": {"O": {"Value": {"Ref": "Always"}, "Export": {"Name": "one-shared"}}}"#
    } else {
        ""
    };
    format!(r#"{{"Resources": {{{}}}{outputs}}}"#, resources.join(", "))
}

fn fault(chance: &mut Chance) -> ResourceFault {
    let outcome = match chance.below(4) {
        0 => Outcome::Never,
        1 => Outcome::Takes(Duration::from_secs(chance.below(500))),
        _ => Outcome::Fail { reason: "by chance".to_owned(), after: None },
    };
    ResourceFault {
        logical_id: chance.pick(&["A", "B", "C", "D", "Always", "Inner", "Deep"]).to_owned(),
        stack: None,
        moment: Some(chance.pick(&[Moment::Create, Moment::Update, Moment::Rollback, Moment::Delete])),
        attempt: None,
        outcome,
    }
}

fn step(bench: &mut Bench, chance: &mut Chance) {
    let stack = chance.pick(&["one", "two", "three"]);
    let flag = if chance.below(2) == 0 { "true" } else { "false" };
    match chance.below(12) {
        0..=3 => {
            let text = template(chance, stack);
            let kind = if bench.call("DescribeStacks", &[("StackName", stack)]).is_ok() {
                "UPDATE"
            } else {
                "CREATE"
            };
            let name = format!("set-{}", chance.0);
            let parameters = [
                ("StackName", stack),
                ("ChangeSetName", &name),
                ("ChangeSetType", kind),
                ("TemplateBody", &text),
                ("IncludeNestedStacks", flag),
            ];
            if let Ok(made) = bench.call("CreateChangeSet", &parameters) {
                bench.wait(5);
                let _ = bench.call("DescribeChangeSet", &[("ChangeSetName", &made.text("Id"))]);
                let _ = bench.call(
                    "ExecuteChangeSet",
                    &[("ChangeSetName", &made.text("Id")), ("DisableRollback", flag)],
                );
            }
        }
        4 => {
            let _ = bench.call("DeleteStack", &[("StackName", stack)]);
        }
        5 => {
            let _ =
                bench.call("DeleteStack", &[("StackName", stack), ("DeletionMode", "FORCE_DELETE_STACK")]);
        }
        6 => {
            let _ = bench.call("CancelUpdateStack", &[("StackName", stack)]);
        }
        7 => {
            let _ = bench.call("ContinueUpdateRollback", &[("StackName", stack), ("ForceRollback", flag)]);
        }
        8 => {
            let _ = bench.call("RollbackStack", &[("StackName", stack)]);
        }
        9 => {
            let fault = fault(chance);
            bench.world.faults.resources.push(fault);
        }
        10 => bench.world.faults.resources.clear(),
        _ => bench.wait(i64::try_from(chance.below(400)).unwrap()),
    }
}

/// Brings a stack to its end by what its status allows, as a patient person would.
fn clear(bench: &mut Bench, stack: &str) {
    for _ in 0..8 {
        bench.settle();
        let status = bench.status(stack);
        let call = match status.as_str() {
            "UPDATE_IN_PROGRESS" => "CancelUpdateStack",
            "UPDATE_ROLLBACK_FAILED" => "ContinueUpdateRollback",
            _ if status.contains("does not exist") => return,
            _ => "DeleteStack",
        };
        let _ = bench.call(call, &[("StackName", stack)]);
    }
    bench.settle();
    let status = bench.status(stack);
    // What never answers keeps a rollback or a clean-up open for good.
    let hangs = StackStatus::from_word(&status).is_some_and(StackStatus::is_in_progress);
    let importer = stack == "one" && !bench.status("two").contains("does not exist");
    assert!(
        hangs || importer || status.contains("does not exist"),
        "{stack}: {status}: {:#?}",
        bench.events(stack)
    );
}

/// A stack that is complete is what its template says, and nothing else.
fn check(bench: &Bench) {
    for stack in &bench.world.stacks {
        let complete = matches!(
            stack.status,
            StackStatus::CreateComplete | StackStatus::UpdateComplete | StackStatus::UpdateRollbackComplete
        );
        // An update of a creation that was left failed goes back to just that.
        let whole = !stack.events.iter().any(|it| it.physical_id == stack.id && it.status == "CREATE_FAILED");
        let Some(revision) = stack.revision.as_ref().filter(|_| complete && whole) else { continue };
        let wanted: Vec<&str> = revision.resources().map(|(id, _)| id).collect();
        let there: Vec<&str> = stack.resources.keys().map(String::as_str).collect();
        assert_eq!(there, wanted, "{} {}: {:#?}", stack.name, stack.status, told(stack));
        for (id, resource) in &stack.resources {
            assert!(resource.exists(), "{id} of {}: {:#?}", stack.name, told(stack));
            assert!(
                resource.status.ends_with("_COMPLETE") && !resource.status.starts_with("DELETE"),
                "{id} {}",
                resource.status
            );
        }
        assert!(stack.stable.is_none() && stack.operation.is_none());
    }
}

fn told(stack: &crate::cloudformation::state::Stack) -> Vec<String> {
    let line = |event: &crate::cloudformation::state::Event| {
        format!("{} {} {} {:?}", event.logical_id, event.physical_id, event.status, event.reason)
    };
    stack.events.iter().map(line).collect()
}

#[test]
fn whatever_happens_every_stack_comes_to_an_end() {
    let mut seen = BTreeSet::new();
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let mut bench = Bench::new();
        let inner = r#"{"Resources": {"Deep": {"Type": "AWS::SQS::Queue"}}}"#;
        bench.around.templates.insert("inner".to_owned(), inner.to_owned());
        for _ in 0..60 {
            step(&mut bench, &mut chance);
            check(&bench);
        }
        for stack in &bench.world.stacks {
            seen.extend(
                stack.events.iter().filter(|event| event.physical_id == stack.id).map(|event| event.status),
            );
        }
        bench.world.faults.resources.clear();
        // Importers first, since exports in use keep their stack.
        for stack in ["two", "three", "one"] {
            clear(&mut bench, stack);
        }
    }
    // Chance gets everywhere but into imports.
    assert_eq!(seen.len(), 18, "{seen:?}");
}
