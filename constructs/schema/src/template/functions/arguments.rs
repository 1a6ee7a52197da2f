//! The arguments of the functions that give values.

use formwork_assembly::Severity;
use formwork_assembly::references::{only_member, substitutions};
use serde_json::{Map, Value};

use super::super::context::hint_for;
use super::super::parameters::is_list;
use super::super::sections::{is_scalar, kind, scalar_text};
use super::{Walk, conditional, is_call, is_text, names};

pub(super) fn check(walk: &mut Walk<'_, '_>, name: &'static str, argument: &Value) {
    match name {
        "Ref" => reference(walk, argument),
        "Fn::Base64" => text(walk, name, names::BASE64, argument),
        "Fn::Cidr" => cidr(walk, argument),
        "Fn::FindInMap" => find_in_map(walk, argument),
        "Fn::GetAZs" => zones(walk, argument),
        "Fn::GetAtt" => get_att(walk, argument),
        "Fn::GetStackOutput" => get_stack_output(walk, argument),
        "Fn::ImportValue" => text(walk, name, names::IMPORT_VALUE, argument),
        "Fn::Join" => join(walk, argument),
        "Fn::Length" | "Fn::ToJsonString" => collection(walk, name, argument),
        "Fn::Select" => select(walk, argument),
        "Fn::Split" => split(walk, argument),
        "Fn::Sub" => sub(walk, argument),
        "Fn::Transform" => transform(walk, argument),
        other => conditional::check(walk, other, argument),
    }
}

/// A text, or a function that gives one.
fn text(walk: &mut Walk<'_, '_>, name: &'static str, allowed: &'static [&'static str], argument: &Value) {
    if !is_text(argument) {
        walk.error(format!("`{name}` gets {}, where a text is wanted", kind(argument)));
        return;
    }
    walk.argument(name, allowed, |walk| walk.value(argument));
}

/// A list of a fixed number of arguments.
pub(super) fn list<'v>(
    walk: &mut Walk<'_, '_>,
    name: &str,
    argument: &'v Value,
    counts: std::ops::RangeInclusive<usize>,
    form: &str,
) -> Option<&'v [Value]> {
    let found = match argument {
        Value::Array(items) if counts.contains(&items.len()) => return Some(items),
        Value::Array(items) => format!("{} arguments", items.len()),
        other => kind(other).to_owned(),
    };
    walk.error(format!("`{name}` gets {found}")).hint = Some(format!("write `{name}: {form}`"));
    None
}

fn reference(walk: &mut Walk<'_, '_>, argument: &Value) {
    if argument.is_string() || (is_call(argument) && walk.context.has_language_extensions()) {
        walk.argument("Ref", names::WITH_LANGUAGE_EXTENSIONS, |walk| walk.value(argument));
        return;
    }
    walk.error(format!("`Ref` gets {}, where the name of a resource or parameter is wanted", kind(argument)));
}

fn get_att(walk: &mut Walk<'_, '_>, argument: &Value) {
    if let Value::String(dotted) = argument {
        if !dotted
            .split_once('.')
            .is_some_and(|(target, attribute)| !target.is_empty() && !attribute.is_empty())
        {
            walk.error(format!("`Fn::GetAtt` gets `{dotted}`, which names no attribute")).hint =
                Some("write `Resource.Attribute`".to_owned());
        }
        return;
    }
    let Some(items) = list(walk, "Fn::GetAtt", argument, 2..=2, "[resource, attribute]") else { return };
    let extended = walk.context.has_language_extensions() || walk.context.has_unknown_macro();
    for (index, item) in items.iter().enumerate() {
        let fits = item.is_string() || (is_call(item) && (index == 1 || extended));
        if !fits {
            let what = if index == 0 { "the name of a resource" } else { "the name of an attribute" };
            walk.item(index, |walk| {
                walk.error(format!("`Fn::GetAtt` gets {}, where {what} is wanted", kind(item)));
            });
        } else {
            walk.argument("Fn::GetAtt", &["Ref"], |walk| walk.item(index, |walk| walk.value(item)));
        }
    }
}

