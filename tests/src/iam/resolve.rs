//! The intrinsic functions of a policy, resolved to text in which a logical id stands for what CloudFormation puts in.

use serde_json::{Map, Value as Json};

use super::{ACCOUNT, REGION};

/// The document with its functions resolved.
///
/// # Panics
/// When there is a function that is not known.
pub(super) fn resolved(value: &Json, stack: &str) -> Json {
    match value {
        Json::Array(items) => items.iter().map(|item| resolved(item, stack)).collect(),
        Json::Object(fields) => {
            if let (1, Some((name, argument))) = (fields.len(), fields.iter().next())
                && (name == "Ref" || name.starts_with("Fn::"))
            {
                return function(name, argument, stack);
            }
            let each = fields.iter().map(|(name, field)| (name.clone(), resolved(field, stack)));
            Json::Object(each.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn function(name: &str, argument: &Json, stack: &str) -> Json {
    match (name, argument) {
        ("Ref", Json::String(id)) => Json::from(reference(id, stack)),
        ("Fn::GetAtt", Json::Array(parts)) => {
            let parts: Vec<&str> = parts.iter().filter_map(Json::as_str).collect();
            Json::from(format!("{{{}}}", parts.join(".")))
        }
        ("Fn::ImportValue", Json::String(export)) => Json::from(format!("{{{export}}}")),
        ("Fn::Sub", Json::String(text)) => Json::from(substituted(text, &Map::new(), stack)),
        ("Fn::Sub", Json::Array(parts)) => match parts.as_slice() {
            [Json::String(text), Json::Object(names)] => Json::from(substituted(text, names, stack)),
            other => panic!("Fn::Sub is not understood: {other:?}"),
        },
        ("Fn::Join", Json::Array(parts)) => match parts.as_slice() {
            [Json::String(between), items @ Json::Array(_)] => {
                let items = resolved(items, stack);
                let items: Vec<&str> =
                    items.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
                Json::from(items.join(between))
            }
            other => panic!("Fn::Join is not understood: {other:?}"),
        },
        _ => panic!("{name} is not understood: {argument}"),
    }
}

fn reference(id: &str, stack: &str) -> String {
    match id {
        "AWS::AccountId" => ACCOUNT.to_owned(),
        "AWS::Region" => REGION.to_owned(),
        "AWS::Partition" => "aws".to_owned(),
        "AWS::URLSuffix" => "amazonaws.com".to_owned(),
        "AWS::StackName" => stack.to_owned(),
        "AWS::StackId" => format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/1"),
        id => format!("{{{id}}}"),
    }
}

/// The text of `Fn::Sub`; `${!Literal}` stands for itself, as policy variables are written.
fn substituted(text: &str, names: &Map<String, Json>, stack: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}').unwrap_or_else(|| panic!("`{text}` has no end"));
        result.push_str(before);
        match (name.strip_prefix('!'), names.get(name)) {
            (Some(literal), _) => result.push_str(&format!("${{{literal}}}")),
            (None, Some(value)) => result.push_str(resolved(value, stack).as_str().unwrap_or_default()),
            (None, None) => result.push_str(&reference(name, stack)),
        }
        rest = behind;
    }
    result + rest
}

/// A text or a list of texts as a list.
pub(super) fn texts(value: &Json) -> Vec<&str> {
    match value {
        Json::String(text) => vec![text],
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
        Json::Bool(true) => vec!["true"],
        Json::Bool(false) => vec!["false"],
        _ => Vec::new(),
    }
}
