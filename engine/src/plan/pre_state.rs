//! What is done with a stack in each of its statuses: one table, so that none is forgotten.
//!
//! CloudFormation takes an update of a stack in some statuses only, and in the others it tells so with an error that
//! names no way out. The table is what its API reference says about each status, with the way out.

use crate::aws::cloudformation::StackStatus;

/// What comes next for a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is made.
    Create,
    /// It never came to be: it is deleted, then made.
    Recreate,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
    /// There is nothing to do.
    Nothing,
    /// Somebody works on it: wait, then look again.
    Wait,
    /// Work that was paused by `--no-rollback` goes on in the same way, or has to be taken back first.
    Paused,
    /// Somebody has to act first; the command that does, with `{}` for the stack's name.
    Refuse(&'static str),
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The status.
    pub status: StackStatus,
    /// What a deployment does.
    pub deploy: Step,
    /// What a destruction does.
    pub destroy: Step,
}

/// What is done when there is no stack of the name.
pub const ABSENT: (Step, Step) = (Step::Create, Step::Nothing);

const RETAIN: &str = "formwork destroy {} --retain LOGICAL_ID";
const ROLLBACK: &str = "formwork rollback {}";

/// The table, in the order of the API reference.
pub fn table() -> Vec<Row> {
    use StackStatus as S;
    use Step::{Create, Delete, Nothing, Paused, Recreate, Refuse, Update, Wait};
    [
        (S::CreateInProgress, Wait, Wait),
        (S::CreateFailed, Paused, Delete),
        (S::CreateComplete, Update, Delete),
        (S::RollbackInProgress, Wait, Wait),
        (S::RollbackFailed, Refuse(RETAIN), Delete),
        (S::RollbackComplete, Recreate, Delete),
        (S::DeleteInProgress, Wait, Wait),
        (S::DeleteFailed, Refuse(RETAIN), Delete),
        (S::DeleteComplete, Create, Nothing),
        (S::UpdateInProgress, Wait, Wait),
        // Its outputs are final, but CloudFormation takes no other operation before the old resources are gone.
        (S::UpdateCompleteCleanupInProgress, Wait, Wait),
        (S::UpdateComplete, Update, Delete),
        (S::UpdateFailed, Paused, Delete),
        (S::UpdateRollbackInProgress, Wait, Wait),
        (S::UpdateRollbackFailed, Refuse(ROLLBACK), Delete),
        (S::UpdateRollbackCompleteCleanupInProgress, Wait, Wait),
        (S::UpdateRollbackComplete, Update, Delete),
        // A shell that a change set of type CREATE made: it has no resource.
        (S::ReviewInProgress, Create, Delete),
        (S::ImportInProgress, Wait, Wait),
        (S::ImportComplete, Update, Delete),
        (S::ImportRollbackInProgress, Wait, Wait),
        (S::ImportRollbackFailed, Refuse(ROLLBACK), Delete),
        (S::ImportRollbackComplete, Update, Delete),
    ]
    .map(|(status, deploy, destroy)| Row { status, deploy, destroy })
    .into()
}

/// What is done with a stack of this status on `deploy`, and on `destroy`. A status that the API has learnt since is
/// waited for when its word says that work goes on, and refused otherwise.
pub fn steps(status: Option<&StackStatus>) -> (Step, Step) {
    let Some(status) = status else { return ABSENT };
    match table().into_iter().find(|row| row.status == *status) {
        Some(row) => (row.deploy, row.destroy),
        None if status.is_in_progress() => (Step::Wait, Step::Wait),
        None => (Step::Refuse("formwork status {}"), Step::Refuse("formwork status {}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_the_api_has_one_row() {
        let rows = table();
        for status in StackStatus::ALL {
            let count = rows.iter().filter(|row| row.status == *status).count();
            assert_eq!(count, 1, "{status} has {count} rows");
        }
        assert_eq!(rows.len(), 23);
    }

    #[test]
    fn what_goes_on_is_waited_for_and_nothing_else_is() {
        for row in table() {
            let waits = row.status.is_in_progress();
            assert_eq!(row.deploy == Step::Wait, waits, "deploy of {}", row.status);
            assert_eq!(row.destroy == Step::Wait, waits, "destroy of {}", row.status);
        }
    }

    #[test]
    fn what_failed_for_good_is_never_updated() {
        for row in table() {
            if row.status.as_str().ends_with("_FAILED") {
                assert!(matches!(row.deploy, Step::Refuse(_) | Step::Paused), "{}", row.status);
            }
            if let Step::Refuse(command) = row.deploy {
                assert!(command.starts_with("formwork ") && command.contains("{}"), "{command}");
            }
        }
    }

    #[test]
    fn a_word_that_is_not_known_is_never_acted_on() {
        assert_eq!(steps(Some(&StackStatus::from("REFACTOR_IN_PROGRESS"))), (Step::Wait, Step::Wait));
        assert!(matches!(steps(Some(&StackStatus::from("FROZEN"))), (Step::Refuse(_), Step::Refuse(_))));
        assert_eq!(steps(None), (Step::Create, Step::Nothing));
    }
}
