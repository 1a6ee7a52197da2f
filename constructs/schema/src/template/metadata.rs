//! The order and the labels of parameters in the console: whether they name parameters of the template.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-interface.html>.

use serde_json::Value;

use super::context::{Context, hint_for, pointer};

const INTERFACE: &str = "AWS::CloudFormation::Interface";

pub(super) fn check(context: &mut Context<'_>) {
    let metadata = context.sections.get("Metadata");
    let Some(interface) = metadata.and_then(|metadata| metadata.get(INTERFACE)) else { return };
    let place = pointer(&["Metadata", INTERFACE]);
    let groups = interface.get("ParameterGroups").and_then(Value::as_array);
    for (group, content) in groups.into_iter().flatten().enumerate() {
        let names = content.get("Parameters").and_then(Value::as_array);
        for (index, name) in names.into_iter().flatten().enumerate() {
            if let Some(name) = name.as_str() {
                known(context, format!("{place}/ParameterGroups/{group}/Parameters/{index}"), name);
            }
        }
    }
    let labels = interface.get("ParameterLabels").and_then(Value::as_object);
    for (name, _) in labels.into_iter().flatten() {
        known(context, format!("{place}/ParameterLabels{}", pointer(&[name])), name);
    }
}

fn known(context: &mut Context<'_>, place: String, name: &str) {
    if context.parameters.contains_key(name) || context.has_unknown_macro() {
        return;
    }
    let hint = hint_for(name, context.parameters.keys().copied());
    context
        .warning("unknown-parameter", place, format!("the interface names `{name}`, which is no parameter"))
        .hint = hint;
}
