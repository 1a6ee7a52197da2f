//! Change sets that are made when their turn comes: what they need was not there when the plan was made.

use super::calls::while_running;
use super::schedule::{Phase, Step};
use super::step::Work;
use crate::error::{Class, EngineError};
use crate::journal::History;
use crate::journal::history::Fate;
use crate::plan::change_set::is_in;
use crate::plan::late::{LateOptions, change_set};
use crate::plan::model::{Environment, PlannedChangeSet};

impl Work<'_> {
    /// Makes the change set of a stack from the template that was approved; nothing when it would change nothing.
    pub(super) async fn late_change_set(
        &self,
        step: Step,
        attempt: u32,
    ) -> Result<Option<PlannedChangeSet>, EngineError> {
        let stack = self.stack(step);
        let Some(assembly) = self.assembly else {
            return Err(EngineError::new(
                Class::Input,
                format!(
                    "stack {}: its change set is still to be made, and the assembly is not there",
                    stack.name
                ),
            )
            .with_hint(format!(
                "put the assembly back at {}, or start anew with `formwork deploy`",
                self.plan.assembly
            )));
        };
        let options = LateOptions {
            parameters: self.options.parameters.clone(),
            second_phase: step.phase == Phase::Second,
            may_broaden: self.options.may_broaden,
            repeated: attempt > 0 || has_begun(&self.history, &stack.name, &stack.environment),
            ..LateOptions::default()
        };
        let made =
            Box::pin(change_set(self.plan, stack, &options, assembly, self.runtime, self.journal)).await;
        let made = made.map_err(|error| while_running(&stack.name, error))?;
        Ok(made.map(|made| made.planned))
    }
}

/// Whether this run, cut off before, has made a change set of the stack: what it made of the stack is no change by somebody
/// else. A stack of the same name in another place is another stack.
fn has_begun(history: &History, name: &str, place: &Environment) -> bool {
    let of_stack = format!("{name} ");
    history.calls().any(|call| {
        let is_here = match call.fate {
            Fate::Done => {
                let arn = call.names.get("changeSet");
                arn.is_some_and(|arn| is_in(arn, &place.region, &place.account))
            }
            // Nobody knows where it was made, nor whether.
            Fate::Open => true,
            Fate::Refused(_) => false,
        };
        call.operation == "CreateChangeSet" && call.target.starts_with(&of_stack) && is_here
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::journal::{Intent, Journal};

    fn place(region: &str) -> Environment {
        Environment { account: "1".to_owned(), region: region.to_owned() }
    }

    #[test]
    fn stack_of_the_same_name_in_another_region_has_not_begun() {
        let journal = Journal::in_memory();
        let begun = |name: &str, region: &str| has_begun(&journal.history(), name, &place(region));
        let ticket = journal.intent(Intent::new("CreateChangeSet", "net fw-1 late")).unwrap();
        assert!(begun("net", "eu-west-1") && begun("net", "us-east-1"), "nobody knows where it is made");
        let arn = "arn:aws:cloudformation:eu-west-1:1:changeSet/fw-1/x".to_owned();
        journal.outcome(&ticket, Ok(BTreeMap::from([("changeSet".to_owned(), arn)])));
        assert!(begun("net", "eu-west-1"));
        assert!(!begun("net", "us-east-1") && !begun("network", "eu-west-1"));
    }
}
