//! The nodes of the tree, in one arena that the app owns.
//!
//! Only this folder borrows the arena, and never while a caller's closure runs: a construct or an aspect may grow the tree
//! at any time.

use std::collections::{BTreeMap, HashSet};
use std::panic::Location;

use formwork_assembly::{Diagnostic, SourceLocation};

use crate::asset::AssetRecord;
use crate::resource::ResourceData;
use crate::stack::{MappingData, OutputData, ParameterData, RuleData, StackData};
use crate::value::Expression;

/// The place of a node in its app's arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// Tells apps apart, so that a value of one app used in another is found out.
    pub(crate) app: u32,
    pub(crate) index: u32,
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum NodeKind {
    Root,
    Construct,
    Stack(Box<StackData>),
    Resource(Box<ResourceData>),
    Parameter(Box<ParameterData>),
    Condition(Expression),
    Mapping(MappingData),
    Output(Box<OutputData>),
    Rule(Box<RuleData>),
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) parent: Option<NodeId>,
    /// The enclosing stack, which is the node itself for a stack.
    pub(crate) stack: Option<NodeId>,
    pub(crate) kind: NodeKind,
    pub(crate) location: &'static Location<'static>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Nodes whose resources come before every resource below this one.
    pub(crate) depends_on: Vec<NodeId>,
}

#[derive(Debug)]
pub(crate) struct Arena {
    pub(crate) app: u32,
    pub(crate) nodes: Vec<Node>,
    taken: HashSet<(u32, String)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The assets of each stack, in the order of their definition.
    pub(crate) assets: Vec<(NodeId, AssetRecord)>,
}

impl Arena {
    pub(crate) fn new(app: u32, location: &'static Location<'static>) -> Self {
        let root = Node {
            id: String::new(),
            parent: None,
            stack: None,
            kind: NodeKind::Root,
            location,
            tags: BTreeMap::new(),
            depends_on: Vec::new(),
        };
        Self { app, nodes: vec![root], taken: HashSet::new(), diagnostics: Vec::new(), assets: Vec::new() }
    }

    /// Adds a node. An id that is taken or not usable becomes a diagnostic; the node is added all the same, so that
    /// growing goes on and further mistakes are found.
    pub(crate) fn add(
        &mut self,
        parent: NodeId,
        id: &str,
        kind: NodeKind,
        location: &'static Location<'static>,
    ) -> NodeId {
        let node =
            NodeId { app: self.app, index: u32::try_from(self.nodes.len()).expect("fewer than 2^32 nodes") };
        let stack = if matches!(kind, NodeKind::Stack(_)) { Some(node) } else { self.node(parent).stack };
        self.nodes.push(Node {
            id: id.to_owned(),
            parent: Some(parent),
            stack,
            kind,
            location,
            tags: BTreeMap::new(),
            depends_on: Vec::new(),
        });
        if id.is_empty() || id.contains('/') {
            let message = format!("construct id `{id}` is empty or has a slash in it");
            self.report(
                node,
                Diagnostic::error("construct-id", message).with_hint("choose an id without `/`"),
            );
        }
        if !self.taken.insert((parent.index, id.to_owned())) {
            let within = match self.path(parent) {
                path if path.is_empty() => "the app".to_owned(),
                path => format!("`{path}`"),
            };
            let first = self.nodes.iter().find(|other| other.parent == Some(parent) && other.id == id);
            let place = first.map(|first| source_location(first.location).to_string()).unwrap_or_default();
            let message = format!("id `{id}` is used twice within {within}");
            let hint = format!("the first one is made at {place}; give one of them another id");
            self.report(node, Diagnostic::error("duplicate-id", message).with_hint(hint));
        }
        node
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index as usize]
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.index as usize]
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        let app = self.app;
        (0..u32::try_from(self.nodes.len()).expect("fewer than 2^32 nodes"))
            .map(move |index| NodeId { app, index })
    }

    /// The node and those around it, inside out, without the root.
    pub(crate) fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(id), |id| self.node(*id).parent)
            .filter(|id| !matches!(self.node(*id).kind, NodeKind::Root))
    }

    /// The path from the root, parts joined by `/`.
    pub(crate) fn path(&self, id: NodeId) -> String {
        let mut parts: Vec<&str> = self.ancestors(id).map(|id| self.node(id).id.as_str()).collect();
        parts.reverse();
        parts.join("/")
    }

    /// The ids from below the stack to the node.
    pub(crate) fn path_in_stack(&self, id: NodeId) -> Vec<&str> {
        let stack = self.node(id).stack;
        let mut parts: Vec<&str> = self
            .ancestors(id)
            .take_while(|id| Some(*id) != stack)
            .map(|id| self.node(id.to_owned()).id.as_str())
            .collect();
        parts.reverse();
        parts
    }

    /// Whether `id` is `root` or lies below it.
    pub(crate) fn is_within(&self, id: NodeId, root: NodeId) -> bool {
        std::iter::successors(Some(id), |id| self.node(*id).parent).any(|id| id == root)
    }

    /// Keeps a finding about a node, with the node's path and lines.
    pub(crate) fn report(&mut self, id: NodeId, diagnostic: Diagnostic) {
        let diagnostic = self.locate(id, diagnostic);
        self.diagnostics.push(diagnostic);
    }

    /// Adds a node's path and lines to a finding.
    pub(crate) fn locate(&self, id: NodeId, mut diagnostic: Diagnostic) -> Diagnostic {
        diagnostic.construct_path = Some(self.path(id));
        diagnostic.sources = self.sources(id);
        diagnostic
    }

    /// The line that made the node, then the line of each construct around it; equal neighbours are given once.
    pub(crate) fn sources(&self, id: NodeId) -> Vec<SourceLocation> {
        let mut sources: Vec<SourceLocation> =
            self.ancestors(id).map(|id| source_location(self.node(id).location)).collect();
        sources.dedup();
        sources
    }
}

/// A line of a crate as people know it: relative to the workspace, or to the package's folder in the registry.
pub(crate) fn source_location(location: &Location<'_>) -> SourceLocation {
    let file = location.file().replace('\\', "/");
    let file = match file.find("/registry/src/") {
        Some(start) => {
            let inside = &file[start + "/registry/src/".len()..];
            inside.split_once('/').map_or(inside, |(_, rest)| rest).to_owned()
        }
        None => file,
    };
    SourceLocation { file, line: location.line(), column: location.column() }
}
