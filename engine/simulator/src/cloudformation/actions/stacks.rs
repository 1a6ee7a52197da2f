//! Stacks: made and changed directly, told, deleted.

use std::sync::Arc;
use std::time::Duration;

use formwork_assembly::limits;

use super::making::NO_UPDATES;
use super::request::Changed;
use super::{Answer, Call, listed, render};
use crate::api::{ApiError, Element};
use crate::cloudformation::operation::{Phase, Settings, Step};
use crate::cloudformation::revision;
use crate::cloudformation::state::StackKey;
use crate::cloudformation::status::StackStatus;

impl Call<'_, '_> {
    /// A new stack in review.
    pub(super) fn new_stack(&mut self, name: &str) -> Result<StackKey, ApiError> {
        if name.starts_with("arn:") {
            return Err(ApiError::validation(format!("Stack [{name}] does not exist")));
        }
        self.check_name("stackName", name, limits::STACK_NAME)?;
        let (account, region) = (&self.context.account, &self.context.region);
        let limit = self.engine.world.options.stack_limit;
        if self.engine.world.living(account, region).count() >= limit {
            return Err(ApiError::new(
                "LimitExceededException",
                format!("Limit for stack has been exceeded; {limit} stacks are allowed"),
            ));
        }
        let now = self.context.now;
        Ok(self.engine.world.add_stack(account, region, &self.context.partition, name, now))
    }

    pub(super) fn create_stack(&mut self) -> Answer {
        let name = self.parameters.required("StackName")?;
        if self.find(name).is_some() {
            return Err(ApiError::new("AlreadyExistsException", format!("Stack [{name}] already exists")));
        }
        let key = self.new_stack(name)?;
        let made = self.request(None).and_then(|request| {
            let engine = &*self.engine;
            revision::make(engine.world, &*engine.around, key, &request)
        });
        let revision = match made {
            Ok(revision) => revision,
            Err(error) => {
                self.engine.world.drop_last_stack(key);
                return Err(error);
            }
        };
        let on_failure = self.parameters.get("OnFailure");
        let settings = Settings {
            token: self.token().map(str::to_owned),
            disable_rollback: self.parameters.flag("DisableRollback") || on_failure == Some("DO_NOTHING"),
            delete_on_failure: on_failure == Some("DELETE"),
            retain_except_on_create: self.parameters.flag("RetainExceptOnCreate"),
            ..Settings::default()
        };
        let minutes: Option<u32> = self.parameters.get("TimeoutInMinutes").and_then(|text| text.parse().ok());
        let policy = self.parameters.get("StackPolicyBody").map(str::to_owned);
        let protected = self.parameters.flag("EnableTerminationProtection");
        self.start_revision(key, Arc::new(revision), Changed { creating: true, import: false }, settings);
        let stack = self.engine.stack(key);
        stack.policy = policy;
        stack.termination_protection = protected;
        stack.timeout_minutes = minutes;
        let id = stack.id.clone();
        if let Some(minutes) = minutes {
            let operation = self.engine.operation(key).id.clone();
            let wait = Duration::from_secs(u64::from(minutes) * 60);
            self.engine.after(wait, Step::Timeout { stack: key, operation });
        }
        Ok(vec![Element::text("StackId", id)])
    }

    pub(super) fn update_stack(&mut self) -> Answer {
        let key = self.bracketed()?;
        let stack = &self.engine.world.stacks[key];
        if !stack.status.takes_updates() {
            return Err(ApiError::validation(format!(
                "Stack:{} is in {} state and can not be updated.",
                stack.id, stack.status
            )));
        }
        let request = self.request(Some(key))?;
        let revision = revision::make(self.engine.world, &*self.engine.around, key, &request)?;
        let failed = matches!(
            self.engine.world.stacks[key].status,
            StackStatus::CreateFailed | StackStatus::UpdateFailed
        );
        if !failed && self.engine.changes_nothing(key, &revision) {
            return Err(ApiError::validation(NO_UPDATES));
        }
        let settings = Settings {
            token: self.token().map(str::to_owned),
            disable_rollback: self.parameters.flag("DisableRollback"),
            retain_except_on_create: self.parameters.flag("RetainExceptOnCreate"),
            ..Settings::default()
        };
        let id = self.engine.world.stacks[key].id.clone();
        self.start_revision(key, Arc::new(revision), Changed { creating: false, import: false }, settings);
        Ok(vec![Element::text("StackId", id)])
    }

    pub(super) fn describe_stacks(&mut self) -> Answer {
        let keys: Vec<StackKey> = match self.parameters.get("StackName") {
            Some(_) => vec![self.existing(|name| format!("Stack with id {name} does not exist"))?],
            None => self.engine.world.living(&self.context.account, &self.context.region).collect(),
        };
        let (keys, next) = self.page(keys, 50)?;
        Ok(listed("Stacks", keys.into_iter().map(|key| render::stack(self.engine.world, key)), next))
    }

