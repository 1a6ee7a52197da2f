//! What is copied from: a server, or a backup that was made of one.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::bucket::{unreadable, unwritable};
use super::client::{Client, Fetched, Problem};
use super::files::{Entry, Owner, check};
use super::item::{Kind, array, id, text};
use super::json;
use super::place::{Page, Server};
use super::shelf::Shelf;
use crate::aws::calls::encode;
use crate::aws::storage::hex;
use crate::error::{Class, EngineError};

/// The file with a trace's spans, as MLflow names it.
pub(crate) const SPANS: &str = "traces.json";
/// How many metrics go at once: what one request may carry. Source: MLflow's REST API, `runs/log-batch`.
pub(crate) const METRICS: usize = 1000;

/// What is copied from.
#[derive(Debug)]
pub(crate) enum Source {
    Server(Box<Server>),
    Backup(Backup),
}

/// A backup that is whole.
#[derive(Debug)]
pub(crate) struct Backup {
    pub(crate) shelf: Shelf,
    pub(crate) index: Vec<Indexed>,
}

/// A line of a backup's index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Indexed {
    pub(crate) kind: Kind,
    pub(crate) experiment: String,
    pub(crate) id: String,
    /// The SHA-256 of the item's document, 64 hex digits.
    pub(crate) sha256: String,
}

/// An item's document in a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// MLflow's own document.
    pub(crate) document: Value,
    /// The artifacts.
    #[serde(default)]
    pub(crate) files: Vec<KeptFile>,
    /// The file with the metrics, below the item; for runs.
    #[serde(default)]
    pub(crate) metrics: Option<KeptFile>,
    /// MLflow's documents of the versions; for names of the registry.
    #[serde(default)]
    pub(crate) versions: Vec<Value>,
}

/// A file of an item in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptFile {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// 64 hex digits.
    pub(crate) sha256: String,
}

/// An item on its way.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) experiment: String,
    pub(crate) id: String,
    pub(crate) document: Value,
    pub(crate) owner: Owner,
    kept: Option<Box<Kept>>,
}

impl Item {
    fn new(kind: Kind, experiment: &str, document: Value, kept: Option<Box<Kept>>) -> Self {
        let id = id(kind, &document).to_owned();
        let location = match kind {
            Kind::Trace => text(&document, "/tags/mlflow.artifactLocation"),
            _ => text(&document, "/info/artifact_uri"),
        };
        let owner = Owner { kind, id: id.clone(), location: location.to_owned() };
        Self { kind, experiment: experiment.to_owned(), id, document, owner, kept }
    }
}

/// A page of items.
#[derive(Debug, Default)]
pub(crate) struct Items {
    pub(crate) items: Vec<Item>,
    pub(crate) next: Option<String>,
}

impl Source {
    pub(crate) async fn experiments(&self) -> Result<Vec<Value>, EngineError> {
        match self {
            Self::Server(server) => server.experiments().await,
            Self::Backup(backup) => {
                let mut found = Vec::new();
                for line in backup.index.iter().filter(|line| line.kind == Kind::Experiment) {
                    found.push(backup.item(line).await?.document);
                }
                Ok(found)
            }
        }
    }

    /// A page of the runs, logged models or traces of an experiment.
    pub(crate) async fn page(
        &self,
        kind: Kind,
        experiment: &str,
        next: Option<&str>,
    ) -> Result<Items, EngineError> {
        match self {
            Self::Server(server) => {
                let Page { items, next } = server.page(kind, experiment, next).await?;
                let items = items.into_iter().map(|document| Item::new(kind, experiment, document, None));
                Ok(Items { items: items.collect(), next })
            }
            Self::Backup(backup) => {
                let from = next.and_then(|next| next.parse().ok()).unwrap_or(0);
                let lines = backup.index.iter().filter(|it| it.kind == kind && it.experiment == experiment);
                let mut items = Vec::new();
                for line in lines.skip(from).take(50) {
                    let kept = backup.item(line).await?;
                    items.push(Item::new(kind, experiment, kept.document.clone(), Some(Box::new(kept))));
                }
                let next = (items.len() == 50).then(|| (from + 50).to_string());
                Ok(Items { items, next })
            }
        }
    }

