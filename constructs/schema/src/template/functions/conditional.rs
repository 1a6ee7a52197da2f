//! The arguments of the functions that choose, compare and assert.

use serde_json::Value;

use super::super::sections::{kind, scalar_text};
use super::arguments::list;
use super::{Area, Walk, is_call, is_text, names};

pub(super) fn check(walk: &mut Walk<'_, '_>, name: &'static str, argument: &Value) {
    match name {
        "Fn::If" => if_else(walk, argument),
        "Fn::Equals" => equals(walk, argument),
        "Fn::And" | "Fn::Or" => operands(walk, name, argument, 2..=10, "[condition, condition]"),
        "Fn::Not" => operands(walk, name, argument, 1..=1, "[condition]"),
        "Fn::Implies" => operands(walk, name, argument, 2..=2, "[condition, condition]"),
        "Condition" => {
            if !argument.is_string() {
                walk.error(format!(
                    "`Condition` gets {}, where the name of a condition is wanted",
                    kind(argument)
                ));
            }
        }
        "Fn::Contains" | "Fn::EachMemberEquals" | "Fn::EachMemberIn" => {
            if list(walk, name, argument, 2..=2, "[list, value]").is_some() {
                walk.argument(name, names::RULE_VALUE, |walk| walk.value(argument));
            }
        }
        "Fn::ValueOf" => {
            list(walk, name, argument, 2..=2, "[parameter, attribute]");
        }
        "Fn::ValueOfAll" => {
            list(walk, name, argument, 2..=2, "[parameterType, attribute]");
        }
        _ => {
            if !argument.is_string() {
                walk.error(format!("`{name}` gets {}, where a text is wanted", kind(argument)));
            }
        }
    }
}

/// Both branches stand where the function stands, and may hold what may stand there.
fn if_else(walk: &mut Walk<'_, '_>, argument: &Value) {
    let form = "[condition, whenTrue, whenFalse]";
    let Some([condition, when_true, when_false]) = list(walk, "Fn::If", argument, 3..=3, form) else {
        return;
    };
    if !condition.is_string() {
        walk.item(0, |walk| {
            walk.error(format!(
                "`Fn::If` gets {}, where the name of a condition is wanted",
                kind(condition)
            ))
            .hint = Some("define it in `Conditions` and write its name".to_owned());
        });
    }
    walk.item(1, |walk| walk.value(when_true));
    walk.item(2, |walk| walk.value(when_false));
}

fn equals(walk: &mut Walk<'_, '_>, argument: &Value) {
    let Some([left, right]) = list(walk, "Fn::Equals", argument, 2..=2, "[value, value]") else { return };
    let allowed = if walk.area == Area::Rule { names::RULE_VALUE } else { names::EQUALS };
    for (index, side) in [left, right].into_iter().enumerate() {
        walk.item(index, |walk| {
            if is_text(side) {
                walk.argument("Fn::Equals", allowed, |walk| walk.value(side));
            } else {
                walk.error(format!("`Fn::Equals` gets {}, where a text is wanted", kind(side)));
            }
        });
    }
    let place = walk.place.clone();
    if left == right && is_call(left) {
        walk.context.warning("constant-condition", place, "`Fn::Equals` compares a value with itself");
    } else if let (Some(left), Some(right)) = (scalar_text(left), scalar_text(right)) {
        let message = format!("`Fn::Equals` compares two literals and is always {}", left == right);
        walk.context.warning("constant-condition", place, message);
    }
}

fn operands(
    walk: &mut Walk<'_, '_>,
    name: &'static str,
    argument: &Value,
    counts: std::ops::RangeInclusive<usize>,
    form: &str,
) {
    let Some(items) = list(walk, name, argument, counts, form) else { return };
    let allowed = if walk.area == Area::Rule { names::RULE } else { names::CONDITION };
    for (index, item) in items.iter().enumerate() {
        walk.argument(name, allowed, |walk| walk.item(index, |walk| walk.condition(item)));
    }
}
