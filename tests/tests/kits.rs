//! The kits' files against the published schema of Compose files, and against the faults of the recipes that they replace.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use formwork_kits::compose::{Artifacts, ComposeSettings, Database, Tls, Uploads};
use formwork_kits::heroku::HerokuSettings;
use formwork_kits::{Kit, WriteOptions, write};
use formwork_tests::repository_root;
use serde_json::Value;

/// The files of a kit or a recipe by their paths.
type Files = BTreeMap<String, String>;

fn files_below(folder: &Path) -> Files {
    let (mut found, mut waiting) = (Files::new(), vec![folder.to_path_buf()]);
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                waiting.push(entry);
            } else {
                let path = entry.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.insert(path, fs::read_to_string(entry).unwrap());
            }
        }
    }
    found
}

fn written(kit: &Kit) -> Files {
    let folder = tempfile::tempdir().unwrap();
    write(kit, folder.path(), &WriteOptions::default()).unwrap();
    files_below(folder.path())
}

fn recipe(name: &str) -> Files {
    files_below(&repository_root().join("tests/fixtures/kits").join(name))
}

/// Every combination of where artifacts and data are and who carries them, with and without TLS.
fn variants() -> Vec<ComposeSettings> {
    let mut found = Vec::new();
    for artifacts in [Artifacts::Store, Artifacts::Local, Artifacts::S3, Artifacts::Azure] {
        for uploads in [Uploads::Proxied, Uploads::Direct] {
            for database in [Database::Container, Database::External] {
                for tls in [Tls::None, Tls::Files] {
                    let artifact_location = match artifacts {
                        Artifacts::S3 => "s3://bucket/prefix",
                        Artifacts::Azure => "wasbs://container@account.blob.core.windows.net/path",
                        Artifacts::Store | Artifacts::Local => "",
                    };
                    let host = if database == Database::External { "db.example.com" } else { "" };
                    found.push(ComposeSettings {
                        artifacts,
                        uploads,
                        database,
                        tls,
                        artifact_location: artifact_location.to_owned(),
                        database_host: host.to_owned(),
                        port: if tls == Tls::Files { 443 } else { 5001 },
                        ..ComposeSettings::default()
                    });
                }
            }
        }
    }
    found
}

fn compose_of(files: &Files) -> Value {
    let mut document: serde_yaml::Value = serde_yaml::from_str(&files["compose.yaml"]).unwrap();
    // What is merged may have merged something itself.
    for _ in 0..2 {
        document.apply_merge().unwrap();
    }
    serde_json::to_value(document).unwrap()
}

#[test]
fn every_variant_is_a_compose_file() {
    let schema = repository_root().join("tests/kits/schemas/compose-spec.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut refused = 0;
    for settings in variants() {
        let Ok(kit) = formwork_kits::compose::kit(&settings) else {
            refused += 1;
            continue;
        };
        let document = compose_of(&written(&kit));
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{settings:?}: {errors:?}");
        is_complete(&document);
    }
    // Uploads into a folder of the server cannot be direct (4), and the store is published with TLS only (2).
    assert_eq!(refused, 6);
    let wrong = serde_json::json!({ "services": { "a": { "imagee": "b" } } });
    assert!(!validator.is_valid(&wrong), "the schema can refuse");
}

/// Whatever a service names is there, and each service is held down.
fn is_complete(document: &Value) {
    let names =
        |key: &str| document[key].as_object().map(|it| it.keys().cloned().collect()).unwrap_or_default();
    let (services, secrets, networks): (Vec<String>, Vec<String>, Vec<String>) =
        (names("services"), names("secrets"), names("networks"));
    for (name, service) in document["services"].as_object().unwrap() {
        for needed in service["depends_on"].as_object().into_iter().flat_map(serde_json::Map::keys) {
            assert!(services.contains(needed), "{name} needs {needed}");
        }
        for secret in service["secrets"].as_array().into_iter().flatten() {
            let source = secret.as_str().or_else(|| secret["source"].as_str()).unwrap().to_owned();
            assert!(secrets.contains(&source), "{name} has {source}");
        }
        for network in service["networks"].as_array().into_iter().flatten() {
            assert!(networks.iter().any(|it| network == it), "{name} is in {network}");
        }
        assert!(service["security_opt"].to_string().contains("no-new-privileges"), "{name}");
        let environment = service["environment"].to_string();
        for word in ["PASSWORD\":", "SECRET_ACCESS_KEY", "PGPASSWORD", "CONNECTION_STRING"] {
            assert!(!environment.contains(word), "{name} has {word} in its environment");
        }
        let published = service["ports"].as_array().into_iter().flatten();
        for port in published {
            assert_eq!(name, "nginx", "{port}");
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{port}");
        }
    }
}

/// A fault of a recipe: its row, what it is, and how it shows.
type Fault = (&'static str, &'static str, fn(&Files) -> bool);

fn anywhere(files: &Files, words: &str) -> bool {
    files.iter().any(|(path, text)| !path.ends_with("README.md") && text.contains(words))
}

fn nginx(files: &Files) -> &str {
    files.iter().find(|(path, _)| path.ends_with("nginx.conf")).map_or("", |(_, text)| text)
}

/// The instructions of a Dockerfile that begin with a word.
fn instructions<'f>(files: &'f Files, word: &str) -> Vec<&'f str> {
    files["Dockerfile"].lines().filter(|line| line.trim_start().starts_with(word)).collect()
}

