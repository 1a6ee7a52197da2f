//! Where data lies: private, encrypted buckets.

mod bucket;
#[cfg(test)]
mod tests;

pub use bucket::{DataBucket, DataBucketProps, ObjectAccess};
