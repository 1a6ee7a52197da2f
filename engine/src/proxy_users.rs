//! Who may use a deployed MLflow proxy: the users in its secret, and the way to add, list and revoke them.
//!
//! The secret is one JSON document that the proxy reads again by itself, so that nothing is deployed or restarted. It has
//! hashes only: a token is shown once, to whoever made it. Two people who change it at the same time lose no user, see
//! [`UserStore::change`].

mod credential;
mod document;
mod last_use;
mod store;

pub use credential::{NewToken, hash_password, new_token};
pub use document::{Credential, Role, User, Users, check_name};
pub use last_use::LastUses;
pub use store::UserStore;

#[cfg(test)]
mod tests;
