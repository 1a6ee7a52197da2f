//! Facts of every public CloudFormation resource type, and the validator of a resource and of a whole template.
//!
//! ```
//! let vpc = formwork_schema::resource_type("AWS::EC2::VPC").expect("a known type");
//! assert_eq!(vpc.ref_value().properties, ["VpcId"]);
//! assert!(vpc.attributes().contains_key("CidrBlock"));
//! let cidr = vpc.property("CidrBlock").expect("a known property");
//! assert!(matches!(cidr.shape(), formwork_schema::Shape::String(_)) && !cidr.required);
//! assert_eq!(formwork_schema::closest_type_name("AWS::EC2::Vcp"), Some("AWS::EC2::VPC"));
//! ```
//!
//! The facts are packed into the crate by `cargo xtask generate` and inflated by service when they are asked for.

pub mod consequences;
pub mod facts;
mod finding;
mod format;
pub mod keyword;
pub mod pack;
pub mod pattern;
pub mod properties;
mod runtimes;
pub mod schema;
pub mod spelling;
pub mod template;
pub mod validate;

pub use consequences::{Consequence, consequences, loss_words};
pub use facts::{
    Attribute, Availability, Extension, Handler, Reference, Replacement, ResourceType, TagShape, Tagging,
};
pub use finding::Finding;
pub use keyword::{JsonType, Keyword};
pub use pack::{closest_type_name, pack_date, regions, resource_type, services, type_names};
pub use properties::{Property, Shape, Structure, Text};
pub use runtimes::{Runtime, runtime, runtimes};
pub use schema::Schema;
pub use template::{Options, duplicate_exports, validate_template};
pub use validate::{Context, ReferenceSite, check_resource, reference_sites, type_for};
