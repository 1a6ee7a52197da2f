//! The stacks of the app where they are deployed, for commands that look at them or mend them.

use formwork_engine::plan::{self, Located};
use formwork_engine::{Class, EngineError};

use super::Workplace;
use crate::application::{self, Outcome};
use crate::console::Console;
use crate::failure::Failure;
use crate::report::StackReport;
use crate::selection::select;
use crate::settings::Settings;

/// The stacks that the patterns name, each with a session in its account and region, as the role that the assembly
/// names; all stacks of the app without a pattern. The app is run, and nothing of it is kept.
///
/// # Errors
/// When the app has errors, a pattern names no stack, or an account cannot be reached.
pub(crate) fn located(
    patterns: &[String],
    settings: &Settings,
    workplace: &Workplace,
    console: &Console,
) -> Result<Vec<Located>, Failure> {
    let outcome = application::run(settings, &std::env::temp_dir())?;
    outcome.show_errors(console)?;
    located_of(&outcome, patterns, settings, workplace)
}

/// The same for an app that was run already.
///
/// # Errors
/// When a pattern names no stack, or an account cannot be reached.
pub(crate) fn located_of(
    outcome: &Outcome,
    patterns: &[String],
    settings: &Settings,
    workplace: &Workplace,
) -> Result<Vec<Located>, Failure> {
    let Some(assembly) = outcome.assembly() else { return Ok(Vec::new()) };
    let stacks: Vec<StackReport> = outcome.stacks()?.into_iter().map(|stack| stack.report).collect();
    let ids: Vec<String> = select(&stacks, patterns)?.into_iter().map(|stack| stack.id.clone()).collect();
    let region = settings.region.as_ref().map(|region| region.value.as_str());
    let account = settings.account.as_ref().map(|account| account.value.as_str());
    workplace.read(plan::locate(assembly, &ids, region, account, &workplace.engine))
}

/// The error of a command that looks at what is deployed, when none of the stacks is.
pub(crate) fn none_deployed(names: &[&str]) -> Failure {
    let (message, hint) = match names {
        [] => return EngineError::new(Class::Input, "the app has no stack").into(),
        [one] => (format!("stack {one} is not deployed"), format!("`formwork deploy {one}` deploys it")),
        several => (
            format!("none of the stacks is deployed: {}", several.join(", ")),
            "`formwork deploy` deploys them".to_owned(),
        ),
    };
    EngineError::new(Class::Input, message)
        .with_hint(format!("{hint}; --region and --profile say where to look"))
        .into()
}
