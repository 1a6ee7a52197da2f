//! A place in the tree, from which constructs are added.

use std::fmt;
use std::panic::Location;

use formwork_assembly::Diagnostic;

use super::{NodeId, NodeKind};
use crate::app::App;
use crate::resource::ResourceId;
use crate::stack::{CrossStackReferences, Environment};
use crate::value::{Expression, IntoValue};

/// A place in the tree of an app. It is `Copy`: pass it on as it is.
///
/// Constructs keep no scope; they keep the [`crate::Value`]s that others may want.
#[derive(Clone, Copy)]
pub struct Scope<'app> {
    pub(crate) app: &'app App,
    pub(crate) node: NodeId,
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({})", self.path())
    }
}

/// Something that resources can wait for: a resource, or everything below a construct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependency(pub(crate) NodeId);

impl From<ResourceId> for Dependency {
    fn from(resource: ResourceId) -> Self {
        Self(resource.0)
    }
}

impl From<Scope<'_>> for Dependency {
    fn from(scope: Scope<'_>) -> Self {
        Self(scope.node)
    }
}

impl<'app> Scope<'app> {
    /// A new construct below this one. An id that is taken is reported at synth.
    #[track_caller]
    pub fn child(self, id: &str) -> Scope<'app> {
        self.add(id, NodeKind::Construct)
    }

    #[track_caller]
    pub(crate) fn add(self, id: &str, kind: NodeKind) -> Scope<'app> {
        let location = Location::caller();
        let node = self.app.arena.borrow_mut().add(self.node, id, kind, location);
        Scope { app: self.app, node }
    }

    /// Adds a node that has to be inside a stack.
    #[track_caller]
    pub(crate) fn add_to_stack(self, id: &str, kind: NodeKind) -> Scope<'app> {
        let scope = self.add(id, kind);
        if scope.stack_node().is_none() {
            let message = format!("`{id}` is not inside a stack");
            let hint = "make a stack with `app.stack(\"name\")` and define it there";
            scope.report(Diagnostic::error("outside-stack", message).with_hint(hint));
        }
        scope
    }

    /// The logical id that something defined here under an id has in the stack's template. For the few places that
    /// need a resource's name without depending on the resource, such as a signal to it.
    pub fn logical_id(self, id: &str) -> String {
        let arena = self.app.arena.borrow();
        let mut path = arena.path_in_stack(self.node);
        path.push(id);
        crate::synth::logical_id(&path).unwrap_or_default()
    }

    /// The app.
    pub fn app(self) -> &'app App {
        self.app
    }

    /// The id within the parent; empty for the app itself.
    pub fn id(self) -> String {
        self.app.arena.borrow().node(self.node).id.clone()
    }

    /// The path from the app, parts joined by `/`.
    pub fn path(self) -> String {
        self.app.arena.borrow().path(self.node)
    }

    /// The enclosing construct, or nothing for the app itself.
    pub fn parent(self) -> Option<Scope<'app>> {
        let parent = self.app.arena.borrow().node(self.node).parent;
        parent.map(|node| Scope { app: self.app, node })
    }

    /// The constructs directly below, in the order of their making.
    pub fn children(self) -> Vec<Scope<'app>> {
        let arena = self.app.arena.borrow();
        let below = arena.ids().filter(|id| arena.node(*id).parent == Some(self.node));
        below.map(|node| Scope { app: self.app, node }).collect()
    }

    pub(crate) fn stack_node(self) -> Option<NodeId> {
        self.app.arena.borrow().node(self.node).stack
    }

    /// The enclosing stack, or nothing above the stacks.
    pub fn stack(self) -> Option<Scope<'app>> {
        self.stack_node().map(|node| Scope { app: self.app, node })
    }

    fn read_stack<T: Default>(self, read: impl FnOnce(&crate::stack::StackData) -> T) -> T {
        let arena = self.app.arena.borrow();
        match arena.node(self.node).stack.map(|stack| &arena.node(stack).kind) {
            Some(NodeKind::Stack(data)) => read(data),
            _ => T::default(),
        }
    }

    /// The name of the enclosing stack in CloudFormation; empty above the stacks.
    pub fn stack_name(self) -> String {
        self.read_stack(|stack| stack.name.clone())
    }

    /// Where the enclosing stack goes, as far as it is known.
    pub fn environment(self) -> Environment {
        self.read_stack(|stack| stack.environment.clone())
    }

    /// How values of the enclosing stack reach other stacks.
    pub fn cross_stack_references(self) -> CrossStackReferences {
        self.read_stack(|stack| stack.cross_stack_references)
    }

    /// Makes every resource below wait for a resource, or for all resources below another construct. Across stacks this
    /// orders the stacks.
    pub fn depends_on(self, dependency: impl Into<Dependency>) {
        let dependency = dependency.into().0;
        self.app.arena.borrow_mut().node_mut(self.node).depends_on.push(dependency);
    }

    /// Tags every taggable resource at or below this place. The nearest tag of a key wins, and a tag that a resource sets
    /// itself wins over both.
    pub fn tag(self, key: &str, value: &str) {
        self.app.arena.borrow_mut().node_mut(self.node).tags.insert(key.to_owned(), value.to_owned());
    }

    /// Reports a finding about this construct; an error keeps synth from writing anything.
    pub fn report(self, diagnostic: Diagnostic) {
        self.app.arena.borrow_mut().report(self.node, diagnostic);
    }

    /// Visits this construct and all below it before templates are made, also those that visitors add on the way.
    pub fn aspect(self, visit: impl Fn(Scope<'_>) + 'static) {
        self.app.aspects.borrow_mut().push((self.node, std::rc::Rc::new(visit)));
    }

    /// The scope of a resource of the same app.
    pub fn at(self, resource: ResourceId) -> Scope<'app> {
        Scope { app: self.app, node: resource.0 }
    }

    /// The resource at this place, when it is one.
    pub fn resource(self) -> Option<ResourceId> {
        let arena = self.app.arena.borrow();
        matches!(arena.node(self.node).kind, NodeKind::Resource(_)).then_some(ResourceId(self.node))
    }

    /// The CloudFormation type of the resource at this place, such as `AWS::S3::Bucket`.
    pub fn resource_type(self) -> Option<String> {
        match &self.app.arena.borrow().node(self.node).kind {
            NodeKind::Resource(resource) => Some(resource.type_name.to_string()),
            _ => None,
        }
    }

    /// A property of the resource at this place.
    pub fn property(self, name: &str) -> Option<Expression> {
        match &self.app.arena.borrow().node(self.node).kind {
            NodeKind::Resource(resource) => resource.properties.get(name).cloned(),
            _ => None,
        }
    }

    /// Sets a property of the resource at this place: what aspects are for. Elsewhere it is reported as an error.
    pub fn set_property<T>(self, name: &str, value: impl IntoValue<T>) {
        let value = value.into_value().into_expression();
        let mut arena = self.app.arena.borrow_mut();
        if let NodeKind::Resource(resource) = &mut arena.node_mut(self.node).kind {
            resource.properties.put(name.to_owned(), value);
        } else {
            let message = format!("property {name} is set on something that is no resource");
            arena.report(self.node, Diagnostic::error("not-a-resource", message));
        }
    }
}
