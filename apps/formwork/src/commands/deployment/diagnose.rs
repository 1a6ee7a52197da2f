//! `formwork diagnose`: why the latest operation of a stack failed, after the fact and for any stack.

use std::sync::Arc;

use formwork_engine::follow::{Diagnosis, Places, diagnose};

use crate::application;
use crate::arguments::{DiagnoseArguments, ProgressOptions};
use crate::console::Console;
use crate::deployment::Workplace;
use crate::deployment::progress::words::failure_text;
use crate::failure::Failure;
use crate::report::to_text;
use crate::settings::Settings;

pub(crate) fn run(
    arguments: &DiagnoseArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    // The app tells which construct made what, if the stack is one of its own. An app with errors cannot tell; the
    // failure can be found all the same.
    let places = application::run(settings, &std::env::temp_dir()).ok().and_then(|outcome| {
        let assembly = outcome.assembly()?;
        let stacks = assembly.stacks().ok()?;
        let stack = stacks
            .iter()
            .find(|stack| [stack.id.as_str(), stack.stack_name()].contains(&arguments.stack.as_str()))?;
        Some((stack.stack_name().to_owned(), Places::of(assembly, stack)))
    });
    let (name, places) = places.unwrap_or_else(|| (arguments.stack.clone(), Places::default()));
    let progress = ProgressOptions::default();
    let workplace = Workplace::in_account(settings, &progress, console)?;
    let session = workplace.read(workplace.engine.sessions.session(None, None))?;
    let diagnosis = workplace.read(diagnose(&session, &name, Arc::new(places)))?;
    console.data(&if arguments.json { to_text(&diagnosis) } else { text(&diagnosis) })
}

fn text(diagnosis: &Diagnosis) -> String {
    let mut text = format!("{} is in {}\n", diagnosis.stack, diagnosis.status);
    match &diagnosis.failure {
        Some(failure) => {
            if let (Some(began), Some(ended)) = (&diagnosis.began, &diagnosis.ended) {
                text.push_str(&format!("the operation that began at {began} ended in {ended}\n"));
            }
            text.push_str(&failure_text(failure));
            text.push('\n');
        }
        None => text.push_str("no operation failed, as far as its events tell\n"),
    }
    text
}
