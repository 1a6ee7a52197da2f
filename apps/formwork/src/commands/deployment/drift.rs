//! `formwork drift`: what was changed behind CloudFormation's back; with `--revert` it is taken back.
//!
//! Taking back is an ordinary deployment of the stacks that drifted, by change sets that compare with what there really
//! is: the same plan, approval and run.

use formwork_assembly::CloudAssembly;
use formwork_engine::Class;
use formwork_engine::apply::ApplyOptions;
use formwork_engine::drift::{self, DETECTION_DEADLINE, DriftReport, Subject, Verdict};
use formwork_engine::follow::Places;
use formwork_engine::journal::Journal;
use formwork_engine::plan::{self, Command};

use super::assembly_of;
use crate::application;
use crate::arguments::{DriftArguments, PlanOptions, StackSelection};
use crate::console::{Console, count};
use crate::deployment::approve::asking;
use crate::deployment::request::{apply_options, plan_request};
use crate::deployment::workplace::begin;
use crate::deployment::{Undertaking, Workplace, drift_text, none_deployed};
use crate::failure::{Failure, exit};
use crate::report::{StackReport, to_text};
use crate::selection::select;
use crate::settings::Settings;

pub(crate) fn run(arguments: &DriftArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    arguments.run.progress.leave_output_to(arguments.json)?;
    if arguments.revert {
        return revert(arguments, settings, console);
    }
    let workplace = Workplace::in_account(settings, &arguments.run.progress, console)?;
    let outcome = application::run(settings, &std::env::temp_dir())?;
    outcome.show_errors(console)?;
    let Some(assembly) = outcome.assembly() else { return Ok(()) };
    let stacks: Vec<StackReport> = outcome.stacks()?.into_iter().map(|stack| stack.report).collect();
    // A detection changes nothing that could be resumed.
    let journal = Journal::in_memory();
    let report = look(arguments, assembly, &stacks, settings, &workplace, &journal, console)?;
    console.data(&match arguments.json {
        true => to_text(&report),
        false => drift_text::text(&report, console.is_verbose()),
    })?;
    match report.drifted().next() {
        Some(_) if arguments.detailed_exitcode => Err(Failure::Ended(exit::CHANGES)),
        _ => all_told(&report),
    }
}

/// Looks at the stacks that the arguments name.
fn look(
    arguments: &DriftArguments,
    assembly: &CloudAssembly,
    stacks: &[StackReport],
    settings: &Settings,
    workplace: &Workplace,
    journal: &Journal,
    console: &Console,
) -> Result<DriftReport, Failure> {
    let ids: Vec<String> =
        select(stacks, &arguments.stacks)?.into_iter().map(|stack| stack.id.clone()).collect();
    let region = settings.region.as_ref().map(|region| region.value.as_str());
    let account = settings.account.as_ref().map(|account| account.value.as_str());
    let artifacts = assembly.stacks()?;
    let located = workplace.read(plan::locate(assembly, &ids, region, account, &workplace.engine))?;
    let subject = |located: plan::Located| {
        let artifact = artifacts.iter().find(|artifact| artifact.id == located.id);
        let places = artifact.map(|artifact| Places::of(assembly, artifact)).unwrap_or_default();
        Subject { located, places }
    };
    let subjects: Vec<Subject> = located.into_iter().map(subject).collect();
    console
        .talk(&format!("CloudFormation compares {}, resource by resource\n", count(subjects.len(), "stack")));
    let report =
        workplace.read(drift::detect_drift(&subjects, DETECTION_DEADLINE, &workplace.engine, journal))?;
    if report.is_absent() {
        let names: Vec<&str> = report.stacks.iter().map(|stack| stack.name.as_str()).collect();
        return Err(none_deployed(&names));
    }
    Ok(report)
}

/// Fails when it is not known of a stack whether it drifted: no answer is no good news.
fn all_told(report: &DriftReport) -> Result<(), Failure> {
    match report.stacks.iter().any(|stack| stack.verdict == Verdict::Unknown) {
        true => Err(Failure::Ended(Class::NeedsAction.exit_code())),
        false => Ok(()),
    }
}

fn revert(arguments: &DriftArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    let (run, _lock) = begin(settings)?;
    let (assembly, stacks) = assembly_of(settings, console)?;
    let workplace = Workplace::in_account(settings, &arguments.run.progress, console)?;
    let journal = workplace.journal_of(&run)?;
    let ended = |failure: &Failure| journal.ended(failure.exit_code());
    let report =
        look(arguments, &assembly, &stacks, settings, &workplace, &journal, console).inspect_err(ended)?;
    console.talk(&drift_text::text(&report, console.is_verbose()));
    let drifted: Vec<String> = report.drifted().map(|stack| stack.id.clone()).collect();
    if drifted.is_empty() {
        all_told(&report).inspect_err(ended)?;
        console.talk("nothing drifted, so that nothing is taken back\n");
        journal.ended(exit::OK);
        return Ok(());
    }
    let selection = StackSelection { stacks: drifted, all: false, exclusively: true };
    let options = PlanOptions {
        parameters: arguments.parameters.clone(),
        // Whoever takes drift back wants no other values than the stack has.
        previous_parameters: true,
        revert_drift: true,
        ..PlanOptions::default()
    };
    let request = plan_request(Command::Deploy, journal.run(), &selection, &stacks, &options, settings)
        .inspect_err(ended)?;
    // Somebody made these changes on purpose, perhaps in an emergency: undoing them is asked about.
    let approval = asking(&arguments.approval);
    let options = ApplyOptions { parameters: request.parameters.clone(), ..apply_options(&arguments.run) };
    let undertaking = Undertaking { workplace: &workplace, journal: &journal, assembly: &assembly, console };
    undertaking.deploy(&request, &approval, options, None)?;
    // Of the stacks that could not be looked at nobody knows what is to be taken back.
    all_told(&report)
}
