//! What a property holds before it is resolved: a literal, a reference to a node of the tree, or a function of those.
//!
//! A reference names the node and not its logical id. Only when a template is written is it known whether the reader
//! stands in the same stack (`Ref`, `Fn::GetAtt`) or in another one (an export and its import).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::tree::NodeId;

/// Which value of a node is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// What `Ref` returns.
    Reference,
    /// What `Fn::GetAtt` returns under a name.
    Named(Cow<'static, str>),
}

/// An untyped value of a template. [`crate::Value`] adds the type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Expression {
    /// JSON that is written as it is.
    Literal(Json),
    /// A list.
    List(Vec<Expression>),
    /// A map.
    Object(BTreeMap<String, Expression>),
    /// A value that CloudFormation knows about a resource or parameter.
    Attribute {
        /// The resource or parameter.
        node: NodeId,
        /// Which of its values.
        attribute: Attribute,
        /// Whether the value is a list of strings, which has to be joined to cross a stack's border.
        is_list: bool,
    },
    /// A pseudo parameter such as `AWS::Region`.
    Pseudo(&'static str),
    /// Text with values in it.
    Text(Vec<Expression>),
    /// One of two values by a condition.
    If {
        /// The condition's node.
        condition: NodeId,
        /// The value when it holds.
        then: Box<Expression>,
        /// The value when it does not.
        otherwise: Box<Expression>,
    },
    /// A condition by its node, inside another condition.
    Condition(NodeId),
    /// A value of a mapping.
    FindInMap {
        /// The mapping's node.
        mapping: NodeId,
        /// The two keys.
        keys: Box<[Expression; 2]>,
        /// The value when the keys are not there.
        default: Option<Box<Expression>>,
    },
    /// Any other function: its full name, such as `Fn::Join`, and its argument.
    Function(&'static str, Box<Expression>),
}

impl Expression {
    /// The literal, when nothing in it waits for CloudFormation.
    pub fn as_literal(&self) -> Option<Json> {
        match self {
            Self::Literal(json) => Some(json.clone()),
            Self::List(items) => {
                items.iter().map(Self::as_literal).collect::<Option<Vec<_>>>().map(Json::Array)
            }
            Self::Object(fields) => fields
                .iter()
                .map(|(name, field)| Some((name.clone(), field.as_literal()?)))
                .collect::<Option<serde_json::Map<_, _>>>()
                .map(Json::Object),
            Self::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    text.push_str(part.as_literal()?.as_str()?);
                }
                Some(Json::String(text))
            }
            _ => None,
        }
    }

    /// Calls `visit` with every node that the expression refers to.
    pub fn visit_nodes(&self, visit: &mut dyn FnMut(NodeId)) {
        match self {
            Self::Literal(_) | Self::Pseudo(_) => {}
            Self::List(items) | Self::Text(items) => items.iter().for_each(|item| item.visit_nodes(visit)),
            Self::Object(fields) => fields.values().for_each(|field| field.visit_nodes(visit)),
            Self::Attribute { node, .. } | Self::Condition(node) => visit(*node),
            Self::If { condition, then, otherwise } => {
                visit(*condition);
                then.visit_nodes(visit);
                otherwise.visit_nodes(visit);
            }
            Self::FindInMap { mapping, keys, default } => {
                visit(*mapping);
                keys.iter().for_each(|key| key.visit_nodes(visit));
                if let Some(default) = default {
                    default.visit_nodes(visit);
                }
            }
            Self::Function(_, argument) => argument.visit_nodes(visit),
        }
    }
}

impl From<&str> for Expression {
    fn from(text: &str) -> Self {
        Self::Literal(Json::String(text.to_owned()))
    }
}

impl From<String> for Expression {
    fn from(text: String) -> Self {
        Self::Literal(Json::String(text))
    }
}
