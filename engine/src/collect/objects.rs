//! Assets that no stack, assembly or plan names.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::{CollectOptions, failed};
use crate::aws::Session;
use crate::aws::cloudformation::StackStatus;
use crate::aws::storage::explain;
use crate::error::{Class, EngineError};
use crate::journal::{Intent, Journal};
use crate::runtime::Runtime;

/// How many templates are read at once.
const TEMPLATES_AT_ONCE: usize = 8;
/// The digits of a SHA-256.
const DIGITS: usize = 64;

/// An asset that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedAsset {
    /// The key.
    pub key: String,
    /// The size in bytes.
    pub bytes: u64,
    /// When it was put there.
    pub modified: Option<Timestamp>,
}

/// The assets of a bucket that may go, by key. Only keys that are made as ours are, of the hash of a content, are looked
/// at: whatever else lies in the bucket is somebody's.
///
/// A template names an asset where the hash stands in it as it was sent, or in its parameters. A stack that is being
/// rolled back may need the assets of its former template: while an operation of a stack is under way, nothing goes.
///
/// # Errors
/// When the bucket, the stacks or a template cannot be read, or a stack has an operation under way. What cannot be read
/// might name any asset.
pub async fn unused_assets(
    options: &CollectOptions,
    session: &Session,
    runtime: &Runtime,
) -> Result<Vec<UnusedAsset>, EngineError> {
    let storage = session.storage();
    let before = options.before(runtime.clock.now())?;
    let objects = storage
        .list(&options.bucket, "")
        .await
        .map_err(|error| explain(error, &options.bucket, session.account(), session.region()))?;
    let old = |modified: Option<Timestamp>| modified.is_some_and(|modified| modified <= before);
    let mut candidates: BTreeMap<String, UnusedAsset> = BTreeMap::new();
    for object in objects {
        if hash_of(&object.key).is_some()
            && old(object.modified)
            && !options.needed.keys.contains(&object.key)
        {
            let asset =
                UnusedAsset { key: object.key.clone(), bytes: object.bytes, modified: object.modified };
            candidates.insert(object.key, asset);
        }
    }
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let named = named_hashes(session).await?;
    let kept = |key: &str| hash_of(key).is_some_and(|hash| named.contains(hash));
    // A template that a stack has is named by no template, but a nested stack's is: both go by their hashes.
    Ok(candidates.into_values().filter(|asset| !kept(&asset.key)).collect())
}

/// Deletes assets; the keys that could not be deleted, and why. A bucket that keeps versions can bring them back.
///
/// # Errors
/// When S3 refuses altogether.
pub async fn delete_assets(
    assets: &[UnusedAsset],
    bucket: &str,
    session: &Session,
    journal: &Journal,
) -> Result<BTreeMap<String, String>, EngineError> {
    if assets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys: Vec<String> = assets.iter().map(|asset| asset.key.clone()).collect();
    let ticket = journal.intent(Intent::new("DeleteObjects", format!("s3://{bucket}")))?;
    let result = session.storage().delete(bucket, &keys, &ticket).await;
    journal.outcome(&ticket, result.as_ref().map(|_| BTreeMap::new()));
    result.map_err(|error| explain(error, bucket, session.account(), session.region()))
}

/// Every text of 64 hex digits in the templates and parameters of all stacks.
async fn named_hashes(session: &Session) -> Result<BTreeSet<String>, EngineError> {
    let cloudformation = session.cloudformation();
    let stacks =
        cloudformation.list_stacks(&[]).await.map_err(|error| failed("list stacks", session, error))?;
    let alive: Vec<_> =
        stacks.into_iter().filter(|stack| stack.status != StackStatus::DeleteComplete).collect();
    if let Some(busy) = alive.iter().find(|stack| is_unsettled(&stack.status)) {
        let message = format!(
            "stack {} is {}, and may need assets that its template does not name",
            busy.name, busy.status
        );
        return Err(EngineError::new(Class::Refused, message)
            .with_hint("finish its operation, or take it back, then run the same command again"));
    }
    // A stack in review has no template yet; what its change sets need is kept by its age.
    let deployed = alive.into_iter().filter(|stack| stack.status != StackStatus::ReviewInProgress);
    let texts = futures_util::stream::iter(deployed)
        .map(|stack| async move {
            let wrap = |error| failed(&format!("read stack {}", stack.name), session, error);
            let template = cloudformation.template(&stack.id).await.map_err(wrap)?.unwrap_or_default();
            let described = cloudformation.stack(&stack.id).await.map_err(wrap)?;
            let parameters = described.map(|stack| stack.parameters).unwrap_or_default();
            Ok::<_, EngineError>((template, parameters))
        })
        .buffer_unordered(TEMPLATES_AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    let mut hashes = BTreeSet::new();
    for (template, parameters) in texts {
        hashes.extend(hashes_in(&template).map(str::to_owned));
        parameters.values().for_each(|value| hashes.extend(hashes_in(value).map(str::to_owned)));
    }
    Ok(hashes)
}

/// Whether a stack may yet go back to a template that it no longer shows.
fn is_unsettled(status: &StackStatus) -> bool {
    let can_go_back = [StackStatus::UpdateFailed, StackStatus::UpdateRollbackFailed];
    status.is_in_progress() || can_go_back.contains(status)
}

/// The hash that a key of ours is made of: `HASH`, `HASH.zip`, `templates/HASH.json`.
fn hash_of(key: &str) -> Option<&str> {
    let name = key.strip_prefix(crate::assets::TEMPLATE_PREFIX).unwrap_or(key);
    let hash = name.get(..DIGITS)?;
    let rest = &name[DIGITS..];
    let ours = is_hex(hash) && (rest.is_empty() || rest.starts_with('.') && !rest.contains('/'));
    ours.then_some(hash)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// All runs of exactly 64 hex digits.
fn hashes_in(text: &str) -> impl Iterator<Item = &str> {
    let is_digit = |byte: char| matches!(byte, '0'..='9' | 'a'..='f');
    text.split(move |character| !is_digit(character)).filter(|run| run.len() == DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_made_of_a_hash_are_ours() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(hash_of(&hash), Some(hash.as_str()));
        assert_eq!(hash_of(&format!("{hash}.zip")), Some(hash.as_str()));
        assert_eq!(hash_of(&format!("templates/{hash}.json")), Some(hash.as_str()));
        for other in
            ["data/2026.csv".to_owned(), format!("x{hash}"), format!("{hash}/x"), format!("{hash}ff")]
        {
            assert_eq!(hash_of(&other), None, "{other}");
        }
    }

    #[test]
    fn hashes_are_found_wherever_they_stand() {
        let (one, other) = ("a".repeat(64), "0123456789abcdef".repeat(4));
        let text = format!("{{\"S3Key\":\"{one}.zip\",\"x\":\"s3://b/{other}\",\"y\":\"{one}f\"}}");
        assert_eq!(hashes_in(&text).collect::<Vec<_>>(), [one.as_str(), other.as_str()]);
    }
}
