//! The way to the metadata service from outside of the network.

use formwork::{Scope, Value};

use super::{Metadata, MetaflowProps, Told};

/// How the metadata service is reached from outside of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Api {
    /// Not at all: only from inside the VPC, or from what is connected to it.
    #[default]
    None,
    /// From the internet, with a key, and from the named address blocks only.
    Public {
        /// The address blocks that may connect.
        allow_cidrs: Vec<String>,
    },
    /// With a key, over a VPC endpoint and TLS.
    Private,
}

/// The API in front of the metadata service.
#[derive(Clone, Debug)]
pub struct ServiceApi {
    /// The URL for clients.
    pub url: Value<String>,
    /// The id of the key that clients send.
    pub key_id: Value<String>,
}

impl ServiceApi {
    #[track_caller]
    pub(super) fn new(_scope: Scope<'_>, _props: &MetaflowProps<'_>, _metadata: &Metadata) -> Option<Self> {
        None
    }
}

pub(super) fn told(_metadata: &Metadata, _api: Option<&ServiceApi>) -> Vec<Told> {
    Vec::new()
}
