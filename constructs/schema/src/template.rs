//! The validator of a whole template.
//!
//! It says what CloudFormation would refuse, before CloudFormation is asked, and what is likely to hurt. Each check is one
//! module below and looks at the same template with the same facts; none of them compares conditions with each other
//! beyond a constant number of cases, so that the cost stays linear in the template.

use formwork_assembly::Severity;
use serde_json::Value;

use crate::Finding;

mod availability;
mod conditions;
mod context;
mod dependencies;
mod dynamic_references;
mod exports;
mod functions;
mod identity;
mod kinds;
mod limits;
mod mappings;
mod metadata;
mod outputs;
mod parameters;
mod policies;
mod possibility;
mod resources;
mod rules;
mod runtimes;
mod secrets;
mod sections;
mod substitution;
mod tags;
mod targets;
mod usage;

use context::Context;
pub use exports::duplicate_exports;

/// What is known of the place where a template will be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'o> {
    /// The region, such as `eu-west-1`. Without it, nothing is said about regions.
    pub region: Option<&'o str>,
    /// The bytes of the template as CloudFormation would get it. Without it, nothing is said about its size.
    pub size_bytes: Option<usize>,
}

/// Checks a template in long form and gives its findings in the order of their pointers, the worst first at each place.
///
/// The pointers are JSON pointers from the root of the template. Macros and loops are not expanded: what they might
/// provide is a note, not an error.
pub fn validate_template(template: &Value, options: &Options<'_>) -> Vec<Finding> {
    let Some(sections) = template.as_object() else {
        return vec![finding(Severity::Error, "template-shape", "", "the template is not an object")];
    };
    let mut context = Context::new(template, sections, options);
    for check in [
        sections::check,
        limits::check,
        parameters::check,
        metadata::check,
        mappings::check,
        conditions::check,
        rules::check,
        resources::check,
        policies::check,
        runtimes::check,
        identity::check,
        secrets::check,
        tags::check,
        outputs::check,
        functions::check,
        targets::check,
        kinds::check,
        dependencies::check,
        availability::check,
        dynamic_references::check,
        substitution::check,
        exports::check,
        usage::check,
    ] {
        check(&mut context);
    }
    let mut findings = context.into_findings();
    findings.sort_by(|a, b| {
        (&a.pointer, b.severity, &a.rule, &a.message).cmp(&(&b.pointer, a.severity, &b.rule, &b.message))
    });
    findings.dedup();
    findings
}

fn finding(
    severity: Severity,
    rule: &'static str,
    pointer: impl Into<String>,
    message: impl Into<String>,
) -> Finding {
    Finding::new(severity, rule, pointer, message)
}

#[cfg(test)]
mod tests;
