//! Outputs: the values that a stack shows once it is deployed.

use crate::stack::Condition;
use crate::tree::{NodeId, NodeKind, Scope};
use crate::value::{Expression, IntoValue};

/// An output of a stack, before it is defined.
#[derive(Debug)]
#[must_use = "an output is in no template until it is defined"]
pub struct Output(OutputData);

#[derive(Debug)]
pub(crate) struct OutputData {
    pub(crate) value: Expression,
    pub(crate) description: Option<String>,
    pub(crate) export_name: Option<Expression>,
    pub(crate) condition: Option<NodeId>,
}

impl Output {
    /// An output with a value.
    pub fn new(value: impl IntoValue<String>) -> Self {
        let value = value.into_value().into_expression();
        Self(OutputData { value, description: None, export_name: None, condition: None })
    }

    /// What the value is, 1,024 bytes at most.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.0.description = Some(text.into());
        self
    }

    /// Exports the value under a name that is unique in the account and region.
    pub fn export_name(mut self, name: impl IntoValue<String>) -> Self {
        self.0.export_name = Some(name.into_value().into_expression());
        self
    }

    /// Shows the value only when a condition holds.
    pub fn when(mut self, condition: Condition) -> Self {
        self.0.condition = Some(condition.node());
        self
    }

    /// Adds the output to the enclosing stack. Its name in CloudFormation is the logical id of the path; an output
    /// defined directly in the stack has exactly the id.
    #[track_caller]
    pub fn define(self, scope: Scope<'_>, id: &str) {
        scope.add_to_stack(id, NodeKind::Output(Box::new(self.0)));
    }
}
