//! The app: the root of the tree, the context it was given, and the way to its templates.

use std::cell::RefCell;
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use formwork_assembly::Diagnostic;
use schemars::Schema;

use crate::context::{self, Context, FrameworkSettings, Settings};
use crate::stack::{Environment, Stack, StackProps};
use crate::tree::{Arena, NodeId, Scope};

pub(crate) type Aspect = Rc<dyn Fn(Scope<'_>)>;

/// What an app is given from outside.
#[derive(Clone, Debug, Default)]
pub struct AppProps {
    /// The settings.
    pub context: Context,
    /// Where stacks go that do not say so themselves.
    pub environment: Environment,
}

/// The root of a construct tree.
///
/// ```
/// use formwork::{App, AppProps, CfnResource};
///
/// let app = App::new(AppProps::default());
/// let stack = app.stack("storage");
/// CfnResource::new("AWS::SNS::Topic").define(stack, "Topic");
/// let synthesis = app.synth();
/// assert!(synthesis.is_ok());
/// ```
pub struct App {
    pub(crate) arena: RefCell<Arena>,
    pub(crate) aspects: RefCell<Vec<(NodeId, Aspect)>>,
    context: Context,
    environment: Environment,
    framework_settings: FrameworkSettings,
    schemas: RefCell<Vec<Schema>>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("context", &self.context)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

static NEXT_APP: AtomicU32 = AtomicU32::new(0);

impl App {
    /// An app without stacks.
    #[track_caller]
    pub fn new(props: AppProps) -> Self {
        let mut arena = Arena::new(NEXT_APP.fetch_add(1, Ordering::Relaxed), Location::caller());
        let framework_settings: FrameworkSettings = context::read(&props.context, &mut arena.diagnostics);
        arena.diagnostics.extend(framework_settings.mistakes());
        let app = Self {
            arena: RefCell::new(arena),
            aspects: RefCell::new(Vec::new()),
            context: props.context,
            environment: props.environment,
            framework_settings,
            schemas: RefCell::new(vec![context::schema_of::<FrameworkSettings>()]),
        };
        crate::permissions_boundary::apply(&app);
        app
    }

    /// The scope of the app itself, above all stacks.
    pub fn root(&self) -> Scope<'_> {
        Scope { app: self, node: NodeId { app: self.arena.borrow().app, index: 0 } }
    }

    /// A stack with nothing said about it but its name.
    #[track_caller]
    pub fn stack(&self, id: &str) -> Scope<'_> {
        Stack::define(self.root(), id, StackProps::default())
    }

    /// Reads settings from the context. Wrong values are reported at synth and keep their default here.
    pub fn settings<T: Settings>(&self) -> T {
        let schema = context::schema_of::<T>();
        let mut schemas = self.schemas.borrow_mut();
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
        let mut found = Vec::new();
        let settings = context::read(&self.context, &mut found);
        self.report_once(found);
        settings
    }

    /// The JSON Schema of every setting that has been read so far.
    pub fn context_schema(&self) -> serde_json::Value {
        context::merge_schemas(&self.schemas.borrow())
    }

    /// The context that the app was given.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Where stacks go that do not say so themselves.
    pub fn environment(&self) -> Environment {
        self.environment.clone()
    }

    /// The settings of the framework itself.
    pub fn framework_settings(&self) -> &FrameworkSettings {
        &self.framework_settings
    }

    pub(crate) fn report_unknown_context(&self) {
        let mut found = Vec::new();
        context::report_unknown(&self.context, &self.schemas.borrow(), &mut found);
        self.report_once(found);
    }

    fn report_once(&self, found: Vec<Diagnostic>) {
        let diagnostics = &mut self.arena.borrow_mut().diagnostics;
        for diagnostic in found {
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
    }
}
