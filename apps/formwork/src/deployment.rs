//! What the commands that reach an account share: the engine's runtime, signals, questions, and how progress is shown.
//!
//! The engine emits events and returns data; everything that people or scripts see of a deployment is made here.

pub(crate) mod approve;
pub(crate) mod critical_path;
pub(crate) mod drift_text;
pub(crate) mod labels;
pub(crate) mod located;
pub(crate) mod modes;
pub(crate) mod named;
pub(crate) mod plan_markdown;
pub(crate) mod plan_text;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod request;
pub(crate) mod simulated;
pub(crate) mod summary;
pub(crate) mod undertaking;
pub(crate) mod workplace;

pub(crate) use located::{located, located_of, none_deployed};
pub(crate) use undertaking::Undertaking;
pub(crate) use workplace::Workplace;
