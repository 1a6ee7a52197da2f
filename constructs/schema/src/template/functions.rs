//! The shape of every intrinsic function: its arguments, what may stand inside it, and where it may stand itself.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html> and the pages
//! of the functions below it.

use formwork_assembly::Severity;
use formwork_assembly::references::{only_member, push_pointer};
use serde_json::Value;

use super::context::{Context, hint_for, listing, pointer};
use super::sections::{is_scalar, kind, scalar_text};

mod arguments;
mod conditional;
mod names;

use names::{ALL, CONDITION, NEED_LANGUAGE_EXTENSIONS, POLICY, RULE, VALUE};

pub(super) fn check(context: &mut Context<'_>) {
    for (name, resource) in context.resources.clone() {
        let place = pointer(&["Resources", name]);
        for (attribute, value) in resource.body {
            let allowed = match attribute.as_str() {
                "Properties" | "Metadata" | "CreationPolicy" | "UpdatePolicy" => VALUE,
                "DeletionPolicy" | "UpdateReplacePolicy" => POLICY,
                _ => continue,
            };
            let place = format!("{place}/{attribute}");
            Walk { context, place, allowed, outer: None, area: Area::Value }.value(value);
        }
    }
    for (name, output) in context.entries("Outputs") {
        let place = pointer(&["Outputs", name]);
        if let Some(value) = output.get("Value") {
            let place = format!("{place}/Value");
            Walk { context, place, allowed: VALUE, outer: None, area: Area::Value }.value(value);
        }
        if let Some(name) = output.get("Export").and_then(|export| export.get("Name")) {
            let place = format!("{place}/Export/Name");
            Walk { context, place, allowed: names::EXPORT, outer: None, area: Area::Export }.value(name);
        }
    }
    for (name, definition) in context.entries("Conditions") {
        let place = pointer(&["Conditions", name]);
        Walk { context, place, allowed: CONDITION, outer: None, area: Area::Condition }.condition(definition);
    }
    for (name, rule) in context.entries("Rules") {
        let place = pointer(&["Rules", name]);
        if let Some(condition) = rule.get("RuleCondition") {
            let place = format!("{place}/RuleCondition");
            Walk { context, place, allowed: RULE, outer: None, area: Area::Rule }.condition(condition);
        }
        let assertions = rule.get("Assertions").and_then(Value::as_array);
        for (index, assertion) in assertions.into_iter().flatten().enumerate() {
            if let Some(assert) = assertion.get("Assert") {
                let place = format!("{place}/Assertions/{index}/Assert");
                Walk { context, place, allowed: RULE, outer: None, area: Area::Rule }.condition(assert);
            }
        }
    }
}

/// The part of the template that is looked at, where it decides what a function may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Area {
    Value,
    Export,
    Condition,
    Rule,
}

/// A place in the template, with what may stand there.
struct Walk<'c, 't> {
    context: &'c mut Context<'t>,
    place: String,
    /// The functions that may stand here.
    allowed: &'static [&'static str],
    /// The function whose argument this is.
    outer: Option<&'static str>,
    area: Area,
}

impl Walk<'_, '_> {
    /// Looks one level deeper.
    fn inside(&mut self, token: &str, visit: impl FnOnce(&mut Self)) {
        let length = self.place.len();
        push_pointer(&mut self.place, token);
        visit(self);
        self.place.truncate(length);
    }

    fn item(&mut self, index: usize, visit: impl FnOnce(&mut Self)) {
        self.inside(&index.to_string(), visit);
    }