    pub(super) fn list_stacks(&mut self) -> Answer {
        let filter = self.parameters.list("StackStatusFilter");
        if let Some(unknown) = filter.iter().find(|word| StackStatus::from_word(word).is_none()) {
            return Err(ApiError::validation(format!(
                "1 validation error detected: Value '[{unknown}]' at 'stackStatusFilter' failed to satisfy constraint"
            )));
        }
        let world = &*self.engine.world;
        // Deleted stacks are told for 90 days.
        let day = jiff::SignedDuration::from_hours(24 * 90);
        let mut keys: Vec<StackKey> = (0..world.stacks.len())
            .rev()
            .filter(|key| {
                let stack = &world.stacks[*key];
                stack.account == self.context.account
                    && stack.region == self.context.region
                    && (filter.is_empty() || filter.contains(&stack.status.as_str()))
                    && stack.deleted.is_none_or(|at| self.context.now.duration_since(at) < day)
            })
            .collect();
        keys.sort_by_key(|key| std::cmp::Reverse((world.stacks[*key].created, *key)));
        let (keys, next) = self.page(keys, 100)?;
        Ok(listed("StackSummaries", keys.into_iter().map(|key| render::stack_summary(world, key)), next))
    }

    pub(super) fn delete_stack(&mut self) -> Answer {
        let name = self.parameters.required("StackName")?;
        // There is nothing to do where there is nothing.
        let Some(key) = self.find(name) else { return Ok(Vec::new()) };
        let stack = &self.engine.world.stacks[key];
        let (id, status) = (stack.id.clone(), stack.status);
        if matches!(status, StackStatus::DeleteComplete | StackStatus::DeleteInProgress) {
            return Ok(Vec::new());
        }
        if stack.termination_protection {
            return Err(ApiError::validation(format!(
                "Stack [{}] cannot be deleted while TerminationProtection is enabled",
                stack.name
            )));
        }
        if !status.successors().contains(&StackStatus::DeleteInProgress)
            || matches!(
                status,
                StackStatus::UpdateInProgress
                    | StackStatus::UpdateRollbackInProgress
                    | StackStatus::UpdateCompleteCleanupInProgress
                    | StackStatus::UpdateRollbackCompleteCleanupInProgress
            )
        {
            return Err(ApiError::validation(format!(
                "Stack [{id}] cannot be deleted while in status {status}"
            )));
        }
        let retain = self.parameters.list("RetainResources");
        if !retain.is_empty() && status != StackStatus::DeleteFailed {
            return Err(ApiError::validation(format!(
                "Invalid operation on stack [{id}]. When you delete a stack, specify which resources to retain only when \
                 the stack is in the DELETE_FAILED state."
            )));
        }
        let force = match self.parameters.get("DeletionMode") {
            None | Some("STANDARD") => false,
            Some("FORCE_DELETE_STACK") if status == StackStatus::DeleteFailed => true,
            Some("FORCE_DELETE_STACK") => {
                return Err(ApiError::validation(format!(
                    "Invalid operation on stack [{id}]. FORCE_DELETE_STACK can only be used when the stack is in the \
                     DELETE_FAILED state."
                )));
            }
            Some(other) => {
                return Err(ApiError::validation(format!(
                    "1 validation error detected: Value '{other}' at 'deletionMode' failed to satisfy constraint: Member \
                     must satisfy enum value set: [STANDARD, FORCE_DELETE_STACK]"
                )));
            }
        };
        let settings = Settings {
            token: self.token().map(str::to_owned),
            skip: retain.into_iter().map(str::to_owned).collect(),
            force,
            ..Settings::default()
        };
        self.engine.stack(key).deletion_mode = self.parameters.get("DeletionMode").map(str::to_owned);
        let in_review = status == StackStatus::ReviewInProgress;
        let reason = if in_review { "" } else { "User Initiated" };
        self.engine.begin(
            key,
            "DELETE_STACK",
            Phase::Delete,
            StackStatus::DeleteInProgress,
            reason,
            settings,
        );
        Ok(Vec::new())
    }

    pub(super) fn update_termination_protection(&mut self) -> Answer {
        let key = self.existing(|name| format!("Stack [{name}] does not exist"))?;
        let wanted = self.parameters.flag("EnableTerminationProtection");
        let stack = self.engine.stack(key);
        if stack.deleted.is_some() {
            return Err(ApiError::validation(format!("Stack [{}] does not exist", stack.name)));
        }
        stack.termination_protection = wanted;
        Ok(vec![Element::text("StackId", &stack.id)])
    }

    pub(super) fn set_stack_policy(&mut self) -> Answer {
        let key = self.bracketed()?;
        let body = self.parameters.get("StackPolicyBody").unwrap_or_default();
        if serde_json::from_str::<serde_json::Value>(body).is_err() {
            return Err(ApiError::validation("Error validating stack policy: Invalid stack policy"));
        }
        self.engine.stack(key).policy = Some(body.to_owned());
        Ok(Vec::new())
    }

    pub(super) fn get_stack_policy(&mut self) -> Answer {
        let key = self.bracketed()?;
        let policy = self.engine.world.stacks[key].policy.as_deref();
        Ok(policy.map(|text| Element::text("StackPolicyBody", text)).into_iter().collect())
    }
}
