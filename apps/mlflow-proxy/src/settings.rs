//! The settings: every one a variable of the environment and a flag, declared once with its default and its meaning.
//!
//! Each room declares and reads its own; a [`Reader`] collects every mistake, so that `--check` can tell them all at
//! once. A wrong value is an error before anything is listened on: a proxy that guesses would be found out by its users.

mod reader;

pub use reader::{Mistake, Reader, Variable};

/// The names of all settings, for `--help`, `--check` and the documentation.
pub const VARIABLES: &[&[Variable]] = &[crate::server::VARIABLES];
