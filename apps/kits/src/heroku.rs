//! The Heroku kit: MLflow and nginx in one dyno, data in Heroku's PostgreSQL, artifacts in S3.
//!
//! A dyno has one port, which is told at its start, and no disk that stays. What is secret reaches Heroku as a file that its
//! command line reads, never as an argument.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::access_key::AccessKey;
use crate::checks::{Findings, is_host, is_word};
use crate::error::KitError;
use crate::image::{self, Nginx};
use crate::kit::{Kit, KitFile, Place};
use crate::secrets::{Secret, Secrets};
use crate::template::render;

const PASSWORD: &str = "secrets/password";
/// The key of the bucket, as AWS's own programs keep it.
pub const AWS_CREDENTIALS: &str = "secrets/aws_credentials";
const CONFIG: &str = "secrets/config.json";

/// Dynos with enough memory for MLflow, and how much they have, in MB (Heroku's dyno types, 2026).
const DYNOS: [(&str, u32); 5] = [
    ("standard-2x", 1024),
    ("performance-m", 2560),
    ("performance-l", 14_336),
    ("private-m", 2560),
    ("private-l", 14_336),
];

/// The settings of the Heroku kit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HerokuSettings {
    /// The name of the app, where there is one.
    pub app: String,
    /// The name of its address.
    pub host: String,
    /// The name that people sign in with.
    pub user: String,
    /// Where artifacts go: `s3://bucket/prefix`.
    pub s3_location: String,
    /// The region of the bucket.
    pub s3_region: String,
    /// The size of the dyno.
    pub dyno: String,
    /// The plan of the database.
    pub database_plan: String,
}

impl Default for HerokuSettings {
    fn default() -> Self {
        Self {
            app: String::new(),
            host: String::new(),
            user: "mlflow".to_owned(),
            s3_location: String::new(),
            s3_region: "us-east-1".to_owned(),
            dyno: "standard-2x".to_owned(),
            database_plan: "heroku-postgresql:essential-0".to_owned(),
        }
    }
}

/// The Heroku kit with these settings; a given key is taken in place of one that people fill in.
///
/// # Errors
/// When settings are wrong: all that was found.
pub fn kit(settings: &HerokuSettings, key: Option<AccessKey>) -> Result<Kit, KitError> {
    check(settings)?;
    let shown = settings.clone();
    let credentials = match key {
        Some(key) => Secret::made(AWS_CREDENTIALS, move |_| Ok(key.to_file())),
        None => Secret::of_people(AWS_CREDENTIALS),
    };
    Ok(Kit {
        name: "heroku",
        settings: render("heroku/kit.toml", include_str!("../heroku/kit.toml.jinja"), settings)?,
        secrets: vec![Secret::password(PASSWORD), credentials],
        files: Box::new(move |place| files(&shown, place)),
        folders: Vec::new(),
        next: vec!["cat README.md".to_owned()],
    })
}

