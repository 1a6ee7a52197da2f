//! What people with a browser see: a page that says what this is, and the way to MLflow's own user interface.
//!
//! The page needs no script and tells nobody more than they may know: without an identity it is only the general text,
//! with the address that the browser itself has asked for.

mod html;
mod ui;

use std::fmt::Write as _;
use std::sync::Arc;

use http::{HeaderMap, Method, Response, StatusCode};

use crate::access::{Identity, Methods, Role};
use crate::aws::Calls;
use crate::body::Body;
use crate::settings::{Reader, Settings as All, Variable};
use crate::target::{Mode, Target};

use html::{Escaped, page};

use ui::{UiRequest, ui};

/// The settings of the pages.
pub const VARIABLES: &[Variable] = &[UI_ROLE, UI_URL_SECONDS, UI_SESSION_SECONDS];

const UI_ROLE: Variable = Variable {
    name: "MLFLOW_PROXY_UI_ROLE",
    default: "",
    about: "The least role that /ui sends on to MLflow's own user interface: reader, writer, admin, or off. The interface acts \
            with all that the proxy's role may do, so without this it takes the role that MLFLOW_PROXY_ACCESS names.",
};

const UI_URL_SECONDS: Variable = Variable {
    name: "MLFLOW_PROXY_UI_URL_SECONDS",
    default: "60",
    about: "For how many seconds the address that /ui sends to can be opened, 5 to 300.",
};

const UI_SESSION_SECONDS: Variable = Variable {
    name: "MLFLOW_PROXY_UI_SESSION_SECONDS",
    default: "5000",
    about: "How many seconds a session of MLflow's own user interface lasts, 1800 to 43200.",
};

/// Who may open MLflow's user interface by `/ui`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UiRole {
    /// Those who may do all that the proxy's own role may.
    Ceiling,
    /// Those of a role, and above.
    AtLeast(Role),
    /// Nobody.
    Off,
}

/// What can be set about the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Who may open the user interface.
    pub ui_role: UiRole,
    /// How long a presigned address can be opened, in seconds.
    pub url_seconds: u32,
    /// How long a session lasts, in seconds.
    pub session_seconds: u32,
}

impl Settings {
    /// Reads the settings of the pages.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let ui_role = match reader.given(&UI_ROLE).as_deref() {
            None => UiRole::Ceiling,
            Some("reader") => UiRole::AtLeast(Role::Reader),
            Some("writer") => UiRole::AtLeast(Role::Writer),
            Some("admin") => UiRole::AtLeast(Role::Admin),
            Some("off") => UiRole::Off,
            Some(other) => {
                let wrong = format!("is `{other}`, which is no role");
                reader.mistake(&UI_ROLE, wrong, "give reader, writer, admin or off");
                UiRole::Off
            }
        };
        // Source of the ranges: SageMaker API, CreatePresignedMlflowTrackingServerUrl and CreatePresignedMlflowAppUrl.
        let mut seconds = |variable: &Variable, least: u32, greatest: u32, default: u32| {
            let hint = format!("give {least} to {greatest}");
            let value = reader.parsed(variable, "a whole number of seconds", &hint).unwrap_or(default);
            if (least..=greatest).contains(&value) {
                return value;
            }
            reader.mistake(variable, format!("is `{value}`, which SageMaker does not take"), hint.clone());
            default
        };
        Self {
            ui_role,
            url_seconds: seconds(&UI_URL_SECONDS, 5, 300, 60),
            session_seconds: seconds(&UI_SESSION_SECONDS, 1800, 43_200, 5000),
        }
    }
}

/// The pages of one proxy.
pub struct Pages {
    settings: Settings,
    methods: Methods,
    ceiling: Role,
    target: Arc<Target>,
    artifacts: bool,
    calls: Calls,
}

impl Pages {
    /// The pages of a proxy in front of `target`.
    ///
    /// `calls` signs with the credentials of the role that calls MLflow; `artifacts` says whether files go through the
    /// proxy.
    pub fn new(settings: &All, target: Arc<Target>, artifacts: bool, calls: Calls) -> Self {
        let (methods, ceiling) = (settings.access.methods, settings.access.greatest);
        Self { settings: settings.pages, methods, ceiling, target, artifacts, calls }
    }

    /// Whether a path is one of the proxy's own pages.
    pub fn serves(path: &str) -> bool {
        matches!(path, "/" | "/ui")
    }

    /// The page at `/`, which needs no identity and says more to who has one.
    ///
    /// `origin` is scheme and authority as the browser knows them, such as `https://mlflow.example.com`.
    pub fn root(&self, origin: &str, identity: Option<&Identity>, ready: bool) -> Response<Body> {
        root(&Visit {
            origin,
            methods: self.methods,
            identity,
            target: &self.target,
            artifacts: self.artifacts,
            may_open: identity
                .is_some_and(|identity| may_open(self.settings.ui_role, self.ceiling, identity.role)),
            ready,
        })
    }

    /// The answer to `/ui`: a redirect to MLflow's own user interface.
    pub async fn ui(&self, method: &Method, headers: &HeaderMap, identity: &Identity) -> Response<Body> {
        let request = UiRequest { method, headers, identity, ceiling: self.ceiling, target: &self.target };
        ui(&request, &self.settings, &self.calls).await
    }
}

