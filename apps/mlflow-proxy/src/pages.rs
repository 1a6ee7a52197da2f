//! What people with a browser see: a page that says what this is, and the way to MLflow's own user interface.
//!
//! The page needs no script and tells nobody more than they may know: without an identity it is only the general text,
//! with the address that the browser itself has asked for.

mod html;
mod ui;

use std::fmt::Write as _;

use http::{Response, StatusCode};

use crate::access::{Identity, Role};
use crate::body::Body;
use crate::settings::{Reader, Variable};
use crate::target::{Mode, Target};

use html::{Escaped, page};

pub use ui::{UiRequest, ui};

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

/// How clients show who they are, as far as the page tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// By a token of the proxy.
    Token,
    /// By a name and a password.
    Password,
    /// By a token of somebody else.
    Jwt,
    /// Not at all.
    Nothing,
}

/// What the page at `/` is made from.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// Scheme and authority as the browser knows them, such as `https://mlflow.example.com`.
    pub origin: &'a str,
    /// How clients sign in.
    pub sign_in: SignIn,
    /// Who looks, if that is known.
    pub identity: Option<&'a Identity>,
    /// What stands behind the proxy.
    pub target: &'a Target,
    /// Whether artifacts go through the proxy.
    pub artifacts: bool,
    /// Whether requests can be answered now.
    pub ready: bool,
}

/// The page at `/`.
pub fn root(visit: &Visit<'_>) -> Response<Body> {
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
    let role = match identity.role {
        Role::Reader => "reader",
        Role::Writer => "writer",
        Role::Admin => "admin",
    };
    let artifacts = match visit.artifacts {
        true => "through this proxy: clients need no credentials of AWS",
        false => "not through this proxy: clients reach the bucket with credentials of their own",
    };
    let _ = write!(
        main,
        "<h2>What stands behind it</h2>\n<dl>\n<dt>Kind</dt><dd>{kind}</dd>\n<dt>Name</dt><dd>{}</dd>\n\
         <dt>Region</dt><dd>{}</dd>\n<dt>Resource</dt><dd><code>{}</code></dd>\n<dt>Artifacts</dt><dd>{artifacts}</dd>\n\
         <dt>You are</dt><dd>{}, {role}</dd>\n</dl>\n",
        Escaped(&target.name),
        Escaped(&target.region),
        Escaped(&target.arn),
        Escaped(&identity.name),
    );
    main.push_str("<p><a class=\"button\" href=\"/ui\">Open MLflow’s user interface</a></p>\n");
}

/// How to use it from a program.
fn connect(main: &mut String, visit: &Visit<'_>) {
    let origin = Escaped(visit.origin);
    let (lines, words) = match visit.sign_in {
        SignIn::Token => (
            "export MLFLOW_TRACKING_TOKEN='fwp_…'\n",
            "The operator of this proxy makes a token for you by <code>formwork proxy user add</code>; it is shown once.",
        ),
        SignIn::Password => (
            "export MLFLOW_TRACKING_USERNAME='…'\nexport MLFLOW_TRACKING_PASSWORD='…'\n",
            "The operator of this proxy gives you a name and a password.",
        ),
        SignIn::Jwt => (
            "export MLFLOW_TRACKING_TOKEN='…'\n",
            "The token is a JSON Web Token of your organisation’s issuer.",
        ),
        SignIn::Nothing => ("", "Nobody is asked who they are."),
    };
    let _ = write!(
        main,
        "<h2>Use it from Python</h2>\n\
         <p>Install MLflow (<code>pip install mlflow</code>) and say where it is and who you are. {words}</p>\n\
         <pre tabindex=\"0\" aria-label=\"Lines for a shell\"><code>export MLFLOW_TRACKING_URI='{origin}'\n{lines}</code></pre>\n\
         <p>Then check that it answers:</p>\n\
         <pre tabindex=\"0\" aria-label=\"Check command\"><code>python -c 'import mlflow; print(mlflow.search_experiments(max_results=1))'</code></pre>\n",
    );
    if visit.identity.is_none() {
        main.push_str(
            "<h2>Look at experiments in the browser</h2>\n<p><a class=\"button\" href=\"/ui\">Open MLflow’s user \
             interface</a></p>\n<p>It asks who you are first, if the browser has not told yet.</p>\n",
        );
    }
}

#[cfg(test)]
#[path = "pages/tests.rs"]
mod tests;
