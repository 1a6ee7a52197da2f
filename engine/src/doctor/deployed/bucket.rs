//! Buckets: that they are there, in this region, and belong to this account.

use super::super::{Check, Outcome};
use super::unread;
use crate::aws::ErrorKind;
use crate::aws::storage::explain;
use crate::components::Found;

/// The checks of a stack's buckets.
pub(super) async fn checks(found: &Found) -> Vec<Check> {
    const NAME: &str = "bucket";
    let session = &found.located.session;
    let mut checks = Vec::new();
    for (_, name) in found.of_type("AWS::S3::Bucket") {
        checks.push(match session.storage().bucket(name).await {
            Ok(_) => {
                Check::ok(NAME, name, format!("it is there and belongs to account {}", session.account()))
            }
            Err(error) if error.kind == ErrorKind::NotFound => unread(NAME, name, found, &error),
            Err(error) if error.is_transient() => Check::unknown(NAME, name, &error),
            Err(error) => {
                let told = explain(error.clone(), name, session.account(), session.region());
                // Another account's bucket and a right that the caller lacks are answered alike.
                let outcome =
                    if error.kind == ErrorKind::Denied { Outcome::Unknown } else { Outcome::Failed };
                Check::new(NAME, name, outcome, told.message).with_hint(format!(
                    "`aws s3api get-bucket-location --bucket {name} --expected-bucket-owner {}` asks again",
                    session.account()
                ))
            }
        });
    }
    checks
}
