//! Typed constructs that grow a tree and turn it into checked CloudFormation.
//!
//! An [`App`] owns the tree; a [`Scope`] is a place in it. Growing never fails: mistakes are kept with the construct's
//! path and source line and are all reported by [`App::synth`], which otherwise gives the files of a cloud assembly.
//!
//! ```
//! use formwork::{App, AppProps, CfnResource, Output, ResourceId, text};
//!
//! let app = App::new(AppProps::default());
//! let producer = app.stack("producer");
//! let topic: ResourceId = CfnResource::new("AWS::SNS::Topic").define(producer, "Topic");
//!
//! // A value of one stack used in another becomes an export, an import and an order between the two.
//! let consumer = app.stack("consumer");
//! Output::new(text!("topic {}", topic.attribute::<String>("TopicName"))).define(consumer, "TopicName");
//! # formwork::CfnResource::new("AWS::SNS::Topic").define(consumer, "Other");
//!
//! let synthesis = app.synth().expect("no mistakes");
//! assert_eq!(synthesis.stacks[1].dependencies, ["producer"]);
//! ```

mod app;
mod asset;
mod availability;
mod context;
mod main_entry;
mod permissions_boundary;
mod resource;
mod stack;
mod synth;
mod table;
mod tree;
pub mod value;

pub use formwork_assembly::{Diagnostic, Severity, SourceLocation};
pub use serde_json::Value as Json;

pub use app::{App, AppProps};
pub use asset::{ArchiveEntry, Asset, CommandAsset, archive, bucket_parameter_name};
pub use availability::available_in;
pub use context::{AssetDestination, Context, ContextEntry, FrameworkSettings, Settings, is_bucket_name};
pub use main_entry::main;
pub use permissions_boundary::permissions_boundary;
pub use resource::{CfnResource, Properties, RemovalPolicy, Resource, ResourceId};
pub use stack::{
    Condition, CrossStackReferences, Environment, Mapping, Output, Parameter, Rule, Stack, StackProps,
};
pub use synth::{StackSummary, Synthesis, SynthesisError};
pub use tree::{Dependency, NodeId, Scope};
pub use value::*;
