//! `formwork resume --from-cloud`: a run whose journal is lost or on another machine.
//!
//! What CloudFormation does for the run is followed to its end. Change sets that wait are not carried out: whether they
//! were approved stood in the journal.

use formwork_engine::apply::{self, FoundRun, FoundRuns, RunReport};
use formwork_engine::{Class, EngineError};

use crate::console::{Console, count};
use crate::deployment::summary::{GoingOn, conclude_as};
use crate::deployment::{Workplace, located};
use crate::failure::{Failure, exit};
use crate::settings::Settings;

/// Finds a run in the stacks of the app, and goes on with it as far as that is possible.
pub(super) fn resume(
    wanted: Option<&str>,
    settings: &Settings,
    workplace: &Workplace,
    console: &Console,
) -> Result<(), Failure> {
    let stacks = located(&[], settings, workplace, console)?;
    let found = workplace.read(apply::find_runs(&stacks, &workplace.engine))?;
    let (run, traces) = choose(wanted, &found)?;
    console.talk(&text(run, traces));
    // Whether one looks before the ends or after them, the run ended as badly.
    let mut code = traces.code_of_ended();
    if !traces.going_on.is_empty() {
        let report = workplace.run(apply::follow(run, &traces.going_on, &workplace.engine));
        let again = format!("{run} --from-cloud");
        match conclude_as(&report, GoingOn::FromCloud(&again), None, console) {
            // An interruption is told as such: what was followed has not ended.
            Err(Failure::Ended(followed)) if is_end(followed) => {
                code = RunReport::worst_code(code, followed);
            }
            other => other?,
        }
    }
    if traces.waiting.is_empty() {
        console
            .talk("what else the run was to do stood in its journal; `formwork plan` shows what is left\n");
        return if code == exit::OK { Ok(()) } else { Err(Failure::Ended(code)) };
    }
    let waiting = count(traces.waiting.len(), "change set");
    let message =
        format!("run {run} cannot be finished without its journal: {waiting} of it may not be approved");
    let error = EngineError::new(Class::NeedsAction, message);
    let hint = "`formwork deploy` plans what is left and asks; \
        `formwork gc` deletes what waits once it is old enough";
    Err(error.with_hint(hint).into())
}

/// Whether a code says how a run ended, and not that it is looked at no longer.
fn is_end(code: u8) -> bool {
    [Class::RolledBack, Class::NeedsAction].map(Class::exit_code).contains(&code)
}

/// The run that is named, or the only one of which something goes on or waits.
fn choose<'f>(wanted: Option<&str>, found: &'f FoundRuns) -> Result<(&'f str, &'f FoundRun), Failure> {
    let known = || found.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let usage =
        |message: String, hint: String| Err(EngineError::new(Class::Usage, message).with_hint(hint).into());
    if let Some(wanted) = wanted {
        return match found.get_key_value(wanted) {
            Some((run, traces)) => Ok((run, traces)),
            None if found.is_empty() => {
                usage(format!("the stacks of the app tell nothing of run {wanted}"), WHERE.to_owned())
            }
            None => usage(
                format!("the stacks of the app tell nothing of run {wanted}"),
                format!("they tell of {}", known()),
            ),
        };
    }
    let goes_on = |traces: &FoundRun| !traces.going_on.is_empty();
    let is_left = |traces: &FoundRun| goes_on(traces) || !traces.waiting.is_empty();
    let of = |is: &dyn Fn(&FoundRun) -> bool| -> Vec<(&'f str, &'f FoundRun)> {
        found.iter().filter(|(_, traces)| is(traces)).map(|(run, traces)| (run.as_str(), traces)).collect()
    };
    match (&of(&goes_on)[..], &of(&is_left)[..]) {
        ([one], _) | ([], [one]) => Ok(*one),
        ([], []) if found.is_empty() => {
            usage("the stacks of the app tell of no run".to_owned(), WHERE.to_owned())
        }
        ([], []) => usage(
            format!(
                "nothing goes on, and nothing waits: all that runs began in these stacks has ended ({})",
                known()
            ),
            "`formwork deploy` starts a run".to_owned(),
        ),
        ([], several) | (several, _) => {
            let names: Vec<&str> = several.iter().map(|(run, _)| *run).collect();
            usage(
                format!("several runs are unfinished: {}", names.join(", ")),
                format!("name one: `formwork resume {} --from-cloud`", names[names.len() - 1]),
            )
        }
    }
}

/// Where else a run may be.
const WHERE: &str = "--region, --profile and -c say in which account and stacks to look";

fn text(run: &str, traces: &FoundRun) -> String {
    let mut text = format!("run {run}, as its stacks tell it:\n");
    for attached in &traces.going_on {
        text.push_str(&format!("  {}: goes on in {}\n", attached.name, attached.environment.region));
    }
    for (stack, status) in &traces.ended {
        text.push_str(&format!("  {stack}: ended in {status}\n"));
    }
    for waiting in &traces.waiting {
        let (stack, set) = (&waiting.stack, &waiting.change_set);
        text.push_str(&format!(
            "  {stack}: change set {set} waits, and whether it was approved cannot be known\n"
        ));
    }
    text
}
