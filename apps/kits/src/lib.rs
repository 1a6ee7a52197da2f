//! Kits: MLflow on machines that CloudFormation does not know, as files that people keep, read and change.
//!
//! A [`Kit`] is files and secrets, made from typed settings and from the templates beside this code. [`write()`] brings it
//! into a directory: what the kit wrote before and nobody changed is replaced, what somebody else wrote is refused, and a
//! secret that is there stays. The crate runs nothing and reaches no network.

mod access_key;
mod checks;
pub mod compose;
mod error;
mod given;
pub mod heroku;
mod image;
mod kit;
pub mod migrate;
mod password;
mod report;
mod secrets;
mod template;
mod write;

pub use access_key::AccessKey;
pub use error::KitError;
pub use given::settings;
pub use kit::{DataFolder, FileMode, Kit, KitFile, MakeFiles, Owner, Place};
pub use report::{Outcome, Report, Written};
pub use secrets::{Make, Origin, Secret, Secrets, random_text};
pub use template::render;
pub use write::{SETTINGS_FILE, WriteOptions, kept_settings, write};
