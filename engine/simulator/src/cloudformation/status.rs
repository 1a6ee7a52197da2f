//! The statuses of stacks as one table: which may follow which.
//!
//! The table is what the user guide's page on stack statuses says in prose. Every change of a status goes through it, so
//! that a mistake in an operation shows at once and not as a strange answer much later.

use std::fmt;

macro_rules! statuses {
    ($($variant:ident = $word:literal => [$($next:ident)*],)*) => {
        /// The status of a stack.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum StackStatus {
            $(#[doc = concat!("`", $word, "`")] $variant,)*
        }

        impl StackStatus {
            /// All statuses, in the order of the API reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word of the API.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The statuses that may follow this one.
            pub fn successors(self) -> &'static [Self] {
                match self {
                    $(Self::$variant => &[$(Self::$next,)*],)*
                }
            }
        }
    };
}

statuses! {
    CreateInProgress = "CREATE_IN_PROGRESS" => [CreateComplete CreateFailed RollbackInProgress DeleteInProgress],
    CreateFailed = "CREATE_FAILED" => [UpdateInProgress RollbackInProgress DeleteInProgress],
    CreateComplete = "CREATE_COMPLETE" => [UpdateInProgress ImportInProgress DeleteInProgress],
    RollbackInProgress = "ROLLBACK_IN_PROGRESS" => [RollbackComplete RollbackFailed DeleteInProgress],
    RollbackFailed = "ROLLBACK_FAILED" => [DeleteInProgress],
    RollbackComplete = "ROLLBACK_COMPLETE" => [DeleteInProgress],
    DeleteInProgress = "DELETE_IN_PROGRESS" => [DeleteComplete DeleteFailed
        CreateComplete UpdateComplete UpdateRollbackComplete ImportComplete ImportRollbackComplete
        CreateFailed RollbackComplete RollbackFailed UpdateFailed UpdateRollbackFailed ImportRollbackFailed],
    DeleteFailed = "DELETE_FAILED" => [DeleteInProgress],
    DeleteComplete = "DELETE_COMPLETE" => [],
    UpdateInProgress = "UPDATE_IN_PROGRESS" =>
        [UpdateCompleteCleanupInProgress UpdateFailed UpdateRollbackInProgress DeleteInProgress],
    UpdateCompleteCleanupInProgress = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => [UpdateComplete DeleteInProgress],
    UpdateComplete = "UPDATE_COMPLETE" => [UpdateInProgress ImportInProgress DeleteInProgress],
    UpdateFailed = "UPDATE_FAILED" => [UpdateInProgress UpdateRollbackInProgress DeleteInProgress],
    UpdateRollbackInProgress = "UPDATE_ROLLBACK_IN_PROGRESS" =>
        [UpdateRollbackCompleteCleanupInProgress UpdateRollbackFailed DeleteInProgress],
    UpdateRollbackFailed = "UPDATE_ROLLBACK_FAILED" => [UpdateRollbackInProgress DeleteInProgress],
    UpdateRollbackCompleteCleanupInProgress = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" =>
        [UpdateRollbackComplete DeleteInProgress],
    UpdateRollbackComplete = "UPDATE_ROLLBACK_COMPLETE" => [UpdateInProgress ImportInProgress DeleteInProgress],
    ReviewInProgress = "REVIEW_IN_PROGRESS" => [CreateInProgress ImportInProgress DeleteInProgress],
    ImportInProgress = "IMPORT_IN_PROGRESS" => [ImportComplete ImportRollbackInProgress],
    ImportComplete = "IMPORT_COMPLETE" => [UpdateInProgress ImportInProgress DeleteInProgress],
    ImportRollbackInProgress = "IMPORT_ROLLBACK_IN_PROGRESS" => [ImportRollbackComplete ImportRollbackFailed],
    ImportRollbackFailed = "IMPORT_ROLLBACK_FAILED" => [DeleteInProgress],
    ImportRollbackComplete = "IMPORT_ROLLBACK_COMPLETE" => [UpdateInProgress ImportInProgress DeleteInProgress],
}

impl StackStatus {
    /// Whether an operation runs. A stack in review waits for somebody, nothing runs.
    pub fn is_in_progress(self) -> bool {
        self != Self::ReviewInProgress && self.as_str().ends_with("_IN_PROGRESS")
    }

    /// Whether a change set or an update may be made for a stack in this status.
    pub fn takes_updates(self) -> bool {
        self.successors().contains(&Self::UpdateInProgress)
    }

    /// The status of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.as_str() == word)
    }
}

impl fmt::Display for StackStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_the_23_statuses_of_the_api_reference() {
        let words: BTreeSet<_> = StackStatus::ALL.iter().map(|status| status.as_str()).collect();
        assert_eq!(words.len(), 23);
        assert!(
            StackStatus::ALL.iter().all(|status| StackStatus::from_word(status.as_str()) == Some(*status))
        );
    }

    #[test]
    fn every_status_is_reached_from_review_and_only_a_deleted_stack_is_at_its_end() {
        let mut reached = BTreeSet::from([StackStatus::ReviewInProgress]);
        let mut open = vec![StackStatus::ReviewInProgress];
        while let Some(status) = open.pop() {
            assert_eq!(status.successors().is_empty(), status == StackStatus::DeleteComplete, "{status}");
            open.extend(status.successors().iter().filter(|next| reached.insert(**next)));
        }
        assert_eq!(reached.len(), StackStatus::ALL.len());
    }

    #[test]
    fn a_stack_takes_updates_where_the_user_guide_says_so() {
        let taking: Vec<_> =
            StackStatus::ALL.iter().filter(|it| it.takes_updates()).map(|it| it.as_str()).collect();
        assert_eq!(
            taking,
            [
                "CREATE_FAILED",
                "CREATE_COMPLETE",
                "UPDATE_COMPLETE",
                "UPDATE_FAILED",
                "UPDATE_ROLLBACK_COMPLETE",
                "IMPORT_COMPLETE",
                "IMPORT_ROLLBACK_COMPLETE"
            ]
        );
    }

    #[test]
    fn an_operation_ends_in_a_status_in_which_nothing_runs() {
        for status in StackStatus::ALL.iter().filter(|status| status.is_in_progress()) {
            assert!(
                status.successors().iter().any(|next| !next.is_in_progress() || next.successors().len() > 1)
            );
        }
    }
}
