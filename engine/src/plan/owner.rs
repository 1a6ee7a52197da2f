//! Whose stack is it? Stacks that Formwork made carry a mark, and others are left alone unless they are adopted.
//!
//! The mark is a tag of the stack, because `DescribeStacks` tells tags without another call and because a tag can be put
//! on stacks of any assembly, also of one that another tool wrote and whose templates must stay as they are. Its value
//! is the id of the stack in the assembly: that is the same for both modes of an app that share a stack, on every
//! machine and in every directory, and it differs between apps that take the same stack name by accident as soon as
//! their stacks are called differently in code.

use std::collections::BTreeMap;

use crate::aws::cloudformation::{ChangeSet, Stack, StackStatus};
use crate::error::{Class, EngineError};

/// The key of the tag.
pub const TAG: &str = "formwork:owner";

/// What names of our change sets begin with.
pub const CHANGE_SET_PREFIX: &str = "fw-";

/// Who a stack belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This app.
    Us,
    /// Another app of Formwork; the mark that its stack carries.
    Another(String),
    /// Nobody that we know: the mark is missing.
    Nobody,
}

/// The mark of a stack, a value for [`TAG`]: its id in the assembly without the characters that tags do not take.
pub fn mark(stack_id: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    stack_id.chars().map(|c| if allowed(c) { c } else { '-' }).take(256).collect()
}

/// Who a stack belongs to. A stack in review has no tag yet, for a change set puts it on when it is executed: it is ours
/// when it is empty or has change sets of ours only.
pub fn owner(stack: &Stack, stack_id: &str, change_sets: &[ChangeSet]) -> Owner {
    match stack.tags.get(TAG) {
        Some(value) if *value == mark(stack_id) => Owner::Us,
        Some(value) => Owner::Another(value.clone()),
        None if stack.status == StackStatus::ReviewInProgress
            && change_sets.iter().all(|set| set.name.starts_with(CHANGE_SET_PREFIX)) =>
        {
            Owner::Us
        }
        None => Owner::Nobody,
    }
}

/// Refuses a stack that is not ours, unless it is adopted.
///
/// # Errors
/// When the stack belongs to somebody else and is not adopted.
pub fn check(owner: &Owner, name: &str, command: &str, adopt: bool) -> Result<(), EngineError> {
    let whose = match owner {
        Owner::Us => return Ok(()),
        _ if adopt => return Ok(()),
        Owner::Another(mark) => format!("belongs to another app: its tag {TAG} is `{mark}`"),
        Owner::Nobody => format!("was not made by Formwork: it has no tag {TAG}"),
    };
    let hint = match command {
        "destroy" => {
            format!(
                "delete it with what made it, or first take it over with `formwork deploy {name} --adopt`"
            )
        }
        "rollback" => {
            format!("mend it with what made it, or say `formwork rollback {name} --adopt`")
        }
        _ => format!("choose another prefix, or take it over with `formwork deploy {name} --adopt`"),
    };
    Err(EngineError::new(Class::Refused, format!("stack {name} exists and {whose}")).with_hint(hint))
}

/// The stack's tags with the mark.
pub fn marked(mut tags: BTreeMap<String, String>, stack_id: &str) -> BTreeMap<String, String> {
    tags.insert(TAG.to_owned(), mark(stack_id));
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::testing::{change_set, stack};

    #[test]
    fn a_stack_without_the_mark_is_refused_unless_it_is_adopted() {
        let foreign = owner(&stack("shop", StackStatus::CreateComplete), "shop", &[]);
        assert_eq!(foreign, Owner::Nobody);
        let refused = check(&foreign, "shop", "deploy", false).unwrap_err();
        assert_eq!(refused.class, Class::Refused);
        assert!(refused.hint.unwrap().contains("`formwork deploy shop --adopt`"));
        check(&foreign, "shop", "deploy", true).unwrap();
        // What deletes stacks adopts none.
        let kept = check(&foreign, "shop", "destroy", false).unwrap_err();
        assert!(kept.hint.unwrap().contains("first take it over with `formwork deploy shop --adopt`"));
    }

    #[test]
    fn the_mark_of_another_app_is_not_ours() {
        let mut shop = stack("shop", StackStatus::CreateComplete);
        shop.tags = marked(BTreeMap::new(), "other");
        assert_eq!(owner(&shop, "shop", &[]), Owner::Another("other".to_owned()));
        assert_eq!(owner(&shop, "other", &[]), Owner::Us);
    }

    #[test]
    fn a_shell_in_review_is_ours_by_its_change_sets() {
        let shell = stack("shop", StackStatus::ReviewInProgress);
        assert_eq!(owner(&shell, "shop", &[change_set("fw-20260101-1")]), Owner::Us);
        assert_eq!(owner(&shell, "shop", &[change_set("cdk-deploy-change-set")]), Owner::Nobody);
        assert_eq!(owner(&shell, "shop", &[]), Owner::Us);
    }

    #[test]
    fn a_mark_has_only_characters_that_tags_take() {
        assert_eq!(mark("Stage/My Stack*"), "Stage/My Stack-");
        assert_eq!(mark(&"ä".repeat(300)).chars().count(), 256);
    }
}