    /// Looks at an argument of a function, in which other functions are allowed.
    fn argument(
        &mut self,
        outer: &'static str,
        allowed: &'static [&'static str],
        visit: impl FnOnce(&mut Self),
    ) {
        let before = (self.allowed, self.outer);
        (self.allowed, self.outer) = (allowed, Some(outer));
        visit(self);
        (self.allowed, self.outer) = before;
    }

    fn error(&mut self, message: impl Into<String>) -> &mut crate::Finding {
        self.context.error("function-arguments", self.place.clone(), message)
    }

    /// Any value, in which functions may stand anywhere.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.item(index, |walk| walk.value(item));
                }
            }
            Value::Object(members) => match function_call(value) {
                Some((name, argument)) => self.function(name, argument),
                None => {
                    for (name, member) in members {
                        self.inside(name, |walk| match name.as_str() {
                            "Fn::Transform" => arguments::transform(walk, member),
                            looped if looped.starts_with("Fn::ForEach") => arguments::for_each(walk, member),
                            _ => walk.value(member),
                        });
                    }
                }
            },
            _ => {}
        }
    }

    /// A value that is true or false: only functions give one.
    fn condition(&mut self, value: &Value) {
        if let Some((name, argument)) = only_member(value)
            && (name == "Condition" || name == "Ref" || name.starts_with("Fn::"))
        {
            self.function(name, argument);
            return;
        }
        let literal = scalar_text(value).is_some_and(|text| matches!(text.as_str(), "true" | "false"));
        if !literal {
            let allowed = listing(self.allowed.iter().copied());
            self.error(format!("{} stands where a condition is wanted", kind(value))).hint =
                Some(format!("use {allowed}"));
        }
    }

    fn function(&mut self, name: &str, argument: &Value) {
        let Some(known) = ALL.iter().copied().find(|known| *known == name) else {
            if let Some(identifier) = name.strip_prefix("Fn::ForEach::") {
                self.inside(&format!("Fn::ForEach::{identifier}"), |walk| {
                    arguments::for_each(walk, argument)
                });
                return;
            }
            let severity = if self.context.has_unknown_macro() { Severity::Note } else { Severity::Error };
            let message = format!("unknown function `{name}`");
            let hint = hint_for(name, ALL.iter().copied());
            self.context.report(severity, "unknown-function", self.place.clone(), message).hint = hint;
            return;
        };
        if !self.may_stand_here(known) {
            let where_it_is = match self.outer {
                Some(outer) => format!("inside `{outer}`"),
                None => match self.area {
                    Area::Condition => "in a condition".to_owned(),
                    Area::Rule => "in a rule".to_owned(),
                    Area::Export => "in the name of an export".to_owned(),
                    Area::Value => "here".to_owned(),
                },
            };
            let hint = match self.allowed {
                [] => "write the value itself".to_owned(),
                allowed => format!("use the value itself or {}", listing(allowed.iter().copied())),
            };
            let message = format!("`{known}` cannot stand {where_it_is}");
            self.context.error("function-not-allowed", self.place.clone(), message).hint = Some(hint);
            return;
        }
        if NEED_LANGUAGE_EXTENSIONS.contains(&known)
            && !self.context.has_language_extensions()
            && !self.context.has_unknown_macro()
        {
            let message = format!("`{known}` needs the transform `AWS::LanguageExtensions`");
            self.context.error("function-not-allowed", self.place.clone(), message).hint =
                Some("add `Transform: AWS::LanguageExtensions`".to_owned());
        }
        self.inside(known, |walk| arguments::check(walk, known, argument));
    }

    /// Macros rewrite the template before CloudFormation reads it, so that they may stand, and make, anything anywhere.
    fn may_stand_here(&self, name: &str) -> bool {
        name == "Fn::Transform"
            || self.allowed.contains(&name)
            || self.context.has_unknown_macro()
            || (self.context.has_language_extensions() && names::WITH_LANGUAGE_EXTENSIONS.contains(&name))
    }
}

/// The function that an object calls.
fn function_call(value: &Value) -> Option<(&str, &Value)> {
    only_member(value)
        .filter(|(name, _)| *name == "Ref" || (name.starts_with("Fn::") && *name != "Fn::Transform"))
}

/// Whether a value is a call of a function or of a macro.
fn is_call(value: &Value) -> bool {
    only_member(value)
        .is_some_and(|(name, _)| name == "Ref" || name == "Condition" || name.starts_with("Fn::"))
}

/// Whether a value may be taken for a text: a scalar or a call.
fn is_text(value: &Value) -> bool {
    is_scalar(value) || is_call(value)
}
