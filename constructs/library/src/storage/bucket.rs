//! A bucket for data that must not be lost or seen: private, encrypted, versioned, reached over TLS only, and kept when
//! its stack goes.

use formwork::{BucketArn, BucketName, Expression, KeyArn, RemovalPolicy, Resource, Scope, Value, text};
use formwork_resources::s3::{
    AbortIncompleteMultipartUpload, BucketEncryption, CfnBucket, CfnBucketPolicy, LifecycleConfiguration,
    LoggingConfiguration, NoncurrentVersionExpiration, OwnershipControls, OwnershipControlsRule,
    OwnershipControlsRuleObjectOwnership, PublicAccessBlockConfiguration, Rule, RuleStatus,
    ServerSideEncryptionByDefault, ServerSideEncryptionByDefaultSseAlgorithm as Algorithm,
    ServerSideEncryptionRule, Transition, TransitionStorageClass, VersioningConfiguration,
    VersioningConfigurationStatus,
};

use crate::iam::{PolicyDocument, Principal, Role, Statement};

/// What can be said about a bucket.
#[derive(Clone, Debug)]
pub struct DataBucketProps {
    /// The key that encrypts it; without one, the keys that S3 manages.
    pub key: Option<Value<KeyArn>>,
    /// The days after which an upload in parts that was never finished is thrown away.
    pub abort_incomplete_uploads_after_days: i64,
    /// The days for which a version that was replaced or deleted is kept. Current versions never expire.
    pub noncurrent_versions_kept_for_days: i64,
    /// The days after which an object moves to the storage class that watches how often it is read; without a number it
    /// stays where it is.
    pub intelligent_tiering_after_days: Option<i64>,
    /// The bucket that gets the log of all requests, below a prefix that is the path of the construct.
    pub access_log_bucket: Option<Value<BucketName>>,
    /// What happens to the bucket when its stack goes. Only an empty bucket can be deleted.
    pub removal_policy: RemovalPolicy,
}

impl Default for DataBucketProps {
    fn default() -> Self {
        Self {
            key: None,
            abort_incomplete_uploads_after_days: 7,
            noncurrent_versions_kept_for_days: 90,
            intelligent_tiering_after_days: None,
            access_log_bucket: None,
            removal_policy: RemovalPolicy::Retain,
        }
    }
}

impl DataBucketProps {
    /// The props with a key, unless they name one.
    #[must_use]
    pub fn or_key(mut self, key: Option<&Value<KeyArn>>) -> Self {
        self.key = self.key.or_else(|| key.cloned());
        self
    }

    /// What S3 cleans up by itself: never what is current.
    fn lifecycle(&self) -> Rule {
        let rule = Rule::new(RuleStatus::ENABLED)
            .id("clean-up")
            .abort_incomplete_multipart_upload(AbortIncompleteMultipartUpload::new(
                self.abort_incomplete_uploads_after_days,
            ))
            .expired_object_delete_marker(true)
            .noncurrent_version_expiration(NoncurrentVersionExpiration::new(
                self.noncurrent_versions_kept_for_days,
            ));
        match self.intelligent_tiering_after_days {
            Some(days) => rule.transitions([
                Transition::new(TransitionStorageClass::INTELLIGENT_TIERING).transition_in_days(days)
            ]),
            None => rule,
        }
    }
}

/// What a role may do with the objects below a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectAccess {
    /// Read and list.
    Read,
    /// Read, list and write.
    ReadWrite,
    /// Read, list, write and delete.
    Full,
}

/// A bucket for data.
#[derive(Clone, Debug)]
pub struct DataBucket {
    /// The name.
    pub name: Value<BucketName>,
    /// The ARN.
    pub arn: Value<BucketArn>,
    /// The key that encrypts it, when it is not one of S3's own.
    pub key: Option<Value<KeyArn>>,
}

