//! Emptying a bucket for good: every object with every version, every mark of a deletion, and every broken upload.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::Storage;
use crate::aws::error::{Error, ErrorKind};
use crate::journal::Ticket;

/// How many rounds of listing and deleting are made: somebody may go on writing, and then this would never end.
const ROUNDS: usize = 10_000;

/// What was removed, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// How many objects, versions and marks are gone.
    pub removed: u64,
    /// The keys that could not be removed, and why: object lock, for one.
    pub kept: BTreeMap<String, String>,
}

impl Storage {
    /// Removes everything that a bucket holds. Nothing of it can be brought back.
    ///
    /// # Errors
    /// When a listing or a deletion is refused altogether.
    pub async fn remove_all(&self, bucket: &str, _ticket: &Ticket) -> Result<Removal, Error> {
        let mut removal = Removal::default();
        let mut page: (Option<String>, Option<String>) = (None, None);
        for _ in 0..ROUNDS {
            let call = || {
                let list = self.client.list_object_versions().bucket(bucket);
                let list = list.set_key_marker(page.0.clone()).set_version_id_marker(page.1.clone());
                list.expected_bucket_owner(self.owner()).send()
            };
            let answer = self.read("ListObjectVersions", call).await?;
            let versions = answer.versions().iter().map(|it| (it.key(), it.version_id()));
            let marks = answer.delete_markers().iter().map(|it| (it.key(), it.version_id()));
            let objects: Vec<_> = versions
                .chain(marks)
                .filter_map(|(key, version)| {
                    ObjectIdentifier::builder()
                        .key(key?)
                        .set_version_id(version.map(str::to_owned))
                        .build()
                        .ok()
                })
                .collect();
            if !objects.is_empty() {
                self.remove(bucket, objects, &mut removal).await?;
            }
            page = (
                answer.next_key_marker().map(str::to_owned),
                answer.next_version_id_marker().map(str::to_owned),
            );
            if answer.is_truncated() != Some(true) || page.0.is_none() {
                break;
            }
        }
        self.abort_all(bucket).await?;
        Ok(removal)
    }

    async fn remove(
        &self,
        bucket: &str,
        objects: Vec<ObjectIdentifier>,
        removal: &mut Removal,
    ) -> Result<(), Error> {
        let count = objects.len() as u64;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let delete =
            delete.map_err(|error| Error::new("DeleteObjects", ErrorKind::Invalid, error.to_string()))?;
        let call = || {
            let call = self.client.delete_objects().bucket(bucket).delete(delete.clone());
            call.expected_bucket_owner(self.owner()).send()
        };
        let answer = self.change("DeleteObjects", call).await?;
        let kept = answer.errors().iter().map(|error| {
            let reason = error.message().or(error.code()).unwrap_or("no reason is given");
            (error.key().unwrap_or_default().to_owned(), reason.to_owned())
        });
        removal.kept.extend(kept);
        removal.removed += count.saturating_sub(answer.errors().len() as u64);
        Ok(())
    }

    /// Parts of broken uploads are in no listing of objects, cost money, and keep nothing from being deleted: who may not
    /// abort them leaves them.
    async fn abort_all(&self, bucket: &str) -> Result<(), Error> {
        let mut page: (Option<String>, Option<String>) = (None, None);
        for _ in 0..ROUNDS {
            let call = || {
                let list = self.client.list_multipart_uploads().bucket(bucket);
                let list = list.set_key_marker(page.0.clone()).set_upload_id_marker(page.1.clone());
                list.expected_bucket_owner(self.owner()).send()
            };
            let uploads = match self.read("ListMultipartUploads", call).await {
                Ok(uploads) => uploads,
                Err(error) if error.kind == ErrorKind::Denied => return Ok(()),
                Err(error) => return Err(error),
            };
            for upload in uploads.uploads() {
                let (Some(key), Some(id)) = (upload.key(), upload.upload_id()) else { continue };
                self.abort_one(bucket, key, id).await?;
            }
            page = (
                uploads.next_key_marker().map(str::to_owned),
                uploads.next_upload_id_marker().map(str::to_owned),
            );
            if uploads.is_truncated() != Some(true) || page.0.is_none() {
                break;
            }
        }
        Ok(())
    }

    async fn abort_one(&self, bucket: &str, key: &str, id: &str) -> Result<(), Error> {
        let call = || {
            let abort = self.client.abort_multipart_upload().bucket(bucket).key(key).upload_id(id);
            abort.expected_bucket_owner(self.owner()).send()
        };
        match self.change("AbortMultipartUpload", call).await {
            Err(error) if !matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => Err(error),
            _ => Ok(()),
        }
    }
}