/// What the page at `/` is made from.
#[derive(Clone, Copy, Debug)]
struct Visit<'a> {
    origin: &'a str,
    methods: Methods,
    identity: Option<&'a Identity>,
    target: &'a Target,
    artifacts: bool,
    may_open: bool,
    ready: bool,
}

/// Whether a role is enough for MLflow's user interface.
fn may_open(ui_role: UiRole, ceiling: Role, role: Role) -> bool {
    needed(ui_role, ceiling).is_some_and(|needed| role >= needed)
}

/// The role that MLflow's user interface needs; nobody has it where there is none.
fn needed(ui_role: UiRole, ceiling: Role) -> Option<Role> {
    match ui_role {
        UiRole::Ceiling => Some(ceiling),
        UiRole::AtLeast(role) => Some(role),
        UiRole::Off => None,
    }
}

/// The page at `/`.
fn root(visit: &Visit<'_>) -> Response<Body> {
    let mut main = String::with_capacity(4096);
    let readiness = match visit.ready {
        true => "<strong class=\"good\">Ready</strong> to answer requests",
        false => "<strong class=\"bad\">Not ready</strong> to answer requests",
    };
    let _ = writeln!(main, "<p>{readiness} (<a href=\"/readyz\">details</a>).</p>");
    if let Some(identity) = visit.identity {
        about(&mut main, visit, identity);
    }
    connect(&mut main, visit);
    let lead = "This address takes requests of plain MLflow clients and passes them, signed, to managed MLflow in Amazon \
                SageMaker AI.";
    page(StatusCode::OK, "MLflow proxy", lead, &main)
}

/// What only those may read who are known.
fn about(main: &mut String, visit: &Visit<'_>, identity: &Identity) {
    let target = visit.target;
    let kind = match target.mode {
        Mode::TrackingServer => "MLflow tracking server",
        Mode::App => "serverless MLflow app",
    };
    let artifacts = match visit.artifacts {
        true => "through this proxy: clients need no credentials of AWS",
        false => "not through this proxy: clients reach the bucket with credentials of their own",
    };
    let _ = write!(
        main,
        "<h2>What stands behind it</h2>\n<dl>\n<dt>Kind</dt><dd>{kind}</dd>\n<dt>Name</dt><dd>{}</dd>\n\
         <dt>Region</dt><dd>{}</dd>\n<dt>Resource</dt><dd><code>{}</code></dd>\n<dt>Artifacts</dt><dd>{artifacts}</dd>\n\
         <dt>You are</dt><dd>{}, {}</dd>\n</dl>\n",
        Escaped(&target.name),
        Escaped(&target.region),
        Escaped(&target.arn),
        Escaped(&identity.name),
        identity.role,
    );
    main.push_str(match visit.may_open {
        true => "<p><a class=\"button\" href=\"/ui\">Open MLflow’s user interface</a></p>\n",
        false => "<p>MLflow’s own user interface is not open to your role here; the API is.</p>\n",
    });
}

/// How to use it from a program.
fn connect(main: &mut String, visit: &Visit<'_>) {
    let origin = Escaped(visit.origin);
    let methods = visit.methods;
    let (lines, words) = if methods.passwords {
        (
            "export MLFLOW_TRACKING_USERNAME='…'\nexport MLFLOW_TRACKING_PASSWORD='…'\n",
            "The operator of this proxy gives you a name and a password by <code>formwork proxy user add</code>, or a \
             token, which goes into <code>MLFLOW_TRACKING_TOKEN</code> instead.",
        )
    } else if methods.tokens {
        (
            "export MLFLOW_TRACKING_TOKEN='fwp_…'\n",
            "The operator of this proxy makes a token for you by <code>formwork proxy user add</code>; it is shown once.",
        )
    } else if methods.jwt {
        ("export MLFLOW_TRACKING_TOKEN='…'\n", "The token is a JSON Web Token of your organisation’s issuer.")
    } else {
        ("", "Nobody is asked who they are here.")
    };
    let _ = write!(
        main,
        "<h2>Use it from Python</h2>\n\
         <p>Install MLflow by <code>pip install mlflow</code>, then tell it where to go. {words}</p>\n\
         <pre tabindex=\"0\" role=\"region\" aria-label=\"Lines for a shell\"><code>export MLFLOW_TRACKING_URI='{origin}'\n{lines}</code></pre>\n\
         <p>Then check that it answers:</p>\n\
         <pre tabindex=\"0\" role=\"region\" aria-label=\"Check command\"><code>python -c 'import mlflow; print(mlflow.search_experiments(max_results=1))'</code></pre>\n",
    );
    if visit.identity.is_none() {
        let token = match methods.tokens {
            true => " A token goes into the field for the password, with any name.",
            false => "",
        };
        let _ = write!(
            main,
            "<h2>Look at experiments in the browser</h2>\n<p><a class=\"button\" href=\"/ui\">Open MLflow’s user \
             interface</a></p>\n<p>It asks who you are first, if the browser has not told yet.{token}</p>\n",
        );
    }
}

#[cfg(test)]
#[path = "pages/tests.rs"]
mod tests;
