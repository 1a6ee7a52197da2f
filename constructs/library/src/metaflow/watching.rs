//! Who is told that flows do not get on: queues whose first job cannot start, and executions that fail.
//!
//! AWS Batch and Step Functions have no metric for things whose names are not known beforehand, as those of flows are;
//! they tell by events.
//!
//! Sources: AWS Batch User Guide, "Job queue blocked events"; AWS Step Functions Developer Guide, "Automating Step
//! Functions event delivery".

use formwork::{Diagnostic, Expression, Json, Properties, Scope, Severity, TopicArn, Value};
use formwork_resources::events::{CfnRule, RuleState, Target};

use super::compute::Queue;
use super::step_functions;

/// Tells a topic of queues whose first job cannot start, and why.
pub(super) fn blocked_queues(scope: Scope<'_>, queues: &[Queue], topic: &Value<TopicArn>) {
    let arns = Expression::List(queues.iter().map(|queue| queue.arn.expression().clone()).collect());
    let mut pattern = Properties::new()
        .with::<Vec<String>>("source", ["aws.batch"])
        .with::<Vec<String>>("detail-type", ["Batch Job Queue Blocked"]);
    pattern.put("resources", arns);
    rule(scope, "BlockedQueues", "The first job of a queue of Metaflow cannot start", pattern, topic);
}

/// Tells a topic of executions of flows that did not succeed.
pub(super) fn failed_executions(scope: Scope<'_>, topic: &Value<TopicArn>) {
    // A pattern of one event takes wildcards in ARNs of flows: `arn:...:stateMachine:STACK_*`.
    let machines = Properties::new().with("wildcard", step_functions::state_machines());
    let mut detail = Properties::new().with::<Vec<String>>("status", ["FAILED", "TIMED_OUT", "ABORTED"]);
    detail.put("stateMachineArn", Expression::List(vec![machines.into()]));
    let pattern = Properties::new()
        .with::<Vec<String>>("source", ["aws.states"])
        .with::<Vec<String>>("detail-type", ["Step Functions Execution Status Change"])
        .with::<Json>("detail", detail);
    rule(scope, "FailedExecutions", "An execution of a flow did not succeed", pattern, topic);
}

fn rule(scope: Scope<'_>, id: &str, about: &str, pattern: Properties, topic: &Value<TopicArn>) {
    CfnRule::new()
        .description(about)
        .state(RuleState::ENABLED)
        .event_pattern(pattern)
        .targets([Target::new("Operators", topic)])
        .define(scope, id);
    let message = "the policy of the topic has to let events.amazonaws.com publish to it";
    let hint = "in the topic's policy, allow sns:Publish to the service events.amazonaws.com for rules of this account";
    scope.report(Diagnostic::new(Severity::Note, "topic-policy", message).with_hint(hint));
}
