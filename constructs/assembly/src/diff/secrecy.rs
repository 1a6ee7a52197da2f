//! What looks like a secret is not shown, in whatever form a difference is told.
//!
//! A template should hold no secret at all; where one does, a difference in a log of a pipeline must not spread it.

use serde_json::{Map, Value};

use crate::references::{is_function, only_member};

/// What stands in place of a secret.
pub const HIDDEN: &str = "(hidden)";

/// Parts of names whose values are secrets.
const WORDS: [&str; 8] =
    ["password", "passwd", "secret", "token", "credential", "privatekey", "apikey", "accesskey"];
/// Ends of names that only name or describe a secret.
const HARMLESS: [&str; 12] = [
    "arn",
    "arns",
    "id",
    "ids",
    "name",
    "names",
    "type",
    "version",
    "policy",
    "length",
    "enabled",
    "description",
];
/// Members that hold the value that a neighbour names.
const NAMES: [&str; 4] = ["Name", "Key", "ParameterKey", "OptionName"];
const VALUES: [&str; 4] = ["Value", "Value", "ParameterValue", "Value"];

/// A value at a JSON pointer as it may be shown: what looks like a secret is [`HIDDEN`].
pub fn shown(pointer: &str, value: &Value) -> Value {
    let name = pointer.rsplit('/').find(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.unwrap_or_default().replace("~1", "/").replace("~0", "~");
    hidden(&name, value)
}

/// Whether the definition of a parameter asks not to show its value.
pub fn is_no_echo(parameter: Option<&Value>) -> bool {
    match parameter.and_then(|parameter| parameter.get("NoEcho")) {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

fn hidden(name: &str, value: &Value) -> Value {
    match value {
        Value::String(text)
            if is_secret_name(name) && !text.starts_with("{{resolve:") || has_secret(text) =>
        {
            Value::from(HIDDEN)
        }
        Value::Number(_) if is_secret_name(name) => Value::from(HIDDEN),
        Value::Array(items) => items.iter().map(|item| hidden(name, item)).collect(),
        Value::Object(members) => match only_member(value) {
            // `Ref` and `GetAtt` name things; what other functions put together may hold a secret all the same.
            Some(("Ref" | "Fn::GetAtt" | "Fn::ImportValue", _)) => value.clone(),
            Some((function, argument)) if is_function(function) => {
                Value::Object(Map::from_iter([(function.to_owned(), hidden(name, argument))]))
            }
            _ => Value::Object(
                members
                    .iter()
                    .map(|(name, member)| (name.clone(), of_member(members, name, member)))
                    .collect(),
            ),
        },
        other => other.clone(),
    }
}

fn of_member(members: &Map<String, Value>, name: &str, member: &Value) -> Value {
    if name == "Default" && is_no_echo(Some(&Value::Object(members.clone()))) {
        return Value::from(HIDDEN);
    }
    // `{"Name": "DB_PASSWORD", "Value": …}`
    let neighbour = NAMES
        .iter()
        .zip(VALUES)
        .filter(|(_, value)| *value == name)
        .find_map(|(key, _)| members.get(*key).and_then(Value::as_str));
    hidden(neighbour.unwrap_or(name), member)
}

fn is_secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    WORDS.iter().any(|word| plain.contains(word)) && !HARMLESS.iter().any(|end| plain.ends_with(end))
}

/// Texts that are secrets whatever they are called: keys of AWS and private keys.
fn has_secret(text: &str) -> bool {
    let is_access_key = |at: usize| {
        let key =
            text[at + 4..].bytes().take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        key.count() == 16
    };
    let has_key =
        ["AKIA", "ASIA"].iter().any(|start| text.match_indices(start).any(|(at, _)| is_access_key(at)));
    has_key || text.contains("-----BEGIN") && text.contains("PRIVATE KEY")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_secret_names_are_hidden() {
        for (pointer, value, wanted) in [
            ("/a/MasterUserPassword", json!("x"), json!(HIDDEN)),
            (
                "/a/SecretString",
                json!({ "Fn::Join": ["", ["x", { "Ref": "P" }]] }),
                json!({ "Fn::Join": [HIDDEN, [HIDDEN, { "Ref": "P" }]] }),
            ),
            (
                "/a/Variables",
                json!({ "DB_PASSWORD": "x", "A": "b" }),
                json!({ "DB_PASSWORD": HIDDEN, "A": "b" }),
            ),
            (
                "/a/Environment/0",
                json!({ "Name": "API_TOKEN", "Value": "x" }),
                json!({ "Name": "API_TOKEN", "Value": HIDDEN }),
            ),
            (
                "/Parameters/P",
                json!({ "NoEcho": "true", "Default": "x" }),
                json!({ "NoEcho": "true", "Default": HIDDEN }),
            ),
            ("/a/Text", json!("AKIAABCDEFGHIJKLMNOP"), json!(HIDDEN)),
            ("/a/Password", json!(["x", 5]), json!([HIDDEN, HIDDEN])),
        ] {
            assert_eq!(shown(pointer, &value), wanted, "{pointer}");
        }
    }

    #[test]
    fn names_of_secrets_are_shown() {
        for (pointer, value) in [
            ("/a/SecretArn", json!("arn:x")),
            ("/a/Password", json!("{{resolve:secretsmanager:x}}")),
            ("/a/Password", json!({ "Ref": "P" })),
            ("/a/Description", json!("x")),
            ("/a/TokenType", json!("x")),
        ] {
            assert_eq!(shown(pointer, &value), value, "{pointer}");
        }
    }
}
