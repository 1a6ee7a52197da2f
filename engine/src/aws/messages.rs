//! The texts by which CloudFormation tells things apart, all in one place.
//!
//! Most of its refusals are `ValidationError` with a sentence, and a change set's failure is a sentence only. Each
//! function here knows one sentence as AWS words it, with whatever AWS, a transform or a hook wraps around it.

use super::error::ErrorKind;

/// Codes that ask to be asked less often.
const THROTTLING: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "TooManyRequests",
    "BandwidthLimitExceeded",
    "ProvisionedThroughputExceededException",
    "PriorRequestNotComplete",
    "SlowDown",
    "EC2ThrottledException",
];

/// Codes of credentials that worked once.
const EXPIRED: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "TokenRefreshRequired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidToken",
    "InvalidAccessKeyId",
];

/// Codes that a wrong clock brings about, among other things.
const SIGNATURE: &[&str] = &[
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "RequestInTheFuture",
    "AuthFailure",
    "IncompleteSignature",
    "MissingAuthenticationToken",
];

/// What to do about an answer, by its code, its text and its HTTP status.
pub fn kind(code: Option<&str>, message: &str, status: u16) -> ErrorKind {
    let named = |codes: &[&str]| code.is_some_and(|code| codes.contains(&code));
    if named(THROTTLING) || status == 429 || is_throttling_text(message) {
        return ErrorKind::Throttled { retry_after: None };
    }
    if named(EXPIRED) {
        return ErrorKind::ExpiredCredentials;
    }
    if named(SIGNATURE) || named(&["OptInRequired"]) {
        return ErrorKind::Credentials;
    }
    let word = code.unwrap_or_default();
    match word {
        "AlreadyExistsException" | "AlreadyExists" | "ResourceInUseException" | "EntityAlreadyExists" => {
            ErrorKind::AlreadyExists
        }
        "ChangeSetNotFound" | "ChangeSetNotFoundException" | "StackNotFoundException" | "NoSuchEntity" => {
            ErrorKind::NotFound
        }
        "ParameterNotFound" | "NoSuchBucket" | "NoSuchKey" | "NotFound" | "TypeNotFoundException" => {
            ErrorKind::NotFound
        }
        "InsufficientCapabilities" | "InsufficientCapabilitiesException" => {
            ErrorKind::InsufficientCapabilities
        }
        "InvalidChangeSetStatus" | "InvalidChangeSetStatusException" => ErrorKind::WrongState,
        "OperationInProgressException" | "StaleRequestException" | "InvalidStateTransition" => {
            ErrorKind::WrongState
        }
        "LimitExceeded" | "LimitExceededException" | "ServiceQuotaExceededException" => ErrorKind::Limit,
        "TokenAlreadyExists" | "TokenAlreadyExistsException" => ErrorKind::TokenReused,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" => {
            ErrorKind::Denied
        }
        "ValidationError" | "ValidationException" => validation(message),
        // EC2, load balancing and SageMaker: `InvalidVpcID.NotFound`, `TargetGroupNotFound`, `ResourceNotFound`.
        _ if word.ends_with("NotFoundException") || word.ends_with("NotFound") => ErrorKind::NotFound,
        _ if status >= 500 || matches!(word, "InternalFailure" | "InternalError" | "ServiceUnavailable") => {
            ErrorKind::Unreachable
        }
        "" => match status {
            401 | 403 => ErrorKind::Denied,
            404 => ErrorKind::NotFound,
            408 | 425 => ErrorKind::Unreachable,
            // Whoever says it, the request is wrong: the same one gets the same answer.
            400..500 => ErrorKind::Invalid,
            // An error that names no code is no answer of the service.
            _ => ErrorKind::Protocol,
        },
        _ if status == 400 => ErrorKind::Invalid,
        _ => ErrorKind::Other,
    }
}

/// `ValidationError` is many things; its sentence says which.
fn validation(message: &str) -> ErrorKind {
    if is_no_such_stack(message) {
        ErrorKind::NotFound
    } else if required_capabilities(message).is_some() {
        ErrorKind::InsufficientCapabilities
    } else if wrong_state(message).is_some()
        || is_change_set_busy(message)
        || is_termination_protected(message)
    {
        ErrorKind::WrongState
    } else {
        ErrorKind::Invalid
    }
}

/// Whether a signature was refused, which a wrong clock may be the reason of.
pub fn is_signature_refused(code: Option<&str>) -> bool {
    code.is_some_and(|code| SIGNATURE.contains(&code))
}

