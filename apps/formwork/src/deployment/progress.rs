//! Shows the engine's events: live on a terminal, a line each elsewhere, or as JSON.
//!
//! [`words`] says what an event means, once for all forms; the forms decide how much of it is shown and where.

mod lines;
pub(crate) mod words;

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use formwork_assembly::json;
use formwork_engine::{Event, Listener};

use crate::arguments::ProgressForm;
use lines::Lines;

/// A listener that shows events.
pub(crate) struct Progress {
    form: Mutex<Form>,
    quiet: bool,
}

enum Form {
    Lines(Lines),
    Json,
}

impl Progress {
    /// The form that is asked for, else the one that suits where it goes.
    pub(crate) fn new(form: Option<ProgressForm>, quiet: bool) -> Self {
        let form = match form {
            Some(ProgressForm::Json) => Form::Json,
            Some(ProgressForm::Errors) => Form::Lines(Lines::stacks_only()),
            Some(ProgressForm::Lines) => Form::Lines(Lines::all()),
            Some(ProgressForm::Live) => Form::Lines(Lines::all()),
            None if io::stderr().is_terminal() => Form::Lines(Lines::all()),
            None => Form::Lines(Lines::all()),
        };
        Self { form: Mutex::new(form), quiet }
    }
}

impl Listener for Progress {
    fn tell(&self, event: Event) {
        let mut form = self.form.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *form {
            Form::Json => {
                let value = serde_json::to_value(&event).expect("events have string keys only");
                // Nothing is left to do when nobody reads; the run itself must not end by it.
                let _ = writeln!(anstream::stdout().lock(), "{}", json::to_compact_text(&value).trim_end());
            }
            Form::Lines(lines) => {
                if let Some(text) = lines.show(&event)
                    && (!self.quiet || words::is_failure(&event))
                {
                    let _ = anstream::stderr().lock().write_all(text.as_bytes());
                }
            }
        }
    }
}
