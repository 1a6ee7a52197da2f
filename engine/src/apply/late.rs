//! Change sets that are made when their turn comes: what they need was not there when the plan was made.

use super::calls::while_running;
use super::schedule::{Phase, Step};
use super::step::Work;
use crate::error::{Class, EngineError};
use crate::plan::late::{LateOptions, change_set};
use crate::plan::model::PlannedChangeSet;

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
        // What this run, cut off before, has made of the stack is no change by somebody else.
        let of_stack = format!("{} ", stack.name);
        let begun = self
            .history
            .calls()
            .any(|call| call.operation == "CreateChangeSet" && call.target.starts_with(&of_stack));
        let options = LateOptions {
            parameters: self.options.parameters.clone(),
            second_phase: step.phase == Phase::Second,
            may_broaden: self.options.may_broaden,
            repeated: attempt > 0 || begun,
            ..LateOptions::default()
        };
        let made =
            Box::pin(change_set(self.plan, stack, &options, assembly, self.runtime, self.journal)).await;
        let made = made.map_err(|error| while_running(&stack.name, error))?;
        Ok(made.map(|made| made.planned))
    }
}
