//! The template of one stack out of its nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::resolve::{Resolver, SharedValue, StackArrow, export_name};
use super::tags;
use crate::resource::{RemovalPolicy, ResourceData};
use crate::stack::{OutputData, RuleData, StackData};
use crate::tree::{NodeId, NodeKind};

/// A template while it is put together.
#[derive(Default)]
pub(crate) struct Sections {
    sections: BTreeMap<&'static str, Map<String, Json>>,
    /// The node behind each entry, by section and name.
    pub(crate) nodes: BTreeMap<(&'static str, String), NodeId>,
}

impl Sections {
    fn insert(&mut self, section: &'static str, name: String, node: NodeId, value: Json) {
        self.nodes.insert((section, name.clone()), node);
        self.sections.entry(section).or_default().insert(name, value);
    }
}

/// The tree as the resolver's reader sees it, with what follows from dependencies between constructs.
pub(crate) struct Structure {
    children: BTreeMap<NodeId, Vec<NodeId>>,
}

impl Structure {
    pub(crate) fn new(resolver: &Resolver<'_>) -> Self {
        let mut children: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for id in resolver.arena.ids() {
            if let Some(parent) = resolver.arena.node(id).parent {
                children.entry(parent).or_default().push(id);
            }
        }
        Self { children }
    }

