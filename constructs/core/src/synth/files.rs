//! The files of the assembly: templates, manifests, tree, assets, findings.

use std::collections::BTreeMap;

use formwork_assembly::asset_manifest::{AssetManifest, FileAsset};
use formwork_assembly::cloud_assembly::{CONTEXT_SCHEMA_FILE, DIAGNOSTICS_FILE, MANIFEST_FILE, TREE_FILE};
use formwork_assembly::manifest::{self, Artifact, FileProperties, Manifest, StackProperties};
use formwork_assembly::tree::{TREE_VERSION, TreeFile, TreeNode};
use formwork_assembly::{AssemblyFiles, Diagnostic, json};
use serde::Serialize;

use super::stack_order::StackGraph;
use crate::app::App;
use crate::context::AssetDestination;
use crate::stack::StackData;
use crate::tree::{Arena, NodeId, NodeKind, source_location};

/// The version of the CDK's bootstrap stack from which on templates may be deployed as these are.
pub(crate) const CDK_BOOTSTRAP_VERSION: u32 = 6;

/// A stack with its template, ready to be written.
pub(crate) struct FinishedStack<'a> {
    pub(crate) node: NodeId,
    pub(crate) data: &'a StackData,
    pub(crate) template: String,
}

fn text(of: &impl Serialize) -> String {
    json::to_text(&serde_json::to_value(of).expect("assembly data has string keys only"))
}

pub(crate) fn assembly_files(
    app: &App,
    arena: &Arena,
    stacks: &[FinishedStack<'_>],
    dependencies: &StackGraph,
    diagnostics: &[Diagnostic],
) -> AssemblyFiles {
    let mut files = AssemblyFiles::default();
    let mut artifacts = BTreeMap::new();
    for stack in stacks {
        let id = artifact_id(arena, stack.node);
        files.insert(template_file(&id), stack.template.clone());
        let assets = asset_manifest(arena, stack.node, &mut files);
        let environment = &stack.data.environment;
        let environment =
            manifest::environment(environment.account.as_deref(), environment.region.as_deref());
        let mut before = artifacts_before(arena, dependencies, stack.node);
        if !assets.files.is_empty() {
            let file = format!("{id}.assets.json");
            files.insert(file.clone(), text(&assets));
            let properties = manifest::properties(&FileProperties { file });
            let artifact =
                Artifact { kind: manifest::ASSET_MANIFEST.to_owned(), properties, ..Artifact::default() };
            artifacts.insert(format!("{id}.assets"), artifact);
            before.push(format!("{id}.assets"));
        }
        before.sort();
        let artifact = Artifact {
            kind: manifest::STACK.to_owned(),
            environment: Some(environment),
            properties: manifest::properties(&stack_properties(app, &id, stack.data)),
            dependencies: before,
            display_name: Some(arena.path(stack.node)),
        };
        artifacts.insert(id, artifact);
    }
    let tree = Artifact {
        kind: manifest::TREE.to_owned(),
        properties: manifest::properties(&FileProperties { file: TREE_FILE.to_owned() }),
        ..Artifact::default()
    };
    artifacts.insert("Tree".to_owned(), tree);
    files.insert(TREE_FILE, text(&tree_file(arena)));
    files.insert(DIAGNOSTICS_FILE, text(&diagnostics));
    files.insert(CONTEXT_SCHEMA_FILE, json::to_text(&app.context_schema()));
    let manifest = Manifest { version: manifest::SCHEMA_VERSION.to_owned(), artifacts };
    files.insert(MANIFEST_FILE, text(&manifest));
    files
}

fn template_file(id: &str) -> String {
    format!("{id}.template.json")
}

/// The ids of the artifacts of the stacks that a stack comes after.
pub(crate) fn artifacts_before(arena: &Arena, dependencies: &StackGraph, stack: NodeId) -> Vec<String> {
    dependencies.needs(&stack).map(|(producer, _)| artifact_id(arena, *producer)).collect()
}

/// The id of a stack's artifact: its path, with hyphens for slashes.
pub(crate) fn artifact_id(arena: &Arena, stack: NodeId) -> String {
    arena.path(stack).replace('/', "-")
}

fn stack_properties(app: &App, id: &str, data: &StackData) -> StackProperties {
    let mut properties = StackProperties {
        template_file: template_file(id),
        stack_name: Some(data.name.clone()),
        termination_protection: Some(data.termination_protection),
        tags: data.tags.clone(),
        ..StackProperties::default()
    };
    let settings = app.framework_settings();
    if settings.destination() == AssetDestination::Cdk {
        let qualifier = settings.qualifier();
        let role = |name: &str| {
            Some(format!(
                "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/cdk-{qualifier}-{name}-role-${{AWS::AccountId}}-${{AWS::Region}}"
            ))
        };
        properties.assume_role_arn = role("deploy");
        properties.cloud_formation_execution_role_arn = role("cfn-exec");
        properties.requires_bootstrap_stack_version = Some(CDK_BOOTSTRAP_VERSION);
        properties.bootstrap_stack_version_ssm_parameter =
            Some(format!("/cdk-bootstrap/{qualifier}/version"));
    }
    properties
}

/// The assets of a stack; their files are put beside the templates.
fn asset_manifest(arena: &Arena, stack: NodeId, files: &mut AssemblyFiles) -> AssetManifest {
    let mut manifest =
        AssetManifest { version: manifest::SCHEMA_VERSION.to_owned(), ..AssetManifest::default() };
    for (_, record) in arena.assets.iter().filter(|(owner, _)| *owner == stack) {
        if let Some((path, bytes)) = &record.content {
            files.insert(path.clone(), bytes.clone());
        }
        manifest.files.entry(record.hash.clone()).or_insert_with(|| FileAsset {
            source: record.source.clone(),
            destinations: BTreeMap::from([("current".to_owned(), record.destination.clone())]),
        });
    }
    manifest
}

fn tree_file(arena: &Arena) -> TreeFile {
    let mut nodes: Vec<TreeNode> = arena
        .ids()
        .map(|id| {
            let node = arena.node(id);
            let mut attributes = BTreeMap::new();
            if let NodeKind::Resource(resource) = &node.kind {
                attributes.insert("aws:cdk:cloudformation:type".to_owned(), resource.type_name.to_string());
                let logical_id = super::logical_id::logical_id(&arena.path_in_stack(id));
                attributes
                    .extend(logical_id.map(|name| ("aws:cdk:cloudformation:logicalId".to_owned(), name)));
            }
            let id_shown = if node.parent.is_none() { "App".to_owned() } else { node.id.clone() };
            let source = Some(source_location(node.location));
            TreeNode { id: id_shown, path: arena.path(id), attributes, source, ..TreeNode::default() }
        })
        .collect();
    // Children come after their parents in the arena, so from the end each node is complete when it is moved up.
    for index in (1..nodes.len()).rev() {
        let node = std::mem::take(&mut nodes[index]);
        if let Some(parent) = arena.nodes[index].parent {
            nodes[parent.index as usize].children.insert(node.id.clone(), node);
        }
    }
    TreeFile { version: TREE_VERSION.to_owned(), tree: nodes.swap_remove(0) }
}
