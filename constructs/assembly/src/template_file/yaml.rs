//! Templates in YAML, with the short forms of functions.
//!
//! CloudFormation reads YAML 1.1: `yes` and `off` are booleans there, which the parser leaves as text. Dates and numbers
//! with leading zeros stay text on purpose: a version `2010-09-09` and an account id are names, not quantities.

use serde_json::{Map, Value, json};
use serde_yaml::Value as Yaml;
use serde_yaml::value::TaggedValue;

use super::positions::{Place, Positions};
use super::{Fault, TemplateFormat, TemplateProblem};

/// The functions that have a short form, without the leading `!`.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html>.
const FUNCTIONS: [&str; 28] = [
    "And",
    "Base64",
    "Cidr",
    "Condition",
    "Contains",
    "EachMemberEquals",
    "EachMemberIn",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "GetStackOutput",
    "If",
    "ImportValue",
    "Implies",
    "Join",
    "Length",
    "Not",
    "Or",
    "Ref",
    "RefAll",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
    "ValueOf",
    "ValueOfAll",
];

/// The long name of a function, from its tag with or without the leading `!`.
pub(super) fn function_of_tag(tag: &str) -> Option<String> {
    let name = tag.strip_prefix('!').unwrap_or(tag);
    match name {
        "Ref" | "Condition" => Some(name.to_owned()),
        _ => FUNCTIONS.contains(&name).then(|| format!("Fn::{name}")),
    }
}

pub(super) fn parse(text: &str) -> Result<(Value, Positions), Fault> {
    // First, because it stops at the depth that the second reader would need minutes to reach.
    let positions = Positions::of(text, TemplateFormat::Yaml);
    if let Some(fault) = positions.too_deep() {
        return Err(fault);
    }
    let mut document: Yaml = serde_yaml::from_str(text).map_err(|error| fault(text, &error, &positions))?;
    document.apply_merge().map_err(|error| {
        Fault::new(TemplateProblem::Syntax { format: "YAML", reason: error.to_string() })
            .hint("`<<` takes an object or a list of objects")
    })?;
    let mut conversion = Conversion { pointer: String::new(), positions: &positions };
    match conversion.value(document) {
        Ok(value) => Ok((value, positions)),
        Err(fault) => Err(fault.at(Some(positions.place(&conversion.pointer)))),
    }
}

struct Conversion<'p> {
    /// Where the conversion is; after a fault, where it was found.
    pointer: String,
    positions: &'p Positions,
}

impl Conversion<'_> {
    fn value(&mut self, yaml: Yaml) -> Result<Value, Fault> {
        Ok(match yaml {
            Yaml::Null => Value::Null,
            Yaml::Bool(boolean) => boolean.into(),
            Yaml::Number(number) => number_of(&number)?,
            Yaml::String(text) => match old_boolean(&text) {
                Some(boolean) if self.positions.is_plain(&self.pointer) => boolean.into(),
                _ => text.into(),
            },
            Yaml::Sequence(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    list.push(self.inside(&index.to_string(), item)?);
                }
                Value::Array(list)
            }
            Yaml::Mapping(members) => {
                let mut object = Map::new();
                for (key, member) in members {
                    let key = key_of(key)?;
                    let member = self.inside(&key, member)?;
                    object.insert(key, member);
                }
                Value::Object(object)
            }
            Yaml::Tagged(tagged) => self.tagged(*tagged)?,
        })
    }

    fn inside(&mut self, token: &str, yaml: Yaml) -> Result<Value, Fault> {
        let length = self.pointer.len();
        crate::references::push_pointer(&mut self.pointer, token);
        let value = self.value(yaml)?;
        self.pointer.truncate(length);
        Ok(value)
    }

    fn tagged(&mut self, tagged: TaggedValue) -> Result<Value, Fault> {
        let tag = tagged.tag.to_string();
        if is_nameless(&tag) {
            return self.value(tagged.value);
        }
        let Some(function) = function_of_tag(&tag) else {
            let fault = Fault::new(TemplateProblem::UnknownTag(tag.clone()));
            return Err(match closest_function(&tag) {
                Some(name) => fault.hint(format!("did you mean `!{name}`?")),
                None => fault.hint("quote the text if it shall begin with `!`"),
            });
        };
        let argument = self.inside(&function, tagged.value)?;
        let argument = match (function.as_str(), argument) {
            ("Fn::GetAtt", Value::String(dotted)) => match dotted.split_once('.') {
                Some((target, attribute)) => json!([target, attribute]),
                None => Value::String(dotted),
            },
            (_, argument) => argument,
        };
        Ok(Value::Object(Map::from_iter([(function, argument)])))
    }
}

