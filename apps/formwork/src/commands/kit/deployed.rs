//! The outputs of a deployed stack that a kit is written for.

use std::collections::BTreeMap;

use formwork_engine::aws::Session;
use formwork_engine::aws::cloudformation::Output;
use formwork_engine::{Class, EngineError};

use crate::arguments::{Arguments, ProgressOptions};
use crate::console::Console;
use crate::deployment::named::named;
use crate::deployment::{Workplace, none_deployed};
use crate::failure::Failure;
use crate::settings::{Settings, Surroundings};

/// A deployed stack of a component.
pub(super) struct Deployed {
    pub(super) workplace: Workplace,
    pub(super) session: Session,
    component: &'static str,
    name: String,
    outputs: BTreeMap<String, Output>,
}

impl Deployed {
    /// Reads the stack that a word names.
    ///
    /// # Errors
    /// When there is no such stack, or no credentials.
    pub(super) fn read(
        word: &str,
        component: &'static str,
        arguments: &Arguments,
        surroundings: &Surroundings,
        console: &Console,
    ) -> Result<Self, Failure> {
        let settings = Settings::resolve(arguments, surroundings)?;
        let workplace = Workplace::in_account(&settings, &ProgressOptions::default(), console)?;
        let named = named(word, &settings, &workplace)?;
        let Some(stack) = workplace.read(named.session.cloudformation().stack(&named.name))? else {
            return Err(none_deployed(&[&named.name]));
        };
        Ok(Self { workplace, session: named.session, component, name: stack.name, outputs: stack.outputs })
    }

    /// The value of an output.
    ///
    /// # Errors
    /// When the stack has none of this name: it is of another component.
    pub(super) fn output(&self, name: &str) -> Result<String, Failure> {
        let found = self.outputs.get(name).map(|output| output.value.clone());
        found.ok_or_else(|| {
            let message = format!("stack {} has no output {name}", self.name);
            let hint = format!("name a stack of the component {}", self.component);
            Failure::from(EngineError::new(Class::Input, message).with_hint(hint))
        })
    }
}
