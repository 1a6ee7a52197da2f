//! How the world around CloudFormation is, as a script says.
//!
//! Faults of calls come and go with time and count. A setting holds from the moment when the script is read.

use std::time::Duration;

/// How the world around CloudFormation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A bucket and what is special about it.
    Bucket(String, BucketSetting),
    /// A role, by name or ARN, `*` for any, cannot be assumed.
    RoleDenied(String),
    /// A role wants this external id.
    RoleExternalId(String, String),
    /// A role cannot be assumed with session tags.
    RoleTagsDenied(String),
    /// Sessions of roles last this long, whatever was asked for.
    SessionsLast(Duration),
    /// A parameter of SSM.
    Parameter(String, String),
    /// An image in a repository: the repository and the tag.
    Image(String, String),
    /// An app in SageMaker Studio, as `space:OWNER/TYPE/NAME` or `user:OWNER/TYPE/NAME`.
    App(String),
    /// A space in SageMaker Studio.
    Space(String),
    /// A user profile in SageMaker Studio that no stack made.
    Profile(String),
    /// What a simulated principal policy denies: an action, `*` for any letters.
    ActionDenied(String),
    /// What a service says of resources.
    State(ResourceState),
    /// A line in the log groups of a name, `*` for any letters.
    LogLine(String, String),
}

/// What a service says of resources that are not as they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceState {
    /// The type, such as `AWS::SageMaker::Domain`, or the type and a physical id with a slash between; `*` stands for any
    /// letters. `AWS::SSM::ManagedInstance` is the agent on an instance.
    pub resource: String,
    /// The service's own word, such as `Failed` or `unhealthy`.
    pub word: String,
    /// The service's reason: a text or, for targets, a code.
    pub reason: Option<String>,
}

/// What is special about a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketSetting {
    /// It is there, with nothing special.
    Exists,
    /// It belongs to another account, which lets anybody write: a bucket that was squatted.
    Owner(String),
    /// It is in another region.
    Region(String),
    /// Nobody may use it.
    Denied,
    /// Objects are encrypted with this key unless they say otherwise.
    KmsKey(String),
    /// Its key does not let anybody encrypt.
    KmsDenied,
    /// Objects without an encryption header are refused.
    RequiresEncryption,
    /// Objects keep their versions.
    Versioned,
    /// What is stored in it is damaged on the way.
    Corrupts,
}
