//! The Compose kit: PostgreSQL, MLflow, a store for artifacts and nginx on one machine with Docker.
//!
//! Only nginx is published, on loopback unless there is TLS. Secrets are files that Compose mounts; no password is in the
//! environment of a container, on a command line or in a log.

mod check;
mod settings;
mod store;

use serde::Serialize;

use crate::access_key::AccessKey;
use crate::error::KitError;
use crate::image;
use crate::kit::{DataFolder, Kit, KitFile, Place};
use crate::password;
use crate::secrets::{Secret, Secrets};
use crate::template::render;

pub use settings::{Artifacts, ComposeSettings, Database, Tls, Uploads};

/// The password of the one user that a kit begins with.
const PASSWORD: &str = "secrets/mlflow_password";
/// The users and the hashes of their passwords, as nginx reads them.
const USERS: &str = "secrets/users";
const DATABASE_PASSWORD: &str = "secrets/database_password";
const DATABASE_CERTIFICATES: &str = "secrets/database_ca.pem";
const AWS_CREDENTIALS: &str = "secrets/aws_credentials";
const AZURE_CONNECTION: &str = "secrets/azure_connection_string";
const TLS_CHAIN: &str = "secrets/tls_chain.pem";
const TLS_KEY: &str = "secrets/tls_key.pem";

/// The Compose kit with these settings.
///
/// # Errors
/// When settings are wrong or do not go together: all that was found.
pub fn kit(settings: &ComposeSettings) -> Result<Kit, KitError> {
    check::check(settings)?;
    let shown = settings.clone();
    Ok(Kit {
        name: "compose",
        settings: render("compose/kit.toml", include_str!("../compose/kit.toml.jinja"), settings)?,
        secrets: secrets(settings),
        files: Box::new(move |place| files(&shown, place)),
        folders: folders(settings),
        next: next(settings),
    })
}

fn secrets(settings: &ComposeSettings) -> Vec<Secret> {
    let user = settings.user.clone();
    let users = move |known: &Secrets| password::line(&user, known.get(PASSWORD));
    let mut secrets = vec![Secret::password(PASSWORD), Secret::made(USERS, users)];
    match settings.database {
        Database::Container => secrets.push(Secret::password(DATABASE_PASSWORD)),
        Database::External => {
            secrets.extend([DATABASE_PASSWORD, DATABASE_CERTIFICATES].map(Secret::of_people));
        }
    }
    match settings.artifacts {
        Artifacts::Store => secrets.extend(store::secrets(settings)),
        Artifacts::S3 => secrets.push(Secret::of_people(AWS_CREDENTIALS)),
        Artifacts::Azure => secrets.push(Secret::of_people(AZURE_CONNECTION)),
        Artifacts::Local => {}
    }
    if settings.tls == Tls::Files {
        secrets.extend([Secret::of_people(TLS_CHAIN), Secret::of_people(TLS_KEY)]);
    }
    secrets
}

fn folders(settings: &ComposeSettings) -> Vec<DataFolder> {
    let folder = |name: &str| vec![DataFolder(format!("data/{name}"))];
    match settings.artifacts {
        Artifacts::Local => folder("artifacts"),
        Artifacts::Store => folder("store"),
        Artifacts::S3 | Artifacts::Azure => Vec::new(),
    }
}

fn next(settings: &ComposeSettings) -> Vec<String> {
    let certificate = (settings.tls == Tls::Files)
        .then(|| format!("cp YOUR_CHAIN.pem {TLS_CHAIN} && cp YOUR_KEY.pem {TLS_KEY}"));
    let start = ["make build run".to_owned(), "set -a; . ./.env.client; set +a".to_owned()];
    certificate.into_iter().chain(start).collect()
}

/// What the templates are filled in with.
#[derive(Serialize)]
struct Values<'s> {
    settings: &'s ComposeSettings,
    /// The user and group of the containers, `1000:1000`.
    owner: String,
    /// What people open.
    url: String,
    /// The address of the store for clients, when uploads are direct.
    store_url: String,
    /// What MLflow takes as the name that it is called by.
    allowed_hosts: String,
    /// Where pages may come from that change something.
    origins: String,
    /// Where MLflow puts artifacts.
    artifacts_at: String,
    mlflow_version: &'static str,
    password: &'s str,
    client_key: AccessKey,
    /// The secrets that are mounted, by the names of their files.
    secrets: Vec<&'static str>,
    nginx: image::Nginx,
}

fn values<'s>(settings: &'s ComposeSettings, place: &'s Place) -> Values<'s> {
    let host = settings.hosts.first().map_or("localhost", String::as_str);
    let addressed =
        settings.hosts.iter().flat_map(|host| [host.clone(), format!("{host}:{}", settings.port)]);
    let origins = settings.hosts.iter().map(|host| settings.origin(host));
    let join = |words: Vec<String>| words.join(",");
    Values {
        owner: format!("{}:{}", place.owner.user, place.owner.group),
        url: format!("{}{}", settings.origin(host), settings.prefix),
        store_url: format!("https://{host}:{}", settings.store_port),
        allowed_hosts: join(addressed.collect()),
        origins: join(origins.collect()),
        artifacts_at: settings.artifacts_at(),
        mlflow_version: image::MLFLOW_VERSION,
        password: place.secrets.get(PASSWORD),
        client_key: store::client_key(&place.secrets),
        secrets: secrets(settings).iter().map(|it| it.path.trim_start_matches("secrets/")).collect(),
        nginx: settings.nginx(),
        settings,
    }
}

fn files(settings: &ComposeSettings, place: &Place) -> Result<Vec<KitFile>, KitError> {
    let values = values(settings, place);
    let filled = |name: &str, template: &str| render(&format!("compose/{name}"), template, &values);
    let mut files = image::files("compose")?;
    files.extend([
        KitFile::plain(
            "compose.yaml",
            filled("compose.yaml", include_str!("../compose/compose.yaml.jinja"))?,
        ),
        KitFile::plain("Makefile", filled("Makefile", include_str!("../compose/Makefile.jinja"))?),
        KitFile::plain("README.md", filled("README.md", include_str!("../compose/README.md.jinja"))?),
        KitFile::plain(".env", filled(".env", include_str!("../compose/env.jinja"))?),
        KitFile::plain(".gitignore", include_str!("../compose/gitignore")),
        KitFile::plain("nginx/nginx.conf", image::nginx(&values.nginx)?),
        KitFile::script("serve", include_str!("../compose/serve.sh")),
        KitFile::private(".env.client", filled(".env.client", include_str!("../compose/env.client.jinja"))?),
    ]);
    if settings.artifacts == Artifacts::Store {
        files.push(KitFile::script("bucket.py", include_str!("../compose/bucket.py")));
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
