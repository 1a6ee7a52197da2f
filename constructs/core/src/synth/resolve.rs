//! From expressions to template JSON, for a reader in a certain stack.
//!
//! A value of the reader's own stack becomes `Ref` or `Fn::GetAtt`. A value of another stack becomes an output there, a
//! reading of it here, and an arrow between the two stacks.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::Diagnostic;
use serde_json::{Map, Value as Json, json};

use super::logical_id::{alphanumeric, logical_id};
use crate::stack::{CrossStackReferences, Environment, StackData};
use crate::tree::{Arena, NodeId, NodeKind};
use crate::value::{Attribute, Expression};

/// Between the items of a list that crosses a stack's border as one text. Source: ARNs, ids and names have no such pair.
const LIST_DELIMITER: &str = "||";

/// A value that one stack shows to others.
#[derive(Debug, PartialEq)]
pub(crate) struct SharedValue {
    /// What the output holds.
    pub(crate) value: Json,
    /// Whether it is exported for `Fn::ImportValue`, or only an output for `Fn::GetStackOutput`.
    pub(crate) exported: bool,
    /// The condition of the resource, which the output has to share.
    pub(crate) condition: Option<NodeId>,
}

/// Why one stack comes after another.
#[derive(Clone, Debug)]
pub(crate) struct StackArrow {
    pub(crate) consumer: NodeId,
    pub(crate) producer: NodeId,
    /// The construct that uses the value.
    pub(crate) user: NodeId,
    /// The value, in words for people: `networking/Vpc.VpcId`.
    pub(crate) value: String,
}

