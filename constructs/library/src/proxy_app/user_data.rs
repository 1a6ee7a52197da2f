//! What an instance runs when it boots: fetch the proxy, check it, start it, and tell CloudFormation how it went.
//!
//! The script itself is `user_data.sh`, which tests run with real bash. What the stack knows stands above it as plain
//! assignments.

use std::collections::BTreeMap;

use formwork::{BucketName, Diagnostic, Expression, IntoValue, Json, Scope, Value, base64, pseudo, text};

/// Amazon EC2 takes 16 KB of user data before it is put into base 64. Source: Amazon EC2 User Guide, "Run commands when you
/// launch an EC2 instance with user data input".
pub const GREATEST_USER_DATA_BYTES: usize = 16 * 1024;

/// The head of the script. What a trap calls looks to shellcheck as if nothing called it.
const HEAD: &str =
    "#!/bin/bash\n# Starts the MLflow proxy on this instance.\n# shellcheck disable=SC2317,SC2329\n";
const SCRIPT: &str = include_str!("user_data.sh");

/// What the script needs to know.
#[derive(Debug)]
pub(crate) struct BootSettings {
    /// The logical id of the resource that waits for a signal.
    pub(crate) signal_resource: String,
    /// Where the proxy's binary lies.
    pub(crate) binary_bucket: Value<BucketName>,
    /// Its key in the bucket.
    pub(crate) binary_key: Value<String>,
    /// Its SHA-256, 64 hex digits.
    pub(crate) binary_sha256: Value<String>,
    /// The log group that a failed boot's log goes to.
    pub(crate) log_group: Value<String>,
    /// The port that the proxy listens on.
    pub(crate) port: u16,
    /// The environment of the service. Nothing secret belongs here.
    pub(crate) environment: BTreeMap<&'static str, Value<String>>,
}

/// The user data in base 64. What cannot be written into it is reported.
pub(crate) fn user_data(scope: Scope<'_>, settings: BootSettings) -> Value<String> {
    for (name, value) in &settings.environment {
        if !is_plain(value.expression()) {
            let message =
                format!("{name} of the proxy has a quote, a backslash or a control character in it");
            let hint = "correct the setting that it comes from: it is written into a file of plain lines";
            scope.report(Diagnostic::error("service-environment", message).with_hint(hint));
        }
    }
    let script = script(settings);
    let bytes = greatest_bytes(script.expression());
    if bytes > GREATEST_USER_DATA_BYTES {
        let message = format!(
            "the user data of the proxy can have {bytes} bytes, and Amazon EC2 takes {GREATEST_USER_DATA_BYTES}"
        );
        scope.report(
            Diagnostic::error("user-data-size", message).with_hint("shorten names and settings of the proxy"),
        );
    }
    base64(script)
}

/// Whether the known parts of a value are plain: nothing in them ends a line or is read by a shell or by systemd.
fn is_plain(expression: &Expression) -> bool {
    match expression {
        Expression::Literal(text) => text.as_str().is_none_or(|text| {
            text.chars()
                .all(|character| !character.is_control() && !matches!(character, '\'' | '"' | '\\' | '`'))
        }),
        Expression::Text(parts) => parts.iter().all(is_plain),
        _ => true,
    }
}

/// The greatest size of a text: what is not known yet counts with its bound.
fn greatest_bytes(expression: &Expression) -> usize {
    // Names, ARNs and digests of this stack: none of their parts is longer than 256 characters.
    const VALUE: usize = 256;
    const PSEUDO_PARAMETER: usize = 128;
    match expression {
        Expression::Literal(text) => text.as_str().map_or(0, str::len),
        Expression::Text(parts) => parts.iter().map(greatest_bytes).sum(),
        Expression::Pseudo(_) => PSEUDO_PARAMETER,
        _ => VALUE,
    }
}

/// A value between single quotes of a shell: a quote in it ends them, stands for itself and begins them anew.
fn quoted(expression: Expression) -> Expression {
    match expression {
        Expression::Literal(Json::String(text)) => text.replace('\'', r"'\''").into(),
        Expression::Text(parts) => Expression::Text(parts.into_iter().map(quoted).collect()),
        other => other,
    }
}

fn script(settings: BootSettings) -> Value<String> {
    let mut parts: Vec<Expression> = vec![HEAD.into()];
    let assignments: [(&str, Value<String>); 9] = [
        ("REGION", pseudo::region()),
        ("URL_SUFFIX", pseudo::url_suffix()),
        ("STACK_NAME", pseudo::stack_name()),
        ("SIGNAL_RESOURCE", settings.signal_resource.into_value()),
        ("BINARY_BUCKET", settings.binary_bucket.into_value()),
        ("BINARY_KEY", settings.binary_key),
        ("BINARY_SHA256", settings.binary_sha256),
        ("LOG_GROUP", settings.log_group),
        ("PROXY_PORT", settings.port.to_string().into_value()),
    ];
    for (name, value) in assignments {
        let value: Value<String> = Value::from_expression(quoted(value.into_expression()));
        parts.push(text!("readonly {}='{}'\n", name, value).into_expression());
    }
    parts.push("readonly SERVICE_ENVIRONMENT='".into());
    let mut separator = "";
    for (name, value) in settings.environment {
        let value: Value<String> = Value::from_expression(quoted(value.into_expression()));
        parts.push(text!("{}{}={}", separator, name, value).into_expression());
        separator = "\n";
    }
    parts.push("'\n".into());
    parts.push(SCRIPT.into());
    Value::from_expression(Expression::Text(parts))
}

#[cfg(test)]
pub(crate) mod tests;
