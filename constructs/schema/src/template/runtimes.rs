//! Runtimes of Lambda functions that have ended, judged by the date of the facts so that the answer is the same tomorrow.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html>.

use formwork_assembly::references::only_member;
use serde_json::Value;

use super::context::{Context, pointer};

pub(super) fn check(context: &mut Context<'_>) {
    for resource in context.resources.clone().into_values() {
        if !matches!(resource.type_name, "AWS::Lambda::Function" | "AWS::Serverless::Function") {
            continue;
        }
        if let Some(runtime) = resource.properties().and_then(|properties| properties.get("Runtime")) {
            judge(context, &pointer(&["Resources", resource.name, "Properties", "Runtime"]), runtime);
        }
    }
    let globals = context.sections.get("Globals").and_then(|globals| globals.get("Function"));
    if let Some(runtime) = globals.and_then(|function| function.get("Runtime")) {
        judge(context, "/Globals/Function/Runtime", runtime);
    }
}

fn judge(context: &mut Context<'_>, place: &str, value: &Value) {
    if let Some(("Fn::If", Value::Array(arguments))) = only_member(value) {
        for (index, branch) in arguments.iter().enumerate().skip(1) {
            judge(context, &format!("{place}/Fn::If/{index}"), branch);
        }
        return;
    }
    let Some(runtime) = value.as_str().and_then(crate::runtime) else { return };
    let today = crate::pack_date();
    let passed = |day: &Option<String>| day.as_deref().filter(|day| *day <= today).map(str::to_owned);
    let name = &runtime.name;
    let hint = runtime.successor.as_ref().map(|successor| format!("move to `{successor}`"));
    if let Some(day) = passed(&runtime.update_blocked) {
        let message = format!(
            "the runtime `{name}` has ended: functions cannot be made or changed with it since {day}"
        );
        context.error("ended-runtime", place, message).hint = hint;
    } else if let Some(day) = passed(&runtime.create_blocked) {
        let message = format!("the runtime `{name}` has ended: functions cannot be made with it since {day}");
        context.error("ended-runtime", place, message).hint = hint;
    } else if let Some(day) = passed(&runtime.deprecated) {
        let message = format!("the runtime `{name}` is no longer kept up since {day}");
        context.warning("deprecated-runtime", place, message).hint = hint;
    }
}