/// `Rate exceeded` comes as a reason, too, without a code.
pub fn is_throttling_text(message: &str) -> bool {
    message.contains("Rate exceeded") || message.contains("Throttling: ")
}

/// `Stack with id X does not exist`, `Stack [X] does not exist`, `Stack 'X' does not exist`.
pub fn is_no_such_stack(message: &str) -> bool {
    message.contains("does not exist") && (message.contains("Stack ") || message.contains("stack "))
}

/// `No updates are to be performed.`: the answer to an update that changes nothing.
pub fn is_no_updates(message: &str) -> bool {
    message.contains("No updates are to be performed")
}

/// Whether a change set failed because it would change nothing; a transform words it differently and may put text around
/// it.
pub fn is_empty_change_set(reason: &str) -> bool {
    reason.contains("The submitted information didn't contain changes") || is_no_updates(reason)
}

/// `X is in S state and can not be updated`: the state, which is a stack's status.
pub fn wrong_state(message: &str) -> Option<&str> {
    let (before, _) = message.split_once(" state and can")?;
    let (_, state) = before.rsplit_once("is in ")?;
    Some(state.trim())
}

/// `An operation on this ChangeSet is currently in progress.`
pub fn is_change_set_busy(message: &str) -> bool {
    message.contains("An operation on this ChangeSet is currently in progress")
}

/// `Stack [X] cannot be deleted while TerminationProtection is enabled`.
pub fn is_termination_protected(message: &str) -> bool {
    message.contains("while TerminationProtection is enabled")
}

/// `Delete canceled. Cannot delete export X as it is in use by A, B and C.`, or `Cannot update`; until about 2021
/// `Export X cannot be deleted as it is in use by Y`: the export and the stacks that import it.
pub fn export_in_use(message: &str) -> Option<(&str, Vec<&str>)> {
    let (before, users) = message.split_once(" as it is in use by ")?;
    let todays = ["Cannot delete export ", "Cannot update export "];
    let export = todays.iter().find_map(|words| Some(before.rsplit_once(words)?.1)).or_else(|| {
        let earlier = before
            .strip_suffix(" cannot be deleted")
            .or_else(|| before.strip_suffix(" cannot be updated"))?;
        Some(earlier.rsplit_once("Export ")?.1)
    })?;
    let users = users.split(", ").flat_map(|users| users.split(" and "));
    let users = users.map(|user| user.trim().trim_end_matches(['.', '…']).trim_matches(['[', ']', ' ']));
    let users = users.map(|user| user.split_whitespace().next().unwrap_or_default());
    Some((export.trim(), users.filter(|user| !user.is_empty()).collect()))
}

/// `No export named X found`: the export that an import does not find.
pub fn missing_export(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("No export named ")?;
    rest.split_once(" found").map(|(name, _)| name.trim())
}

/// `Export 'X' is not imported by any stack.`
pub fn is_not_imported(message: &str) -> bool {
    message.contains("is not imported by any stack")
}

/// `CancelUpdateStack cannot be called from current stack status`.
pub fn is_nothing_to_cancel(message: &str) -> bool {
    message.contains("CancelUpdateStack cannot be called from current stack status")
}

/// `Requires capabilities : [CAPABILITY_NAMED_IAM]`: the capabilities.
pub fn required_capabilities(message: &str) -> Option<Vec<&str>> {
    let (_, rest) = message.split_once("Requires capabilities : [")?;
    let (list, _) = rest.split_once(']')?;
    Some(list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect())
}

/// Whether CloudFormation could not read the template from its bucket.
pub fn is_template_unreadable(message: &str) -> bool {
    message.contains("S3 error: ")
        || message.contains(
            "The bucket you are attempting to access must be addressed using the specified endpoint",
        )
}

/// Whether a change set failed in the validation before the deployment, whose findings `DescribeEvents` tells.
pub fn early_validation(reason: &str) -> bool {
    reason.contains("AWS::EarlyValidation")
}

/// `Nested change set ARN was not successfully created`: the change set whose own reason says why.
pub fn nested_change_set(reason: &str) -> Option<&str> {
    let (_, rest) = reason.split_once("Nested change set")?;
    let start = rest.find("arn:")?;
    let arn = &rest[start..];
    let end =
        arn.find(|letter: char| letter.is_whitespace() || ",;'\"()[]".contains(letter)).unwrap_or(arn.len());
    Some(arn[..end].trim_end_matches(['.', ':']))
}

