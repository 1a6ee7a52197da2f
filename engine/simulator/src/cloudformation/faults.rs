//! What goes wrong with resources and change sets on purpose.
//!
//! A script names a resource by its logical id, and where that is not enough its stack, what is done with it and how many
//! times before. The simulator asks here before it does anything, and the first rule that fits decides.

use std::time::Duration;

/// What is done with a resource when it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// It is made, also as a replacement.
    Create,
    /// It is changed in place.
    Update,
    /// Its change is taken back after a failed update.
    Rollback,
    /// It is deleted.
    Delete,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It fails with a reason, after a while; the type's typical time when none is given.
    Fail {
        /// The reason as the event tells it.
        reason: String,
        /// How long it takes to fail.
        after: Option<Duration>,
    },
    /// It never ends, unless the operation's or the resource's own timeout ends it.
    Never,
    /// It succeeds after this time.
    Takes(Duration),
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceFault {
    /// The logical id.
    pub logical_id: String,
    /// The stack's name; any stack when there is none.
    pub stack: Option<String>,
    /// When it goes wrong; always when there is none.
    pub moment: Option<Moment>,
    /// The attempt, from 1, counted by stack name, logical id and moment; every attempt when there is none.
    pub attempt: Option<u32>,
    /// What goes wrong.
    pub outcome: Outcome,
}

/// A finding of the checks that run before a change set can be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationFault {
    /// The stack's name.
    pub stack: String,
    /// The logical id.
    pub logical_id: String,
    /// The check, such as `NAME_CONFLICT_VALIDATION`.
    pub name: String,
    /// What is wrong.
    pub reason: String,
    /// The place in the template.
    pub path: String,
    /// Whether the change set fails; it is a warning otherwise.
    pub fails: bool,
}

/// A hook that refuses or warns when a resource or a change set is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookFault {
    /// The stack's name.
    pub stack: String,
    /// The resource that the hook looks at.
    pub logical_id: String,
    /// The type of the hook, such as `Acme::Guard::Hook`.
    pub hook: String,
    /// What it says.
    pub reason: String,
    /// Whether the operation fails; it is a warning otherwise.
    pub fails: bool,
}

/// A difference between a resource and its stack that somebody made behind CloudFormation's back.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The stack's name.
    pub stack: String,
    /// The logical id.
    pub logical_id: String,
    /// What was done to it.
    pub change: DriftChange,
}

/// What somebody did to a resource behind CloudFormation's back.
#[derive(Clone, Debug, PartialEq)]
pub enum DriftChange {
    /// It was deleted.
    Deleted,
    /// A property has another value; the path is a JSON pointer below `Properties`.
    Property {
        /// The path, such as `/BucketEncryption`.
        path: String,
        /// The value that there is now; `None` where the property was removed.
        actual: Option<serde_json::Value>,
    },
}

/// Everything that goes wrong on purpose.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceFaults {
    /// Resources that fail, hang or take long.
    pub resources: Vec<ResourceFault>,
    /// Findings of the early validation.
    pub validations: Vec<ValidationFault>,
    /// Hooks.
    pub hooks: Vec<HookFault>,
    /// Drift.
    pub drifts: Vec<Drift>,
    /// ARNs of alarms that go off during the next operations that watch them.
    pub alarms: Vec<String>,
    /// Stacks whose change sets stay in `CREATE_IN_PROGRESS` for good.
    pub stuck_change_sets: Vec<String>,
}

impl ResourceFaults {
    /// Makes a resource fail whenever it is made or changed.
    pub fn fail(&mut self, logical_id: &str, reason: &str) {
        for moment in [Moment::Create, Moment::Update] {
            self.resources.push(ResourceFault {
                logical_id: logical_id.to_owned(),
                stack: None,
                moment: Some(moment),
                attempt: None,
                outcome: Outcome::Fail { reason: reason.to_owned(), after: None },
            });
        }
    }

    /// What goes wrong with a resource, if anything.
    pub(crate) fn outcome(
        &self,
        stack: &str,
        logical_id: &str,
        moment: Moment,
        attempt: u32,
    ) -> Option<&Outcome> {
        let fits = |fault: &&ResourceFault| {
            fault.logical_id == logical_id
                && fault.stack.as_deref().is_none_or(|name| name == stack)
                && fault.moment.is_none_or(|it| it == moment)
                && fault.attempt.is_none_or(|it| it == attempt)
        };
        self.resources.iter().find(fits).map(|fault| &fault.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rule = |stack: Option<&str>, attempt, seconds| ResourceFault {
            logical_id: "Db".to_owned(),
            stack: stack.map(str::to_owned),
            moment: Some(Moment::Create),
            attempt,
            outcome: Outcome::Takes(Duration::from_secs(seconds)),
        };
        let faults = ResourceFaults {
            resources: vec![rule(Some("other"), None, 1), rule(None, Some(2), 2), rule(None, None, 3)],
            ..ResourceFaults::default()
        };
        let taken = |attempt| faults.outcome("mine", "Db", Moment::Create, attempt).cloned();
        assert_eq!(taken(1), Some(Outcome::Takes(Duration::from_secs(3))));
        assert_eq!(taken(2), Some(Outcome::Takes(Duration::from_secs(2))));
        assert_eq!(faults.outcome("mine", "Db", Moment::Delete, 1), None);
    }
}