fn is_unpinned(files: &Files) -> bool {
    !files["Dockerfile"].contains("--require-hashes")
}

fn has_no_user(files: &Files) -> bool {
    instructions(files, "USER").is_empty()
}

const OF_COMPOSE: [Fault; 17] = [
    ("C1", "the container runs as root", has_no_user),
    ("C1", "packages are not pinned in whole", is_unpinned),
    ("C1", "a shell stands before MLflow", |it| {
        !instructions(it, "CMD").iter().all(|line| line.contains("CMD ["))
    }),
    ("C1", "the image does not say whether it is well", |it| instructions(it, "HEALTHCHECK").is_empty()),
    ("C1", "the port is an argument that nothing follows", |it| it["Dockerfile"].contains("ARG PORT")),
    ("C3", "a password comes with the recipe", |it| anywhere(it, "ChangeMe")),
    ("C3", "git would take secrets", |it| !it.contains_key(".gitignore")),
    ("C4", "the volume has the layout of PostgreSQL 17", |it| {
        it["compose.yaml"].contains(":/var/lib/postgresql/data")
    }),
    ("C5", "the store's image is gone", |it| it["compose.yaml"].contains("image: minio/")),
    ("C5", "the store is published everywhere", |it| {
        let document = compose_of(it);
        let services = document["services"].as_object().unwrap();
        let stores = services.iter().filter(|(name, _)| ["minio", "store"].contains(&name.as_str()));
        stores.into_iter().any(|(_, store)| store.get("ports").is_some())
    }),
    ("C6", "the bucket is open to the world", |it| anywhere(it, "anonymous set download")),
    ("C6", "MLflow has the key that rules the store", |it| {
        let document = compose_of(it);
        let text = document["services"]["mlflow"].to_string();
        text.contains("root_user") || text.contains("store_admin")
    }),
    ("C7", "the password is printed, and is part of a URL", |it| {
        anywhere(it, "echo \"$$BACKEND_URI\"") || anywhere(it, ":$$(cat /run/secrets")
    }),
    ("C7", "the driver is left to SQLAlchemy", |it| anywhere(it, "\"postgresql://")),
    ("C9", "any name is answered to", |it| anywhere(it, "DISABLE_SECURITY_MIDDLEWARE")),
    ("C11", "nginx asks for MLflow where it is not", |it| !nginx(it).contains("mlflow:5000")),
    ("C11", "large files wait on nginx's disk", |it| !nginx(it).contains("proxy_request_buffering off")),
];

const OF_HEROKU: [Fault; 11] = [
    ("H1", "heroku.yml has lost its nesting", |it| {
        let document: Value = serde_yaml::from_str(&it["heroku.yml"]).unwrap();
        document["build"]["docker"]["web"] != "Dockerfile"
    }),
    ("H2", "the image's Python has ended", |it| it["Dockerfile"].contains("python:3.6")),
    ("H2", "the image has a compiler", |it| it["Dockerfile"].contains("gcc")),
    ("H2", "packages are not pinned in whole", is_unpinned),
    ("H2", "the container runs as root", has_no_user),
    ("H3", "bodies have nginx's own limit", |it| !nginx(it).contains("client_max_body_size")),
    ("H3", "nobody without a password can see whether it runs", |it| {
        !nginx(it).contains("location = /health")
    }),
    ("H5", "a URL is cut at the eighth sign", |it| anywhere(it, "cut -c")),
    ("H7", "the password is on a command line", |it| anywhere(it, "htpasswd -b")),
    ("H8", "nothing watches over MLflow", |it| anywhere(it, "mlflow ui") || anywhere(it, "killall")),
    ("H10", "nothing says what has to be set", |it| !it.contains_key("app.json")),
];

/// Each fault is in the recipe, so that the check can fail, and is not in the kit.
fn judged(faults: &[Fault], recipe: &Files, kit: &Files) {
    let mut wrong = Vec::new();
    for (row, what, is_there) in faults {
        if !is_there(recipe) {
            wrong.push(format!("{row}: {what}: not found in the recipe"));
        }
        if is_there(kit) {
            wrong.push(format!("{row}: {what}: found in our kit"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_compose_kit_has_none_of_the_recipes_faults() {
    let kit = formwork_kits::compose::kit(&ComposeSettings::default()).unwrap();
    judged(&OF_COMPOSE, &recipe("compose"), &written(&kit));
}

#[test]
fn the_heroku_kit_has_none_of_the_recipes_faults() {
    let kit = formwork_kits::heroku::kit(&HerokuSettings::default(), None).unwrap();
    judged(&OF_HEROKU, &recipe("heroku"), &written(&kit));
}
