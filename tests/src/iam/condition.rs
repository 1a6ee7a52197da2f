//! Conditions of statements: all operators and keys have to hold, of several values one.

use serde_json::Value as Json;

use super::pattern::is_like;
use super::resolve::texts;

/// Whether a block of conditions holds for a request.
///
/// # Panics
/// When an operator is not known.
pub(super) fn holds(block: &Json, context: &[(&str, &str)]) -> bool {
    let operators = block.as_object().into_iter().flatten();
    operators.into_iter().all(|(operator, keys)| {
        keys.as_object().into_iter().flatten().all(|(key, wanted)| {
            let given =
                context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| *value);
            one(operator, &texts(wanted), given)
        })
    })
}

fn one(operator: &str, wanted: &[&str], given: Option<&str>) -> bool {
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    if operator == "Null" {
        return wanted.iter().any(|it| (*it == "true") == given.is_none());
    }
    let negated = matches!(operator, "StringNotEquals" | "StringNotLike" | "ArnNotEquals" | "ArnNotLike");
    // A key that is absent fails what asks for a value, and satisfies what asks for another one.
    let Some(given) = given else { return if_exists || negated };
    let any = |matches: fn(&str, &str) -> bool| wanted.iter().any(|it| matches(it, given));
    match operator {
        "StringEquals" => any(|wanted, given| wanted == given),
        "StringNotEquals" => !any(|wanted, given| wanted == given),
        "StringLike" | "ArnLike" | "ArnEquals" => any(is_like),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => !any(is_like),
        "Bool" => any(|wanted, given| wanted.eq_ignore_ascii_case(given)),
        other => panic!("the operator {other} is not understood"),
    }
}
