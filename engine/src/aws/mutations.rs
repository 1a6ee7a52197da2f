//! Every call of the engine that changes something, and why repeating it does no harm.
//!
//! A connection can break after a service took a call, so that each of these may arrive twice. Where the API takes an
//! idempotency token the second has no effect; for the others the reason stands here, and a test compares the table with
//! the sources.

/// Why a call may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It carries a token in this field.
    Token(&'static str),
    /// It has no token; this is why a second call changes nothing.
    Harmless(&'static str),
}

/// A call that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// The service, by the name that signatures use.
    pub service: &'static str,
    /// The API operation.
    pub operation: &'static str,
    /// Why it may be repeated.
    pub repeat: Repeat,
}

const fn token(service: &'static str, operation: &'static str, field: &'static str) -> Mutation {
    Mutation { service, operation, repeat: Repeat::Token(field) }
}

const fn harmless(service: &'static str, operation: &'static str, reason: &'static str) -> Mutation {
    Mutation { service, operation, repeat: Repeat::Harmless(reason) }
}

/// The calls.
pub const MUTATIONS: &[Mutation] = &[
    token("cloudformation", "CreateChangeSet", "ClientToken"),
    token("cloudformation", "ExecuteChangeSet", "ClientRequestToken"),
    token("cloudformation", "DeleteStack", "ClientRequestToken"),
    token("cloudformation", "RollbackStack", "ClientRequestToken"),
    token("cloudformation", "ContinueUpdateRollback", "ClientRequestToken"),
    token("cloudformation", "CancelUpdateStack", "ClientRequestToken"),
    harmless(
        "cloudformation",
        "DeleteChangeSet",
        "it names one change set by its ARN, which is never used again",
    ),
    harmless("cloudformation", "UpdateTerminationProtection", "it sets a value"),
    harmless(
        "cloudformation",
        "DetectStackDrift",
        "it changes no stack; while one detection runs a second is refused",
    ),
    harmless("sts", "AssumeRole", "it makes credentials; those that are lost expire"),
    harmless("s3", "PutObject", "the key is the hash of the content"),
    harmless(
        "s3",
        "CreateMultipartUpload",
        "an upload that nobody completes is removed by the bucket's lifecycle",
    ),
    harmless("s3", "UploadPart", "a part of a number replaces the one before"),
    harmless("s3", "CompleteMultipartUpload", "the key is the hash of the content, and the parts are named"),
    harmless("s3", "AbortMultipartUpload", "it names one upload; a second abort finds none"),
    harmless("s3", "DeleteObject", "it names one version of a key"),
    harmless("s3", "DeleteObjects", "it names versions of keys"),
    harmless("ecr", "BatchDeleteImage", "it names images by digest"),
];

/// What is known of an operation.
pub fn of(service: &str, operation: &str) -> Option<&'static Mutation> {
    MUTATIONS.iter().find(|it| it.service == service && it.operation == operation)
}