    /// The names of the registry.
    pub(crate) async fn registered(&self) -> Result<Vec<Value>, EngineError> {
        match self {
            Self::Server(server) => server.registered().await,
            Self::Backup(backup) => {
                let mut found = Vec::new();
                for line in backup.index.iter().filter(|line| line.kind == Kind::Registered) {
                    found.push(backup.item(line).await?.document);
                }
                Ok(found)
            }
        }
    }

    /// The versions of a name, the oldest first.
    pub(crate) async fn versions(&self, registered: &Value) -> Result<Vec<Value>, EngineError> {
        let name = text(registered, "/name");
        match self {
            Self::Server(server) => server.versions(name, is_prompt(registered)).await,
            Self::Backup(backup) => {
                let line = backup.index.iter().find(|it| it.kind == Kind::Registered && it.id == name);
                match line {
                    Some(line) => Ok(backup.item(line).await?.versions),
                    None => Ok(Vec::new()),
                }
            }
        }
    }

    /// The artifacts of an item; those of a trace are its spans and its attachments.
    pub(crate) async fn files(&self, item: &Item) -> Result<Vec<Entry>, EngineError> {
        match self {
            Self::Server(server) => {
                let mut files = server.files.list(&item.owner).await?;
                if item.kind == Kind::Trace {
                    // What lies there need not be what the route gives.
                    files.retain(|file| file.path != SPANS);
                    files.push(Entry { path: SPANS.to_owned(), bytes: None });
                }
                Ok(files)
            }
            Self::Backup(_) => {
                let kept = item.kept.as_ref().map_or(&[][..], |kept| &kept.files);
                kept.iter().try_for_each(|file| check(&file.path, &item.owner))?;
                Ok(kept.iter().map(|it| Entry { path: it.path.clone(), bytes: Some(it.bytes) }).collect())
            }
        }
    }

    /// Reads an artifact of an item into a file.
    pub(crate) async fn fetch(&self, item: &Item, path: &str, into: &Path) -> Result<Fetched, EngineError> {
        match self {
            Self::Server(server) if item.kind == Kind::Trace && path == SPANS => {
                // The route gives spans in one form, wherever the server keeps them.
                let route =
                    format!("/ajax-api/3.0/mlflow/get-trace-artifact?request_id={}", encode(&item.id));
                match server.client.fetch(&route, into).await {
                    Ok(fetched) => Ok(fetched),
                    Err(refused) => match server.files.fetch(&item.owner, path, into).await {
                        Ok(fetched) => Ok(fetched),
                        Err(_) => Err(refused.into()),
                    },
                }
            }
            Self::Server(server) => server.files.fetch(&item.owner, path, into).await,
            Self::Backup(backup) => {
                let kept =
                    item.kept.as_ref().and_then(|kept| kept.files.iter().find(|file| file.path == path));
                let name = format!("{}/artifacts/{path}", folder(item.kind, &item.experiment, &item.id));
                backup.fetch(&name, kept, into).await
            }
        }
    }

    /// All metrics of a run.
    pub(crate) async fn metrics(&self, run: &Item) -> Result<Metrics, EngineError> {
        match self {
            Self::Server(server) => Ok(Metrics::of(&server.client, &run.id, &run.document)),
            Self::Backup(backup) => {
                let file = NamedTempFile::new().map_err(|error| unwritable(Path::new("metrics"), &error))?;
                let kept = run.kept.as_ref().and_then(|kept| kept.metrics.as_ref());
                if let Some(metrics) = kept {
                    let name = format!("{}/{}", folder(Kind::Run, &run.experiment, &run.id), metrics.path);
                    backup.fetch(&name, Some(metrics), file.path()).await?;
                }
                let lines = file.reopen().map_err(|error| unreadable(file.path(), &error))?;
                Ok(Metrics::Lines(BufReader::new(lines), file))
            }
        }
    }
}

impl Backup {
    async fn item(&self, line: &Indexed) -> Result<Kept, EngineError> {
        let name = document(line.kind, &line.experiment, &line.id);
        let damaged =
            |why: &str| EngineError::new(Class::Input, format!("the backup is damaged: {name} {why}"));
        let content = self.shelf.read(&name).await?.ok_or_else(|| damaged("is missing"))?;
        if hex(&Sha256::digest(&content)) != line.sha256 {
            return Err(damaged("is not what was written"));
        }
        let kept = json::read(&content).ok().and_then(|value| serde_json::from_value(value).ok());
        kept.ok_or_else(|| damaged("cannot be read"))
    }

