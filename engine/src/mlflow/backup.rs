//! A backup: everything a server holds as files, each with its checksum.
//!
//! Items are written as they are read; the index with their checksums and the head that says that all is there come last,
//! so that half a backup is never taken for a whole one. The form is described in `docs/mlflow-copy.md`.

use std::io::Write;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempDir};

use super::bucket::unwritable;
use super::client::Fetched;
use super::ids::Ids;
use super::item::{Kind, Points, id, size_and_hash, text};
use super::report::{As, Counted, Part, Progress, Tally};
use super::run::Options;
use super::shelf::Shelf;
use super::source::{Backup, Indexed, Item, Kept, KeptFile, Source, document, folder};
use crate::aws::storage::hex;
use crate::error::{Class, EngineError};

/// What the head says that it is.
const FORM: &str = "formwork-mlflow-backup";
/// The version of the form.
const VERSION: u32 = 1;
const HEAD: &str = "backup.json";
const INDEX: &str = "index.jsonl";

/// The head of a backup.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    form: String,
    version: u32,
    /// What it is a backup of.
    from: String,
    /// When it was whole.
    created: Timestamp,
    /// How many items the index has.
    items: usize,
    /// The SHA-256 of the index, 64 hex digits.
    index_sha256: String,
}

/// Opens a backup that is whole.
pub(super) async fn open(shelf: Shelf, name: &str) -> Result<Backup, EngineError> {
    let wrong = |why: String| EngineError::new(Class::Input, format!("{name} {why}"));
    let Some(head) = shelf.read(HEAD).await? else {
        return Err(wrong(format!("is no backup, or one that was never finished: there is no {HEAD}"))
            .with_hint("give the command that began it again: it goes on"));
    };
    let head: Head =
        serde_json::from_slice(&head).map_err(|error| wrong(format!("has a bad {HEAD}: {error}")))?;
    if head.form != FORM || head.version != VERSION {
        return Err(wrong(format!(
            "is {} of version {}, not {FORM} of version {VERSION}",
            head.form, head.version
        ))
        .with_hint("use the formwork that wrote it, or a later one"));
    }
    let index = shelf.read(INDEX).await?.unwrap_or_default();
    if hex(&Sha256::digest(&index)) != head.index_sha256 {
        return Err(wrong(format!("is damaged: {INDEX} is not what was written")));
    }
    let lines = index.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let index: Result<Vec<Indexed>, _> = lines.map(serde_json::from_slice).collect();
    Ok(Backup { shelf, index: index.map_err(|error| wrong(format!("has a bad {INDEX}: {error}")))? })
}

/// What writes a backup.
pub(super) struct Writer<'a> {
    pub(super) source: &'a Source,
    pub(super) shelf: &'a Shelf,
    pub(super) ids: &'a Ids,
    pub(super) options: &'a Options,
    pub(super) tally: &'a Tally,
    pub(super) scratch: &'a TempDir,
    pub(super) tell: &'a (dyn Fn(Progress) + Sync),
}

