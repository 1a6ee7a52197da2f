//! The plan over all stacks: what a run would do, in a file that says exactly what is approved.

pub mod model;

pub use model::*;