impl DataBucket {
    /// Adds a bucket.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str, props: DataBucketProps) -> Self {
        let scope = scope.child(id);
        let by_default = match &props.key {
            Some(key) => ServerSideEncryptionByDefault::new(Algorithm::AWS_KMS).kms_master_key_id(key),
            None => ServerSideEncryptionByDefault::new(Algorithm::AES256),
        };
        let encryption = ServerSideEncryptionRule::new()
            .server_side_encryption_by_default(by_default)
            .bucket_key_enabled(props.key.is_some());
        let mut bucket = CfnBucket::new()
            .bucket_encryption(BucketEncryption::new([encryption]))
            .lifecycle_configuration(LifecycleConfiguration::new([props.lifecycle()]))
            .ownership_controls(OwnershipControls::new([OwnershipControlsRule::new()
                .object_ownership(OwnershipControlsRuleObjectOwnership::BUCKET_OWNER_ENFORCED)]))
            .public_access_block_configuration(
                PublicAccessBlockConfiguration::new()
                    .block_public_acls(true)
                    .block_public_policy(true)
                    .ignore_public_acls(true)
                    .restrict_public_buckets(true),
            )
            .versioning_configuration(VersioningConfiguration::new(VersioningConfigurationStatus::ENABLED))
            .removal_policy(props.removal_policy);
        if let Some(log_bucket) = &props.access_log_bucket {
            bucket = bucket.logging_configuration(
                LoggingConfiguration::new()
                    .destination_bucket_name(log_bucket)
                    .log_file_prefix(format!("{}/", scope.path())),
            );
        }
        let bucket = bucket.define(scope, "Bucket");
        let this = Self { name: bucket.bucket_name(), arn: bucket.arn(), key: props.key };
        let over_tls_only = Statement::deny(["s3:*"])
            .sid("OverTlsOnly")
            .principal(Principal::Anyone)
            .on(&this.arn)
            .on(text!("{}/*", &this.arn))
            .when("Bool", "aws:SecureTransport", "false");
        // The policy goes and stays with the bucket, which would otherwise be left open to plain HTTP.
        CfnBucketPolicy::new(&this.name, PolicyDocument::new([over_tls_only]))
            .removal_policy(props.removal_policy)
            .define(scope, "Policy");
        this
    }

    /// A bucket that exists already, by name.
    pub fn existing(name: &Value<BucketName>, key: Option<Value<KeyArn>>) -> Self {
        let arn = text!("arn:{}:s3:::{}", formwork::pseudo::partition(), name).retype();
        Self { name: name.clone(), arn, key }
    }

    /// Lets a role reach the objects below a prefix (without slashes at its ends; empty for the whole bucket).
    #[track_caller]
    pub fn grant(&self, scope: Scope<'_>, id: &str, role: &Role, prefix: &str, access: ObjectAccess) {
        role.grant(scope, id, self.statements(prefix, access));
    }

    /// The statements that [`DataBucket::grant`] adds.
    pub fn statements(&self, prefix: &str, access: ObjectAccess) -> Vec<Statement> {
        let mut statements = self.on_objects(prefix, access);
        statements.insert(1, self.on_bucket(access));
        statements
    }

    /// The same for who has no business outside of the prefix: other names in the bucket are not listed.
    ///
    /// S3 tells a missing object by 404 only to whoever may list, and asks that without a prefix; hence a condition that
    /// counts where there is one.
    pub fn confined_statements(&self, prefix: &str, access: ObjectAccess) -> Vec<Statement> {
        if prefix.is_empty() {
            return self.statements(prefix, access);
        }
        let within = [prefix.to_owned(), format!("{prefix}/*")];
        let list = self.on_bucket(access).when_any("StringLikeIfExists", "s3:prefix", within);
        let mut statements = self.on_objects(prefix, access);
        statements.insert(1, list);
        statements
    }

    /// What may be done with the bucket.
    fn on_bucket(&self, access: ObjectAccess) -> Statement {
        let mut actions = vec!["s3:GetBucketLocation", "s3:ListBucket"];
        if access != ObjectAccess::Read {
            actions.push("s3:ListBucketMultipartUploads");
        }
        Statement::allow(actions).on(&self.arn)
    }

    /// What may be done with the objects themselves, and with the key that encrypts them.
    fn on_objects(&self, prefix: &str, access: ObjectAccess) -> Vec<Statement> {
        let objects = match prefix {
            "" => text!("{}/*", &self.arn),
            prefix => text!("{}/{}/*", &self.arn, prefix),
        };
        let mut on_objects = vec!["s3:GetObject"];
        let mut on_key = vec!["kms:Decrypt"];
        if access != ObjectAccess::Read {
            on_objects.extend(["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"]);
            on_key.push("kms:GenerateDataKey");
        }
        if access == ObjectAccess::Full {
            on_objects.push("s3:DeleteObject");
        }
        let mut statements = vec![Statement::allow(on_objects).on(objects)];
        if let Some(key) = &self.key {
            statements.push(Statement::allow(on_key).on(key));
        }
        statements
    }

    /// The S3 URI of a prefix.
    pub fn uri(&self, prefix: &str) -> Value<String> {
        match prefix {
            "" => text!("s3://{}", &self.name),
            prefix => text!("s3://{}/{}", &self.name, prefix),
        }
    }

    /// The name as an untyped expression, for places that take any JSON.
    pub fn name_expression(&self) -> Expression {
        self.name.expression().clone()
    }
}
