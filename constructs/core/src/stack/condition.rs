//! Conditions: whether a resource, a value or an output is there is decided when the stack is deployed.

use crate::tree::{NodeId, NodeKind, Scope};
use crate::value::ConditionExpression;

/// A named condition of a stack. It holds for that stack's template only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition(NodeId);

impl Condition {
    pub(crate) fn node(self) -> NodeId {
        self.0
    }
}

impl ConditionExpression {
    /// Gives the condition a name in the enclosing stack.
    #[track_caller]
    pub fn define(self, scope: Scope<'_>, id: &str) -> Condition {
        Condition(scope.add_to_stack(id, NodeKind::Condition(self.0)).node)
    }
}
