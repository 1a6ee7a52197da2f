//! Files of runs and models, served from the bucket, for clients that have no identity with AWS.

pub mod locations;
mod path;
mod root;

pub use path::{PathError, RelativePath};
pub use root::Root;
