//! `formwork mlflow copy`, `backup` and `restore`: one copy with different places at its ends.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use formwork_engine::journal::Journal;
use formwork_engine::mlflow::{self, Address, CopyReport, Credentials, Ids, Options, Progress, Side};

use crate::arguments::{CopyOptions, IntoOptions, ProgressOptions};
use crate::console::{Console, count, table, thousands};
use crate::deployment::Workplace;
use crate::failure::{Failure, exit};
use crate::report::to_text;
use crate::settings::{Settings, Surroundings};

/// The time between two lines about how far a copy is.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// What is copied where, and how.
pub(super) struct Wanted<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) into: IntoOptions,
    pub(super) options: &'a CopyOptions,
}

/// Refuses a server where a backup belongs, and a backup where a server does.
pub(super) fn must_be(option: &str, text: &str, a_backup: bool) -> Result<(), Failure> {
    if Address::read(text)?.is_backup() == a_backup {
        return Ok(());
    }
    let (is, wanted) = match a_backup {
        true => ("a server", "give a directory or s3://BUCKET/PREFIX"),
        false => ("a backup", "give the URL of a server, or the ARN of a tracking server or an MLflow app"),
    };
    Err(Failure::Usage(format!(
        "{option} names {is}, `{text}`\nhint: {wanted}; `formwork mlflow copy` takes any place on either side"
    )))
}

pub(super) fn run(
    wanted: &Wanted<'_>,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let side = |text: &str, who: &str| -> Result<Side, Failure> {
        let variable = |what: &str| surroundings.variables.get(&format!("FORMWORK_{who}_{what}")).cloned();
        let credentials = Credentials {
            username: variable("USERNAME"),
            password: variable("PASSWORD"),
            token: variable("TOKEN"),
        };
        Ok(Side { address: Address::read(text)?, credentials })
    };
    let (from, to) = (side(wanted.from, "FROM")?, side(wanted.to, "TO")?);
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let options = options(wanted);
    let nowhere = tempfile::tempdir().map_err(|source| Failure::File {
        action: "make",
        what: "a temporary directory".to_owned(),
        source,
    })?;
    // What is only counted leaves nothing behind.
    let place = if options.dry_run { nowhere.path().to_owned() } else { workplace.state.join("mlflow") };
    let ids = Ids::open(&place, &from.address.to_string(), &to.address.to_string())?;
    if ids.goes_on() {
        console.talk("going on with a copy that was begun earlier\n");
    }
    let reaches_aws = |side: &Side| !matches!(side.address, Address::Server { .. } | Address::Directory(_));
    let journal = match reaches_aws(&from) || reaches_aws(&to) {
        true => workplace.journal()?,
        false => Journal::in_memory(),
    };
    let told = Mutex::new(None::<(Instant, Progress)>);
    let tell = |progress: Progress| {
        let mut told = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_due =
            told.is_none_or(|(when, last)| last.kind != progress.kind || when.elapsed() >= TOLD_EVERY);
        if is_due {
            *told = Some((Instant::now(), progress));
            let done = usize::try_from(progress.done).unwrap_or(usize::MAX);
            console.talk(&format!("{}\n", count(done, progress.kind.word())));
        }
    };
    let copied = workplace.read(mlflow::copy(&workplace.engine, &from, &to, &options, &ids, &journal, &tell));
    journal.ended(copied.as_ref().map_or_else(Failure::exit_code, |_| exit::OK));
    let report = match copied {
        Ok(report) => report,
        Err(failure) => {
            if !options.dry_run {
                console.talk("what was copied so far is kept: the same command goes on\n");
            }
            return Err(failure);
        }
    };
    if let Some(path) = &wanted.options.ids {
        let written = std::fs::write(path, format!("{:#}\n", ids.document()));
        written.map_err(|source| Failure::File {
            action: "write",
            what: path.display().to_string(),
            source,
        })?;
    }
    if wanted.options.json {
        console.data(&to_text(&report))?;
    } else {
        console.data(&text(&report))?;
    }
    match report.differences_found {
        0 => Ok(()),
        differences => {
            let told = count(differences, "difference");
            console.talk(&format!("{told}; the same command tries again what failed\n"));
            Err(Failure::Findings)
        }
    }
}

fn options(wanted: &Wanted<'_>) -> Options {
    let CopyOptions { experiments, no_artifacts, no_traces, no_registry, dry_run, concurrency, .. } =
        wanted.options;
    Options {
        experiments: experiments.clone(),
        merge: wanted.into.merge,
        prefix: wanted.into.prefix.clone(),
        artifacts: !no_artifacts,
        traces: !no_traces,
        registry: !no_registry,
        dry_run: *dry_run,
        allow_insecure: wanted.options.allow_insecure,
        concurrency: usize::from(*concurrency),
    }
}

fn text(report: &CopyReport) -> String {
    let number = |number: u64| thousands(usize::try_from(number).unwrap_or(usize::MAX));
    let mut rows = vec![["what", "found", "before", "copied", "verified"].map(str::to_owned).to_vec()];
    rows.extend(report.kinds.iter().map(|it| {
        vec![it.kind.clone(), number(it.found), number(it.before), number(it.copied), number(it.verified)]
    }));
    let mut text = table(&rows);
    for difference in &report.differences {
        let kind = difference.kind.word();
        text.push_str(&format!("{kind} {}: {}\n", difference.source, difference.what));
    }
    let more = report.differences_found - report.differences.len();
    if more > 0 {
        text.push_str(&format!("and {more} differences more\n"));
    }
    report.notes.iter().for_each(|note| text.push_str(&format!("note: {note}\n")));
    text
}
