//! `formwork gc`: clears away assets that nothing names, and change sets of ours that nobody will execute.
//!
//! What deployed stacks use stays, whatever its age, and so does what the app, an unfinished run or a plan would use.

mod report;

use std::collections::BTreeMap;
use std::path::Path;

use formwork_engine::collect::{self, CollectOptions, KeptPart, Needed, StaleChangeSet, UnusedAsset};
use formwork_engine::journal::{self, History, Journal};
use formwork_engine::plan::{Plan, file};
use formwork_engine::{Class, EngineError, bootstrap};

pub(crate) use report::GcReport;
use report::{GcKept, GcPlace, name_of_set};

use crate::application;
use crate::arguments::{GcArguments, ProgressOptions};
use crate::console::Console;
use crate::deployment::{Workplace, located};
use crate::failure::{Failure, exit};
use crate::report::to_text;
use crate::settings::{Settings, Surroundings};

/// What may go in one account and region.
struct Found {
    session: formwork_engine::aws::Session,
    bucket: Option<String>,
    assets: Vec<UnusedAsset>,
    change_sets: Vec<StaleChangeSet>,
}

impl Found {
    /// What was listed and may still go: nothing goes that was not listed.
    fn still(self, now: Self) -> Self {
        let listed = |asset: &UnusedAsset| self.assets.contains(asset);
        let is_listed = |set: &StaleChangeSet| self.change_sets.iter().any(|it| it.arn == set.arn);
        // The stack goes only if that was said as well.
        let goes =
            |set: &StaleChangeSet| self.change_sets.iter().any(|it| it.arn == set.arn && it.with_stack);
        let change_sets = now.change_sets.into_iter().filter(is_listed);
        let change_sets = change_sets
            .map(|set| StaleChangeSet { with_stack: set.with_stack && goes(&set), ..set })
            .collect();
        let same_bucket = self.bucket == now.bucket;
        let assets = now.assets.into_iter().filter(|asset| same_bucket && listed(asset)).collect();
        Self { session: now.session, bucket: now.bucket, assets, change_sets }
    }
}

pub(crate) fn run(
    arguments: &GcArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let of_app = needed(arguments, settings, surroundings, console)?;
    let needed = and_of_runs(&of_app, &workplace)?;
    let mut sessions = BTreeMap::new();
    for stack in located(&[], settings, &workplace, console)? {
        let key = (stack.environment.account, stack.environment.region);
        sessions.entry(key).or_insert(stack.session);
    }
    let mut found = Vec::new();
    for session in sessions.into_values() {
        found.push(workplace.read(look(session, arguments, settings, &needed, &workplace))?);
    }
    let mut report = GcReport { deleted: false, places: found.iter().map(place).collect() };
    if !arguments.json {
        console.data(&report::text(&report))?;
    }
    if report.is_empty() || arguments.dry_run {
        return finish(&report, arguments, console);
    }
    if !arguments.yes {
        let question = format!("{} would be deleted", report.totals());
        let way_out = "look at the list (--dry-run), then say --yes";
        workplace.confirm(&question, way_out)?;
    }
    let journal = workplace.journal()?;
    for (listed, told) in found.into_iter().zip(&mut report.places) {
        // Between the list and the answer others may have come to need what is on it.
        let look_again = || {
            let needed = and_of_runs(&of_app, &workplace)?;
            let session = listed.session.clone();
            let now = workplace.read(look(session, arguments, settings, &needed, &workplace))?;
            let found = listed.still(now);
            *told = place(&found);
            told.kept = workplace.run(delete(&found, &workplace, &journal))?;
            Ok::<_, Failure>(())
        };
        look_again().inspect_err(|failure| journal.ended(failure.exit_code()))?;
    }
    report.deleted = true;
    journal.ended(if report.kept() == 0 { exit::OK } else { exit::NEEDS_ACTION });
    finish(&report, arguments, console)
}

fn finish(report: &GcReport, arguments: &GcArguments, console: &Console) -> Result<(), Failure> {
    if arguments.json {
        console.data(&to_text(report))?;
    }
    for kept in report.places.iter().flat_map(|place| &place.kept) {
        console.talk(&format!("warning: {} is still there: {}\n", kept.name, kept.reason));
    }
    if report.deleted {
        console.talk(&format!("{} deleted\n", report.totals()));
    }
    if report.kept() == 0 { Ok(()) } else { Err(Failure::Ended(exit::NEEDS_ACTION)) }
}

