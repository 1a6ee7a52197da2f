//! `formwork diagnose`: why the latest operation of a stack failed, after the fact and for any stack.

use formwork_engine::follow::{Diagnosis, diagnose};

use crate::arguments::{DiagnoseArguments, ProgressOptions};
use crate::console::Console;
use crate::deployment::Workplace;
use crate::deployment::named::{Named, named};
use crate::deployment::progress::words::failure_text;
use crate::failure::Failure;
use crate::report::to_text;
use crate::settings::Settings;

pub(crate) fn run(
    arguments: &DiagnoseArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let Named { name, session, places } = named(&arguments.stack, settings, &workplace)?;
    let diagnosis = workplace.read(diagnose(&session, &name, places))?;
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
