//! The proxy between plain MLflow clients and managed MLflow.
//!
//! A request passes through the rooms in one direction: [`server`] takes it from the wire, [`gate`] decides its way,
//! [`access`] says who asks and whether they may, [`artifacts`] answers what concerns files from the bucket, and
//! [`forward`] sends the rest to MLflow, signed by [`sign`] with what [`credentials`] keeps fresh for the [`target`].
//! [`operate`] and [`pages`] are what operators and people with a browser see. [`check`] tries all of it once, and
//! [`local`] is for a laptop.

pub mod access;
pub mod artifacts;
pub mod aws;
pub mod body;
pub mod check;
pub mod credentials;
pub mod decoding;
pub mod forward;
#[cfg(test)]
mod fuzzing;
pub mod gate;
pub mod held;
pub mod local;
pub mod operate;
pub mod pages;
mod passing;
pub mod problem;
pub mod server;
pub mod settings;
mod share;
pub mod sign;
pub mod target;
