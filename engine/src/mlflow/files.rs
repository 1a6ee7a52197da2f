//! Artifacts of a server: where they lie, and how they are listed, read and written from here.
//!
//! A server that serves artifacts takes and gives them itself; managed MLflow leaves its clients to S3. What lies
//! anywhere else can still be read through the server, as its user interface does, but not written.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::sync::OnceCell;

use super::address::is_loopback;
use super::bucket::{Bucket, unreadable, unwritable};
use super::client::{Client, Fetched, Problem, encode_path};
use super::item::{Kind, size_and_hash};
use crate::aws::calls::encode;
use crate::aws::{Session, Sessions};
use crate::error::{Class, EngineError};
use crate::journal::Journal;

/// The beginning of the routes by which a server gives and takes artifacts.
const SERVED: &str = "/api/2.0/mlflow-artifacts/artifacts";

/// Whose artifacts are meant.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    /// Where the server says that they lie.
    pub(crate) location: String,
}

/// An artifact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Its path below its owner's location.
    pub(crate) path: String,
    /// Its size, where the server tells it.
    pub(crate) bytes: Option<u64>,
}

/// The artifacts of one server.
#[derive(Debug)]
pub(crate) struct Files {
    client: Client,
    /// Whether S3 is asked before the server: managed MLflow.
    by_bucket: bool,
    sessions: Sessions,
    region: Option<String>,
    journal: Journal,
    bucket: OnceCell<Bucket>,
}

/// How artifacts of an owner are reached.
enum Way {
    /// By the server, at a path of its store.
    Served(String),
    /// In a bucket below a key.
    Bucket(Bucket, String),
    /// In a directory of this machine, where the server runs too.
    Local(PathBuf),
    /// Through the routes of the user interface; only to read.
    Shown,
}

impl Files {
    pub(crate) fn new(client: Client, managed: Option<String>, sessions: Sessions, journal: Journal) -> Self {
        Self {
            client,
            by_bucket: managed.is_some(),
            sessions,
            region: managed,
            journal,
            bucket: OnceCell::new(),
        }
    }

    /// All artifacts of an owner, by their paths.
    pub(crate) async fn list(&self, owner: &Owner) -> Result<Vec<Entry>, EngineError> {
        let mut found = match self.way(owner, false).await? {
            Way::Bucket(bucket, key) => {
                let prefix = format!("{key}/");
                let listed = bucket.list(&prefix).await?.into_iter().filter(|it| !it.key.ends_with('/'));
                let entry = |it: crate::aws::storage::Listed| {
                    let path = it.key.strip_prefix(&prefix).unwrap_or(&it.key).to_owned();
                    Entry { path, bytes: Some(it.bytes) }
                };
                listed.map(entry).collect()
            }
            Way::Local(root) => walk(&root)?,
            way => self.walk_served(owner, &way).await?,
        };
        found.sort();
        found.dedup();
        Ok(found)
    }

