//! Buckets that stacks make, and templates that stacks are made of.

use serde_json::Value;

use super::asked::place;
use super::{Bucket, Storage};
use crate::cloudformation::Resource;

impl Storage {
    /// The text that a template's address names, read as the account that deploys it.
    pub(crate) fn template(&self, account: &str, region: &str, url: &str) -> Result<String, String> {
        let denied = || "Access Denied".to_owned();
        let uri: http::Uri = url.parse().map_err(|_| "The specified url is not a valid S3 url".to_owned())?;
        let (bucket, key) = place(uri.host().unwrap_or_default(), uri.path());
        let (Some(bucket), Some(key)) = (bucket, key) else {
            return Err("Domain name specified in the url is not a valid S3 domain".to_owned());
        };
        let bucket = self.buckets.get(&bucket).ok_or_else(denied)?;
        if bucket.region != region {
            return Err(
                "The bucket you are attempting to access must be addressed using the specified endpoint. \
                        Please send all future requests to this endpoint."
                    .to_owned(),
            );
        }
        if bucket.denied || !(bucket.owner == account || bucket.open_to_all || bucket.policy.is_some()) {
            return Err(denied());
        }
        let object = bucket.latest(&key).ok_or_else(denied)?;
        String::from_utf8(object.body.to_vec()).map_err(|_| "Template format error: not UTF-8".to_owned())
    }

    pub(crate) fn make_for_stack(&mut self, resource: &Resource<'_>) -> Result<(), String> {
        if self.buckets.contains_key(resource.physical_id) {
            return Err(format!("{} already exists", resource.physical_id));
        }
        let bucket = Bucket::of(resource.account, resource.region);
        self.buckets.insert(resource.physical_id.to_owned(), bucket);
        self.change_for_stack(resource);
        Ok(())
    }

    pub(crate) fn change_for_stack(&mut self, resource: &Resource<'_>) {
        let Some(bucket) = self.buckets.get_mut(resource.physical_id) else { return };
        let at = |pointer: &str| resource.properties.pointer(pointer).and_then(Value::as_str);
        bucket.versioned = at("/VersioningConfiguration/Status") == Some("Enabled");
        let default = "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault";
        bucket.kms_key = at(&format!("{default}/KMSMasterKeyID")).map(str::to_owned);
    }

    pub(crate) fn delete_for_stack(&mut self, name: &str) -> Result<(), String> {
        if self.buckets.get(name).is_some_and(|bucket| !bucket.objects.is_empty()) {
            return Err("The bucket you tried to delete is not empty".to_owned());
        }
        self.buckets.remove(name);
        Ok(())
    }
}
