//! Events of stacks and of operations.

use super::{Answer, Call, listed, render};
use crate::api::{ApiError, Element};
use crate::cloudformation::state::{Event, Stack, StackKey};

/// Events on a page.
const PAGE: usize = 100;

impl Call<'_, '_> {
    pub(super) fn describe_stack_events(&mut self) -> Answer {
        let key = self.bracketed()?;
        let stack = &self.engine.world.stacks[key];
        let newest: Vec<&Event> = self.stable_page(stack)?;
        let (start, size) = (self.offset(stack.events.len())?, PAGE);
        let next_start = start + size;
        let next = (newest.len() > size).then(|| {
            Element::text("NextToken", format!("events-{}-{next_start}", stack.events.len() - start))
        });
        let page = newest.into_iter().take(size).map(|event| render::event(stack, event));
        Ok(listed("StackEvents", page, next))
    }

    /// The events from the token on, newest first. New events must not shift what an old token means: it counts from the
    /// oldest.
    fn stable_page<'s>(&self, stack: &'s Stack) -> Result<Vec<&'s Event>, ApiError> {
        let start = self.offset(stack.events.len())?;
        Ok(stack.events.iter().rev().skip(start).take(PAGE + 1).collect())
    }

    fn offset(&self, count: usize) -> Result<usize, ApiError> {
        let Some(token) = self.parameters.get("NextToken") else { return Ok(0) };
        let invalid = || ApiError::validation("NextToken is invalid");
        let mut parts = token.strip_prefix("events-").ok_or_else(invalid)?.split('-');
        let mut number = || parts.next().and_then(|text| text.parse::<usize>().ok()).ok_or_else(invalid);
        let left = number()?.checked_sub(PAGE).ok_or_else(invalid)?;
        count.checked_sub(left).ok_or_else(invalid)
    }

    pub(super) fn describe_events(&mut self) -> Answer {
        let failed_only = self.parameters.flag("Filters.FailedEvents")
            || self.parameters.within("Filters").flag("FailedEvents");
        let mut items: Vec<Vec<Element>> = Vec::new();
        if self.parameters.get("ChangeSetName").is_some() {
            let (key, index) = self.change_set()?;
            let stack = &self.engine.world.stacks[key];
            items.extend(render::change_set_events(stack, &stack.change_sets[index], failed_only));
        } else {
            let operation = self.parameters.get("OperationId");
            let keys: Vec<StackKey> = match (self.parameters.get("StackName"), operation) {
                (Some(_), _) => vec![self.bracketed()?],
                (None, Some(operation)) => {
                    let world = &*self.engine.world;
                    (0..world.stacks.len())
                        .filter(|key| {
                            world.stacks[*key].events.iter().any(|event| event.operation == operation)
                        })
                        .collect()
                }
                (None, None) => {
                    return Err(ApiError::validation(
                        "Either StackName, ChangeSetName or OperationId must be specified",
                    ));
                }
            };
            for key in keys {
                let stack = &self.engine.world.stacks[key];
                let wanted = stack.events.iter().rev().filter(|event| {
                    operation.is_none_or(|id| event.operation == id)
                        && (!failed_only || event.status.ends_with("_FAILED") || event.hook.is_some())
                });
                items.extend(wanted.map(|event| render::operation_event(stack, event)));
            }
        }
        let (page, next) = self.page(items, PAGE)?;
        Ok(listed("OperationEvents", page, next))
    }

    pub(super) fn list_hook_results(&mut self) -> Answer {
        let mut results = Vec::new();
        let target = self.parameters.get("TargetId").unwrap_or_default();
        let found = self.engine.world.stack_of_change_set(target).or_else(|| self.find(target));
        if let Some(key) = found {
            let stack = &self.engine.world.stacks[key];
            for event in stack.events.iter().rev() {
                if let Some(hook) = &event.hook {
                    results.push(render::hook_result(event, hook));
                }
            }
        }
        let (page, next) = self.page(results, PAGE)?;
        Ok(listed("HookResults", page, next))
    }

    pub(super) fn get_hook_result(&mut self) -> Answer {
        let wanted = self.parameters.get("HookResultId").unwrap_or_default();
        let world = &*self.engine.world;
        let events = world.stacks.iter().flat_map(|stack| stack.events.iter().rev());
        let mut with_hooks = events.filter_map(|event| event.hook.as_ref().map(|hook| (event, hook)));
        match with_hooks.find(|(event, _)| event.id == wanted) {
            Some((event, hook)) => Ok(render::hook_result(event, hook)),
            None => Err(ApiError::new("HookResultNotFound", format!("Hook result {wanted} does not exist"))
                .with_status(404)),
        }
    }
}
