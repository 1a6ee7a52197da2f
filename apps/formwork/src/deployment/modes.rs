//! Both modes of the built-in app: a tracking server and a serverless app can stand beside each other.
//!
//! The context chooses one mode, and commands that change something act on that one. Commands that look show the other one
//! too, once it is deployed. Its stacks are found by running the app in its other mode, which tells their names exactly;
//! the mark on the stacks then tells whether they are this app's. Nothing is guessed from names.

use std::collections::BTreeSet;

use formwork_engine::plan::Located;
use formwork_engine::{components, plan};
use serde_json::Value as Json;

use super::Workplace;
use crate::application::{self, Outcome};
use crate::console::Console;
use crate::failure::Failure;
use crate::report::StackReport;
use crate::selection::select;
use crate::settings::{Application, Settings};

const MODE: &str = "mlflowType";
const EXISTING: &str = "mlflowArn";

/// The stacks that the patterns name, in both modes; without a pattern, those of the context's mode and those of the other
/// one that are deployed.
///
/// # Errors
/// When the app has errors, a pattern names no stack, or an account cannot be reached.
pub(crate) fn located_in_both_modes(
    patterns: &[String],
    settings: &Settings,
    workplace: &Workplace,
    console: &Console,
) -> Result<Vec<Located>, Failure> {
    let outcome = application::run(settings, &std::env::temp_dir())?;
    outcome.show_errors(console)?;
    let own = reports(&outcome)?;
    let other = other_mode(settings)?;
    let more = match &other {
        Some(other) => only_there(&own, reports(other)?),
        None => Vec::new(),
    };
    let all: Vec<StackReport> = own.into_iter().chain(more.iter().cloned()).collect();
    let ids: Vec<String> = select(&all, patterns)?.into_iter().map(|stack| stack.id.clone()).collect();
    let (there, here): (Vec<String>, Vec<String>) =
        ids.into_iter().partition(|id| more.iter().any(|stack| stack.id == *id));
    let mut stacks = locate(&outcome, &here, settings, workplace)?;
    if let Some(other) = &other {
        let there = locate(other, &there, settings, workplace)?;
        let asked_for = !patterns.is_empty();
        stacks.extend(if asked_for { there } else { workplace.run(components::ours(there)) });
    }
    Ok(stacks)
}

/// The stacks of the other mode that are deployed and this app's, beside those of `own`. A mode that cannot be made with
/// these settings has none.
///
/// # Errors
/// When a file cannot be read, or an account cannot be reached.
pub(crate) fn deployed_in_other_mode(
    own: &[Located],
    settings: &Settings,
    workplace: &Workplace,
) -> Result<Vec<Located>, Failure> {
    let Some(other) = other_mode(settings)? else { return Ok(Vec::new()) };
    let here: BTreeSet<&str> = own.iter().map(|stack| stack.id.as_str()).collect();
    let there: Vec<String> =
        reports(&other)?.into_iter().map(|stack| stack.id).filter(|id| !here.contains(id.as_str())).collect();
    let there = locate(&other, &there, settings, workplace)?;
    Ok(workplace.run(components::ours(there)))
}

fn only_there(own: &[StackReport], other: Vec<StackReport>) -> Vec<StackReport> {
    other.into_iter().filter(|stack| !own.iter().any(|it| it.id == stack.id)).collect()
}

fn reports(outcome: &Outcome) -> Result<Vec<StackReport>, Failure> {
    Ok(outcome.stacks()?.into_iter().map(|stack| stack.report).collect())
}

/// Where stacks are; no stack without an id, where the engine would take all.
fn locate(
    outcome: &Outcome,
    ids: &[String],
    settings: &Settings,
    workplace: &Workplace,
) -> Result<Vec<Located>, Failure> {
    let Some(assembly) = outcome.assembly().filter(|_| !ids.is_empty()) else { return Ok(Vec::new()) };
    let region = settings.region.as_ref().map(|region| region.value.as_str());
    let account = settings.account.as_ref().map(|account| account.value.as_str());
    workplace.read(plan::locate(assembly, ids, region, account, &workplace.engine))
}

/// The built-in app in its other mode, if it can be made so.
fn other_mode(settings: &Settings) -> Result<Option<Outcome>, Failure> {
    if settings.application != Application::BuiltIn {
        return Ok(None);
    }
    let value = |key: &str| settings.context.get(key).and_then(|entry| entry.value.as_str());
    let is_serverless = match value(EXISTING) {
        Some(arn) => arn.contains(":mlflow-app/"),
        None => value(MODE) == Some("serverless"),
    };
    let mut settings = settings.clone();
    let origin = "the other mode";
    settings.context.set(MODE, if is_serverless { "tracking" } else { "serverless" }, origin);
    if settings.context.get(EXISTING).is_some() {
        settings.context.set(EXISTING, Json::Null, origin);
    }
    let outcome = application::run(&settings, &std::env::temp_dir())?;
    Ok(outcome.verdict().is_ok().then_some(outcome))
}
