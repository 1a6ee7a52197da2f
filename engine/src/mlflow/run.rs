//! One copy from its beginning to its report.

use serde_json::Value;
use tempfile::TempDir;

use super::address::{Address, Credentials};
use super::backup::{self, Writer};
use super::bucket::{Bucket, unwritable};
use super::copy::Copier;
use super::ids::Ids;
use super::item::{Kind, text};
use super::place::Server;
use super::report::{As, CopyReport, Counted, Progress, Tally};
use super::shelf::Shelf;
use super::source::Source;
use crate::aws::Sessions;
use crate::error::{Class, EngineError};
use crate::journal::Journal;
use crate::runtime::Runtime;

/// What is copied, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The experiments by name or id; all when there is none.
    pub experiments: Vec<String>,
    /// Whether names that the target has are copied into.
    pub merge: bool,
    /// What stands before the names of experiments and registered models at the target.
    pub prefix: Option<String>,
    /// Whether artifacts are copied.
    pub artifacts: bool,
    /// Whether traces are copied.
    pub traces: bool,
    /// Whether the registry is copied.
    pub registry: bool,
    /// Whether things are only counted.
    pub dry_run: bool,
    /// Whether secrets may go without TLS to another machine.
    pub allow_insecure: bool,
    /// How many items are copied at once.
    pub concurrency: usize,
}

/// A place and what it is told of us.
#[derive(Clone, Debug)]
pub struct Side {
    /// The place.
    pub address: Address,
    /// Who we are, for a plain server.
    pub credentials: Credentials,
}

/// Copies what one place holds to another one. `journal` has the record of what is put into buckets.
///
/// # Errors
/// When a place cannot be reached, refuses, or has other things of the same names. What is wrong with single items is in
/// the report.
pub async fn copy(
    runtime: &Runtime,
    from: &Side,
    to: &Side,
    options: &Options,
    ids: &Ids,
    journal: &Journal,
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<CopyReport, EngineError> {
    if from.address == to.address {
        let message = format!("{} would be copied to itself", from.address);
        return Err(EngineError::new(Class::Usage, message).with_hint("name two places"));
    }
    let scratch = TempDir::with_prefix("formwork-mlflow-")
        .map_err(|error| unwritable(&std::env::temp_dir(), &error))?;
    let tally = Tally::default();
    let source = match shelf(&from.address, &runtime.sessions, journal).await? {
        Some(shelf) => Source::Backup(backup::open(shelf, &from.address.to_string()).await?),
        None => Source::Server(Box::new(server(from, options, runtime, journal).await?)),
    };
    match shelf(&to.address, &runtime.sessions, journal).await? {
        Some(shelf) => {
            let writer = Writer {
                source: &source,
                shelf: &shelf,
                ids,
                options,
                tally: &tally,
                scratch: &scratch,
                tell,
            };
            let (experiments, names) = chosen(&source, options).await?;
            match options.dry_run {
                true => count(&source, options, &tally, &experiments, &names).await?,
                false => {
                    writer.run(experiments, names, &from.address.to_string(), runtime.clock.now()).await?
                }
            }
        }
        None => {
            let target = server(to, options, runtime, journal).await?;
            let copier = Copier {
                source: &source,
                target: &target,
                ids,
                options,
                tally: &tally,
                scratch: &scratch,
                tell,
            };
            copier.run().await?;
        }
    }
    Ok(tally.into_report(CopyReport {
        from: from.address.to_string(),
        to: to.address.to_string(),
        state: ids.path().display().to_string(),
        dry_run: options.dry_run,
        ..CopyReport::default()
    }))
}

/// The experiments and the names of the registry that are to be copied.
pub(super) async fn chosen(
    source: &Source,
    options: &Options,
) -> Result<(Vec<Value>, Vec<Value>), EngineError> {
    let mut all = source.experiments().await?;
    let wanted = &options.experiments;
    let is_named = |it: &Value, name: &str| text(it, "/name") == name || text(it, "/experiment_id") == name;
    let missing = wanted.iter().filter(|name| !all.iter().any(|it| is_named(it, name)));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    if !missing.is_empty() {
        let message = format!("the source has no experiment {}", missing.join(", "));
        let hint = "give its name or its id as MLflow shows it";
        return Err(EngineError::new(Class::Input, message).with_hint(hint));
    }
    all.retain(|it| wanted.is_empty() || wanted.iter().any(|name| is_named(it, name)));
    all.sort_by_key(|it| text(it, "/experiment_id").parse::<u64>().unwrap_or(u64::MAX));
    let names = if options.registry { source.registered().await? } else { Vec::new() };
    Ok((all, names))
}

/// Counts what would be copied.
pub(super) async fn count(
    source: &Source,
    options: &Options,
    tally: &Tally,
    experiments: &[Value],
    names: &[Value],
) -> Result<(), EngineError> {
    let mut kinds = vec![Kind::Run, Kind::Model];
    kinds.extend(options.traces.then_some(Kind::Trace));
    for experiment in experiments {
        tally.item(Kind::Experiment, As::Found);
        for kind in &kinds {
            let mut next: Option<String> = None;
            loop {
                let page = source.page(*kind, text(experiment, "/experiment_id"), next.as_deref()).await?;
                tally.count(Counted::Item(*kind), As::Found, page.items.len() as u64);
                if page.next.is_none() || page.next == next {
                    break;
                }
                next = page.next;
            }
        }
    }
    for name in names {
        tally.item(Kind::Registered, As::Found);
        let versions = source.versions(name).await?.len() as u64;
        tally.count(Counted::Item(Kind::Version), As::Found, versions);
    }
    Ok(())
}

async fn server(
    side: &Side,
    options: &Options,
    runtime: &Runtime,
    journal: &Journal,
) -> Result<Server, EngineError> {
    Server::open(&side.address, &side.credentials, options.allow_insecure, runtime, journal).await
}

async fn shelf(
    address: &Address,
    sessions: &Sessions,
    journal: &Journal,
) -> Result<Option<Shelf>, EngineError> {
    Ok(match address {
        Address::Directory(path) => Some(Shelf::Directory(path.clone())),
        Address::Bucket { bucket, prefix } => {
            let session = sessions.base().await?;
            Some(Shelf::Bucket(Bucket::open(bucket, &session, journal).await?, prefix.clone()))
        }
        Address::Server { .. } | Address::Managed(_) => None,
    })
}