/// What may not go whatever its age: what the app would publish, and what the given plans need.
fn needed(
    arguments: &GcArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<Needed, Failure> {
    let mut needed = Needed::default();
    let outcome = application::run(settings, &std::env::temp_dir())?;
    outcome.show_errors(console)?;
    if let Some(assembly) = outcome.assembly() {
        needed.add_assembly(assembly)?;
    }
    for path in &arguments.keep {
        needed.add_plan(&file::read(&surroundings.directory.join(path))?);
    }
    Ok(needed)
}

/// That, and what unfinished runs need. A journal that cannot be read may be of one, so that nothing goes then.
fn and_of_runs(needed: &Needed, workplace: &Workplace) -> Result<Needed, Failure> {
    let mut needed = needed.clone();
    for run in journal::listing(&workplace.journals()) {
        let run = run.map_err(|unknown| {
            let message = format!("what run {} needs cannot be told: {}", unknown.run, unknown.error.message);
            let hint = match unknown.error.hint {
                Some(hint) => format!("{hint}; once the run is over, its journal may be moved elsewhere"),
                None => "once the run is over, its journal may be moved elsewhere".to_owned(),
            };
            EngineError::new(Class::Refused, message).with_hint(hint)
        })?;
        if !run.is_unfinished() {
            continue;
        }
        let journal = History::read(&run.path)?;
        if let Some(plan) = journal.plan() {
            let plan: Plan =
                serde_json::from_value(plan.clone()).map_err(|error| unreadable(&run.path, &error))?;
            needed.add_plan(&plan);
        }
    }
    Ok(needed)
}

fn unreadable(path: &Path, error: &serde_json::Error) -> Failure {
    let message = format!("the plan in the journal {} cannot be read: {error}", path.display());
    let hint = "finish the run with `formwork resume`, then run the same command again";
    EngineError::new(Class::Refused, message).with_hint(hint).into()
}

async fn look(
    session: formwork_engine::aws::Session,
    arguments: &GcArguments,
    settings: &Settings,
    needed: &Needed,
    workplace: &Workplace,
) -> Result<Found, EngineError> {
    let bucket = match &settings.assets.bucket {
        Some(bucket) => Some(bucket.clone()),
        None => bootstrap::look(&session, &settings.assets.qualifier).await?.bucket,
    };
    let options = CollectOptions {
        bucket: bucket.clone().unwrap_or_default(),
        days: arguments.older_than,
        needed: needed.clone(),
    };
    let engine = &workplace.engine;
    let assets = match &bucket {
        Some(_) => collect::unused_assets(&options, &session, engine).await?,
        None => Vec::new(),
    };
    let change_sets = collect::stale_change_sets(&options, &session, engine).await?;
    Ok(Found { session, bucket, assets, change_sets })
}

fn place(found: &Found) -> GcPlace {
    GcPlace {
        account: found.session.account().to_owned(),
        region: found.session.region().to_owned(),
        bucket: found.bucket.clone(),
        assets: found.assets.iter().map(Into::into).collect(),
        change_sets: found.change_sets.iter().map(Into::into).collect(),
        kept: Vec::new(),
    }
}

async fn delete(found: &Found, workplace: &Workplace, journal: &Journal) -> Result<Vec<GcKept>, EngineError> {
    let bucket = found.bucket.as_deref().unwrap_or_default();
    let assets = collect::delete_assets(&found.assets, bucket, &found.session, journal).await?;
    let sets =
        collect::delete_change_sets(&found.change_sets, &found.session, &workplace.engine, journal).await?;
    let assets = assets.into_iter().map(|(name, reason)| GcKept { name, reason });
    let sets = sets.into_iter().map(|kept| GcKept {
        name: match kept.part {
            KeptPart::ChangeSet => name_of_set(&kept.change_set.stack, &kept.change_set.name),
            KeptPart::Stack => format!("stack {}", kept.change_set.stack),
        },
        reason: kept.reason,
    });
    Ok(assets.chain(sets).collect())
}
