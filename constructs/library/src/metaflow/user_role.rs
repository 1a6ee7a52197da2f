//! The role of those who run flows.

use formwork::Scope;

use super::{Metaflow, MetaflowProps, Told};

/// What can be said about the role.
#[derive(Clone, Debug, Default)]
pub struct UserRoleProps {}

/// The role.
#[derive(Clone, Debug)]
pub struct UserRole {}

impl UserRole {
    /// `made` has all parts but the role and the notebook.
    #[track_caller]
    pub(super) fn new(
        _scope: Scope<'_>,
        _props: &MetaflowProps<'_>,
        _own: &UserRoleProps,
        _made: &Metaflow,
    ) -> Self {
        Self {}
    }

    pub(super) fn told(&self) -> Vec<Told> {
        Vec::new()
    }
}