fn cidr(walk: &mut Walk<'_, '_>, argument: &Value) {
    let Some(items) = list(walk, "Fn::Cidr", argument, 2..=3, "[ipBlock, count, cidrBits]") else { return };
    if let Some(block) = items[0].as_str()
        && !is_block(block)
    {
        walk.item(0, |walk| {
            walk.error(format!("`Fn::Cidr` gets `{block}`, which is no block of addresses")).hint =
                Some("write a block such as `10.0.0.0/16`".to_owned());
        });
    }
    for (index, (item, most)) in items.iter().zip([0, 256, 128]).enumerate() {
        walk.argument("Fn::Cidr", names::CIDR, |walk| walk.item(index, |walk| walk.value(item)));
        if index == 0 || is_call(item) {
            continue;
        }
        let number = scalar_text(item).and_then(|text| text.parse::<u64>().ok());
        if !number.is_some_and(|number| (1..=most).contains(&number)) {
            walk.item(index, |walk| {
                walk.error(format!("`Fn::Cidr` gets {item}, where a number from 1 to {most} is wanted"));
            });
        }
    }
}

/// An IPv4 block with its length, or an IPv6 one.
fn is_block(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= most)
}

fn find_in_map(walk: &mut Walk<'_, '_>, argument: &Value) {
    let form = "[mapping, topLevelKey, secondLevelKey]";
    let Some(items) = list(walk, "Fn::FindInMap", argument, 3..=4, form) else { return };
    for (index, item) in items.iter().enumerate() {
        if index == 3 {
            let options =
                item.as_object().filter(|options| options.len() == 1 && options.contains_key("DefaultValue"));
            walk.item(index, |walk| match options {
                Some(options) => walk.inside("DefaultValue", |walk| {
                    walk.argument("Fn::FindInMap", names::VALUE, |walk| walk.value(&options["DefaultValue"]));
                }),
                None => {
                    walk.error(
                        "the fourth argument of `Fn::FindInMap` must be an object with `DefaultValue`",
                    );
                }
            });
        } else if is_text(item) {
            walk.argument("Fn::FindInMap", names::FIND_IN_MAP, |walk| {
                walk.item(index, |walk| walk.value(item))
            });
        } else {
            walk.item(index, |walk| {
                walk.error(format!("`Fn::FindInMap` gets {}, where a name is wanted", kind(item)));
            });
        }
    }
}

fn zones(walk: &mut Walk<'_, '_>, argument: &Value) {
    if let Some(region) = argument.as_str()
        && !region.is_empty()
        && !crate::regions().iter().any(|known| known == region)
    {
        let place = walk.place.clone();
        let hint = hint_for(region, crate::regions().iter().map(String::as_str));
        walk.context
            .warning("unknown-region", place, format!("`Fn::GetAZs` gets the unknown region `{region}`"))
            .hint = hint;
    }
    text(walk, "Fn::GetAZs", names::GET_AZS, argument);
}

fn get_stack_output(walk: &mut Walk<'_, '_>, argument: &Value) {
    const MEMBERS: [&str; 4] = ["OutputName", "Region", "RoleArn", "StackName"];
    let Some(members) = argument.as_object() else {
        walk.error(format!("`Fn::GetStackOutput` gets {}, where an object is wanted", kind(argument))).hint =
            Some("give it `StackName` and `OutputName`".to_owned());
        return;
    };
    for missing in ["StackName", "OutputName"].into_iter().filter(|name| !members.contains_key(*name)) {
        walk.error(format!("`Fn::GetStackOutput` has no `{missing}`"));
    }
    for (name, member) in members {
        walk.inside(name, |walk| {
            if !MEMBERS.contains(&name.as_str()) {
                walk.error(format!("`Fn::GetStackOutput` has no argument `{name}`")).hint =
                    hint_for(name, MEMBERS.into_iter());
                return;
            }
            text(walk, "Fn::GetStackOutput", names::GET_STACK_OUTPUT, member);
        });
    }
}

