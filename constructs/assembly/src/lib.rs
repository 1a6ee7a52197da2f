//! The cloud assembly on disk as data types: templates, manifest, assets, tree, references, diagnostics.
//!
//! This is the one seam between the half that writes templates (`constructs/`) and the half that deploys them. It is pure
//! data: nothing here knows a construct or an AWS call.

pub mod asset_manifest;
pub mod broadening;
pub mod cloud_assembly;
pub mod diagnostic;
pub mod diff;
pub mod graph;
pub mod json;
pub mod limits;
pub mod manifest;
pub mod references;
pub mod template_file;
pub mod tree;

pub use asset_manifest::AssetManifest;
pub use cloud_assembly::{AssemblyError, AssemblyFiles, CloudAssembly, StackArtifact};
pub use diagnostic::{Diagnostic, Severity, SourceLocation};
pub use graph::{Cycle, Graph};
pub use references::{Reference, ReferenceKind, References, references};
pub use template_file::{Place, TemplateFile, TemplateFileError};