/// Whether a tag has no name (`! text`); it says that a scalar is text.
fn is_nameless(tag: &str) -> bool {
    tag.chars().all(|character| character == '!')
}

fn number_of(number: &serde_yaml::Number) -> Result<Value, Fault> {
    if let Some(integer) = number.as_i64() {
        return Ok(integer.into());
    }
    if let Some(integer) = number.as_u64() {
        return Ok(integer.into());
    }
    number
        .as_f64()
        .and_then(serde_json::Number::from_f64)
        .map(Value::Number)
        .ok_or_else(|| Fault::new(TemplateProblem::NumberOutOfRange(number.to_string())).hint("quote it"))
}

/// CloudFormation reads every key as text, so that an account id may be one.
fn key_of(key: Yaml) -> Result<String, Fault> {
    let kind = match key {
        Yaml::String(text) => return Ok(text),
        Yaml::Bool(boolean) => return Ok(boolean.to_string()),
        Yaml::Number(number) => return Ok(number.to_string()),
        Yaml::Null => "empty",
        Yaml::Sequence(_) => "a list",
        Yaml::Mapping(_) => "an object",
        Yaml::Tagged(tagged) if is_nameless(&tagged.tag.to_string()) => return key_of(tagged.value),
        Yaml::Tagged(_) => "a function",
    };
    Err(Fault::new(TemplateProblem::KeyNotText(kind)))
}

/// The booleans of YAML 1.1 that YAML 1.2 reads as text (<https://yaml.org/type/bool.html>). The one-letter forms are left
/// out, as all readers of YAML 1.1 in use leave them out.
fn old_boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn closest_function(tag: &str) -> Option<&'static str> {
    let name = tag.trim_start_matches('!').trim_start_matches("Fn::").to_lowercase();
    FUNCTIONS
        .into_iter()
        .map(|function| (edit_distance(&function.to_lowercase(), &name), function))
        .filter(|(distance, function)| *distance <= 2 && *distance < function.len())
        .min()
        .map(|(_, function)| function)
}

/// The Levenshtein distance of two short names.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, character) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (index, other) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(character != *other);
            diagonal = row[index + 1];
            row[index + 1] = substituted.min(row[index] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

fn fault(text: &str, error: &serde_yaml::Error, positions: &Positions) -> Fault {
    let place = error.location().map(|location| Place::new(location.line(), location.column()));
    let message = error.to_string();
    if message.contains("duplicate entry ")
        && let Some(fault) = positions.duplicate_key()
    {
        return fault;
    }
    if message.contains("more than one document") {
        let line = text.lines().skip(1).position(|line| line.starts_with("---")).map(|above| above + 2);
        return Fault::new(TemplateProblem::SeveralDocuments).at(line.map(|line| Place::new(line, 1)));
    }
    if message.contains("recursion limit exceeded") {
        return Fault::new(TemplateProblem::TooDeep).at(place);
    }
    if message.contains("repetition limit exceeded") {
        return Fault::new(TemplateProblem::TooManyAliases).at(place);
    }
    let line = place.and_then(|place| text.lines().nth(place.line as usize - 1)).unwrap_or_default();
    let hint = if message.contains("cannot start any token") && line.contains('\t') {
        Some("indent with blanks: YAML allows no tabs there")
    } else if line.matches(" !").count() > 1 {
        Some(
            "two short forms cannot follow each other: write the outer one as `Fn::Name:` in a line of its own",
        )
    } else if message.contains("mapping values are not allowed") {
        Some("quote a text that has `: ` in it, and indent keys of one object alike")
    } else if message.contains("as u128") || message.contains("as i128") {
        Some("quote a number that is that long")
    } else if message.contains("unknown anchor") {
        Some("quote a text that begins with `*`")
    } else {
        None
    };
    let fault =
        Fault::new(TemplateProblem::Syntax { format: "YAML", reason: without_place(&message) }).at(place);
    match hint {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

/// The parser's words without `at line 2 column 3`, which the error shows in front.
fn without_place(message: &str) -> String {
    let parts: Vec<&str> = message
        .split(", ")
        .map(|part| part.split_once(" at line ").map_or(part, |(words, _)| words))
        .collect();
    parts.join(", ")
}
