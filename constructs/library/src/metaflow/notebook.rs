//! A SageMaker notebook instance with Metaflow's client configured.

use formwork::Scope;

use super::{Metaflow, MetaflowProps, Told};

/// What can be said about the notebook instance.
#[derive(Clone, Debug, Default)]
pub struct NotebookProps {}

/// The notebook instance.
#[derive(Clone, Debug)]
pub struct Notebook {}

impl Notebook {
    /// `made` has all parts but the notebook.
    #[track_caller]
    pub(super) fn new(
        _scope: Scope<'_>,
        _props: &MetaflowProps<'_>,
        _own: &NotebookProps,
        _made: &Metaflow,
    ) -> Self {
        Self {}
    }

    pub(super) fn told(&self) -> Vec<Told> {
        Vec::new()
    }
}
