//! What kind of failure a reason tells of.
//!
//! CloudFormation hands on what each service says, so that there is no list of codes to match: the words of the public
//! error messages decide, the most telling first. A denial by an organisation's policy, for one, also reads like a missing
//! permission, and a denied handler like a custom resource that failed.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::advice;
use super::failure::{Failure, FailureClass};
use super::operation::OperationKind;
use crate::aws::cloudformation::StackStatus;

/// What else is known when a failure is classified.
#[derive(Debug)]
pub(super) struct Circumstances {
    /// The status that the stack has.
    pub(super) status: StackStatus,
    /// What was done.
    pub(super) kind: OperationKind,
    /// The name of the function behind a custom resource.
    pub(super) handler: Option<String>,
    /// Whether the operation has made a role or a policy that may not be known everywhere yet.
    pub(super) role_is_new: bool,
    /// The resources, as `Nested.Logical`, that hold up a rollback or a deletion.
    pub(super) stuck: Vec<String>,
}

/// Who is denied what, as far as a message tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Denial {
    pub(super) principal: Option<String>,
    pub(super) action: Option<String>,
    pub(super) resource: Option<String>,
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns are constants, and a test compiles each")
}

static ENCODED: LazyLock<Regex> =
    LazyLock::new(|| regex(r"Encoded authorization failure message:\s*([A-Za-z0-9_+/=-]{20,})"));
