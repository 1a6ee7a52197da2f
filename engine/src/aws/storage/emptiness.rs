//! Whether a bucket holds anything: S3 deletes no bucket that has an object, an old version or a mark of a deletion.

use super::Storage;
use crate::aws::error::{Error, ErrorKind};

impl Storage {
    /// Whether a bucket has no object, no version and no delete marker.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn is_empty(&self, bucket: &str) -> Result<bool, Error> {
        let call = || {
            let list = self.client.list_object_versions().bucket(bucket).max_keys(1);
            list.expected_bucket_owner(self.owner()).send()
        };
        match self.read("ListObjectVersions", call).await {
            Ok(answer) => Ok(answer.versions().is_empty() && answer.delete_markers().is_empty()),
            // Whoever may list objects only, or a store that keeps no versions, still tells most.
            Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::Invalid | ErrorKind::Other) => {
                let call = || {
                    let list = self.client.list_objects_v2().bucket(bucket).max_keys(1);
                    list.expected_bucket_owner(self.owner()).send()
                };
                Ok(self.read("ListObjectsV2", call).await?.contents().is_empty())
            }
            Err(error) => Err(error),
        }
    }
}
