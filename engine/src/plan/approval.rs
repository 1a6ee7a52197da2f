//! What has to be approved before a plan is carried out, and what is missing for that.
//!
//! The result is data: the command line asks once for all stacks, or ends with an exit code where nobody can be asked.

use std::collections::BTreeSet;

use super::model::{Broadening, Command, Loss, LossKind, Operation, Plan};
use crate::error::{Class, EngineError};

/// When a plan has to be approved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Never.
    Never,
    /// When rights or reachability grow.
    #[default]
    Broadening,
    /// When anything changes.
    AnyChange,
}

impl std::str::FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Self::Never),
            "broadening" => Ok(Self::Broadening),
            "any-change" => Ok(Self::AnyChange),
            other => Err(format!("`{other}` is not one of never, broadening, any-change")),
        }
    }
}

/// What has to be said before a plan is carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Whether anything is done at all.
    pub changes: bool,
    /// Whether the plan has to be approved by the policy. A prompt or `--yes` does it.
    pub approval: bool,
    /// What grows, with the stacks' names.
    pub broadenings: Vec<(String, Broadening)>,
    /// What would be lost and is not allowed, with the stacks' names. No prompt and no `--yes` does it, only `--allow`.
    pub forbidden: Vec<(String, Loss)>,
    /// What is lost and allowed.
    pub allowed: Vec<(String, Loss)>,
}

impl Needs {
    /// What `--allow` has to name.
    pub fn missing(&self) -> BTreeSet<LossKind> {
        self.forbidden.iter().map(|(_, loss)| loss.by).collect()
    }

    /// Refuses losses that are not allowed.
    ///
    /// # Errors
    /// When there are such losses.
    pub fn refuse_losses(&self) -> Result<(), EngineError> {
        if self.forbidden.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> =
            self.forbidden.iter().map(|(stack, loss)| format!("stack {stack}: {}", loss.words)).collect();
        let words: Vec<&str> = self.missing().into_iter().map(word).collect();
        Err(EngineError::new(Class::Refused, format!("data would be lost:\n  {}", lines.join("\n  ")))
            .with_hint(format!("keep the data, or say --allow {} if it may be lost", words.join(","))))
    }
}

/// The word of `--allow` for a kind of loss.
pub fn word(kind: LossKind) -> &'static str {
    match kind {
        LossKind::Replace => "replace",
        LossKind::Delete => "delete",
    }
}

/// What has to be said before a plan is carried out. A destruction has to be approved whatever the policy says, unless
/// there is nothing to delete.
pub fn needs(plan: &Plan, policy: Policy, allow: &BTreeSet<LossKind>) -> Needs {
    let mut needs = Needs::default();
    for stack in plan.stacks.iter().filter(|stack| stack.operation != Operation::Nothing) {
        needs.changes = true;
        let named = |loss: &Loss| (stack.name.clone(), loss.clone());
        let (allowed, forbidden): (Vec<&Loss>, Vec<&Loss>) =
            stack.losses.iter().partition(|loss| allow.contains(&loss.by));
        needs.allowed.extend(allowed.into_iter().map(named));
        needs.forbidden.extend(forbidden.into_iter().map(named));
        needs.broadenings.extend(stack.broadenings.iter().map(|found| (stack.name.clone(), found.clone())));
    }
    let takes_over =
        plan.options.adopt && plan.stacks.iter().any(|stack| stack.adopted && stack.base.is_some());
    needs.approval = needs.changes
        && (plan.command == Command::Destroy
            || takes_over
            || match policy {
                Policy::Never => false,
                Policy::Broadening => !needs.broadenings.is_empty() || leaves_behind(plan),
                Policy::AnyChange => true,
            });
    needs
}

/// Whether the rest of a failed creation is deleted, and something of it stays that no stack has then.
fn leaves_behind(plan: &Plan) -> bool {
    plan.stacks.iter().any(|stack| stack.operation == Operation::Recreate && !stack.left.is_empty())
}

#[cfg(test)]
mod tests;