fn join(walk: &mut Walk<'_, '_>, argument: &Value) {
    let Some([delimiter, items]) = list(walk, "Fn::Join", argument, 2..=2, "[delimiter, [values]]") else {
        return;
    };
    if !delimiter.is_string() {
        walk.item(0, |walk| {
            walk.error(format!("the delimiter of `Fn::Join` is {}, where a text is wanted", kind(delimiter)));
        });
    }
    items_of(walk, "Fn::Join", items, names::JOIN_LIST, names::JOIN_ITEM, true);
}

/// The list that is the second argument of a function, or a function that gives it.
fn items_of(
    walk: &mut Walk<'_, '_>,
    name: &'static str,
    items: &Value,
    list_functions: &'static [&'static str],
    item_functions: &'static [&'static str],
    texts_only: bool,
) {
    match items {
        Value::Array(items) => walk.argument(name, item_functions, |walk| {
            walk.inside("1", |walk| {
                for (index, item) in items.iter().enumerate() {
                    walk.item(index, |walk| {
                        if texts_only && !is_text(item) {
                            walk.error(format!("`{name}` gets {}, where a text is wanted", kind(item)));
                        } else {
                            walk.value(item);
                        }
                    });
                }
            });
        }),
        call if is_call(call) => {
            walk.argument(name, list_functions, |walk| walk.item(1, |walk| walk.value(call)));
            if let Some(target) = single_value(walk, call) {
                walk.item(1, |walk| {
                    walk.error(format!(
                        "`{name}` gets the single value of `{target}`, where a list is wanted"
                    ))
                    .hint = Some(format!("write `[{{Ref: {target}}}]`"));
                });
            }
        }
        other => walk.item(1, |walk| {
            walk.error(format!("`{name}` gets {}, where a list is wanted", kind(other)));
        }),
    }
}

/// The name that a `Ref` names, when its value is certainly a single one.
fn single_value<'v>(walk: &Walk<'_, '_>, call: &'v Value) -> Option<&'v str> {
    let target = only_member(call).filter(|(name, _)| *name == "Ref")?.1.as_str()?;
    let single = match walk.context.parameters.get(target) {
        Some(parameter) => parameter.get("Type")?.as_str().is_some_and(|kind| !is_list(kind)),
        None => walk.context.resources.get(target).is_some_and(|resource| {
            resource.facts.is_some() && !resource.is_serverless() && !resource.is_module()
        }),
    };
    single.then_some(target)
}

fn select(walk: &mut Walk<'_, '_>, argument: &Value) {
    let Some([index, items]) = list(walk, "Fn::Select", argument, 2..=2, "[index, [values]]") else { return };
    if is_call(index) {
        walk.argument("Fn::Select", names::SELECT_INDEX, |walk| walk.item(0, |walk| walk.value(index)));
    } else {
        let number = scalar_text(index).and_then(|text| text.parse::<usize>().ok());
        let count = items.as_array().map(Vec::len);
        walk.item(0, |walk| match (number, count) {
            (None, _) => {
                walk.error(format!("`Fn::Select` gets {index}, where a number from 0 on is wanted"));
            }
            (Some(number), Some(count)) if number >= count => {
                walk.error(format!(
                    "`Fn::Select` takes item {number} of a list of {count}, which is counted from 0"
                ));
            }
            _ => {}
        });
    }
    items_of(walk, "Fn::Select", items, names::SELECT_LIST, names::SELECT_ITEM, false);
}

fn split(walk: &mut Walk<'_, '_>, argument: &Value) {
    let Some([delimiter, source]) = list(walk, "Fn::Split", argument, 2..=2, "[delimiter, text]") else {
        return;
    };
    if !delimiter.is_string() {
        walk.item(0, |walk| {
            walk.error(format!(
                "the delimiter of `Fn::Split` is {}, where a text is wanted",
                kind(delimiter)
            ));
        });
    }
    let resolves = source.as_str().is_some_and(|text| text.contains("{{resolve:"));
    walk.item(1, |walk| {
        if resolves {
            walk.error("`Fn::Split` cannot split a dynamic reference, which is resolved after it").hint =
                Some(
                    "read the value by a parameter of type `AWS::SSM::Parameter::Value<List<String>>`"
                        .to_owned(),
                );
        }
        text(walk, "Fn::Split", names::SPLIT, source);
    });
}

