//! Stack policies: which resources an update may touch.

use serde_json::Value;

/// The reason why a stack policy forbids an action on a resource; `None` when it does not.
///
/// With a policy, everything is forbidden that no statement allows, and a denial outweighs an allowance.
pub(crate) fn denies(policy: Option<&str>, id: &str, resource_type: &str, action: &str) -> Option<String> {
    let document: Value = serde_json::from_str(policy?).ok()?;
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(single) => vec![single.clone()],
        None => Vec::new(),
    };
    let mut allowed = false;
    for (index, statement) in statements.iter().enumerate() {
        let text = |name: &str| statement.get(name).and_then(Value::as_str).unwrap_or_default();
        let targets = list(statement.get("Resource"));
        let resources = targets.iter().any(|it| matches(it, &format!("LogicalResourceId/{id}")));
        let actions = list(statement.get("Action")).iter().any(|it| matches(it, action));
        let types = list(statement.pointer("/Condition/StringEquals/ResourceType"));
        let typed = types.is_empty() || types.iter().any(|it| matches(it, resource_type));
        if !(resources && actions && typed) {
            continue;
        }
        if text("Effect") == "Deny" {
            return Some(format!(
                "Action denied by stack policy: Statement [#{}] does not allow [{action}] for resource \
                 [LogicalResourceId/{id}]",
                index + 1
            ));
        }
        allowed = true;
    }
    (!allowed).then(|| {
        format!("Action not allowed by stack policy: no statement allows [{action}] for resource [LogicalResourceId/{id}]")
    })
}

fn list(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// A pattern with `*` at any place.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return false };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        last = Some(part);
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    match last {
        None => rest.is_empty(),
        Some("") => true,
        Some(end) => text.ends_with(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": ["Update:Replace", "Update:Delete"], "Resource": "LogicalResourceId/Db*"}
    ]}"#;

    #[test]
    fn a_denial_outweighs_an_allowance_and_silence_forbids() {
        assert_eq!(denies(None, "Db", "T", "Update:Replace"), None);
        assert_eq!(denies(Some(POLICY), "Db", "T", "Update:Modify"), None);
        let denied = denies(Some(POLICY), "DbMain", "T", "Update:Replace").unwrap();
        assert!(denied.starts_with("Action denied by stack policy: Statement [#2]"), "{denied}");
        assert!(denies(Some(r#"{"Statement": []}"#), "Db", "T", "Update:Modify").is_some());
    }
}