pub(crate) struct Resolver<'a> {
    pub(crate) arena: &'a Arena,
    logical_ids: Vec<Option<String>>,
    /// By producing stack and output name.
    pub(crate) shared: BTreeMap<NodeId, BTreeMap<String, SharedValue>>,
    pub(crate) arrows: Vec<StackArrow>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The nodes of the reader's own stack that were referred to since this was last emptied.
    pub(crate) referred: BTreeSet<NodeId>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(arena: &'a Arena) -> Self {
        let mut resolver = Self {
            arena,
            logical_ids: Vec::with_capacity(arena.nodes.len()),
            shared: BTreeMap::new(),
            arrows: Vec::new(),
            diagnostics: Vec::new(),
            referred: BTreeSet::new(),
        };
        for id in arena.ids() {
            let named =
                !matches!(arena.node(id).kind, NodeKind::Root | NodeKind::Construct | NodeKind::Stack(_));
            let logical_id = if named && arena.node(id).stack.is_some() { resolver.name(id) } else { None };
            resolver.logical_ids.push(logical_id);
        }
        resolver
    }

    fn name(&mut self, id: NodeId) -> Option<String> {
        let name = logical_id(&self.arena.path_in_stack(id));
        if name.is_none() {
            let message =
                format!("id `{}` has no letter or digit to make a logical id of", self.arena.node(id).id);
            self.report(id, Diagnostic::error("construct-id", message).with_hint("use letters and digits"));
        }
        name
    }

    /// The logical id of a node of a template.
    pub(crate) fn logical_id(&self, id: NodeId) -> String {
        self.logical_ids[id.index as usize].clone().unwrap_or_default()
    }

    fn report(&mut self, at: NodeId, diagnostic: Diagnostic) {
        self.diagnostics.push(self.arena.locate(at, diagnostic));
    }

    fn stack_data(&self, stack: NodeId) -> &'a StackData {
        match &self.arena.node(stack).kind {
            NodeKind::Stack(data) => data,
            other => unreachable!("a node's stack is a stack, not {other:?}"),
        }
    }

    /// The JSON of an expression that `user` holds.
    pub(crate) fn resolve(&mut self, expression: &Expression, user: NodeId) -> Json {
        match expression {
            Expression::Literal(json) => json.clone(),
            Expression::List(items) => items.iter().map(|item| self.resolve(item, user)).collect(),
            Expression::Object(fields) => {
                fields.iter().map(|(name, field)| (name.clone(), self.resolve(field, user))).collect()
            }
            Expression::Pseudo(name) => json!({"Ref": name}),
            Expression::Attribute { node, attribute, is_list } => {
                self.attribute(*node, attribute, *is_list, user)
            }
            Expression::Text(parts) => self.text(parts, user),
            Expression::If { condition, then, otherwise } => {
                let condition = self.local_name(*condition, "condition", user);
                let branches = [self.resolve(then, user), self.resolve(otherwise, user)];
                json!({"Fn::If": [condition, branches[0], branches[1]]})
            }
            Expression::Condition(node) => json!({"Condition": self.local_name(*node, "condition", user)}),
            Expression::FindInMap { mapping, keys, default } => {
                let mut arguments = vec![Json::String(self.local_name(*mapping, "mapping", user))];
                arguments.extend(keys.iter().map(|key| self.resolve(key, user)));
                if let Some(default) = default {
                    let default = self.resolve(default, user);
                    arguments.push(json!({"DefaultValue": default}));
                }
                json!({"Fn::FindInMap": arguments})
            }
            Expression::Function(name, argument) => {
                let argument = self.resolve(argument, user);
                Json::Object(Map::from_iter([((*name).to_owned(), argument)]))
            }
        }
    }

    /// The logical id of a condition or mapping, which only its own stack can use.
    pub(crate) fn local_name(&mut self, node: NodeId, what: &str, user: NodeId) -> String {
        if !self.is_own(node, user) {
            return String::new();
        }
        if self.arena.node(node).stack != self.arena.node(user).stack {
            let message = format!("{what} `{}` belongs to another stack", self.arena.path(node));
            let hint = format!("define the {what} in the stack that uses it");
            self.report(user, Diagnostic::error("foreign-element", message).with_hint(hint));
        }
        self.logical_id(node)
    }

    /// Whether a node is of this app and inside a stack. If not, that is reported.
    fn is_own(&mut self, node: NodeId, user: NodeId) -> bool {
        if node.app != self.arena.app || node.index as usize >= self.arena.nodes.len() {
            let hint = "grow both from one `App`, or pass the value as text";
            let diagnostic =
                Diagnostic::error("foreign-app", "a value of another app is used").with_hint(hint);
            self.report(user, diagnostic);
            return false;
        }
        // Nodes outside of stacks have been reported when they were added.
        self.arena.node(node).stack.is_some()
    }

    fn attribute(&mut self, node: NodeId, attribute: &Attribute, is_list: bool, user: NodeId) -> Json {
        if !self.is_own(node, user) {
            // One mistake, one report: a value that is left out is no second one.
            return json!({"Ref": "AWS::NoValue"});
        }
        let (producer, consumer) = (self.arena.node(node).stack, self.arena.node(user).stack);
        match (producer, consumer) {
            (Some(producer), Some(consumer)) if producer != consumer => {
                self.across(node, attribute, is_list, user, producer, consumer)
            }
            _ => {
                self.referred.insert(node);
                self.local(node, attribute)
            }
        }
    }

    fn local(&self, node: NodeId, attribute: &Attribute) -> Json {
        match attribute {
            Attribute::Reference => json!({"Ref": self.logical_id(node)}),
            Attribute::Named(name) => json!({"Fn::GetAtt": [self.logical_id(node), name]}),
        }
    }

    /// The name of the output that shows a value to other stacks.
    fn output_name(&self, node: NodeId, attribute: &Attribute) -> String {
        let name = match attribute {
            Attribute::Reference => "Ref",
            Attribute::Named(name) => name.as_ref(),
        };
        format!("Export{}{}", self.logical_id(node), alphanumeric(name))
    }

    /// Makes a value readable for other stacks.
    fn share(&mut self, node: NodeId, attribute: &Attribute, is_list: bool, producer: NodeId) {
        let local = self.local(node, attribute);
        let value = if is_list { json!({"Fn::Join": [LIST_DELIMITER, local]}) } else { local };
        let exported = self.stack_data(producer).cross_stack_references == CrossStackReferences::Strong;
        let condition = match &self.arena.node(node).kind {
            NodeKind::Resource(resource) => resource.condition,
            _ => None,
        };
        let output = self.output_name(node, attribute);
        self.shared.entry(producer).or_default().insert(output, SharedValue { value, exported, condition });
    }

    /// Makes every value of a stack in an expression readable for other stacks, used or not.
    pub(crate) fn share_all(&mut self, expression: &Expression, producer: NodeId) {
        match expression {
            Expression::Attribute { node, attribute, is_list } => {
                if self.is_own(*node, producer) && self.arena.node(*node).stack == Some(producer) {
                    self.share(*node, attribute, *is_list, producer);
                }
            }
            Expression::List(items) | Expression::Text(items) => {
                items.iter().for_each(|item| self.share_all(item, producer));
            }
            Expression::Object(fields) => fields.values().for_each(|field| self.share_all(field, producer)),
            Expression::If { then, otherwise, .. } => {
                self.share_all(then, producer);
                self.share_all(otherwise, producer);
            }
            Expression::Function(_, argument) => self.share_all(argument, producer),
            Expression::Literal(_)
            | Expression::Pseudo(_)
            | Expression::Condition(_)
            | Expression::FindInMap { .. } => {}
        }
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the two ends of one arrow, taken apart by the caller already"
    )]
    fn across(
        &mut self,
        node: NodeId,
        attribute: &Attribute,
        is_list: bool,
        user: NodeId,
        producer: NodeId,
        consumer: NodeId,
    ) -> Json {
        let name = match attribute {
            Attribute::Reference => "Ref",
            Attribute::Named(name) => name.as_ref(),
        };
        let shown = format!("{}.{name}", self.arena.path(node));
        self.arrows.push(StackArrow { consumer, producer, user, value: shown.clone() });
        let output = self.output_name(node, attribute);
        let (from, to) = (self.stack_data(producer), self.stack_data(consumer));
        let exported = from.cross_stack_references == CrossStackReferences::Strong;
        if let Some(problem) = unreachable_environment(&from.environment, &to.environment, exported) {
            let message = format!("value `{shown}` of stack {} is used in {problem}", from.name);
            let hint = if exported {
                "set crossStackReferences to weak, which reads values in another region of the account"
            } else {
                "put both stacks into one account, or pass the value as a setting"
            };
            self.report(user, Diagnostic::error("environment", message).with_hint(hint));
        }
        self.share(node, attribute, is_list, producer);
        let reading = if exported {
            json!({"Fn::ImportValue": export_name(&from.name, &output)})
        } else {
            let mut argument = json!({"StackName": from.name, "OutputName": output});
            if from.environment.region != to.environment.region
                && let Some(region) = &from.environment.region
            {
                argument["Region"] = region.as_str().into();
            }
            json!({"Fn::GetStackOutput": argument})
        };
        if is_list { json!({"Fn::Split": [LIST_DELIMITER, reading]}) } else { reading }
    }

    /// Text as a plain string, a lone value, or `Fn::Sub`.
    fn text(&mut self, parts: &[Expression], user: NodeId) -> Json {
        let mut resolved: Vec<Json> = Vec::new();
        for part in flatten(parts) {
            let part = self.resolve(part, user);
            match (resolved.last_mut(), part) {
                (Some(Json::String(before)), Json::String(text)) => before.push_str(&text),
                (_, part) => resolved.push(part),
            }
        }
        match resolved.len() {
            0 => Json::String(String::new()),
            1 => resolved.remove(0),
            _ => substitution(resolved),
        }
    }
}

