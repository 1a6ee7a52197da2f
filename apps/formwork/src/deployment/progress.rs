//! Shows the engine's events: live on a terminal, a line each elsewhere, or as JSON.
//!
//! [`words`] says what an event means, once for all forms; the forms decide how much of it is shown and where.

mod lines;
mod live;
mod row;
pub(crate) mod words;

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use formwork_assembly::json;
use formwork_engine::event::What;
use formwork_engine::plan::Environment;
use formwork_engine::{Clock, Event, Listener};

use super::labels::Labels;
use crate::arguments::ProgressForm;
use lines::Lines;
use live::Live;

/// A listener that shows events.
pub(crate) struct Progress {
    shown: Mutex<Shown>,
    quiet: bool,
}

/// What is shown, and what is known of the run's stacks.
struct Shown {
    form: Form,
    labels: Labels,
}

enum Form {
    Lines(Lines),
    Live(Live),
    Json,
}

impl Progress {
    /// The form that is asked for, else the one that suits where it goes. The clock is the one of the events.
    pub(crate) fn new(form: Option<ProgressForm>, quiet: bool, clock: Clock) -> Self {
        let form = match form {
            Some(ProgressForm::Json) => Form::Json,
            Some(ProgressForm::Errors) => Form::Lines(Lines::stacks_only()),
            Some(ProgressForm::Live) if !quiet && live::is_possible_when_asked_for() => {
                Form::Live(Live::new(clock))
            }
            None if !quiet && live::is_possible() => Form::Live(Live::new(clock)),
            Some(ProgressForm::Lines | ProgressForm::Live) | None => Form::Lines(Lines::all()),
        };
        Self { shown: Mutex::new(Shown { form, labels: Labels::default() }), quiet }
    }

    /// Takes what changes in place off the terminal, so that others can write there.
    pub(crate) fn rest(&self) {
        if let Form::Live(live) = &self.shown().form {
            live.rest();
        }
    }

    /// Whether people read it.
    pub(crate) fn is_for_people(&self) -> bool {
        !self.quiet && !matches!(self.shown().form, Form::Json)
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Progress {
    fn tell(&self, event: Event) {
        let Shown { form, labels } = &mut *self.shown();
        match &event.what {
            What::Identified { account, region, .. } => {
                labels.learn(&Environment { account: account.clone(), region: region.clone() });
            }
            _ => event.environment.iter().for_each(|environment| labels.learn(environment)),
        }
        match form {
            Form::Json => {
                let value = serde_json::to_value(&event).expect("events have string keys only");
                // Nothing is left to do when nobody reads; the run itself must not end by it.
                let _ = writeln!(anstream::stdout().lock(), "{}", json::to_compact_text(&value).trim_end());
            }
            Form::Live(live) => live.show(&event, labels),
            Form::Lines(lines) => {
                if let Some(text) = lines.show(&event, labels)
                    && (!self.quiet || words::is_failure(&event))
                {
                    let _ = anstream::stderr().lock().write_all(text.as_bytes());
                }
            }
        }
    }
}
