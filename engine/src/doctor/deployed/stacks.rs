//! The statuses of stacks, and whose they are.

use super::super::Check;
use crate::aws::cloudformation::{Stack, StackStatus};
use crate::components::Found;
use crate::plan::owner::{Owner, TAG, owner};

/// The checks of a stack as a whole.
pub(super) fn checks(found: &Found) -> Vec<Check> {
    const NAME: &str = "stack-status";
    let name = &found.located.name;
    let stack = match &found.stack {
        Err(error) => return vec![Check::unknown(NAME, name, error)],
        Ok(None) => {
            let check = Check::skipped(NAME, name, "it is not deployed");
            return vec![check.with_hint(format!("`formwork deploy {name}` deploys it"))];
        }
        Ok(Some(stack)) => stack,
    };
    let mut checks = vec![status(NAME, name, stack)];
    if let Err(error) = &found.resources {
        checks.push(Check::unknown("stack-resources", name, error));
    }
    let whose = match owner(stack, &found.located.id, &[]) {
        Owner::Us => return checks,
        Owner::Another(mark) => format!("it belongs to another app: its tag {TAG} is `{mark}`"),
        Owner::Nobody => format!("Formwork did not make it: it has no tag {TAG}"),
    };
    let hint = format!("choose another prefix, or take it over with `formwork deploy {name} --adopt`");
    checks.push(Check::warning("stack-owner", name, whose).with_hint(hint));
    checks
}

fn status(check: &str, name: &str, stack: &Stack) -> Check {
    let status = &stack.status;
    let detail = match &stack.status_reason {
        Some(reason) => format!("{status}: {reason}"),
        None => status.to_string(),
    };
    let why = format!("`formwork diagnose {name}` tells why");
    match status {
        _ if status.is_success() => Check::ok(check, name, detail),
        StackStatus::UpdateRollbackComplete | StackStatus::ImportRollbackComplete => {
            let detail = format!("{detail}; it is as it was before the last deployment, which failed");
            Check::warning(check, name, detail).with_hint(format!("{why}; then `formwork deploy {name}`"))
        }
        StackStatus::ReviewInProgress => {
            let detail = format!("{detail}; it was planned and never made, so that there is nothing in it");
            Check::warning(check, name, detail)
                .with_hint(format!("`formwork deploy {name}` makes it, `formwork destroy {name}` removes it"))
        }
        _ if status.is_in_progress() => {
            Check::warning(check, name, format!("{detail}; something works on it"))
                .with_hint(format!("`formwork follow {name}` watches"))
        }
        StackStatus::RollbackComplete => {
            Check::failed(check, name, format!("{detail}; nothing is left of it"))
                .with_hint(format!("{why}; `formwork deploy {name}` deletes it and makes it again"))
        }
        StackStatus::UpdateRollbackFailed => Check::failed(check, name, detail).with_hint(format!(
            "{why}; then `formwork rollback {name}`, with --skip for what cannot be taken back"
        )),
        StackStatus::CreateFailed | StackStatus::UpdateFailed => Check::failed(check, name, detail)
            .with_hint(format!("{why}; then `formwork rollback {name}` or `formwork deploy {name}`")),
        StackStatus::RollbackFailed | StackStatus::DeleteFailed | StackStatus::ImportRollbackFailed => {
            Check::failed(check, name, detail).with_hint(format!(
                "{why}; then `formwork destroy {name}`, which names what cannot be deleted"
            ))
        }
        _ => Check::new(
            check,
            name,
            super::super::Outcome::Unknown,
            format!("{detail}; this word is not known here"),
        )
        .with_hint(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Outcome;
    use crate::plan::testing::stack;

    #[test]
    fn every_status_but_success_has_a_next_command() {
        for word in StackStatus::ALL {
            let check = status("stack-status", "web", &stack("web", word.clone()));
            assert_eq!(check.outcome == Outcome::Ok, word.is_success(), "{word}");
            let has_command = check.hint.as_deref().is_some_and(|hint| hint.contains("`formwork "));
            assert_eq!(has_command, !word.is_success(), "{word}");
        }
        let other = status("stack-status", "web", &stack("web", StackStatus::from("SPLENDID")));
        assert_eq!(other.outcome, Outcome::Unknown);
    }

    #[test]
    fn a_failed_rollback_is_a_failure_and_names_the_command() {
        let check = status("stack-status", "web", &stack("web", StackStatus::UpdateRollbackFailed));
        assert_eq!(check.outcome, Outcome::Failed);
        assert!(check.hint.unwrap().contains("formwork rollback web"));
    }
}
