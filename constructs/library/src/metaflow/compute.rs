//! What runs the steps of flows: AWS Batch.

use formwork::Scope;

use super::{Datastore, Metadata, MetaflowProps, Told};

/// What can be said about AWS Batch.
#[derive(Clone, Debug, Default)]
pub struct ComputeProps {}

/// What runs steps.
#[derive(Clone, Debug)]
pub struct Compute {}

impl Compute {
    #[track_caller]
    pub(super) fn new(
        _scope: Scope<'_>,
        _props: &MetaflowProps<'_>,
        _own: &ComputeProps,
        _datastore: &Datastore,
        _metadata: Option<&Metadata>,
    ) -> Self {
        Self {}
    }

    pub(super) fn told(&self) -> Vec<Told> {
        Vec::new()
    }
}
