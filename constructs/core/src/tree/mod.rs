//! The construct tree: nodes in an arena that the app owns, and the scopes through which it grows.

mod arena;
mod scope;

pub use arena::NodeId;
pub(crate) use arena::{Arena, NodeKind, source_location};
pub use scope::{Dependency, Scope};

#[cfg(test)]
mod tests;
