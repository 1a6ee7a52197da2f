//! The deployed Metaflow that is meant, found by the outputs of its stack.

use std::collections::BTreeMap;

use formwork_engine::aws::Session;
use formwork_engine::aws::cloudformation::Output;
use formwork_engine::{Class, EngineError};

use crate::arguments::WhichMetaflow;
use crate::console::Console;
use crate::deployment::named::named;
use crate::deployment::{Workplace, located, none_deployed};
use crate::failure::Failure;
use crate::settings::Settings;

/// The output with the client's settings, which every stack of Metaflow has.
pub(super) const SETTINGS: &str = "MetaflowProfileJson";

/// A deployed Metaflow.
pub(super) struct Metaflow {
    pub(super) stack: String,
    pub(super) session: Session,
    outputs: BTreeMap<String, Output>,
}

impl Metaflow {
    /// An output of the stack by its name.
    pub(super) fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name).map(|output| output.value.as_str())
    }
}

/// Finds Metaflow: the stack that is named, else that of the app.
///
/// # Errors
/// When there is none, there are several, or the account cannot be reached.
pub(super) fn find(
    which: &WhichMetaflow,
    settings: &Settings,
    workplace: &Workplace,
    console: &Console,
) -> Result<Metaflow, Failure> {
    let places: Vec<(String, Session)> = match &which.stack {
        Some(word) => {
            let named = named(word, settings, workplace)?;
            vec![(named.name, named.session)]
        }
        None => {
            let own = located(&[], settings, workplace, console)?;
            own.into_iter().map(|stack| (stack.name, stack.session)).collect()
        }
    };
    let mut is_deployed = false;
    let mut found = Vec::new();
    for (name, session) in &places {
        let Some(stack) = workplace.read(session.cloudformation().stack(name))? else { continue };
        is_deployed = true;
        if stack.outputs.contains_key(SETTINGS) {
            found.push(Metaflow { stack: stack.name, session: session.clone(), outputs: stack.outputs });
        }
    }
    let names: Vec<&str> = places.iter().map(|(name, _)| name.as_str()).collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 if is_deployed => {
            let message = format!("no Metaflow among {}: there is no output {SETTINGS}", names.join(", "));
            Err(EngineError::new(Class::Input, message)
                .with_hint("add metaflow to components, or name its stack with --stack")
                .into())
        }
        0 => Err(none_deployed(&names)),
        _ => {
            let stacks: Vec<&str> = found.iter().map(|one| one.stack.as_str()).collect();
            let message = format!("several Metaflows are deployed: {}", stacks.join(", "));
            Err(EngineError::new(Class::Usage, message).with_hint("say which one with --stack").into())
        }
    }
}
