//! The cloud assembly on disk as data types: templates, manifest, assets, tree, references, diagnostics.
//!
//! This is the one seam between the half that writes templates (`constructs/`) and the half that deploys them. It is pure
//! data: nothing here knows a construct or an AWS call.

pub mod diagnostic;

pub use diagnostic::{Diagnostic, Severity, SourceLocation};
