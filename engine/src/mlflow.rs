//! What MLflow servers hold, copied from one to another, into a backup and back.
//!
//! Managed MLflow has no backup and no way to another version, and a team that began on a laptop has to come along. So
//! everything is read by the API that clients use and written by the same: a plain server, our proxy, a tracking server
//! or a serverless app of SageMaker, and a directory or bucket that holds a backup are all places to copy from and to.
//!
//! From the bottom up: [`address`] reads what the user names; `client` speaks to a server, `files` carries artifacts, and
//! `shelf` is the directory or bucket of a backup; `ids` keeps which item became which, so that a copy that was cut off
//! goes on; `source` reads either form; `copy` writes to a server and `backup` to a shelf. [`power`] starts and stops
//! tracking servers.

pub mod address;
mod backup;
mod bucket;
mod client;
mod copy;
mod files;
mod ids;
mod item;
mod json;
mod place;
pub mod power;
pub mod report;
mod rewrite;
mod run;
mod shelf;
mod source;

pub use address::{Address, Credentials};
pub use ids::Ids;
pub use item::Kind;
pub use report::{CopyReport, Difference, KindReport, Progress};
pub use run::{Options, Side, copy};
