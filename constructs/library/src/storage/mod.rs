//! Where data lies: private, encrypted buckets.

mod bucket;

pub use bucket::{DataBucket, DataBucketProps, ObjectAccess};
