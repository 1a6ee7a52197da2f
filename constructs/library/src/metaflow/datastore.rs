//! The datastore of flows: a bucket.

use formwork::Scope;

use super::{MetaflowProps, Told};
use crate::storage::{DataBucket, DataBucketProps};

/// What can be said about the datastore.
#[derive(Clone, Debug, Default)]
pub struct DatastoreProps {
    /// A bucket that exists already; without one, a bucket is made.
    pub existing: Option<DataBucket>,
    /// All else about the bucket that is made.
    pub bucket: DataBucketProps,
}

/// The datastore.
#[derive(Clone, Debug)]
pub struct Datastore {
    /// The bucket.
    pub bucket: DataBucket,
}

impl Datastore {
    #[track_caller]
    pub(super) fn new(scope: Scope<'_>, props: &MetaflowProps<'_>, own: &DatastoreProps) -> Self {
        let bucket = match &own.existing {
            Some(existing) => existing.clone(),
            None => DataBucket::new(scope, "Data", own.bucket.clone().or_key(props.key.as_ref())),
        };
        Self { bucket }
    }

    pub(super) fn told(&self) -> Vec<Told> {
        vec![Told::setting(
            "MetaflowDataStoreS3Url",
            "METAFLOW_DATASTORE_SYSROOT_S3",
            "Where flows keep their data",
            self.bucket.uri("metaflow"),
        )]
    }
}
