//! What an instance runs when it boots: fetch the proxy, check it, start it, and tell CloudFormation how it went.
//!
//! The script itself is `user_data.sh`, which tests run with real bash. What the stack knows stands above it as plain
//! assignments.

use std::collections::BTreeMap;

use formwork::{BucketName, Expression, IntoValue, Value, base64, pseudo, text};

/// Amazon EC2 takes 16 KB of user data before it is put into base 64. Source: Amazon EC2 User Guide, "Run commands when you
/// launch an EC2 instance with user data input".
pub const GREATEST_USER_DATA_BYTES: usize = 16 * 1024;

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

/// The user data in base 64.
pub(crate) fn user_data(settings: BootSettings) -> Value<String> {
    base64(script(settings))
}

fn script(settings: BootSettings) -> Value<String> {
    let mut parts: Vec<Expression> =
        vec!["#!/bin/bash\n# Starts the MLflow proxy on this instance.\n".into()];
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
        parts.push(text!("readonly {}='{}'\n", name, value).into_expression());
    }
    parts.push("readonly SERVICE_ENVIRONMENT='".into());
    let mut separator = "";
    for (name, value) in settings.environment {
        parts.push(text!("{}{}={}", separator, name, value).into_expression());
        separator = "\n";
    }
    parts.push("'\n".into());
    parts.push(SCRIPT.into());
    Value::from_expression(Expression::Text(parts))
}

#[cfg(test)]
pub(crate) mod tests;