/// The variables of the app, as Heroku's interface takes them.
#[must_use]
pub fn config_vars(settings: &HerokuSettings, password: Option<&str>, key: &AccessKey) -> Value {
    let known = [
        ("S3_LOCATION", settings.s3_location.as_str()),
        ("AWS_DEFAULT_REGION", settings.s3_region.as_str()),
        ("AWS_ACCESS_KEY_ID", key.id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", key.secret.as_str()),
        ("BASIC_AUTH_USER", settings.user.as_str()),
        ("BASIC_AUTH_PASSWORD", password.unwrap_or_default()),
        ("MLFLOW_HOSTS", settings.host.as_str()),
    ];
    let set = known.into_iter().filter(|(_, value)| !value.is_empty());
    Value::Object(set.map(|(name, value)| (name.to_owned(), json!(value))).collect::<Map<_, _>>())
}

fn check(settings: &HerokuSettings) -> Result<(), KitError> {
    let mut findings = Findings::default();
    let HerokuSettings { app, host, user, s3_location, s3_region, dyno, database_plan } = settings;
    let is_small = |text: &str| !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let is_app = |text: &str| is_word(text, "-") && is_small(text) && (3..=30).contains(&text.len());
    if !app.is_empty() && !is_app(app) {
        findings.add(format!("app `{app}` is no name of an app"), "3 to 30 small letters, digits and `-`");
    }
    if !host.is_empty() && !is_host(host) {
        findings.add(format!("host `{host}` is no name of a host"), "without https:// and without a path");
    }
    if !is_word(user, "-_.@") {
        findings.add(format!("user `{user}` cannot be used"), "letters, digits, `-`, `_`, `.` and `@`");
    }
    let is_place = |text: &str| text.trim_end_matches('/').split('/').all(|part| is_word(part, "-_.=+"));
    if !s3_location.is_empty() && !s3_location.strip_prefix("s3://").is_some_and(is_place) {
        findings
            .add(format!("s3Location `{s3_location}` is no place in S3"), "write it as s3://bucket/prefix");
    }
    if !is_word(s3_region, "-") {
        findings.add(format!("s3Region `{s3_region}` is no region"), "such as us-east-1");
    }
    if !DYNOS.iter().any(|(name, _)| name == dyno) {
        let names: Vec<&str> = DYNOS.iter().map(|(name, _)| *name).collect();
        let hint = format!("512 MB leave MLflow no room: {}", names.join(", "));
        findings.add(format!("dyno `{dyno}` is unknown or too small"), &hint);
    }
    if !database_plan.strip_prefix("heroku-postgresql:").is_some_and(|plan| is_word(plan, "-")) {
        let hint = "such as heroku-postgresql:essential-0";
        findings.add(format!("databasePlan `{database_plan}` is no plan of PostgreSQL"), hint);
    }
    findings.finish()
}

/// What the ports of a dyno are filled in for when it starts.
fn nginx() -> Nginx {
    Nginx {
        listen: "@PORT@".to_owned(),
        mlflow: "127.0.0.1:@MLFLOW_PORT@".to_owned(),
        resolver: String::new(),
        scratch: "@SCRATCH@".to_owned(),
        users: "@USERS@".to_owned(),
        prefix: String::new(),
        tls: false,
        redirect: false,
        store: String::new(),
        hide_links: false,
        behind_router: true,
    }
}

fn app_json(settings: &HerokuSettings) -> String {
    let asked = |description: &str, value: Option<&str>| {
        let mut variable = json!({ "description": description, "required": true });
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            variable["value"] = json!(value);
        }
        variable
    };
    let mut password = asked("The password that people sign in with", None);
    password["generator"] = json!("secret");
    let app = json!({
        "name": "MLflow",
        "description": format!("MLflow {} with PostgreSQL, S3 and a sign-in", image::MLFLOW_VERSION),
        "stack": "container",
        "addons": [{ "plan": settings.database_plan, "as": "DATABASE" }],
        "formation": { "web": { "quantity": 1, "size": settings.dyno } },
        "env": {
            "S3_LOCATION": asked("Where artifacts go, such as s3://bucket/prefix", Some(&settings.s3_location)),
            "AWS_DEFAULT_REGION": asked("The region of the bucket", Some(&settings.s3_region)),
            "AWS_ACCESS_KEY_ID": asked("The key that reaches the bucket", None),
            "AWS_SECRET_ACCESS_KEY": asked("The key's other half", None),
            "BASIC_AUTH_USER": asked("The name that people sign in with", Some(&settings.user)),
            "BASIC_AUTH_PASSWORD": password,
            "MLFLOW_HOSTS": asked("The name of the app's address, without https://", Some(&settings.host)),
        },
    });
    serde_json::to_string_pretty(&app).unwrap_or_default() + "\n"
}

fn files(settings: &HerokuSettings, place: &Place) -> Result<Vec<KitFile>, KitError> {
    #[derive(Serialize)]
    struct Values<'s> {
        settings: &'s HerokuSettings,
        host: &'s str,
        password: &'s str,
        mlflow_version: &'s str,
    }
    let values = Values {
        settings,
        host: if settings.host.is_empty() { "HOST" } else { &settings.host },
        password: place.secrets.get(PASSWORD),
        mlflow_version: image::MLFLOW_VERSION,
    };
    let filled = |name: &str, template: &str| render(&format!("heroku/{name}"), template, &values);
    let mut files = image::files("heroku")?;
    files.extend([
        KitFile::plain("heroku.yml", filled("heroku.yml", include_str!("../heroku/heroku.yml.jinja"))?),
        KitFile::plain("app.json", app_json(settings)),
        KitFile::plain("nginx.conf", image::nginx(&nginx())?),
        KitFile::script("run.py", include_str!("../heroku/run.py")),
        KitFile::plain(".gitignore", include_str!("../heroku/gitignore")),
        KitFile::plain("README.md", filled("README.md", include_str!("../heroku/README.md.jinja"))?),
        KitFile::private(".env.client", filled(".env.client", include_str!("../heroku/env.client.jinja"))?),
        KitFile::private(CONFIG, config(settings, &place.secrets)),
    ]);
    Ok(files)
}

fn config(settings: &HerokuSettings, secrets: &Secrets) -> String {
    let key = AccessKey::of_file(secrets.get(AWS_CREDENTIALS));
    let vars = config_vars(settings, Some(secrets.get(PASSWORD)), &key);
    serde_json::to_string_pretty(&vars).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests;