    async fn walk_served(&self, owner: &Owner, way: &Way) -> Result<Vec<Entry>, EngineError> {
        let mut found = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let mut page = String::new();
            loop {
                let Some(path) = listing(owner, way, &folder) else { return Ok(found) };
                let answer = match self.client.get(&format!("{path}{page}")).await {
                    Ok(answer) => answer,
                    Err(problem) if problem.is_absent() => break,
                    Err(problem) => return Err(problem.into()),
                };
                let served = matches!(way, Way::Served(_));
                for file in answer["files"].as_array().into_iter().flatten() {
                    let told = file["path"].as_str().unwrap_or_default();
                    // A store tells names below the folder, a run or a model paths below itself.
                    let path = if served { below(&folder, last(told)) } else { told.to_owned() };
                    check(&path, owner)?;
                    if file["is_dir"].as_bool().unwrap_or_default() {
                        folders.push(path);
                    } else {
                        found.push(Entry { path, bytes: size(&file["file_size"]) });
                    }
                }
                match answer["next_page_token"].as_str().filter(|token| !token.is_empty()) {
                    Some(token) if !served => page = format!("&page_token={}", encode(token)),
                    _ => break,
                }
            }
        }
        Ok(found)
    }

    /// Reads an artifact into a file.
    pub(crate) async fn fetch(&self, owner: &Owner, path: &str, into: &Path) -> Result<Fetched, EngineError> {
        let route = match self.way(owner, false).await? {
            Way::Bucket(bucket, key) => return bucket.fetch(&below(&key, path), into).await,
            Way::Local(root) => {
                let source = root.join(path);
                tokio::fs::copy(&source, into).await.map_err(|error| unreadable(&source, &error))?;
                return size_and_hash(into).await;
            }
            Way::Served(root) => format!("{SERVED}/{}", encode_path(&below(&root, path))),
            Way::Shown => match owner.kind {
                Kind::Model => format!(
                    "/ajax-api/2.0/mlflow/logged-models/{}/artifacts/files?artifact_file_path={}",
                    encode(&owner.id),
                    encode(path)
                ),
                _ => format!("/get-artifact?run_uuid={}&path={}", encode(&owner.id), encode(path)),
            },
        };
        self.client.fetch(&route, into).await.map_err(|problem| about(path, owner, problem))
    }

    /// Writes an artifact from a file.
    pub(crate) async fn put(
        &self,
        owner: &Owner,
        path: &str,
        file: &Path,
        content: &Fetched,
    ) -> Result<(), EngineError> {
        match self.way(owner, true).await? {
            Way::Bucket(bucket, key) => bucket.put(&below(&key, path), file, content).await,
            Way::Served(root) => {
                let route = format!("{SERVED}/{}", encode_path(&below(&root, path)));
                let put = self.client.put(&route, file, content.bytes).await;
                put.map_err(|problem| about(path, owner, problem))
            }
            Way::Local(root) => {
                let target = root.join(path);
                let written = |error: std::io::Error| unwritable(&target, &error);
                if let Some(parent) = target.parent() {
                    tokio::fs::create_dir_all(parent).await.map_err(written)?;
                }
                tokio::fs::copy(file, &target).await.map_err(written).map(drop)
            }
            Way::Shown => Err(EngineError::new(
                Class::Input,
                format!("artifacts lie in {}, which cannot be written from here", owner.location),
            )
            .with_hint("let the server hand out artifacts itself, or copy without them (--no-artifacts)")),
        }
    }

    async fn way(&self, owner: &Owner, writes: bool) -> Result<Way, EngineError> {
        let location = owner.location.trim_end_matches('/');
        if let Some((_, path)) = location.split_once(&format!("{SERVED}/")) {
            return Ok(Way::Served(path.to_owned()));
        }
        if let Some(rest) = location.strip_prefix("mlflow-artifacts:") {
            let path = rest
                .strip_prefix("//")
                .map_or(rest, |rest| rest.split_once('/').map_or("", |(_, path)| path));
            return Ok(Way::Served(path.trim_matches('/').to_owned()));
        }
        if let Some(rest) = location.strip_prefix("s3://") {
            if !self.by_bucket && !writes {
                return Ok(Way::Shown);
            }
            let (name, key) = rest.split_once('/').unwrap_or((rest, ""));
            return Ok(Way::Bucket(self.bucket(name).await?, key.to_owned()));
        }
        let path = location.strip_prefix("file://").or((!location.contains("://")).then_some(location));
        match path.map(PathBuf::from) {
            Some(path) if path.is_absolute() && is_loopback(self.client.base()) => Ok(Way::Local(path)),
            _ => Ok(Way::Shown),
        }
    }

    async fn bucket(&self, name: &str) -> Result<Bucket, EngineError> {
        let open = || async {
            let session: Session = self.sessions.session(self.region.as_deref(), None).await?;
            Bucket::open(name, &session, &self.journal).await
        };
        let bucket = self.bucket.get_or_try_init(open).await?;
        if bucket.name() == name { Ok(bucket.clone()) } else { open().await }
    }
}

/// The route that lists a folder; nothing where none does, which is so for what a trace has besides its spans.
fn listing(owner: &Owner, way: &Way, folder: &str) -> Option<String> {
    let id = encode(&owner.id);
    // No folder is not the same as one without a name.
    let within = |field: &str| match folder {
        "" => String::new(),
        folder => format!("&{field}={}", encode(folder)),
    };
    Some(match (way, owner.kind) {
        (Way::Served(root), _) => format!("{SERVED}?path={}", encode(&below(root, folder))),
        (_, Kind::Run) => format!("/api/2.0/mlflow/artifacts/list?run_id={id}{}", within("path")),
        (_, Kind::Model) => {
            let path = format!("/api/2.0/mlflow/logged-models/{id}/artifacts/directories?max_results=1000");
            format!("{path}{}", within("artifact_directory_path"))
        }
        _ => return None,
    })
}

/// A path below another one, either of which may be empty.
pub(crate) fn below(root: &str, path: &str) -> String {
    match (root.trim_end_matches('/'), path) {
        ("", path) => path.to_owned(),
        (root, "") => root.to_owned(),
        (root, path) => format!("{root}/{path}"),
    }
}

/// Refuses a path that leads out of where it belongs: it comes from a server and becomes a file's name.
pub(crate) fn check(path: &str, owner: &Owner) -> Result<(), EngineError> {
    let leads_out = |part: &str| matches!(part, "" | "." | "..") || part.contains(['\\', '\0']);
    if path.split('/').any(leads_out) {
        let message = format!("{} {} has an artifact of the name `{path}`", owner.kind.word(), owner.id);
        return Err(EngineError::new(Class::Input, message)
            .with_hint("rename it where it lies; such a path is not copied"));
    }
    Ok(())
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A number, or the text of one: 64 bits are text in the JSON of protocol buffers.
pub(crate) fn size(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn about(path: &str, owner: &Owner, problem: Problem) -> EngineError {
    let told = EngineError::from(problem);
    EngineError {
        message: format!("artifact {path} of {} {}: {}", owner.kind.word(), owner.id, told.message),
        ..told
    }
}

fn walk(root: &Path) -> Result<Vec<Entry>, EngineError> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(root.join(&folder)) else { continue };
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(root, &error))?;
            let path = folder.join(entry.file_name());
            // A link might lead anywhere.
            match entry.metadata().map_err(|error| unreadable(&entry.path(), &error))? {
                it if it.is_dir() => folders.push(path),
                it if it.is_file() => {
                    found.push(Entry { path: path.to_string_lossy().into_owned(), bytes: Some(it.len()) });
                }
                _ => {}
            }
        }
    }
    Ok(found)
}
