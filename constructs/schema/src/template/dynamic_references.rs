//! Dynamic references (`{{resolve:…}}`): their syntax, their number, and where each service may stand.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>.

use std::collections::BTreeSet;

use formwork_assembly::limits::DYNAMIC_REFERENCES;
use formwork_assembly::references::push_pointer;
use serde_json::Value;

use super::context::Context;

/// The properties that take a secure string of Systems Manager; `*` stands for a position in a list.
const SECURE: [(&str, &str); 11] = [
    ("AWS::DirectoryService::MicrosoftAD", "Password"),
    ("AWS::DirectoryService::SimpleAD", "Password"),
    ("AWS::ElastiCache::ReplicationGroup", "AuthToken"),
    ("AWS::IAM::User", "LoginProfile/Password"),
    ("AWS::KinesisFirehose::DeliveryStream", "RedshiftDestinationConfiguration/Password"),
    ("AWS::OpsWorks::App", "AppSource/Password"),
    ("AWS::OpsWorks::Stack", "CustomCookbooksSource/Password"),
    ("AWS::OpsWorks::Stack", "RdsDbInstances/*/DbPassword"),
    ("AWS::RDS::DBCluster", "MasterUserPassword"),
    ("AWS::RDS::DBInstance", "MasterUserPassword"),
    ("AWS::Redshift::Cluster", "MasterUserPassword"),
];

pub(super) fn check(context: &mut Context<'_>) {
    let mut found = Vec::new();
    for (section, content) in context.sections {
        if matches!(section.as_str(), "Resources" | "Outputs" | "Parameters" | "Conditions" | "Mappings") {
            let mut place = format!("/{section}");
            texts(content, &mut place, &mut found);
        }
    }
    let mut distinct = BTreeSet::new();
    for (place, text) in &found {
        for reference in references(text) {
            distinct.insert(reference);
            one(context, place, reference);
        }
        if let Some((before, _)) = text.split_once("resolve:")
            && before.trim_end().ends_with("{{")
            && before.ends_with(char::is_whitespace)
        {
            let message = "blanks before `resolve:` make this a plain text, which is not resolved";
            context.warning("dynamic-reference", place, message).hint =
                Some("write `{{resolve:…}}`".to_owned());
        }
    }
    if distinct.len() > DYNAMIC_REFERENCES {
        let message = format!(
            "{} dynamic references, more than the {DYNAMIC_REFERENCES} of one template",
            distinct.len()
        );
        context.error("limit", "", message);
    }
}

fn texts<'t>(value: &'t Value, place: &mut String, found: &mut Vec<(String, &'t str)>) {
    let length = place.len();
    match value {
        Value::String(text) if text.contains("resolve:") => found.push((place.clone(), text)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                push_pointer(place, &index.to_string());
                texts(item, place, found);
                place.truncate(length);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                push_pointer(place, name);
                texts(member, place, found);
                place.truncate(length);
            }
        }
        _ => {}
    }
}

/// The insides of all `{{resolve:…}}` of a text, without the braces.
fn references(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("{{resolve:").filter_map(|(start, _)| {
        let inside = &text[start + 2..];
        inside.find("}}").map(|end| &inside[..end])
    })
}

fn one(context: &mut Context<'_>, place: &str, reference: &str) {
    // Names may be put together by `Fn::Sub`: what stands in `${…}` is not known here.
    let plain = without_substitutions(reference);
    let parts: Vec<&str> = plain.split(':').collect();
    let service = parts.get(1).copied().unwrap_or_default();
    if service.contains('$') {
        return;
    }
    let fault = match service {
        "ssm" | "ssm-secure" => ssm_fault(&parts),
        "secretsmanager" => secret_fault(&parts),
        other => Some(format!("unknown service `{other}`")),
    };
    if let Some(fault) = fault {
        let message = format!("the dynamic reference `{{{{{reference}}}}}` has {fault}");
        context.error("dynamic-reference", place, message).hint = Some(match service {
            "ssm" | "ssm-secure" => {
                format!("write `{{{{resolve:{service}:name}}}}` or `{{{{resolve:{service}:name:version}}}}`")
            }
            "secretsmanager" => {
                "write `{{resolve:secretsmanager:secret-id:SecretString:json-key:version-stage:version-id}}`"
                    .to_owned()
            }
            _ => "the services are `ssm`, `ssm-secure` and `secretsmanager`".to_owned(),
        });
        return;
    }
    let tokens: Vec<&str> = place.split('/').skip(1).collect();
    let fits = match (service, tokens.as_slice()) {
        (_, ["Parameters", _, "Default" | "AllowedValues", ..]) => true,
        ("ssm", ["Resources", _, "Properties" | "Metadata", ..] | ["Outputs", _, "Value", ..]) => true,
        ("secretsmanager", ["Resources", _, "Properties", ..]) => true,
        ("ssm-secure", ["Resources", name, "Properties", path @ ..]) => secure(context, name, path),
        _ => false,
    };
    if !fits {
        let message = match service {
            "ssm-secure" => "this property takes no secure string of Systems Manager".to_owned(),
            _ => format!("a dynamic reference to `{service}` is not resolved here"),
        };
        let hint = match service {
            "ssm-secure" => "use `{{resolve:secretsmanager:…}}`",
            "secretsmanager" => "use it in a property of a resource",
            _ => "use it in a property, or in the value of an output",
        };
        context.error("dynamic-reference", place, message).hint = Some(hint.to_owned());
    }
}

fn without_substitutions(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        plain.push_str(before);
        plain.push('$');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    plain
}

fn ssm_fault(parts: &[&str]) -> Option<String> {
    let name = parts.get(2).copied().unwrap_or_default();
    // A parameter that another account shares is named by its ARN.
    if name == "arn" {
        return None;
    }
    if parts.len() > 4 {
        return Some(format!("{} parts after `resolve`, where two or three are known", parts.len() - 1));
    }
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/$".contains(c)) {
        return Some(format!("the impossible parameter name `{name}`"));
    }
    let version = parts.get(3)?;
    let number = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '$');
    (!number).then(|| format!("the version `{version}`, which is no number"))
}

fn secret_fault(parts: &[&str]) -> Option<String> {
    let arn = parts.get(2) == Some(&"arn");
    // An ARN has six colons of its own before the options.
    let (id, options) = if arn { (8, 9) } else { (2, 3) };
    if parts.get(id).is_none_or(|id| id.is_empty()) {
        // The whole ARN may come from one substitution, which then is the id.
        return Some("no secret id".to_owned());
    }
    if parts.len() > options + 4 {
        return Some("more parts than a secret can have".to_owned());
    }
    let kind = parts.get(options).copied().unwrap_or_default();
    (!matches!(kind, "" | "SecretString" | "$")).then(|| format!("`{kind}` where `SecretString` is wanted"))
}

fn secure(context: &Context<'_>, name: &str, path: &[&str]) -> bool {
    let Some(resource) = context.resources.get(name) else { return true };
    SECURE.iter().filter(|(type_name, _)| *type_name == resource.type_name).any(|(_, known)| {
        let mut path = path.iter();
        known.split('/').all(|wanted| path.next().is_some_and(|token| wanted == "*" || *token == wanted))
    })
}