fn sub(walk: &mut Walk<'_, '_>, argument: &Value) {
    match argument {
        Value::String(text) => needless(walk, text),
        Value::Array(_) => {
            let form = "[text, {Name: value}]";
            let Some([text, variables]) = list(walk, "Fn::Sub", argument, 2..=2, form) else { return };
            let (Some(text), Some(variables)) = (text.as_str(), variables.as_object()) else {
                walk.error("`Fn::Sub` gets other arguments than a text and an object of variables").hint =
                    Some(format!("write `Fn::Sub: {form}`"));
                return;
            };
            variables_of(walk, text, variables);
        }
        scalar if is_scalar(scalar) => {}
        other => {
            walk.error(format!("`Fn::Sub` gets {}, where a text is wanted", kind(other)));
        }
    }
}

fn needless(walk: &mut Walk<'_, '_>, text: &str) {
    // `${!Literal}` is a good reason for the function as well.
    if !text.contains("${") && !walk.context.is_serverless() {
        let place = walk.place.clone();
        walk.context.warning("needless-sub", place, "`Fn::Sub` has nothing to substitute").hint =
            Some("write the text without the function".to_owned());
    }
}

fn variables_of(walk: &mut Walk<'_, '_>, text: &str, variables: &Map<String, Value>) {
    walk.inside("1", |walk| {
        for (name, value) in variables {
            walk.inside(name, |walk| {
                if !is_text(value) {
                    walk.error(format!("the variable `{name}` is {}, where a text is wanted", kind(value)));
                    return;
                }
                walk.argument("Fn::Sub", names::SUB_VARIABLE, |walk| walk.value(value));
                if !substitutions(text).any(|used| used == name) {
                    let place = walk.place.clone();
                    let message = format!("the variable `{name}` is not used in the text of `Fn::Sub`");
                    walk.context.warning("unused-variable", place, message);
                }
            });
        }
    });
}

fn collection(walk: &mut Walk<'_, '_>, name: &'static str, argument: &Value) {
    let fits =
        argument.is_array() || is_call(argument) || (argument.is_object() && name == "Fn::ToJsonString");
    if !fits {
        walk.error(format!("`{name}` gets {}, where a list is wanted", kind(argument)));
        return;
    }
    walk.argument(name, names::VALUE, |walk| walk.value(argument));
}

pub(super) fn transform(walk: &mut Walk<'_, '_>, argument: &Value) {
    let named = |value: &Value| value.get("Name").is_some_and(Value::is_string);
    let fits = match argument {
        Value::Array(items) => items.iter().all(named),
        other => named(other),
    };
    if !fits {
        walk.error("`Fn::Transform` has no `Name` of a macro");
    }
}

pub(super) fn for_each(walk: &mut Walk<'_, '_>, argument: &Value) {
    if !walk.context.has_language_extensions() {
        let place = walk.place.clone();
        let message = "`Fn::ForEach` needs the transform `AWS::LanguageExtensions`";
        walk.context.report(Severity::Error, "function-not-allowed", place, message).hint =
            Some("add `Transform: AWS::LanguageExtensions`".to_owned());
    }
    let form = "[identifier, [values], {OutputKey: body}]";
    let Some([identifier, values, body]) = list(walk, "Fn::ForEach", argument, 3..=3, form) else { return };
    let fits = identifier.is_string() && (values.is_array() || is_call(values)) && body.is_object();
    if !fits {
        walk.error("`Fn::ForEach` gets arguments of the wrong kind").hint =
            Some(format!("write `Fn::ForEach::Name: {form}`"));
    }
}
