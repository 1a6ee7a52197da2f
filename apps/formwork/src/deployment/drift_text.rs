//! Drift for people: which resources are not what their stacks say, and who makes them.

use std::fmt::Write as _;

use formwork_assembly::json;
use formwork_engine::drift::{
    DriftReport, HowDrifted, PropertyDrift, ResourceDrift, StackDrift, UncheckedResource, Verdict,
};
use serde_json::Value;

use crate::console::count;

/// How many resources that were not compared are listed one by one before only their number is told.
const LISTED: usize = 5;

/// The whole report.
pub(crate) fn text(report: &DriftReport, verbose: bool) -> String {
    report.stacks.iter().map(|stack| stack_text(stack, verbose)).collect()
}

fn stack_text(stack: &StackDrift, verbose: bool) -> String {
    let compared = count(stack.checked, "resource");
    let mut text = match stack.verdict {
        Verdict::InSync => format!("= {}  in sync, {compared} compared\n", stack.name),
        Verdict::Drifted => {
            format!("~ {}  drifted, {} of {compared}\n", stack.name, stack.resources.len())
        }
        Verdict::Unknown => format!("? {}  cannot tell\n", stack.name),
        Verdict::NotDeployed => format!("  {}  not deployed\n", stack.name),
    };
    for reason in &stack.untold {
        let _ = writeln!(text, "    ! {reason}");
    }
    for resource in &stack.resources {
        resource_text(&mut text, resource, verbose);
    }
    unchecked_text(&mut text, &stack.not_checked, verbose);
    text
}

fn resource_text(text: &mut String, resource: &ResourceDrift, verbose: bool) {
    let (mark, words) = match resource.how {
        HowDrifted::Modified => ('~', "changed"),
        HowDrifted::Deleted => ('-', "gone"),
    };
    let _ = writeln!(text, "    {mark} {}  {}  {words}", resource.logical_id, resource.resource_type);
    for property in &resource.properties {
        let _ = writeln!(text, "        {}", property_text(property, verbose));
    }
    if let Some(path) = &resource.construct_path {
        let source = resource.source.as_ref().map(|source| format!(", {source}")).unwrap_or_default();
        let _ = writeln!(text, "        made by {path}{source}");
    }
}

fn property_text(property: &PropertyDrift, verbose: bool) -> String {
    let shown = |value: &Value| {
        let value = match value {
            Value::String(text) => text.clone(),
            other => json::to_compact_text(other),
        };
        super::plan_text::shortened(&value, verbose)
    };
    match (&property.expected, &property.actual) {
        (Some(expected), Some(actual)) => {
            format!("{} is {}, the stack says {}", property.path, shown(actual), shown(expected))
        }
        (None, Some(actual)) => format!("{} is {}, the stack says nothing", property.path, shown(actual)),
        (Some(expected), None) => {
            format!("{} is not there, the stack says {}", property.path, shown(expected))
        }
        (None, None) => format!("{} differs", property.path),
    }
}

fn unchecked_text(text: &mut String, resources: &[UncheckedResource], verbose: bool) {
    if resources.len() > LISTED && !verbose {
        let number = count(resources.len(), "resource");
        let _ = writeln!(text, "    ? {number} cannot be compared (-v lists them)");
        return;
    }
    for resource in resources {
        let UncheckedResource { logical_id, resource_type, reason } = resource;
        let _ = writeln!(text, "    ? {logical_id}  {resource_type}  cannot be compared");
        if verbose {
            let _ = writeln!(text, "        {reason}");
        }
    }
}