    /// The node and all below it, parents first.
    fn below(&self, root: NodeId) -> Vec<NodeId> {
        let mut found = vec![root];
        let mut next = 0;
        while let Some(id) = found.get(next).copied() {
            found.extend(self.children.get(&id).into_iter().flatten());
            next += 1;
        }
        found
    }
}

/// Puts one node into its stack's template.
pub(crate) fn add_node(
    resolver: &mut Resolver<'_>,
    structure: &Structure,
    id: NodeId,
    sections: &mut Sections,
) {
    let arena = resolver.arena;
    match &arena.node(id).kind {
        NodeKind::Root | NodeKind::Construct | NodeKind::Stack(_) => {}
        NodeKind::Resource(data) => {
            let value = resource(resolver, structure, id, data);
            sections.insert("Resources", resolver.logical_id(id), id, value);
        }
        NodeKind::Parameter(data) => {
            sections.insert("Parameters", resolver.logical_id(id), id, Json::Object(data.0.clone()));
        }
        NodeKind::Condition(expression) => {
            let value = resolver.resolve(expression, id);
            sections.insert("Conditions", resolver.logical_id(id), id, value);
        }
        NodeKind::Mapping(entries) => {
            sections.insert("Mappings", resolver.logical_id(id), id, json!(entries))
        }
        NodeKind::Output(data) => {
            let value = output(resolver, id, data);
            sections.insert("Outputs", resolver.logical_id(id), id, value);
        }
        NodeKind::Rule(data) => {
            let value = rule(resolver, id, data);
            sections.insert("Rules", resolver.logical_id(id), id, value);
        }
    }
}

fn resource(resolver: &mut Resolver<'_>, structure: &Structure, id: NodeId, data: &ResourceData) -> Json {
    resolver.referred.clear();
    let mut properties: Map<String, Json> =
        data.properties.iter().map(|(name, value)| (name.to_owned(), resolver.resolve(value, id))).collect();
    tags::apply(resolver.arena, id, &data.type_name, &mut properties);
    let mut resource = Map::from_iter([("Type".to_owned(), Json::from(data.type_name.as_ref()))]);
    if !properties.is_empty() {
        resource.insert("Properties".to_owned(), Json::Object(properties));
    }
    for (name, expression) in
        [("CreationPolicy", &data.creation_policy), ("UpdatePolicy", &data.update_policy)]
    {
        if let Some(expression) = expression {
            resource.insert(name.to_owned(), resolver.resolve(expression, id));
        }
    }
    if !data.metadata.is_empty() {
        let metadata =
            data.metadata.iter().map(|(key, value)| (key.clone(), resolver.resolve(value, id))).collect();
        resource.insert("Metadata".to_owned(), metadata);
    }
    if let Some(condition) = data.condition {
        resource.insert("Condition".to_owned(), resolver.local_name(condition, "condition", id).into());
    }
    let policies =
        [("DeletionPolicy", data.deletion_policy), ("UpdateReplacePolicy", data.update_replace_policy)];
    for (name, policy) in policies {
        if let Some(policy) = policy.map(RemovalPolicy::name) {
            resource.insert(name.to_owned(), policy.into());
        }
    }
    let waits_for = dependencies(resolver, structure, id, data);
    if !waits_for.is_empty() {
        resource.insert("DependsOn".to_owned(), waits_for.into_iter().collect());
    }
    Json::Object(resource)
}

/// What a resource waits for beyond what its references imply. Dependencies across stacks become arrows between them.
fn dependencies(
    resolver: &mut Resolver<'_>,
    structure: &Structure,
    id: NodeId,
    data: &ResourceData,
) -> BTreeSet<String> {
    let arena = resolver.arena;
    let inherited = arena.ancestors(id).flat_map(|node| arena.node(node).depends_on.iter());
    let targets: Vec<NodeId> = data.depends_on.iter().chain(inherited).copied().collect();
    let own_stack = arena.node(id).stack;
    let mut names = BTreeSet::new();
    for target in targets {
        let target_stack = arena.node(target).stack;
        if target_stack != own_stack {
            if let (Some(consumer), Some(producer)) = (own_stack, target_stack) {
                resolver.arrows.push(StackArrow { consumer, producer, user: id, value: arena.path(target) });
            }
            continue;
        }
        for node in structure.below(target) {
            let is_resource = matches!(arena.node(node).kind, NodeKind::Resource(_));
            if is_resource && node != id && !resolver.referred.contains(&node) {
                names.insert(resolver.logical_id(node));
            }
        }
    }
    names
}

fn output(resolver: &mut Resolver<'_>, id: NodeId, data: &OutputData) -> Json {
    let mut output = Map::from_iter([("Value".to_owned(), resolver.resolve(&data.value, id))]);
    if let Some(description) = &data.description {
        output.insert("Description".to_owned(), description.as_str().into());
    }
    if let Some(name) = &data.export_name {
        let name = resolver.resolve(name, id);
        output.insert("Export".to_owned(), json!({"Name": name}));
    }
    if let Some(condition) = data.condition {
        output.insert("Condition".to_owned(), resolver.local_name(condition, "condition", id).into());
    }
    Json::Object(output)
}

fn rule(resolver: &mut Resolver<'_>, id: NodeId, data: &RuleData) -> Json {
    let assertions: Vec<Json> = data
        .assertions
        .iter()
        .map(|(condition, description)| {
            json!({"Assert": resolver.resolve(condition, id), "AssertDescription": description})
        })
        .collect();
    let mut rule = Map::from_iter([("Assertions".to_owned(), Json::Array(assertions))]);
    if let Some(condition) = &data.condition {
        rule.insert("RuleCondition".to_owned(), resolver.resolve(condition, id));
    }
    Json::Object(rule)
}

/// What the CDK's bootstrap stack has to be before a template may be deployed: the parameter that reads its version,
/// and the rule that refuses older ones, as every template of the CDK has them.
pub(crate) fn add_bootstrap_rule(template: &mut Map<String, Json>, qualifier: &str, version: u32) {
    let entry = |template: &mut Map<String, Json>, section: &str, name: &str, value: Json| {
        template.entry(section).or_insert_with(|| Json::Object(Map::new()))[name] = value;
    };
    let parameter = json!({
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": format!("/cdk-bootstrap/{qualifier}/version"),
        "Description": "The version of the CDK's bootstrap stack, read from SSM at each deployment. [cdk:skip]",
    });
    entry(template, "Parameters", "BootstrapVersion", parameter);
    let older: Vec<String> = (1..version).map(|version| version.to_string()).collect();
    let is_older = json!({"Fn::Contains": [older, {"Ref": "BootstrapVersion"}]});
    let rule = json!({"Assertions": [{
        "Assert": {"Fn::Not": [is_older]},
        "AssertDescription": format!("the CDK's bootstrap stack has to be of version {version} at least: run cdk bootstrap"),
    }]});
    entry(template, "Rules", "CheckBootstrapVersion", rule);
}

/// The whole template: the sections, the values that other stacks read, and what the stack says about itself.
pub(crate) fn finish(
    resolver: &mut Resolver<'_>,
    stack: NodeId,
    data: &StackData,
    sections: &Sections,
    shared: &BTreeMap<String, SharedValue>,
) -> Map<String, Json> {
    let mut template = Map::new();
    if let Some(description) = &data.description {
        template.insert("Description".to_owned(), description.as_str().into());
    }
    if !data.metadata.is_empty() {
        let metadata =
            data.metadata.iter().map(|(key, value)| (key.clone(), resolver.resolve(value, stack))).collect();
        template.insert("Metadata".to_owned(), metadata);
    }
    match data.transforms.as_slice() {
        [] => {}
        [only] => {
            template.insert("Transform".to_owned(), only.as_str().into());
        }
        several => {
            template.insert("Transform".to_owned(), json!(several));
        }
    }
    for (section, entries) in &sections.sections {
        template.insert((*section).to_owned(), Json::Object(entries.clone()));
    }
    for (name, value) in shared {
        let mut output = Map::from_iter([("Value".to_owned(), value.value.clone())]);
        if value.exported {
            output.insert("Export".to_owned(), json!({"Name": export_name(&data.name, name)}));
        }
        if let Some(condition) = value.condition {
            output.insert("Condition".to_owned(), resolver.logical_id(condition).into());
        }
        let outputs = template.entry("Outputs").or_insert_with(|| Json::Object(Map::new()));
        outputs[name] = Json::Object(output);
    }
    template
}
