//! What has to be known of a bucket before something is put into it.

use aws_sdk_s3::types::{BucketVersioningStatus, ServerSideEncryption};

use super::Storage;
use crate::aws::error::{Error, ErrorKind};

/// What was found out about a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketFacts {
    /// The region that it is in.
    pub region: String,
    /// What its objects are encrypted with unless a call says otherwise.
    pub encryption: Encryption,
    /// Whether it keeps replaced objects.
    pub versioned: bool,
}

/// How objects are encrypted at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// The bucket does not say, or may not be asked: the call says nothing either.
    Unknown,
    /// Keys of S3.
    Aes256,
    /// A key of KMS; without an id, the one that AWS manages.
    Kms {
        /// The key's id or ARN.
        key: Option<String>,
    },
    /// A key of KMS, twice.
    KmsTwice {
        /// The key's id or ARN.
        key: Option<String>,
    },
}

impl Storage {
    /// Finds out where a bucket is and how it keeps objects. That it belongs to our account is part of the question.
    ///
    /// # Errors
    /// When the bucket is not there, not ours, or the caller may not ask where it is.
    pub async fn bucket(&self, bucket: &str) -> Result<BucketFacts, Error> {
        let region = self.location(bucket).await?;
        if region != self.region() {
            return Err(Error {
                operation: "GetBucketLocation",
                kind: ErrorKind::Other,
                code: Some(super::failure::OTHER_REGION.to_owned()),
                message: region,
                request_id: None,
            });
        }
        let encryption = self.encryption(bucket).await?;
        let versioned = self.versioned(bucket).await?;
        Ok(BucketFacts { region, encryption, versioned })
    }

    async fn location(&self, bucket: &str) -> Result<String, Error> {
        let call =
            || self.client.get_bucket_location().bucket(bucket).expected_bucket_owner(self.owner()).send();
        let answer = self.read("GetBucketLocation", call).await?;
        // Nothing stands for us-east-1, and `EU` for the region that was the first in Europe.
        Ok(match answer.location_constraint().map(|region| region.as_str()) {
            None | Some("") => "us-east-1".to_owned(),
            Some("EU") => "eu-west-1".to_owned(),
            Some(region) => region.to_owned(),
        })
    }

    /// The header has to repeat what the bucket would do anyhow, because policies refuse puts that do not carry it.
    async fn encryption(&self, bucket: &str) -> Result<Encryption, Error> {
        let call =
            || self.client.get_bucket_encryption().bucket(bucket).expected_bucket_owner(self.owner()).send();
        let answer = match self.read("GetBucketEncryption", call).await {
            Ok(answer) => answer,
            Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::NotFound) => {
                return Ok(Encryption::Unknown);
            }
            Err(error) => return Err(error),
        };
        let default = answer
            .server_side_encryption_configuration()
            .and_then(|configuration| configuration.rules().first())
            .and_then(|rule| rule.apply_server_side_encryption_by_default());
        let key = || default.and_then(|default| default.kms_master_key_id()).map(str::to_owned);
        Ok(match default.map(|default| default.sse_algorithm()) {
            Some(ServerSideEncryption::Aes256) => Encryption::Aes256,
            Some(ServerSideEncryption::AwsKms) => Encryption::Kms { key: key() },
            Some(ServerSideEncryption::AwsKmsDsse) => Encryption::KmsTwice { key: key() },
            _ => Encryption::Unknown,
        })
    }

    async fn versioned(&self, bucket: &str) -> Result<bool, Error> {
        let call =
            || self.client.get_bucket_versioning().bucket(bucket).expected_bucket_owner(self.owner()).send();
        match self.read("GetBucketVersioning", call).await {
            Ok(answer) => Ok(answer.status() == Some(&BucketVersioningStatus::Enabled)),
            // Without the right to ask, a URL names no version; that was fit for years.
            Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Encryption {
    /// The algorithm and the key as S3's headers say them.
    pub(super) fn headers(&self) -> (Option<ServerSideEncryption>, Option<String>) {
        match self {
            Self::Unknown => (None, None),
            Self::Aes256 => (Some(ServerSideEncryption::Aes256), None),
            Self::Kms { key } => (Some(ServerSideEncryption::AwsKms), key.clone()),
            Self::KmsTwice { key } => (Some(ServerSideEncryption::AwsKmsDsse), key.clone()),
        }
    }
}