    async fn fetch(&self, name: &str, kept: Option<&KeptFile>, into: &Path) -> Result<Fetched, EngineError> {
        let fetched = self.shelf.fetch(name, into).await?;
        if kept.is_some_and(|kept| kept.sha256 != hex(&fetched.sha256)) {
            let message = format!("the backup is damaged: {name} is not what was written");
            return Err(EngineError::new(Class::Input, message));
        }
        Ok(fetched)
    }
}

/// The metrics of a run, some at a time.
#[derive(Debug)]
pub(crate) enum Metrics {
    /// From a server, key by key and page by page.
    Server { client: Client, run: String, keys: VecDeque<String>, next: Option<String> },
    /// From a file of lines, which goes with this.
    Lines(BufReader<File>, NamedTempFile),
}

impl Metrics {
    /// Those of a run of a server.
    pub(crate) fn of(client: &Client, run: &str, document: &Value) -> Self {
        let keys = array(document, "/data/metrics").iter().map(|metric| text(metric, "/key").to_owned());
        Self::Server { client: client.clone(), run: run.to_owned(), keys: keys.collect(), next: None }
    }

    /// The next ones; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Vec<Value>, EngineError> {
        match self {
            Self::Server { client, run, keys, next } => {
                while let Some(key) = keys.front() {
                    let mut path = format!(
                        "/api/2.0/mlflow/metrics/get-history?run_id={}&metric_key={}&max_results={METRICS}",
                        encode(run),
                        encode(key)
                    );
                    if let Some(token) = next {
                        path.push_str(&format!("&page_token={}", encode(token)));
                    }
                    let answer =
                        client.get(&path).await.map_err(|problem: Problem| EngineError::from(problem))?;
                    let token = text(&answer, "/next_page_token");
                    *next = (!token.is_empty()).then(|| token.to_owned());
                    if next.is_none() {
                        keys.pop_front();
                    }
                    let metrics = array(&answer, "/metrics");
                    if !metrics.is_empty() {
                        return Ok(metrics.to_vec());
                    }
                }
                Ok(Vec::new())
            }
            Self::Lines(lines, file) => {
                let mut metrics = Vec::new();
                let mut line = String::new();
                while metrics.len() < METRICS {
                    line.clear();
                    let read = lines.read_line(&mut line).map_err(|error| unreadable(file.path(), &error))?;
                    if read == 0 {
                        break;
                    }
                    let metric = json::read(line.as_bytes()).map_err(|error| {
                        EngineError::new(
                            Class::Input,
                            format!("a line of the backup's metrics is no JSON: {error}"),
                        )
                    })?;
                    metrics.push(metric);
                }
                Ok(metrics)
            }
        }
    }
}

/// A name as a part of a path: nothing in it leads out of its folder.
fn part(name: &str) -> String {
    match name.bytes().all(|byte| byte == b'.') {
        true => name.replace('.', "%2E"),
        false => encode(name),
    }
}

/// The folder of an item in a backup.
pub(crate) fn folder(kind: Kind, experiment: &str, id: &str) -> String {
    match kind {
        Kind::Experiment => format!("experiments/{}", part(id)),
        Kind::Run => format!("experiments/{}/runs/{}", part(experiment), part(id)),
        Kind::Model => format!("experiments/{}/models/{}", part(experiment), part(id)),
        Kind::Trace => format!("experiments/{}/traces/{}", part(experiment), part(id)),
        Kind::Registered | Kind::Version => format!("registry/{}", part(id)),
    }
}

/// The file with an item's document in a backup.
pub(crate) fn document(kind: Kind, experiment: &str, id: &str) -> String {
    let name = match kind {
        Kind::Experiment => "experiment",
        Kind::Run => "run",
        Kind::Model => "model",
        Kind::Trace => "trace",
        Kind::Registered | Kind::Version => "registered",
    };
    format!("{}/{name}.json", folder(kind, experiment, id))
}

/// Whether a name of the registry is a prompt.
pub(crate) fn is_prompt(registered: &Value) -> bool {
    array(registered, "/tags").iter().any(|tag| text(tag, "/key") == "mlflow.prompt.is_prompt")
}
