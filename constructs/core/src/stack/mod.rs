//! Stacks: the unit that CloudFormation deploys, and what a template says beside its resources.

mod condition;
mod mapping;
mod output;
mod parameter;
mod rule;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::resource::RemovalPolicy;
use crate::tree::{NodeKind, Scope};
use crate::value::{Expression, IntoValue, Value};

pub use condition::Condition;
pub use mapping::Mapping;
pub(crate) use mapping::MappingData;
pub use output::Output;
pub(crate) use output::OutputData;
pub use parameter::Parameter;
pub(crate) use parameter::ParameterData;
pub use rule::Rule;
pub(crate) use rule::RuleData;

/// Where a stack goes. What is not known stays open: the template then works in any account or region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The account, 12 digits.
    pub account: Option<String>,
    /// The region, such as `us-east-1`.
    pub region: Option<String>,
}

/// How a value of one stack reaches another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CrossStackReferences {
    /// An export and `Fn::ImportValue`: CloudFormation refuses to change or remove a value that is in use.
    #[default]
    Strong,
    /// An output and `Fn::GetStackOutput`: the producing stack stays free to change, and regions may differ.
    Weak,
}

/// What can be said about a stack.
#[derive(Clone, Debug, Default)]
pub struct StackProps {
    /// The name in CloudFormation; without one, the construct's path joined by `-`.
    pub stack_name: Option<String>,
    /// What the stack is for, 1,024 bytes at most.
    pub description: Option<String>,
    /// Where it goes; what is open is taken from the app.
    pub environment: Environment,
    /// Whether CloudFormation refuses to delete the stack until this is taken back.
    pub termination_protection: bool,
    /// The tags of the stack itself, which CloudFormation also puts on the resources it makes.
    pub tags: BTreeMap<String, String>,
    /// How its values reach other stacks; without one, the context key `crossStackReferences` decides.
    pub cross_stack_references: Option<CrossStackReferences>,
}

#[derive(Debug)]
pub(crate) struct StackData {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) environment: Environment,
    pub(crate) termination_protection: bool,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) cross_stack_references: CrossStackReferences,
    pub(crate) metadata: BTreeMap<String, Expression>,
    pub(crate) transforms: Vec<String>,
    /// Values that other stacks can read whether or not one of this app does.
    pub(crate) exports: Vec<Expression>,
}

/// A stack of an app.
#[derive(Debug)]
pub struct Stack;

impl Stack {
    /// Adds a stack to an app, or below a construct of it.
    #[track_caller]
    pub fn define<'app>(scope: Scope<'app>, id: &str, props: StackProps) -> Scope<'app> {
        let app: &App = scope.app();
        let defaults = app.environment();
        let name = props.stack_name.unwrap_or_else(|| {
            let path = scope.path();
            if path.is_empty() { id.to_owned() } else { format!("{}-{id}", path.replace('/', "-")) }
        });
        let data = StackData {
            name: name.clone(),
            description: props.description,
            environment: Environment {
                account: props.environment.account.or(defaults.account),
                region: props.environment.region.or(defaults.region),
            },
            termination_protection: props.termination_protection,
            tags: props.tags,
            cross_stack_references: props
                .cross_stack_references
                .unwrap_or_else(|| app.framework_settings().cross_stack_references),
            metadata: BTreeMap::new(),
            transforms: Vec::new(),
            exports: Vec::new(),
        };
        let inside = scope.stack_node().is_some();
        let stack = scope.add(id, NodeKind::Stack(Box::new(data)));
        if inside {
            let message = format!("stack `{id}` is defined inside another stack");
            stack.report(
                formwork_assembly::Diagnostic::error("nested-stack", message)
                    .with_hint("define the stack in the app, beside the other one"),
            );
        }
        if !is_stack_name(&name) {
            let message = format!("stack name `{name}` is not one that CloudFormation takes");
            let hint = "a stack name has letters, digits and hyphens, starts with a letter and has 128 characters at most";
            stack.report(formwork_assembly::Diagnostic::error("stack-name", message).with_hint(hint));
        }
        stack
    }
}

/// `[a-zA-Z][-a-zA-Z0-9]*`, 128 characters at most (CloudFormation API Reference, CreateStack).
fn is_stack_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
}

impl Scope<'_> {
    /// Adds an entry to the `Metadata` of the enclosing stack's template.
    pub fn template_metadata(self, key: &str, value: impl IntoValue<serde_json::Value>) {
        let value = value.into_value().into_expression();
        self.change_stack(|stack| {
            stack.metadata.insert(key.to_owned(), value);
        });
    }

    /// Makes a value of the enclosing stack readable for other stacks now, whether or not one of them uses it. A stack
    /// that several apps or modes share then has the same template for all of them.
    pub fn export<T>(self, value: &Value<T>) {
        let value = value.expression().clone();
        self.change_stack(|stack| stack.exports.push(value));
    }

    /// Adds a macro, such as `AWS::LanguageExtensions`, to the `Transform` of the enclosing stack's template.
    pub fn template_transform(self, name: &str) {
        self.change_stack(|stack| {
            if !stack.transforms.iter().any(|transform| transform == name) {
                stack.transforms.push(name.to_owned());
            }
        });
    }

    /// Sets a removal policy on every resource at or below this place that has none of its own.
    pub fn default_removal_policy(self, policy: RemovalPolicy) {
        self.aspect(move |scope| scope.set_missing_removal_policy(policy));
    }

    fn set_missing_removal_policy(self, policy: RemovalPolicy) {
        if let NodeKind::Resource(resource) = &mut self.app.arena.borrow_mut().node_mut(self.node).kind {
            resource.deletion_policy.get_or_insert(policy);
            let replaced =
                if policy == RemovalPolicy::RetainExceptOnCreate { RemovalPolicy::Retain } else { policy };
            resource.update_replace_policy.get_or_insert(replaced);
        }
    }

    fn change_stack(self, change: impl FnOnce(&mut StackData)) {
        let Some(stack) = self.stack_node() else { return };
        if let NodeKind::Stack(data) = &mut self.app.arena.borrow_mut().node_mut(stack).kind {
            change(data);
        }
    }
}
