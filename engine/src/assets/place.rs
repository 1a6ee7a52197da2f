//! Where an asset goes: the bucket behind a destination, and who may put something there.

use std::sync::PoisonError;

use formwork_assembly::asset_manifest::FileDestination;

use super::manifest::fill;
use super::{DEFAULT_QUALIFIER, PublishOptions, Publisher};
use crate::aws::Session;
use crate::aws::storage::{BucketFacts, Storage, explain};
use crate::error::{Class, EngineError, Moment};

/// What makes two destinations the same place. Account and region are part of it: what is known of a bucket in one
/// environment says nothing about another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PlaceKey {
    account: String,
    region: String,
    bucket: String,
    role: Option<String>,
    external_id: Option<String>,
}

impl PlaceKey {
    /// The place of a destination for a stack of this session's account and region.
    pub(super) fn of(destination: &FileDestination, session: &Session) -> Self {
        Self {
            account: session.account().to_owned(),
            region: destination.region.clone().unwrap_or_else(|| session.region().to_owned()),
            bucket: destination.bucket_name.clone(),
            role: destination.assume_role_arn.clone(),
            external_id: destination.assume_role_external_id.clone(),
        }
    }

    /// The place of a bucket that is named outside of a manifest.
    pub(super) fn named(bucket: &str, session: &Session) -> Self {
        let destination = FileDestination { bucket_name: bucket.to_owned(), ..FileDestination::default() };
        Self::of(&destination, session)
    }
}

/// A bucket that was found fit.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The bucket's name.
    pub(super) bucket: String,
    /// What is known of it.
    pub(super) facts: BucketFacts,
    /// Who acts there.
    pub(super) storage: Storage,
}

impl Place {
    /// A failed call here as the user is told it.
    pub(super) fn explain(&self, error: crate::aws::Error) -> EngineError {
        explain(error, &self.bucket, self.storage.owner(), self.storage.region())
    }
}

impl Publisher {
    /// The place, looked at once for all that goes there.
    pub(super) async fn place(&self, key: &PlaceKey, session: &Session) -> Result<Place, EngineError> {
        let cell = {
            let mut places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
            places.entry(key.clone()).or_default().clone()
        };
        cell.get_or_try_init(|| self.look_at(key, session)).await.cloned()
    }

    async fn look_at(&self, key: &PlaceKey, session: &Session) -> Result<Place, EngineError> {
        let region = fill(&key.region, session)?;
        let session = session.in_region(&region);
        let role = key.role.as_deref().map(|role| fill(role, &session)).transpose()?;
        let session = match (&role, &key.external_id) {
            (Some(role), Some(id)) => session.assuming(role, Some(id)).await,
            (Some(role), None) => self.0.runtime.sessions.session(Some(&region), Some(role)).await,
            (None, _) => Ok(session),
        }
        .map_err(|error| who(error, role.as_deref()))?;
        let wanted = fill(&key.bucket, &session)?;
        agree(&wanted, &self.0.options)?;
        let bucket = bucket_name(&wanted, &session).await?;
        let storage = session.storage();
        let facts = storage
            .bucket(&bucket)
            .await
            .map_err(|error| explain(error, &bucket, session.account(), session.region()))?;
        Ok(Place { bucket, facts, storage })
    }
}

/// Refuses what the assembly and the options say differently: the template names its bucket too, and would look for the
/// assets where they are not.
fn agree(wanted: &str, options: &PublishOptions) -> Result<(), EngineError> {
    let refuse = |said: String, way_out: String| {
        Err(EngineError::new(Class::Refused, format!("the assembly sends assets to {wanted}, and {said}"))
            .with_hint(way_out))
    };
    if let Some(bucket) = options.bucket.as_deref().filter(|bucket| *bucket != wanted) {
        return refuse(
            format!("bucket {bucket} is given"),
            format!("synthesise with `-c assets={bucket}`, or leave --bucket out"),
        );
    }
    let ours = wanted.strip_prefix("{{resolve:ssm:/formwork/bootstrap/");
    let qualifier = &options.qualifier;
    if ours.is_some_and(|rest| !rest.starts_with(&format!("{qualifier}/"))) && qualifier != DEFAULT_QUALIFIER
    {
        return refuse(
            format!("qualifier {qualifier} is given"),
            format!("synthesise with `-c qualifier={qualifier}`, or leave --qualifier out"),
        );
    }
    Ok(())
}

/// The name of a bucket, which may stand in an SSM parameter.
async fn bucket_name(text: &str, session: &Session) -> Result<String, EngineError> {
    let Some(reference) = text.strip_prefix("{{resolve:ssm:").and_then(|rest| rest.strip_suffix("}}")) else {
        return Ok(text.to_owned());
    };
    // A version may follow the name.
    let name = reference.rsplit_once(':').map_or(reference, |(name, _)| name);
    let value = session.parameter(name).await.map_err(|error| {
        let message = format!("cannot read the SSM parameter {name}: {}", error.message);
        EngineError::of_call(message, &error, Moment::Before)
    })?;
    value.filter(|value| !value.is_empty()).ok_or_else(|| not_bootstrapped(name, session))
}

/// The error of an environment without a bootstrap stack.
pub(super) fn not_bootstrapped(parameter: &str, session: &Session) -> EngineError {
    let (account, region) = (session.account(), session.region());
    let message = format!(
        "account {account} is not bootstrapped in {region}: there is no SSM parameter {parameter}, which names the bucket for assets"
    );
    EngineError::new(Class::Refused, message).with_hint(format!(
        "run `formwork bootstrap aws://{account}/{region}`, or name a bucket of yours with --bucket"
    ))
}

/// The error of a role that cannot be assumed.
pub(super) fn who(error: crate::aws::Error, role: Option<&str>) -> EngineError {
    let message = match role {
        Some(role) => format!("cannot act as {role} to publish assets: {}", error.message),
        None => format!("cannot publish assets: {}", error.message),
    };
    EngineError::of_call(message, &error, Moment::Before)
}
