//! The pages that show flows and runs.

use formwork::{Scope, Value};

use super::{Datastore, Metadata, MetaflowProps, Told};

/// What can be said about the user interface.
#[derive(Clone, Debug, Default)]
pub struct UiProps {}

/// The user interface.
#[derive(Clone, Debug)]
pub struct Ui {
    /// The URL for browsers.
    pub url: Value<String>,
}

impl Ui {
    #[track_caller]
    pub(super) fn new(
        _scope: Scope<'_>,
        _props: &MetaflowProps<'_>,
        _own: &UiProps,
        _metadata: &Metadata,
        _datastore: &Datastore,
    ) -> Self {
        Self { url: formwork::IntoValue::into_value("") }
    }

    pub(super) fn told(&self) -> Vec<Told> {
        Vec::new()
    }
}
