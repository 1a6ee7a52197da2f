//! CloudFormation as the engine uses it: its calls and answers without the SDK's types.

mod changing;
pub mod client;
mod convert;
pub mod model;
mod request;
pub mod status;

pub use client::*;
pub use model::*;
pub use status::*;
