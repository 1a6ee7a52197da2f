//! `formwork doctor`: what stands in the way of deployments, and of what is deployed, each with the next command.

mod report;

use formwork_assembly::CloudAssembly;
use formwork_engine::aws::Session;
use formwork_engine::doctor::{self, Check, Looked};
use formwork_engine::plan::{self, Located};
use formwork_engine::{Class, EngineError};

pub(crate) use report::DoctorReport;

use crate::application::{self, Outcome};
use crate::arguments::{DoctorArguments, ProgressOptions};
use crate::console::Console;
use crate::deployment::Workplace;
use crate::deployment::modes::deployed_in_other_mode;
use crate::failure::{Failure, exit};
use crate::report::{StackReport, to_text};
use crate::selection::select;
use crate::settings::{Settings, Surroundings};

pub(crate) fn run(
    arguments: &DoctorArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let mut report = DoctorReport::default();
    report.add("this machine", doctor::local(&surroundings.variables));
    let (app, ids) = application(arguments, settings, &mut report)?;
    let assembly = app.as_ref().and_then(Outcome::assembly);
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let code = match reached(settings, &workplace, &mut report)? {
        Some(base) => {
            look(assembly, &ids, &base, settings, &workplace, &mut report)?;
            if report.failed > 0 { exit::ERRORS } else { exit::OK }
        }
        None => exit::USAGE,
    };
    console.data(&if arguments.json { to_text(&report) } else { report::text(&report) })?;
    if code == exit::OK { Ok(()) } else { Err(Failure::Ended(code)) }
}

/// The app's assembly and the ids of the stacks that are meant. An app with errors is a finding like others: the account
/// can be looked at all the same.
fn application(
    arguments: &DoctorArguments,
    settings: &Settings,
    report: &mut DoctorReport,
) -> Result<(Option<Outcome>, Vec<String>), Failure> {
    const NAME: &str = "app";
    let way_out = "`formwork synth` shows what is wrong";
    let outcome = match application::run(settings, &std::env::temp_dir()) {
        Ok(outcome) => outcome,
        Err(failure) => {
            let text = failure.to_string();
            let (message, hint) = text.split_once("\nhint: ").unwrap_or((&text, way_out));
            report.add("the app", vec![Check::failed(NAME, "", message).with_hint(hint)]);
            return Ok((None, Vec::new()));
        }
    };
    let found = format!("the app has {}", outcome.counts().text());
    if outcome.verdict().is_err() {
        report.add("the app", vec![Check::failed(NAME, "", found).with_hint(way_out)]);
        return Ok((None, Vec::new()));
    }
    let loaded = outcome.stacks()?;
    let stacks: Vec<StackReport> = loaded.iter().map(|stack| stack.report.clone()).collect();
    let chosen = select(&stacks, &arguments.stacks)?;
    let ids: Vec<String> = chosen.iter().map(|stack| stack.id.clone()).collect();
    let templates = loaded.iter().filter(|stack| ids.contains(&stack.report.id));
    let templates = templates.map(|stack| (stack.report.name.as_str(), stack.template.value()));
    let mut checks = vec![Check::ok(NAME, "", found)];
    checks.extend(doctor::runtimes(templates, jiff::Timestamp::now()));
    report.add("the app", checks);
    Ok((Some(outcome), ids))
}

/// The caller, if there is one; that there is none is the first thing to mend.
fn reached(
    settings: &Settings,
    workplace: &Workplace,
    report: &mut DoctorReport,
) -> Result<Option<Session>, Failure> {
    let region = settings.region.as_ref().map(|region| region.value.as_str());
    match workplace.read(workplace.engine.sessions.session(region, None)) {
        Ok(session) => {
            let check = async { Ok::<_, EngineError>(doctor::identity(&session).await) };
            report.add("the caller", vec![workplace.read(check)?]);
            Ok(Some(session))
        }
        Err(failure) => {
            report.add("the caller", vec![failed("identity", failure)?]);
            Ok(None)
        }
    }
}

/// A failure as a check; an interruption stays what it is.
fn failed(name: &str, failure: Failure) -> Result<Check, Failure> {
    match failure {
        Failure::Engine(EngineError { class: Class::Interrupted, .. }) => Err(failure),
        Failure::Engine(EngineError { message, hint, .. }) => {
            Ok(Check { hint, ..Check::failed(name, "", message) })
        }
        failure => Ok(Check::failed(name, "", failure.to_string())),
    }
}

/// Looks at every account and region that the stacks go to, and at the stacks.
fn look(
    assembly: Option<&CloudAssembly>,
    ids: &[String],
    base: &Session,
    settings: &Settings,
    workplace: &Workplace,
    report: &mut DoctorReport,
) -> Result<(), Failure> {
    let stacks = located(assembly, ids, base, settings, workplace, report)?;
    let mut everywhere = stacks.clone();
    let is_all = assembly.is_some_and(|app| app.stacks().is_ok_and(|all| all.len() == ids.len()));
    if is_all && !stacks.is_empty() {
        match deployed_in_other_mode(&stacks, settings, workplace) {
            Ok(other) => everywhere.extend(other),
            Err(failure) => report.add("the other mode", vec![failed("other-mode", failure)?]),
        }
    }
    let (qualifier, bucket) = (settings.assets.qualifier.as_str(), settings.assets.bucket.as_deref());
    let mut places = match assembly {
        Some(assembly) => Looked::places(assembly, &stacks, qualifier, bucket)?,
        None => Vec::new(),
    };
    if places.is_empty() {
        places.push(Looked::new(base, qualifier, bucket));
    }
    for looked in places {
        let title = looked.place();
        let checks = async { Ok::<_, EngineError>(doctor::environment(&looked, &workplace.engine).await) };
        report.add(title, workplace.read(checks)?);
    }
    let deployed = async { Ok::<_, EngineError>(doctor::deployed(&everywhere).await) };
    report.add("what is deployed", workplace.read(deployed)?);
    Ok(())
}

/// Where the stacks are; what keeps us from finding out is a check.
fn located(
    assembly: Option<&CloudAssembly>,
    ids: &[String],
    base: &Session,
    settings: &Settings,
    workplace: &Workplace,
    report: &mut DoctorReport,
) -> Result<Vec<Located>, Failure> {
    let Some(assembly) = assembly.filter(|_| !ids.is_empty()) else { return Ok(Vec::new()) };
    let account = settings.account.as_ref().map(|account| account.value.as_str());
    let located = plan::locate(assembly, ids, Some(base.region()), account, &workplace.engine);
    match workplace.read(located) {
        Ok(stacks) => Ok(stacks),
        Err(failure) => {
            report.add("the places of the stacks", vec![failed("places", failure)?]);
            Ok(Vec::new())
        }
    }
}
