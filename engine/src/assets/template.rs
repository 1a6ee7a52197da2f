//! Templates that are too large to go with a call: they go to S3, and CloudFormation is given their URL.

use bytes::Bytes;
use formwork_assembly::CloudAssembly;
use formwork_assembly::cloud_assembly::StackArtifact;
use sha2::{Digest, Sha256};

use super::manifest::of_stack;
use super::place::{Place, PlaceKey, not_bootstrapped};
use super::upload::{hex, put};
use super::{Publisher, stopped};
use crate::aws::Session;
use crate::aws::storage::NewObject;
use crate::control::Wish;
use crate::error::{Class, EngineError};
use crate::journal::Journal;

/// The most bytes of a template that go with a call. Source: AWS CloudFormation User Guide, "CloudFormation quotas".
pub const GREATEST_INLINE_BYTES: usize = 51_200;

/// The most bytes of a template that CloudFormation reads from S3. Source: the same.
const GREATEST_BYTES: usize = 1_048_576;

/// Where templates lie in a bucket of assets.
pub(crate) const PREFIX: &str = "templates/";

/// A template in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedTemplate {
    /// The URL that CloudFormation is given; it names the version where the bucket keeps versions.
    pub url: String,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
}

impl Publisher {
    /// Puts a template of a stack into S3 when it is too large to go with a call, or in any case with `force`; `None`
    /// when it may go with the call. `session` acts in the stack's account and region.
    ///
    /// It goes to the bucket of the stack's assets, else the one of the options, else that of the bootstrap stack.
    ///
    /// # Errors
    /// When the template is too large altogether, or there is no bucket for it.
    pub async fn template(
        &self,
        text: &str,
        stack: &StackArtifact,
        assembly: &CloudAssembly,
        session: &Session,
        journal: &Journal,
        force: bool,
    ) -> Result<Option<PublishedTemplate>, EngineError> {
        let name = stack.stack_name();
        if text.len() > GREATEST_BYTES {
            let message = format!(
                "the template of stack {name} has {} bytes, and CloudFormation reads {GREATEST_BYTES} at most",
                text.len()
            );
            return Err(EngineError::new(Class::Input, message).with_hint("split the stack"));
        }
        if text.len() <= GREATEST_INLINE_BYTES && !force {
            return Ok(None);
        }
        if self.0.runtime.control.wish() != Wish::Continue {
            return Err(stopped("of the template"));
        }
        let place = self.template_place(text, stack, assembly, session).await?;
        let sha256: [u8; 32] = Sha256::digest(text).into();
        let key = format!("{PREFIX}{}.json", hex(&sha256));
        let version = self.put_template(&place, &key, &sha256, text, journal).await?;
        let url = place.storage.template_url(&place.bucket, &key, version.as_deref());
        Ok(Some(PublishedTemplate { url, bucket: place.bucket, key }))
    }

    async fn put_template(
        &self,
        place: &Place,
        key: &str,
        sha256: &[u8; 32],
        text: &str,
        journal: &Journal,
    ) -> Result<Option<String>, EngineError> {
        let explain = |error| place.explain(error);
        let found = place.storage.find(&place.bucket, key).await.map_err(explain)?;
        if found.is_some_and(|found| found.bytes == text.len() as u64) {
            // What lies there is used only when S3 itself says that it is this text.
            if let Ok(Some(head)) = place.storage.head(&place.bucket, key).await
                && head.sha256.as_deref() == Some(hex(sha256).as_str())
            {
                return Ok(head.version);
            }
        }
        let object = NewObject {
            bucket: &place.bucket,
            key,
            sha256,
            content_type: Some("application/json"),
            encryption: &place.facts.encryption,
        };
        let stored = put(place, &object, Bytes::copy_from_slice(text.as_bytes()), journal).await?;
        Ok(stored.version)
    }

    async fn template_place(
        &self,
        text: &str,
        stack: &StackArtifact,
        assembly: &CloudAssembly,
        session: &Session,
    ) -> Result<Place, EngineError> {
        let manifests = of_stack(assembly, stack)?;
        let destinations =
            manifests.iter().flat_map(|it| &it.files).flat_map(|(_, it)| it.destinations.values());
        let here = destinations.into_iter().find(|destination| {
            destination.region.as_deref().is_none_or(|region| region == session.region())
        });
        if let Some(destination) = here {
            return self.place(&PlaceKey::of(destination, session), session).await;
        }
        if let Some(bucket) = &self.0.options.bucket {
            return self.place(&PlaceKey::named(bucket, session), session).await;
        }
        let found = crate::bootstrap::look(session, &self.0.options.qualifier).await?;
        match found.bucket.or(found.cdk_bucket) {
            Some(bucket) => self.place(&PlaceKey::named(&bucket, session), session).await,
            None => {
                let cause =
                    not_bootstrapped(&crate::bootstrap::bucket_parameter(&self.0.options.qualifier), session);
                let message = format!(
                    "the template of stack {} has {} bytes, more than the {GREATEST_INLINE_BYTES} that go with a call, and there is no bucket for it: {}",
                    stack.stack_name(),
                    text.len(),
                    cause.message
                );
                let hint = cause.hint.unwrap_or_default();
                Err(EngineError::new(cause.class, message).with_hint(hint))
            }
        }
    }
}
