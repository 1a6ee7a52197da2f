//! Who may do what: policy documents, roles and grants.

mod images;
mod key_policy;
mod policy;
mod role;
mod size;
#[cfg(test)]
mod tests;

pub(crate) use images::pull_images;
pub use key_policy::{KeyUser, note_key_policy};
pub use policy::{Effect, PolicyDocument, Principal, Statement};
pub use role::{Role, RoleProps, ServicePrincipal};
