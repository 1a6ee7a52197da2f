//! Into a server: everything is made first, then filled, then put into the bin if that is where it was.
//!
//! Runs name their parents, models their runs and versions their models, so that all ids have to be known before the
//! first item is filled. Filling one twice leaves what filling it once leaves: a copy that was cut off fills again what is
//! not done.

mod experiments;
mod fill;
mod models;
mod registry;
mod runs;
mod traces;

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::ids::Ids;
use super::item::{Kind, text};
use super::place::Server;
use super::report::{As, Progress, Tally};
use super::run::{Options, chosen, count};
use super::source::{Item, Source};
use crate::error::EngineError;

/// The tags by which what was copied is found again.
pub(crate) mod tag {
    pub(crate) const EXPERIMENT: &str = "formwork.source_experiment_id";
    pub(crate) const RUN: &str = "formwork.source_run_id";
    pub(crate) const MODEL: &str = "formwork.source_model_id";
    pub(crate) const REGISTERED: &str = "formwork.source_registered_model";
    pub(crate) const VERSION: &str = "formwork.source_version";
}

/// What a copy into a server works with.
pub(super) struct Copier<'a> {
    pub(super) source: &'a Source,
    pub(super) target: &'a Server,
    pub(super) ids: &'a Ids,
    pub(super) options: &'a Options,
    pub(super) tally: &'a Tally,
    /// Where artifacts lie on their way.
    pub(super) scratch: &'a TempDir,
    pub(super) tell: &'a (dyn Fn(Progress) + Sync),
}

/// An experiment of the source and what it became.
pub(super) struct Pair {
    source: String,
    target: String,
    /// Whether its items may be there without our knowing.
    doubtful: bool,
    deleted: bool,
}

impl Copier<'_> {
    /// Copies everything that is chosen.
    pub(super) async fn run(&self) -> Result<(), EngineError> {
        let (chosen, registered) = chosen(self.source, self.options).await?;
        self.refuse_clashes(&chosen, &registered).await?;
        if self.options.dry_run {
            return count(self.source, self.options, self.tally, &chosen, &registered).await;
        }
        let mut pairs = Vec::new();
        for experiment in &chosen {
            pairs.push(self.make_experiment(experiment).await?);
        }
        for kind in [Kind::Run, Kind::Model] {
            self.each(&pairs, kind, async |pair, item| self.make(pair, &item).await).await?;
        }
        self.each(&pairs, Kind::Run, async |_, run| self.fill_run(&run).await).await?;
        self.each(&pairs, Kind::Model, async |_, model| self.fill_model(&model).await).await?;
        if self.options.traces {
            self.each(&pairs, Kind::Trace, async |pair, trace| self.copy_trace(pair, &trace).await).await?;
        }
        for name in &registered {
            self.copy_name(name).await?;
        }
        self.each(&pairs, Kind::Run, async |_, run| self.bin_run(&run).await).await?;
        for pair in &pairs {
            self.finish_experiment(pair).await?;
        }
        Ok(())
    }

    /// Does something to each item of a kind, a few at a time.
    async fn each<'p>(
        &self,
        pairs: &'p [Pair],
        kind: Kind,
        work: impl AsyncFn(&'p Pair, Item) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let done = AtomicU64::new(0);
        for pair in pairs {
            let mut next: Option<String> = None;
            loop {
                let page = self.source.page(kind, &pair.source, next.as_deref()).await?;
                let (work, done) = (&work, &done);
                let works = page.items.into_iter().map(|item| async move {
                    work(pair, item).await?;
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    (self.tell)(Progress { kind, done });
                    Ok::<(), EngineError>(())
                });
                stream::iter(works)
                    .buffer_unordered(self.options.concurrency.max(1))
                    .try_collect::<()>()
                    .await?;
                // A token that comes again would go on for ever.
                if page.next.is_none() || page.next == next {
                    break;
                }
                next = page.next;
            }
        }
        Ok(())
    }

    async fn make(&self, pair: &Pair, item: &Item) -> Result<(), EngineError> {
        if self.ids.target(item.kind, &item.id).is_some() {
            return Ok(());
        }
        let made = match item.kind {
            Kind::Run => self.make_run(pair, item).await,
            _ => self.make_model(pair, item).await,
        };
        match made {
            Ok(target) => self.ids.keep(item.kind, &item.id, &target, false),
            Err(failed) => {
                self.tally.item(item.kind, As::Found);
                self.tally.fails(item.kind, &item.id, failed)
            }
        }
    }
}

/// A tag as MLflow's API takes it.
fn tagged(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": value })
}

/// The value of a tag of a document.
fn tag_of<'a>(document: &'a Value, pointer: &str, key: &str) -> Option<&'a str> {
    let tags = document.pointer(pointer)?.as_array()?;
    tags.iter().find(|tag| text(tag, "/key") == key).map(|tag| text(tag, "/value"))
}
