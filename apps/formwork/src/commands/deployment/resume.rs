//! `formwork resume`, `follow` and `cancel`: runs that go on without their first process.

use std::path::{Path, PathBuf};

use formwork_assembly::CloudAssembly;
use formwork_engine::apply::{self, ApplyOptions, Attached};
use formwork_engine::journal::{Journal, history};
use formwork_engine::lock::RunLock;
use formwork_engine::{Class, EngineError};

use crate::arguments::{CancelArguments, FollowArguments, ParameterOptions, ResumeArguments};
use crate::console::{Console, count};
use crate::deployment::Workplace;
use crate::deployment::named::{Named, named};
use crate::deployment::request::given_parameters;
use crate::deployment::summary::{GoingOn, conclude, conclude_as};
use crate::failure::Failure;
use crate::settings::Settings;

/// Goes on with a run.
pub(crate) fn resume(
    arguments: &ResumeArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &arguments.progress, console)?;
    if arguments.from_cloud {
        return super::from_cloud::resume(arguments.run_id.as_deref(), settings, &workplace, console);
    }
    let run = match &arguments.run_id {
        Some(run) => run.clone(),
        None => latest(&workplace.journals())?,
    };
    let journal = Journal::open(&workplace.journals(), &run)?;
    workplace.keep_events(&journal);
    let directory = PathBuf::from(journal.history().summary(Path::new(&run)).assembly);
    let _lock = RunLock::acquire(&workplace.state, &directory, &run)?;
    // The run has kept what it needs of the assembly, or all its change sets stand: what is missing is told when it is
    // missed.
    let assembly = CloudAssembly::open(&directory).ok();
    let options = options_of(&journal, &arguments.parameters);
    let report =
        workplace.run(apply::resume(&journal, assembly.as_ref(), options.as_ref(), &workplace.engine))?;
    conclude(&report, None, console)
}

/// The options that the run began with, and the values that its journal did not keep; nothing when none is given.
fn options_of(journal: &Journal, parameters: &ParameterOptions) -> Option<ApplyOptions> {
    if parameters.given.is_empty() {
        return None;
    }
    let kept = journal.history().options().and_then(|kept| serde_json::from_value(kept.clone()).ok());
    Some(ApplyOptions { parameters: given_parameters(parameters), ..kept.unwrap_or_default() })
}

/// Watches a run or a stack.
pub(crate) fn follow(
    arguments: &FollowArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &arguments.progress, console)?;
    let (run, attached) = attached(arguments.target.as_deref(), settings, &workplace)?;
    let report = workplace.run(apply::follow(&run, &attached, &workplace.engine));
    conclude_as(&report, GoingOn::Follow(&run), None, console)
}

/// Cancels the updates of a run.
pub(crate) fn cancel(
    arguments: &CancelArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let progress = crate::arguments::ProgressOptions::default();
    let workplace = Workplace::in_account(settings, &progress, console)?;
    let (run, attached) = attached(arguments.target.as_deref(), settings, &workplace)?;
    if !arguments.yes {
        let names: Vec<&str> = attached.iter().map(|it| it.name.as_str()).collect();
        let question = format!("the updates of run {run} would be cancelled: {}", names.join(", "));
        workplace.confirm(&question, "run it on a terminal, or say --yes")?;
    }
    let journal = workplace.journal()?;
    let cancelled = workplace.run(apply::cancel(&attached, &workplace.engine, &journal))?;
    journal.ended(crate::failure::exit::OK);
    if cancelled.is_empty() {
        return console.data("no update is going on\n");
    }
    console.data(&format!("{} asked to cancel: {}\n", count(cancelled.len(), "stack"), cancelled.join(", ")))
}

/// What goes on for a run, or for the stack of that name.
fn attached(
    target: Option<&str>,
    settings: &Settings,
    workplace: &Workplace,
) -> Result<(String, Vec<Attached>), Failure> {
    let journals = workplace.journals();
    let run = match target {
        Some(target) if journals.join(format!("{target}.jsonl")).is_file() => target.to_owned(),
        Some(stack) => {
            let Named { name, session, places } = named(stack, settings, workplace)?;
            let attached = workplace.read(apply::operation_of(&name, &session, places, &workplace.engine))?;
            return Ok((stack.to_owned(), vec![attached]));
        }
        None => latest(&journals)?,
    };
    let history = history::History::read(&journals.join(format!("{run}.jsonl")))?;
    let attached = workplace.run(apply::operations(&history, &workplace.engine))?;
    if attached.is_empty() {
        let error = EngineError::new(Class::Refused, format!("run {run} has nothing that goes on"));
        return Err(error.with_hint(format!("`formwork resume {run}` does what is left of it")).into());
    }
    Ok((run, attached))
}

fn latest(journals: &Path) -> Result<String, Failure> {
    match history::latest(journals) {
        Some(run) => Ok(run.run),
        None => {
            let message = format!("no run is unfinished in {}", journals.display());
            let error = EngineError::new(Class::Usage, message);
            Err(error
                .with_hint(
                    "`formwork runs` lists all; `formwork resume --from-cloud` looks for one in the account",
                )
                .into())
        }
    }
}