static PRINCIPAL: LazyLock<Regex> = LazyLock::new(|| regex(r"(?:User|Principal):?\s+(arn:[^\s,)]+)"));
static ACTION: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?:perform:?\s+|API:\s+|action:?\s+)([a-z0-9-]+:[A-Za-z][A-Za-z0-9]+)"));
static RESOURCE: LazyLock<Regex> = LazyLock::new(|| regex(r#"on (?:the )?resource:?\s+"?([^\s",]+)"#));
static HANDLER_CODE: LazyLock<Regex> = LazyLock::new(|| regex(r"HandlerErrorCode:\s*([A-Za-z]+)"));

/// Splits a reason around an encoded authorisation message: what is before it, the message, what is after it.
pub(super) fn encoded_message(reason: &str) -> Option<(&str, &str, &str)> {
    let found = ENCODED.captures(reason)?;
    let (all, message) = (found.get(0)?, found.get(1)?);
    Some((&reason[..all.start()], message.as_str(), &reason[all.end()..]))
}

/// Says in words what a decoded authorisation message says in JSON. The conditions stay out: they may hold the values of
/// the request.
pub(super) fn decoded_in_words(decoded: &str) -> String {
    let Ok(decoded) = serde_json::from_str::<Value>(decoded) else {
        return "the authorization message could not be read".to_owned();
    };
    let context = &decoded["context"];
    let word = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    let statements: Vec<&str> = decoded["matchedStatements"]["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["statementId"].as_str().filter(|id| !id.is_empty()))
        .collect();
    let why = match (decoded["explicitDeny"].as_bool(), statements.as_slice()) {
        (Some(true), []) => "with an explicit deny".to_owned(),
        (Some(true), ids) => format!("with an explicit deny in statement {}", ids.join(", ")),
        _ => "because no policy allows it".to_owned(),
    };
    format!(
        "User: {} is not authorized to perform: {} on resource: {} {why}",
        word(&context["principal"]["arn"]),
        word(&context["action"]),
        word(&context["resource"]),
    )
}

/// Who is denied what.
pub(super) fn denial(reason: &str) -> Denial {
    let first = |pattern: &Regex| {
        let found = pattern.captures(reason)?.get(1)?.as_str();
        Some(found.trim_end_matches(['.', ')', ';', '\'']).to_owned())
    };
    Denial { principal: first(&PRINCIPAL), action: first(&ACTION), resource: first(&RESOURCE) }
}

/// Sets the class of a failure and what to do about it.
pub(super) fn classify(failure: &mut Failure, circumstances: &Circumstances) {
    failure.class = class_of(&failure.reason, &failure.resource_type, circumstances.role_is_new);
    failure.advice = advice::lines(failure, circumstances);
}

/// The class that a reason tells of.
pub(super) fn class_of(reason: &str, resource_type: &str, role_is_new: bool) -> FailureClass {
    let text = reason.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let custom = resource_type.starts_with("Custom::")
        || resource_type == "AWS::CloudFormation::CustomResource"
        || has(&["from custom resource"]);
    if has(&["service control policy", "resource control policy"]) {
        return FailureClass::ServiceControlPolicy;
    }
    if custom {
        return FailureClass::CustomResource;
    }
    if has(&["denied by stack policy", "stack policy"]) {
        return FailureClass::StackPolicy;
    }
    if has(&["export"]) && has(&["in use by", "is imported by", "cannot be updated as it is in use"]) {
        return FailureClass::ExportInUse;
    }
    if is_propagation(&text, role_is_new) {
        return FailureClass::Propagation;
    }
    if is_denial(&text) {
        return FailureClass::Permission;
    }
    if has(&[
        "limitexceeded",
        "limit exceeded",
        "limit has been reached",
        "limit has been exceeded",
        "maximum number of",
        "quota",
        "toomanybuckets",
        "account limit",
        "you have reached the limit",
    ]) && !has(&["requestlimitexceeded", "rate exceeded"])
    {
        return FailureClass::Quota;
    }
    if has(&[
        "insufficientinstancecapacity",
        "insufficient capacity",
        "insufficient instance capacity",
        "do not have sufficient",
        "capacityerror",
        "not supported in your requested availability zone",
        "insufficientfreeaddresses",
        "no capacity",
    ]) {
        return FailureClass::Capacity;
    }
    if has(&["already exists", "alreadyexists", "already owned by you", "already in use", "duplicate name"])
        && !has(&["does not exist"])
    {
        return FailureClass::NameConflict;
    }
    if has(&[
        "failed to stabilize",
        "exceeded attempts to wait",
        "timed out",
        "time out",
        "timeout",
        "resource signal(s) within the specified duration",
        "did not stabilize",
        "notstabilized",
    ]) {
        return FailureClass::Timeout;
    }
    if has(&[
        "model validation failed",
        "validation failed",
        "validationexception",
        "validation error",
        "invalidparameter",
        "invalid parameter",
        "invalidrequest",
        "invalid request",
        "invalidinput",
        "malformed",
        "must be one of",
        "template error",
        "unresolved resource dependencies",
        "no export named",
        "not supported",
        "extraneous key",
        "required key",
    ]) {
        return FailureClass::Validation;
    }
    by_handler_code(reason)
}

/// The code of the resource provider, when its words say nothing.
fn by_handler_code(reason: &str) -> FailureClass {
    let code = HANDLER_CODE.captures(reason).and_then(|found| found.get(1)).map(|code| code.as_str());
    match code {
        Some("AccessDenied" | "InvalidCredentials" | "UnauthorizedTaggingOperation") => {
            FailureClass::Permission
        }
        Some("AlreadyExists" | "ResourceConflict") => FailureClass::NameConflict,
        Some("ServiceLimitExceeded") => FailureClass::Quota,
        Some("NotStabilized" | "ServiceTimeout") => FailureClass::Timeout,
        Some("InvalidRequest" | "NotUpdatable") => FailureClass::Validation,
        _ => FailureClass::Other,
    }
}

pub(super) fn is_denial(text: &str) -> bool {
    [
        "is not authorized to perform",
        "not authorized to perform this operation",
        "accessdenied",
        "access denied",
        "unauthorizedoperation",
        "unauthorized operation",
        "encoded authorization failure message",
        "explicit deny",
        "you are not authorized",
        "user is not authorized",
        "status code: 403",
    ]
    .iter()
    .any(|word| text.contains(word))
}

/// Whether a role or profile is not known everywhere yet. Some of these words also tell of a wrong trust policy, which is
/// why they count only just after a role was made.
fn is_propagation(text: &str, role_is_new: bool) -> bool {
    const ALWAYS: [&str; 2] =
        ["invalid iam instance profile name", "the role defined for the function cannot be assumed"];
    const WITH_A_NEW_ROLE: [&str; 8] = [
        "cannot be assumed",
        "could not assume role",
        "unable to assume role",
        "unable to assume the",
        "is not authorized to perform: sts:assumerole",
        "invalid principal in policy",
        "invaliddefaultrole",
        "does not have permission to assume",
    ];
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    any(&ALWAYS) || (role_is_new && any(&WITH_A_NEW_ROLE))
}

#[cfg(test)]
mod tests;
