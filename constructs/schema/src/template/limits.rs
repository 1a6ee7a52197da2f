//! How many entries a template may have, how long names may be, how many bytes it may take.

use formwork_assembly::{Severity, limits};

use super::context::{Context, pointer};

/// From this share of a limit on, a warning says how much is left.
const NEAR: f64 = 0.8;

pub(super) fn check(context: &mut Context<'_>) {
    for (section, limit) in [
        ("Resources", limits::RESOURCES),
        ("Outputs", limits::OUTPUTS),
        ("Parameters", limits::PARAMETERS),
        ("Mappings", limits::MAPPINGS),
    ] {
        let count = context.entries(section).count();
        let place = pointer(&[section]);
        if count > limit {
            let message = format!("{count} entries in `{section}`, more than the {limit} of one template");
            context.error("limit", place, message).hint = Some(advice(section).to_owned());
        } else if count as f64 > limit as f64 * NEAR {
            let message = format!("{count} entries in `{section}`, near the {limit} of one template");
            context.report(Severity::Note, "limit", place, message).hint = Some(advice(section).to_owned());
        }
    }
    names(context);
    size(context);
}

fn advice(section: &str) -> &'static str {
    match section {
        "Resources" => "move a part into a stack of its own",
        "Outputs" => "remove outputs that nobody reads, or move a part into a stack of its own",
        "Parameters" => "join parameters into a `CommaDelimitedList`, or read them from Systems Manager",
        _ => "join mappings, or compute their values before synthesis",
    }
}

fn names(context: &mut Context<'_>) {
    for (section, limit) in [
        ("Resources", limits::RESOURCE_NAME),
        ("Outputs", limits::OUTPUT_NAME),
        ("Parameters", limits::PARAMETER_NAME),
        ("Mappings", limits::MAPPING_NAME),
        ("Conditions", limits::RESOURCE_NAME),
    ] {
        for (name, _) in context.entries(section) {
            let place = pointer(&[section, name]);
            let length = name.chars().count();
            if length > limit {
                let message = format!("the name `{name:.40}…` has {length} characters, more than {limit}");
                context.error("limit", place, message);
            } else if !is_name(section, name) && !context.has_unknown_macro() {
                let message = format!("`{name}` is no name for an entry of `{section}`");
                context.error("logical-id", place, message).hint =
                    Some("use letters and digits only".to_owned());
            }
        }
    }
}

/// Names are letters and digits; those of conditions may have `&` and `_` as well, which CloudFormation takes without
/// saying so. Serverless resources that were made from others have a dot.
fn is_name(section: &str, name: &str) -> bool {
    let extra: &[u8] = if section == "Conditions" { b"&_" } else { b"" };
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
}

fn size(context: &mut Context<'_>) {
    let Some(bytes) = context.options.size_bytes else { return };
    if bytes > limits::TEMPLATE_BYTES {
        let limit = limits::TEMPLATE_BYTES;
        context.error("limit", "", format!("the template has {bytes} bytes, more than {limit}")).hint =
            Some("move a part into a stack of its own".to_owned());
    } else if bytes > limits::INLINE_TEMPLATE_BYTES {
        let limit = limits::INLINE_TEMPLATE_BYTES;
        let message =
            format!("the template has {bytes} bytes: above {limit} it has to be uploaded to S3 first");
        context.report(Severity::Note, "inline-size", "", message);
    }
}
