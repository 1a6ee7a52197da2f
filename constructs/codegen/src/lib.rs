//! Turns schema facts into one Rust module of typed resources a service.
//!
//! `cargo xtask generate` writes the crate of resources with it, and `formwork generate TYPE` writes the same for a type
//! that an app needs beyond those. A module is a list of tables for the macros of `formwork`, so it reads like the facts.
//!
//! ```
//! let topic = formwork_schema::resource_type("AWS::SNS::Topic").expect("a known type");
//! let module = formwork_codegen::module(&[topic]);
//! assert!(module.contains(r#"CfnTopic => TopicAttributes = "AWS::SNS::Topic""#));
//! assert!(module.contains(r#"display_name "DisplayName": String,"#));
//! ```

mod kinds;
mod model;
mod names;
mod read_only;
mod words;
mod write;

use formwork_schema::ResourceType;

/// The text of the module for some types of one service, without a header; the order of the types does not matter.
///
/// Required properties are the arguments of `new` in the order in which AWS's schema lists them, up to four of them; a
/// type or property with more has setters only, and synth tells what is missing. The text is as rustfmt would write it.
pub fn module(types: &[&ResourceType]) -> String {
    let mut types = types.to_vec();
    types.sort_by_key(|resource_type| resource_type.name());
    types.dedup_by_key(|resource_type| resource_type.name());
    let model = model::Model::of(&types);
    let names = names::assign(&model);
    let service = types.first().map_or(String::new(), |first| {
        first.name().rsplit_once("::").map_or(first.name(), |(service, _)| service).to_owned()
    });
    write::module(&service, &model, &names)
}

/// The name of the module that a type belongs to: its service in lower case, such as `ec2`.
pub fn module_name(type_name: &str) -> String {
    type_name.split("::").nth(1).unwrap_or(type_name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
