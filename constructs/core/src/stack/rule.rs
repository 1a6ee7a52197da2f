//! Rules: what CloudFormation checks about parameters before it deploys anything.

use crate::tree::{NodeKind, Scope};
use crate::value::{ConditionExpression, Expression};

/// A rule of a stack, before it is defined.
///
/// Source: AWS CloudFormation User Guide, "Rules".
#[derive(Debug, Default)]
#[must_use = "a rule is in no template until it is defined"]
pub struct Rule(RuleData);

#[derive(Debug, Default)]
pub(crate) struct RuleData {
    pub(crate) condition: Option<Expression>,
    /// What must hold, and what is said when it does not.
    pub(crate) assertions: Vec<(Expression, String)>,
}

impl Rule {
    /// A rule that always applies.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies the rule only when a condition over parameters holds.
    pub fn when(mut self, condition: impl Into<ConditionExpression>) -> Self {
        self.0.condition = Some(condition.into().0);
        self
    }

    /// What must hold, and what CloudFormation says when it does not.
    pub fn assert(mut self, condition: impl Into<ConditionExpression>, description: &str) -> Self {
        self.0.assertions.push((condition.into().0, description.to_owned()));
        self
    }

    /// Adds the rule to the enclosing stack.
    #[track_caller]
    pub fn define(self, scope: Scope<'_>, id: &str) {
        scope.add_to_stack(id, NodeKind::Rule(Box::new(self.0)));
    }
}
