//! The metadata service: what knows of flows, runs and tasks.

use formwork::{Scope, SecurityGroupId, Value};

use super::{MetaflowProps, Told};

/// What can be said about the metadata service.
#[derive(Clone, Debug, Default)]
pub struct MetadataProps {}

/// The metadata service.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The URL inside of the network.
    pub internal_url: Value<String>,
}

impl Metadata {
    #[track_caller]
    pub(super) fn new(_scope: Scope<'_>, _props: &MetaflowProps<'_>, _own: &MetadataProps) -> Self {
        Self { internal_url: formwork::IntoValue::into_value("") }
    }

    /// Lets the members of a group call the service.
    #[track_caller]
    pub fn allow_from(&self, _scope: Scope<'_>, _id: &str, _group: &Value<SecurityGroupId>) {}

    pub(super) fn told(&self) -> Vec<Told> {
        Vec::new()
    }
}
