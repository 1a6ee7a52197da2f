//! The kinds of ids, names and ARNs that keep one reference from being used as another.
//!
//! Each is only ever a type argument of [`Value`]: a literal is made with `VpcId::literal("vpc-…")`, which also marks
//! plainly that something is taken in that this app does not make. Every kind is accepted where a plain string is wanted.

use super::{Expression, IntoValue, Value};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident,)*) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {}

        impl $name {
            /// A value that is known now, because the thing exists already or its name is chosen here.
            pub fn literal(text: impl Into<String>) -> Value<Self> {
                Value::from_expression(Expression::from(text.into()))
            }

            /// Known values from a list of texts.
            pub fn literals<I: IntoIterator<Item: Into<String>>>(texts: I) -> Vec<Value<Self>> {
                texts.into_iter().map(Self::literal).collect()
            }
        }

        impl AttributeKind for $name {}

        impl IntoValue<String> for Value<$name> {
            fn into_value(self) -> Value<String> {
                self.retype()
            }
        }

        impl IntoValue<String> for &Value<$name> {
            fn into_value(self) -> Value<String> {
                self.retype()
            }
        }

        impl IntoValue<Vec<String>> for Value<Vec<$name>> {
            fn into_value(self) -> Value<Vec<String>> {
                self.retype()
            }
        }

        impl IntoValue<Vec<String>> for &Value<Vec<$name>> {
            fn into_value(self) -> Value<Vec<String>> {
                self.retype()
            }
        }
    )* };
}

kinds! {
    /// The id of a VPC, `vpc-…`.
    VpcId,
    /// The id of a subnet, `subnet-…`.
    SubnetId,
    /// The id of a security group, `sg-…`.
    SecurityGroupId,
    /// The name of a security group.
    SecurityGroupName,
    /// The id of an Amazon machine image, `ami-…`.
    ImageId,
    /// The ARN of an IAM role.
    RoleArn,
    /// The ARN of a KMS key.
    KeyArn,
    /// The id, ARN or alias of a KMS key: any of the forms that name a key.
    KeyId,
    /// The name of a KMS alias, `alias/…`.
    KeyAlias,
    /// The name of an S3 bucket.
    BucketName,
    /// The ARN of an S3 bucket.
    BucketArn,
    /// The ARN of a Lambda function.
    FunctionArn,
    /// The name of a CloudWatch Logs log group.
    LogGroupName,
    /// The ARN of an SNS topic.
    TopicArn,
    /// The ARN of an SQS queue.
    QueueArn,
    /// The ARN of an ACM certificate.
    CertificateArn,
    /// The id of a Route 53 hosted zone.
    HostedZoneId,
    /// The ARN of a secret in Secrets Manager.
    SecretArn,
    /// The ARN of a load balancer.
    LoadBalancerArn,
    /// The ARN of a target group.
    TargetGroupArn,
    /// The id of a SageMaker domain, `d-…`.
    DomainId,
    /// The ARN of a SageMaker MLflow tracking server or app.
    MlflowArn,
}

macro_rules! names_a_key {
    ($($kind:ty,)*) => { $(
        impl IntoValue<KeyId> for $kind {
            fn into_value(self) -> Value<KeyId> {
                self.retype()
            }
        }
    )* };
}

names_a_key!(Value<KeyArn>, &Value<KeyArn>, Value<KeyAlias>, &Value<KeyAlias>,);

/// A kind that an attribute of a resource can have.
pub trait AttributeKind {
    /// Whether it is a list, which has to be joined to cross a stack's border.
    const IS_LIST: bool = false;
}

impl AttributeKind for String {}
impl AttributeKind for bool {}
impl AttributeKind for i64 {}
impl AttributeKind for f64 {}
impl AttributeKind for serde_json::Value {}
impl<T> AttributeKind for Vec<T> {
    const IS_LIST: bool = true;
}
