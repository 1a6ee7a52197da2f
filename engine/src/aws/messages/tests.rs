//! The sentences as AWS words them; each was seen in an answer or stands in AWS's documentation.

use super::*;

#[test]
fn stacks_that_are_not_there_are_told_in_three_ways() {
    assert!(is_no_such_stack("Stack with id formwork-networking does not exist"));
    assert!(is_no_such_stack("Stack [formwork-networking] does not exist"));
    assert!(is_no_such_stack("Stack 'formwork-networking' does not exist"));
    assert!(!is_no_such_stack(
        "Template format error: Unresolved resource dependencies [X] in the Outputs block"
    ));
    assert!(!is_no_such_stack("Role arn:aws:iam::1:role/x does not exist"));
    assert_eq!(kind(Some("ValidationError"), "Stack with id x does not exist", 400), ErrorKind::NotFound);
}

/// Fault 21: both sentences of an empty change set, with whatever stands around them.
#[test]
fn empty_change_sets_are_recognised_with_text_around() {
    for reason in [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
        "Transform AWS::Serverless-2016-10-31 failed with: No updates are to be performed.",
        "[WARN] something. The submitted information didn't contain changes.",
    ] {
        assert!(is_empty_change_set(reason), "{reason}");
    }
    assert!(!is_empty_change_set("Parameters: [AssetBucket] must have values"));
    assert!(is_no_updates("No updates are to be performed."));
}

#[test]
fn states_that_do_not_allow_an_operation_are_named() {
    for (message, state) in [
        (
            "Stack:arn:aws:cloudformation:us-east-1:1:stack/a/b is in ROLLBACK_COMPLETE state and can not be updated.",
            "ROLLBACK_COMPLETE",
        ),
        ("Stack [x] is in UPDATE_IN_PROGRESS state and can not be updated.", "UPDATE_IN_PROGRESS"),
        ("Stack [x] is in DELETE_IN_PROGRESS state and cannot be updated.", "DELETE_IN_PROGRESS"),
    ] {
        assert_eq!(wrong_state(message), Some(state));
        assert_eq!(kind(Some("ValidationError"), message, 400), ErrorKind::WrongState);
    }
    assert!(is_change_set_busy("An operation on this ChangeSet is currently in progress."));
    assert!(is_nothing_to_cancel("CancelUpdateStack cannot be called from current stack status"));
    assert!(is_drift_detection_running("Stack Drift Detection is already in progress for this stack"));
}

#[test]
fn exports_in_use_name_the_export_and_its_importers() {
    let deleted = "Export net:ExportsOutputRefVpc8378EB38 cannot be deleted as it is in use by domain";
    assert_eq!(export_in_use(deleted), Some(("net:ExportsOutputRefVpc8378EB38", vec!["domain"])));
    let updated = "Export Vpc cannot be updated as it is in use by a, b and c.";
    assert_eq!(export_in_use(updated), Some(("Vpc", vec!["a", "b", "c"])));
    let todays = "Delete canceled. Cannot delete export Vpc as it is in use by a.";
    assert_eq!(export_in_use(todays), Some(("Vpc", vec!["a"])));
    let changed = "Cannot update export net:Vpc as it is in use by a, b and c…";
    assert_eq!(export_in_use(changed), Some(("net:Vpc", vec!["a", "b", "c"])));
    let wrapped = "Delete canceled. Export V cannot be deleted as it is in use by [x]";
    assert_eq!(export_in_use(wrapped), Some(("V", vec!["x"])));
    assert_eq!(export_in_use("Export V is fine"), None);
    assert_eq!(missing_export("No export named net:Vpc found"), Some("net:Vpc"));
    assert!(is_not_imported("Export 'net:Vpc' is not imported by any stack."));
}