impl Writer<'_> {
    /// Writes everything that is chosen.
    pub(super) async fn run(
        &self,
        experiments: Vec<Value>,
        names: Vec<Value>,
        from: &str,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        if self.shelf.read(HEAD).await?.is_some() && !self.ids.goes_on() {
            let message = "there is a backup already";
            return Err(EngineError::new(Class::Refused, message)
                .with_hint("give each backup a directory or prefix of its own"));
        }
        let mut index = Vec::new();
        for experiment in experiments {
            let experiment_id = id(Kind::Experiment, &experiment).to_owned();
            for kind in [Kind::Run, Kind::Model, Kind::Trace] {
                if kind != Kind::Trace || self.options.traces {
                    self.write_page(kind, &experiment_id, &mut index).await?;
                }
            }
            let kept = Kept { document: experiment, files: Vec::new(), metrics: None, versions: Vec::new() };
            index.push(self.keep(Kind::Experiment, &experiment_id, &experiment_id, &kept).await?);
        }
        for name in names {
            let versions = self.source.versions(&name).await?;
            let count = versions.len() as u64;
            [As::Found, As::Copied, As::Verified]
                .into_iter()
                .for_each(|how| self.tally.count(Counted::Item(Kind::Version), how, count));
            let id = text(&name, "/name").to_owned();
            let kept = Kept { document: name, files: Vec::new(), metrics: None, versions };
            index.push(self.keep(Kind::Registered, "", &id, &kept).await?);
        }
        let lines: String = index.iter().map(|line| format!("{}\n", json!(line))).collect();
        self.shelf.write(INDEX, lines.as_bytes()).await?;
        let head = Head {
            form: FORM.to_owned(),
            version: VERSION,
            from: from.to_owned(),
            created: now,
            items: index.len(),
            index_sha256: hex(&Sha256::digest(lines.as_bytes())),
        };
        self.shelf.write(HEAD, format!("{:#}\n", json!(head)).as_bytes()).await
    }

    async fn write_page(
        &self,
        kind: Kind,
        experiment: &str,
        index: &mut Vec<Indexed>,
    ) -> Result<(), EngineError> {
        let mut next: Option<String> = None;
        let mut done = 0;
        loop {
            let page = self.source.page(kind, experiment, next.as_deref()).await?;
            let works = page.items.into_iter().map(|item| async move { self.write_item(&item).await });
            let lines: Vec<Option<Indexed>> =
                stream::iter(works).buffered(self.options.concurrency.max(1)).try_collect().await?;
            done += lines.len() as u64;
            index.extend(lines.into_iter().flatten());
            (self.tell)(Progress { kind, done });
            if page.next.is_none() || page.next == next {
                return Ok(());
            }
            next = page.next;
        }
    }

    async fn write_item(&self, item: &Item) -> Result<Option<Indexed>, EngineError> {
        if self.ids.is_done(item.kind, &item.id)
            && let Some(sha256) = self.ids.target(item.kind, &item.id)
        {
            self.tally.item(item.kind, As::Found);
            self.tally.item(item.kind, As::Before);
            let (experiment, id) = (item.experiment.clone(), item.id.clone());
            return Ok(Some(Indexed { kind: item.kind, experiment, id, sha256 }));
        }
        let written = async {
            let metrics = if item.kind == Kind::Run { Some(self.write_metrics(item).await?) } else { None };
            let files = self.write_files(item).await?;
            let kept = Kept { document: item.document.clone(), files, metrics, versions: Vec::new() };
            self.keep(item.kind, &item.experiment, &item.id, &kept).await
        };
        match written.await {
            Ok(line) => Ok(Some(line)),
            Err(failed) => self.tally.fails(item.kind, &item.id, failed).map(|()| None),
        }
    }

    async fn write_metrics(&self, run: &Item) -> Result<KeptFile, EngineError> {
        let mut file = self.scratch_file()?;
        let mut metrics = self.source.metrics(run).await?;
        let mut points = Points::default();
        loop {
            let some = metrics.next().await?;
            if some.is_empty() {
                break;
            }
            points.add(&some);
            for metric in &some {
                writeln!(file, "{metric}").map_err(|error| unwritable(file.path(), &error))?;
            }
        }
        self.tally.part(Part::Points, points.count, true);
        let content = size_and_hash(file.path()).await?;
        let name = format!("{}/metrics.jsonl", folder(Kind::Run, &run.experiment, &run.id));
        self.shelf.put(&name, file.path(), &content).await?;
        Ok(kept_file("metrics.jsonl", &content))
    }

    async fn write_files(&self, item: &Item) -> Result<Vec<KeptFile>, EngineError> {
        let mut kept = Vec::new();
        if !self.options.artifacts && item.kind != Kind::Trace {
            self.tally.note("artifacts were not copied, as --no-artifacts says");
            return Ok(kept);
        }
        let root = folder(item.kind, &item.experiment, &item.id);
        for entry in self.source.files(item).await? {
            self.tally.count(Counted::Part(Part::Artifacts), As::Found, 1);
            let scratch = self.scratch_file()?;
            let fetched = self.source.fetch(item, &entry.path, scratch.path()).await;
            let content = match fetched {
                Ok(content) => content,
                Err(failed) => {
                    self.tally.fails(item.kind, &item.id, failed)?;
                    continue;
                }
            };
            if entry.bytes.is_some_and(|bytes| bytes != content.bytes) {
                let what = format!("artifact {} changed while it was read", entry.path);
                self.tally.differs(item.kind, &item.id, what);
            }
            self.shelf.put(&format!("{root}/artifacts/{}", entry.path), scratch.path(), &content).await?;
            kept.push(kept_file(&entry.path, &content));
            for how in [As::Copied, As::Verified] {
                self.tally.count(Counted::Part(Part::Artifacts), how, 1);
            }
            self.tally.part(Part::ArtifactBytes, content.bytes, true);
        }
        Ok(kept)
    }

    async fn keep(
        &self,
        kind: Kind,
        experiment: &str,
        id: &str,
        kept: &Kept,
    ) -> Result<Indexed, EngineError> {
        self.tally.item(kind, As::Found);
        let content = format!("{:#}\n", json!(kept)).into_bytes();
        let name = document(kind, experiment, id);
        self.shelf.write(&name, &content).await?;
        let sha256 = hex(&Sha256::digest(&content));
        self.ids.keep(kind, id, &sha256, true)?;
        self.tally.item(kind, As::Copied);
        // Read again: what cannot be read is no backup.
        match self.shelf.read(&name).await? {
            Some(there) if there == content => self.tally.item(kind, As::Verified),
            _ => self.tally.differs(kind, id, format!("{name} is not what was written")),
        }
        Ok(Indexed { kind, experiment: experiment.to_owned(), id: id.to_owned(), sha256 })
    }

    fn scratch_file(&self) -> Result<NamedTempFile, EngineError> {
        let file = tempfile::Builder::new().tempfile_in(self.scratch.path());
        file.map_err(|error| unwritable(self.scratch.path(), &error))
    }
}

fn kept_file(path: &str, content: &Fetched) -> KeptFile {
    KeptFile { path: path.to_owned(), bytes: content.bytes, sha256: hex(&content.sha256) }
}