/// The parts of a text, with the parts of texts inside it.
fn flatten(parts: &[Expression]) -> Vec<&Expression> {
    parts
        .iter()
        .flat_map(|part| match part {
            Expression::Text(inner) => flatten(inner),
            other => vec![other],
        })
        .collect()
}

/// `Fn::Sub` of literal texts and values; values that are no plain reference get a variable.
fn substitution(parts: Vec<Json>) -> Json {
    let mut pattern = String::new();
    let mut variables = Map::new();
    for part in parts {
        match part {
            Json::String(text) => pattern.push_str(&text.replace("${", "${!")),
            value => match plain_reference(&value) {
                Some(reference) => pattern.push_str(&format!("${{{reference}}}")),
                None => {
                    let known =
                        variables.iter().find(|(_, known)| **known == value).map(|(name, _)| name.clone());
                    let name = known.unwrap_or_else(|| {
                        let name = format!("Value{}", variables.len() + 1);
                        variables.insert(name.clone(), value);
                        name
                    });
                    pattern.push_str(&format!("${{{name}}}"));
                }
            },
        }
    }
    if variables.is_empty() { json!({"Fn::Sub": pattern}) } else { json!({"Fn::Sub": [pattern, variables]}) }
}

fn plain_reference(value: &Json) -> Option<String> {
    if let Some(name) = value.get("Ref").and_then(Json::as_str) {
        return Some(name.to_owned());
    }
    let [id, attribute] = value.get("Fn::GetAtt")?.as_array()?.as_slice() else { return None };
    Some(format!("{}.{}", id.as_str()?, attribute.as_str()?))
}

/// The export of an output. Names take letters, digits, colons and hyphens.
pub(crate) fn export_name(stack_name: &str, output: &str) -> String {
    format!("{stack_name}:{}", output.strip_prefix("Export").unwrap_or(output))
}

/// Why a value cannot get from one environment to the other, if it cannot.
fn unreachable_environment(from: &Environment, to: &Environment, exported: bool) -> Option<String> {
    if from.account != to.account && from.account.is_some() && to.account.is_some() {
        return Some("a stack of another account".to_owned());
    }
    if exported && from.region != to.region && from.region.is_some() && to.region.is_some() {
        return Some("a stack of another region, where exports do not reach".to_owned());
    }
    None
}