#[test]
fn protection_capabilities_and_buckets_are_recognised() {
    assert!(is_termination_protected("Stack [net] cannot be deleted while TerminationProtection is enabled"));
    let both = "Requires capabilities : [CAPABILITY_IAM, CAPABILITY_NAMED_IAM]";
    assert_eq!(required_capabilities(both), Some(vec!["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]));
    assert_eq!(kind(Some("ValidationError"), both, 400), ErrorKind::InsufficientCapabilities);
    assert!(is_template_unreadable(
        "S3 error: Access Denied\nFor more information check http://docs.aws.amazon.com/"
    ));
    assert!(is_template_unreadable(
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all"
    ));
}

#[test]
fn reasons_of_failed_change_sets_lead_on() {
    assert!(early_validation(
        "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]."
    ));
    let nested = "Nested change set arn:aws:cloudformation:us-east-1:1:changeSet/fw-1/0a was not successfully created: Currently in FAILED.";
    assert_eq!(nested_change_set(nested), Some("arn:aws:cloudformation:us-east-1:1:changeSet/fw-1/0a"));
    assert_eq!(nested_change_set("Parameter validation failed"), None);
    let import = "CloudFormation is attempting to import some resources because they already exist in your account. \
                  The resources must have the DeletionPolicy attribute set to 'Retain' or 'RetainExceptOnCreate' in the \
                  template for successful import. The affected resources are Bucket (my-bucket), Table (my-table)";
    assert_eq!(import_existing(import), Some(vec!["Bucket (my-bucket)", "Table (my-table)"]));
    assert_eq!(import_existing("nothing of the kind"), None);
    let warning = "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet \
                   creation failed for resource [Db] because: Limit exceeded";
    assert!(is_incomplete_with_values(warning));
    assert!(!is_incomplete_with_values("[WARN] something else"));
}

#[test]
fn encoded_messages_are_cut_out() {
    let reason = "API: ec2:CreateVpc You are not authorized to perform this operation. Encoded authorization failure \
                  message: aBc-_0123= (Service: Ec2, Status Code: 403)";
    assert_eq!(encoded_authorization(reason), Some("aBc-_0123="));
    assert_eq!(encoded_authorization("Encoded authorization failure message: "), None);
    assert_eq!(encoded_authorization("no such thing"), None);
}

#[test]
fn codes_and_statuses_say_what_to_do() {
    let of = |code, status| kind(Some(code), "", status);
    assert_eq!(of("Throttling", 400), ErrorKind::Throttled { retry_after: None });
    assert_eq!(kind(None, "", 429), ErrorKind::Throttled { retry_after: None });
    assert_eq!(of("ExpiredToken", 403), ErrorKind::ExpiredCredentials);
    assert_eq!(of("RequestExpired", 400), ErrorKind::ExpiredCredentials);
    assert_eq!(of("InvalidClientTokenId", 403), ErrorKind::ExpiredCredentials);
    assert_eq!(of("SignatureDoesNotMatch", 403), ErrorKind::Credentials);
    assert_eq!(of("AccessDenied", 403), ErrorKind::Denied);
    assert_eq!(of("AlreadyExistsException", 400), ErrorKind::AlreadyExists);
    assert_eq!(of("ChangeSetNotFound", 404), ErrorKind::NotFound);
    assert_eq!(of("InvalidChangeSetStatus", 400), ErrorKind::WrongState);
    assert_eq!(of("InsufficientCapabilitiesException", 400), ErrorKind::InsufficientCapabilities);
    assert_eq!(of("LimitExceededException", 400), ErrorKind::Limit);
    assert_eq!(of("TokenAlreadyExistsException", 400), ErrorKind::TokenReused);
    assert_eq!(of("InternalFailure", 500), ErrorKind::Unreachable);
    assert_eq!(of("SomethingNew", 503), ErrorKind::Unreachable);
    assert_eq!(of("SomethingNew", 400), ErrorKind::Invalid);
    assert_eq!(kind(None, "", 502), ErrorKind::Unreachable);
    assert_eq!(kind(None, "", 400), ErrorKind::Invalid);
    assert_eq!(kind(None, "", 418), ErrorKind::Invalid);
    assert_eq!(kind(None, "", 401), ErrorKind::Denied);
}

/// Faults 10, 11 and 19: what stands in the way is named, with what to change; only what may pass is worth a repeat.
#[test]
fn broken_connections_say_what_to_change() {
    let problem =
        |text, proxy| connection_problem(text, "cloudformation.eu-west-1.amazonaws.com", None, proxy);
    let proxy = Some("http://proxy:3128");
    let (kind, text) = problem("client error (Connect): tunnel error: proxy authorization required", proxy);
    assert_eq!(kind, ErrorKind::Other);
    assert!(text.contains("proxy http://proxy:3128") && text.contains("a user and a password"), "{text}");
    let (kind, text) = problem("tunnel error: unsuccessful", proxy);
    assert_eq!(kind, ErrorKind::Other);
    assert!(text.contains("refuses a connection to cloudformation.eu-west-1"), "{text}");
    let (kind, text) =
        problem("tunnel error: failed to create underlying connection: tcp connect error", proxy);
    assert_eq!(kind, ErrorKind::Unreachable);
    assert!(text.contains("through the proxy"), "{text}");
    let (kind, text) = problem("invalid peer certificate: UnknownIssuer", None);
    assert_eq!(kind, ErrorKind::Other);
    assert!(text.contains("AWS_CA_BUNDLE"), "{text}");
    let (kind, text) = problem("dns error: failed to lookup address information", None);
    assert_eq!(kind, ErrorKind::Unreachable);
    assert!(text.contains("spelt"), "{text}");
}

/// Fault 4: what a refused role lacks is said as far as STS lets anybody see it.
#[test]
fn refused_roles_say_what_they_may_lack() {
    let refusal = "User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::2:role/r";
    assert!(role_hint(refusal, false).contains("external id"));
    assert!(role_hint(refusal, true).contains("this external id"));
    assert!(role_hint("not authorized to perform: sts:TagSession", false).contains("sts:TagSession"));
}
