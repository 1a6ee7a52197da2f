//! Calls that stop an operation, or go on with one that did not end well.

use std::collections::BTreeSet;

use super::{Answer, Call};
use crate::api::{ApiError, Element};
use crate::cloudformation::operation::{Phase, Settings};
use crate::cloudformation::status::StackStatus;

impl Call<'_, '_> {
    pub(super) fn cancel_update_stack(&mut self) -> Answer {
        let key = self.bracketed()?;
        let stack = &self.engine.world.stacks[key];
        let applying = stack.operation.as_ref().is_some_and(|it| it.phase == Phase::Apply);
        if stack.status != StackStatus::UpdateInProgress || !applying {
            return Err(ApiError::validation("CancelUpdateStack cannot be called from current stack status"));
        }
        let token = self.token().map(str::to_owned);
        let operation = self.engine.operation(key);
        operation.settings.disable_rollback = false;
        // What happens from now on happens because of this call.
        if token.is_some() {
            operation.settings.token = token;
        }
        self.engine.fail_operation(key, "User Initiated");
        Ok(Vec::new())
    }

    pub(super) fn continue_update_rollback(&mut self) -> Answer {
        let key = self.bracketed()?;
        let stack = &self.engine.world.stacks[key];
        if stack.status != StackStatus::UpdateRollbackFailed {
            return Err(ApiError::validation(format!(
                "Stack:{} is in {} state and can not continue update rollback.",
                stack.id, stack.status
            )));
        }
        let skip: BTreeSet<String> =
            self.parameters.list("ResourcesToSkip").into_iter().map(str::to_owned).collect();
        // Only what failed may be left out; a resource of a nested stack is named `Nested.Logical`.
        let bad: Vec<&str> = skip
            .iter()
            .filter(|id| !id.contains('.'))
            .filter(|id| stack.resources.get(*id).is_none_or(|it| it.status != "UPDATE_FAILED"))
            .map(String::as_str)
            .collect();
        if !bad.is_empty() {
            return Err(ApiError::validation(format!(
                "The following resources to skip are not in the UPDATE_FAILED state: [{}]",
                bad.join(", ")
            )));
        }
        let settings = Settings {
            token: self.token().map(str::to_owned),
            skip,
            force: self.parameters.flag("ForceRollback"),
            ..Settings::default()
        };
        let status = StackStatus::UpdateRollbackInProgress;
        self.engine.begin(key, "CONTINUE_ROLLBACK", Phase::Revert, status, "User Initiated", settings);
        Ok(Vec::new())
    }

    pub(super) fn rollback_stack(&mut self) -> Answer {
        let key = self.bracketed()?;
        let stack = &self.engine.world.stacks[key];
        let (id, status) = (stack.id.clone(), stack.status);
        if stack.express {
            return Err(ApiError::validation(format!(
                "RollbackStack cannot be called on stack [{id}], whose last operation was in EXPRESS mode"
            )));
        }
        let (phase, next) = match status {
            StackStatus::CreateFailed => (Phase::Undo, StackStatus::RollbackInProgress),
            StackStatus::UpdateFailed => (Phase::Revert, StackStatus::UpdateRollbackInProgress),
            _ => {
                return Err(ApiError::validation(format!(
                    "Stack:{id} is in {status} state and can not be rolled back."
                )));
            }
        };
        let settings = Settings {
            token: self.token().map(str::to_owned),
            retain_except_on_create: self.parameters.flag("RetainExceptOnCreate"),
            ..Settings::default()
        };
        let operation = self.engine.begin(key, "ROLLBACK", phase, next, "User Initiated", settings);
        Ok(vec![Element::text("StackId", id), Element::text("OperationId", operation)])
    }

    pub(super) fn signal_resource(&mut self) -> Answer {
        let key = self.bracketed()?;
        let id = self.parameters.required("LogicalResourceId")?;
        match self.engine.world.stacks[key].resources.get(id) {
            Some(_) => Ok(Vec::new()),
            None => Err(ApiError::validation(format!("Resource {id} does not exist for stack"))),
        }
    }
}
