//! Who may do what: policy documents, roles and grants.

mod policy;
mod role;
#[cfg(test)]
mod tests;

pub use policy::{Effect, PolicyDocument, Principal, Statement};
pub use role::{Role, RoleProps, ServicePrincipal};
