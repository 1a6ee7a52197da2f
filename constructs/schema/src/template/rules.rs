//! Rules: assertions over parameters before anything is made.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html>.

use serde_json::Value;

use super::context::{Context, hint_for, pointer};
use super::sections::kind;

pub(super) fn check(context: &mut Context<'_>) {
    for (name, rule) in context.entries("Rules") {
        let place = pointer(&["Rules", name]);
        let Some(rule) = rule.as_object() else {
            context.error(
                "rule",
                place,
                format!("the rule `{name}` is {}, where an object is wanted", kind(rule)),
            );
            continue;
        };
        for attribute in
            rule.keys().filter(|attribute| !matches!(attribute.as_str(), "Assertions" | "RuleCondition"))
        {
            let place = format!("{place}{}", pointer(&[attribute]));
            let message = format!("the rule `{name}` has the unknown attribute `{attribute}`");
            context.warning("rule", place, message).hint =
                hint_for(attribute, ["Assertions", "RuleCondition"].into_iter());
        }
        match rule.get("Assertions") {
            None => {
                context.error("rule", place, format!("the rule `{name}` has no `Assertions`"));
            }
            Some(Value::Array(assertions)) => {
                for (index, assertion) in assertions.iter().enumerate() {
                    let place = format!("{place}/Assertions/{index}");
                    if !assertion.is_object() {
                        let message =
                            format!("an assertion is {}, where an object is wanted", kind(assertion));
                        context.error("rule", place, message);
                    } else if assertion.get("AssertDescription").is_some_and(|text| !text.is_string()) {
                        context.error("rule", place, "the description of an assertion must be a text");
                    }
                }
            }
            Some(other) => {
                let message =
                    format!("`Assertions` of the rule `{name}` is {}, where a list is wanted", kind(other));
                context.error("rule", format!("{place}/Assertions"), message);
            }
        }
    }
}
