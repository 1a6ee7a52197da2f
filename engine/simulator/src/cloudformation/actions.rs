//! The calls, one function each, and the table that finds them.

use super::Context;
use super::operation::Engine;
use super::state::StackKey;
use crate::api::{ApiError, Content, Element, Parameters};

mod change_sets;
pub(super) mod drift;
mod events;
mod keeping;
mod lists;
mod making;
mod nested;
mod operations;
mod render;
mod request;
mod stacks;
mod templates;
mod tokens;

type Answer = Result<Vec<Element>, ApiError>;

/// A call with everything that it knows.
struct Call<'c, 'e> {
    engine: &'c mut Engine<'e>,
    context: &'c Context,
    action: &'c str,
    parameters: &'c Parameters,
}

/// Answers a call.
pub(super) fn call(
    engine: &mut Engine<'_>,
    context: &Context,
    action: &str,
    parameters: &Parameters,
) -> Answer {
    let Some((_, run)) = ACTIONS.iter().find(|(name, _)| *name == action) else {
        return Err(ApiError::new(
            "InvalidAction",
            format!("Could not find operation {action} for version 2010-05-15"),
        ));
    };
    let mut call = Call { engine, context, action, parameters };
    let token = call.token_key();
    if let Some(key) = &token
        && let Some(answer) = call.repeated(key)
    {
        return answer;
    }
    let answer = run(&mut call)?;
    if let Some(key) = token {
        call.remember(key, &answer);
    }
    Ok(answer)
}

/// What answers one call.
type Run = for<'c, 'e, 's> fn(&'s mut Call<'c, 'e>) -> Answer;

const ACTIONS: &[(&str, Run)] = &[
    ("CancelUpdateStack", |call| call.cancel_update_stack()),
    ("ContinueUpdateRollback", |call| call.continue_update_rollback()),
    ("CreateChangeSet", |call| call.create_change_set()),
    ("CreateStack", |call| call.create_stack()),
    ("DeleteChangeSet", |call| call.delete_change_set()),
    ("DeleteStack", |call| call.delete_stack()),
    ("DescribeAccountLimits", |call| call.describe_account_limits()),
    ("DescribeChangeSet", |call| call.describe_change_set()),
    ("DescribeChangeSetHooks", |call| call.describe_change_set_hooks()),
    ("DescribeEvents", |call| call.describe_events()),
    ("DescribeStackDriftDetectionStatus", |call| call.describe_drift_detection()),
    ("DescribeStackEvents", |call| call.describe_stack_events()),
    ("DescribeStackResource", |call| call.describe_stack_resource()),
    ("DescribeStackResourceDrifts", |call| call.describe_resource_drifts()),
    ("DescribeStackResources", |call| call.describe_stack_resources()),
    ("DescribeStacks", |call| call.describe_stacks()),
    ("DescribeType", |call| call.describe_type()),
    ("DetectStackDrift", |call| call.detect_stack_drift()),
    ("ExecuteChangeSet", |call| call.execute_change_set()),
    ("GetHookResult", |call| call.get_hook_result()),
    ("GetStackPolicy", |call| call.get_stack_policy()),
    ("GetTemplate", |call| call.get_template()),
    ("GetTemplateSummary", |call| call.get_template_summary()),
    ("ListChangeSets", |call| call.list_change_sets()),
    ("ListExports", |call| call.list_exports()),
    ("ListHookResults", |call| call.list_hook_results()),
    ("ListImports", |call| call.list_imports()),
    ("ListStackResources", |call| call.list_stack_resources()),
    ("ListStacks", |call| call.list_stacks()),
    ("RollbackStack", |call| call.rollback_stack()),
    ("SetStackPolicy", |call| call.set_stack_policy()),
    ("SignalResource", |call| call.signal_resource()),
    ("UpdateStack", |call| call.update_stack()),
    ("UpdateTerminationProtection", |call| call.update_termination_protection()),
    ("ValidateTemplate", |call| call.validate_template()),
];

impl Call<'_, '_> {
    /// The stack of a name or ARN.
    fn find(&self, name: &str) -> Option<StackKey> {
        self.engine.world.find(&self.context.account, &self.context.region, name)
    }

    /// The stack that the call names, or what CloudFormation says of one that is not there.
    fn existing(&self, message: impl Fn(&str) -> String) -> Result<StackKey, ApiError> {
        let name = self.parameters.required("StackName")?;
        self.find(name).ok_or_else(|| ApiError::validation(message(name)))
    }

    /// The stack that the call names; `Stack [X] does not exist`.
    fn bracketed(&self) -> Result<StackKey, ApiError> {
        self.existing(|name| format!("Stack [{name}] does not exist"))
    }

    /// A page of a list: the items from the token on, and the token of the next page.
    fn page<T>(&self, items: Vec<T>, size: usize) -> Result<(Vec<T>, Option<Element>), ApiError> {
        let token = self.parameters.get("NextToken");
        let start = match token {
            None => 0,
            // A token says what it belongs to and where it goes on.
            Some(token) => token
                .strip_prefix("page-")
                .and_then(|rest| rest.rsplit('-').next())
                .and_then(|digits| digits.parse::<usize>().ok())
                .filter(|start| *start <= items.len())
                .ok_or_else(|| ApiError::validation("NextToken is invalid"))?,
        };
        let rest = items.len().saturating_sub(start);
        let page: Vec<T> = items.into_iter().skip(start).take(size).collect();
        let next = (rest > size)
            .then(|| Element::text("NextToken", format!("page-{}-{}", self.action, start + size)));
        Ok((page, next))
    }
}

/// A list of elements with a next token after it.
fn listed(name: &str, items: impl IntoIterator<Item = Vec<Element>>, next: Option<Element>) -> Vec<Element> {
    let mut elements = vec![Element::list(name, items.into_iter().map(Content::Elements))];
    elements.extend(next);
    elements
}