/// A change set that would take in existing resources and may not: the resources, as `Logical (Type)` or however they are
/// written.
pub fn import_existing(reason: &str) -> Option<Vec<&str>> {
    const SENTENCE: &str =
        "is attempting to import some resources because they already exist in your account";
    if !reason.contains(SENTENCE) {
        return None;
    }
    let (_, list) = reason.split_once("affected resources are").unwrap_or((reason, ""));
    let list = list.split_once("].").map_or(list, |(list, _)| list);
    let list = list.trim_matches(|letter: char| letter.is_whitespace() || ":.[]".contains(letter));
    Some(list.split(", ").map(str::trim).filter(|name| !name.is_empty()).collect())
}

/// Whether the values of properties made a change set's description incomplete, so that it has to be asked for without.
pub fn is_incomplete_with_values(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    reason.contains("[warn]") && reason.contains("include-property-values") && reason.contains("incomplete")
}

/// `Encoded authorization failure message: X`: what `DecodeAuthorizationMessage` takes.
pub fn encoded_authorization(reason: &str) -> Option<&str> {
    let at = reason.to_ascii_lowercase().find("encoded authorization failure message:")?;
    let (_, rest) = reason[at..].split_once(':')?;
    let rest = rest.trim_start();
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !"-_+/=".contains(letter));
    let text = &rest[..end.unwrap_or(rest.len())];
    (!text.is_empty()).then_some(text)
}

/// `Stack Drift Detection is already in progress`, the answer to a second `DetectStackDrift`.
pub fn is_drift_detection_running(message: &str) -> bool {
    message.to_ascii_lowercase().contains("drift detection is already in progress")
}

/// What to change when a role is refused: STS does not say that an external id is what it lacks.
pub fn role_hint(message: &str, with_external_id: bool) -> &'static str {
    if message.contains("sts:TagSession") {
        "; the role's trust policy has to allow sts:TagSession"
    } else if !message.contains("not authorized to perform: sts:AssumeRole") {
        ""
    } else if with_external_id {
        "; does its trust policy name the caller and this external id?"
    } else {
        "; does its trust policy name the caller, or ask for an external id?"
    }
}

/// Whether it is the single sign-on that brings no credentials.
pub fn is_sso(text: &str) -> bool {
    text.contains("SSO") || text.contains("sso")
}

/// Whether nobody who is trusted signed a host's certificate.
pub fn is_unknown_signer(text: &str) -> bool {
    text.contains("UnknownIssuer")
}

/// What stands in the way of a connection, in words that say what to change; the rest stays as it came.
pub fn connection_problem(
    text: &str,
    host: &str,
    issuer: Option<&str>,
    proxy: Option<&str>,
) -> (ErrorKind, String) {
    let through = proxy.map(|proxy| format!(" (proxy {proxy}, from the environment)")).unwrap_or_default();
    let lower = text.to_ascii_lowercase();
    if lower.contains("proxy authorization required") {
        return (ErrorKind::Other, format!("the proxy asks for a user and a password{through}"));
    }
    if lower.contains("tunnel error: unsuccessful") {
        return (ErrorKind::Other, format!("the proxy refuses a connection to {host}{through}"));
    }
    if lower.contains("tunnel error") || (proxy.is_some() && lower.contains("connect")) {
        return (
            ErrorKind::Unreachable,
            format!("{host} cannot be reached through the proxy{through}: {text}"),
        );
    }
    if is_unknown_signer(text) {
        let who = issuer.unwrap_or("somebody unknown");
        let fix = format!(
            "{who} signed its certificate; if that is who it should be, name their certificate in AWS_CA_BUNDLE"
        );
        return (ErrorKind::Other, format!("{host} is not trusted: {fix}{through}"));
    }
    if lower.contains("invalid peer certificate") || lower.contains("certificate not valid") {
        return (ErrorKind::Other, format!("the certificate of {host} is not valid{through}: {text}"));
    }
    if lower.contains("invalidcontenttype") || lower.contains("corrupt message") {
        return (ErrorKind::Other, format!("{host} does not speak TLS{through}: {text}"));
    }
    if lower.contains("dns error") || lower.contains("failed to lookup address") {
        return (
            ErrorKind::Unreachable,
            format!("{host} has no address: is the region spelt as AWS does, and is the network up?"),
        );
    }
    (ErrorKind::Unreachable, format!("{host} cannot be reached{through}: {text}"))
}

#[cfg(test)]
mod tests;
