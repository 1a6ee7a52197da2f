//! A bucket for an app that runs outside of AWS, such as on Heroku, and the one key that reaches it.
//!
//! Such an app has no role that it could take on, so it gets a user that can do nothing but use its part of the bucket.
//! The user's key goes straight into a secret: no output, no log and no state of a tool ever has it. Raising its serial
//! number makes another one.

use formwork::{KeyArn, Output, RemovalPolicy, Resource, ResourceId, Scope, SecretArn, Value, text};
use formwork_resources::iam::{CfnAccessKey, CfnPolicy, CfnUser};
use formwork_resources::secretsmanager::CfnSecret;

use crate::iam::PolicyDocument;
use crate::storage::{DataBucket, DataBucketProps, ObjectAccess};

/// What can be said about the bucket and its key.
#[derive(Clone, Debug)]
pub struct S3OnlyProps {
    /// The prefix in the bucket that the app uses; empty for all of it.
    pub prefix: String,
    /// Which of the user's keys is the one in use, counted from 1. A greater number makes another key, and takes away the
    /// one before once the new one is in the secret.
    pub key_serial: u32,
    /// All about the bucket.
    pub bucket: DataBucketProps,
    /// The key that encrypts bucket and secret; without one, the keys that AWS manages.
    pub key: Option<Value<KeyArn>>,
}

impl Default for S3OnlyProps {
    fn default() -> Self {
        Self { prefix: "mlflow".to_owned(), key_serial: 1, bucket: DataBucketProps::default(), key: None }
    }
}

/// A bucket and the key that reaches it.
#[derive(Clone, Debug)]
pub struct S3Only {
    /// The bucket.
    pub bucket: DataBucket,
    /// The place in it, `s3://BUCKET/PREFIX`.
    pub location: Value<String>,
    /// The name of the user whose key it is.
    pub user_name: Value<String>,
    /// The secret: JSON with `AccessKey` and `SecretAccessKey`.
    pub secret: Value<SecretArn>,
}

impl S3Only {
    /// Adds a bucket, a user and its key, and tells where they are as outputs beside them.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str, props: S3OnlyProps) -> Self {
        let outside = scope;
        let scope = scope.child(id);
        let bucket = DataBucket::new(scope, "Data", props.bucket.or_key(props.key.as_ref()));
        let user = CfnUser::new().define(scope, "User");
        let document = PolicyDocument::new(bucket.confined_statements(&props.prefix, ObjectAccess::Full));
        let policy = CfnPolicy::new(document, "use-the-bucket")
            .users([user.user_name()])
            .define(scope, "Policy")
            .resource();
        let secret = secret(scope, user.user_name(), props.key_serial, props.key.as_ref(), policy);
        let this = Self { location: bucket.uri(&props.prefix), bucket, user_name: user.user_name(), secret };
        this.show(outside);
        this
    }

    fn show(&self, scope: Scope<'_>) {
        let location = Output::new(&self.location);
        location
            .description("The place of artifacts, for MLflow's artifact root")
            .define(scope, "ArtifactLocation");
        Output::new(&self.bucket.name).description("The bucket").define(scope, "BucketName");
        Output::new(&self.user_name).description("The user whose key it is").define(scope, "UserName");
        Output::new(&self.secret)
            .description("The secret with the user's key; `formwork kit heroku --from-stack` reads it")
            .define(scope, "SecretArn");
    }
}

/// The key, in the secret and nowhere else.
#[track_caller]
fn secret(
    scope: Scope<'_>,
    user: Value<String>,
    serial: u32,
    encryption: Option<&Value<KeyArn>>,
    policy: ResourceId,
) -> Value<SecretArn> {
    let key = CfnAccessKey::new(user).serial(i64::from(serial)).depends_on(policy).define(scope, "Key");
    let halves =
        text!("{{\"AccessKey\":\"{}\",\"SecretAccessKey\":\"{}\"}}", key.id(), key.secret_access_key());
    let mut secret = CfnSecret::new()
        .description("The key by which an app outside of AWS reaches its bucket")
        .secret_string(halves);
    if let Some(encryption) = encryption {
        secret = secret.kms_key_id(encryption);
    }
    // The key goes with its user, and a secret without a key is of no use.
    secret.removal_policy(RemovalPolicy::Delete).define(scope, "KeyOfUser").id()
}

#[cfg(test)]
mod tests;
