//! Who may do what: policy documents, roles and grants.

mod policy;
mod role;

pub use policy::{Effect, PolicyDocument, Principal, Statement};
pub use role::{Role, RoleProps, ServicePrincipal};
