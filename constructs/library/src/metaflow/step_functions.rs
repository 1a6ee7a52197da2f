//! What flows need on AWS Step Functions.

use formwork::Scope;

use super::{Compute, Datastore, MetaflowProps, Told};

/// What Step Functions needs.
#[derive(Clone, Debug)]
pub struct StepFunctions {}

impl StepFunctions {
    #[track_caller]
    pub(super) fn new(
        _scope: Scope<'_>,
        _props: &MetaflowProps<'_>,
        _datastore: Option<&Datastore>,
        _compute: Option<&Compute>,
    ) -> Self {
        Self {}
    }

    pub(super) fn told(&self) -> Vec<Told> {
        Vec::new()
    }
}
