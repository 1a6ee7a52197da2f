//! CloudFormation as the engine uses it: its calls and answers without the SDK's types.

mod changing;
pub mod client;
mod convert;
mod experience;
pub mod model;
mod request;
pub mod status;

pub use client::*;
pub(crate) use experience::Experience;
pub use model::*;
pub use status::*;
