//! The datastore of flows: a bucket, and the four things that flows do with it.
//!
//! Code and artifacts, files of the data tools and packages of environments each have a prefix of their own, as the
//! client's settings name them.

use formwork::{IntoValue, Scope, Value, pseudo, text};

use super::{MetaflowProps, Told};
use crate::iam::Statement;
use crate::storage::{DataBucket, DataBucketProps, ObjectAccess};

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

    /// What flows do with the datastore, and nothing else: list, read, write and delete.
    ///
    /// Without the right to list, S3 answers for an object that is missing as for one that is forbidden, and Metaflow
    /// asks for many that are missing.
    ///
    /// Source: the guide "Manual deployment" of Metaflow's documentation, and the calls that client 2.19.39 makes.
    pub fn statements(&self) -> Vec<Statement> {
        self.doing(["s3:DeleteObject", "s3:GetObject", "s3:PutObject"].as_slice())
    }

    /// The same but for deleting, for what only passes data on.
    pub(super) fn reading_and_writing(&self) -> Vec<Statement> {
        self.doing(["s3:GetObject", "s3:PutObject"].as_slice())
    }

    fn doing(&self, on_objects: &[&str]) -> Vec<Statement> {
        let mut statements = vec![
            Statement::allow(["s3:ListBucket"]).sid("ListData").on(&self.bucket.arn),
            Statement::allow(on_objects.iter().copied()).sid("UseData").on(text!("{}/*", &self.bucket.arn)),
        ];
        if let Some(key) = &self.bucket.key {
            statements
                .push(Statement::allow(["kms:Decrypt", "kms:GenerateDataKey"]).sid("UseKeyOfData").on(key));
        }
        statements
    }

    /// Where flows keep code and artifacts.
    pub(super) fn sysroot(&self) -> Value<String> {
        self.bucket.uri(FLOWS)
    }

    /// What only shows runs does with the datastore.
    pub(super) fn reading(&self) -> Vec<Statement> {
        self.bucket.confined_statements(FLOWS, ObjectAccess::Read)
    }

    /// Takes away what a URL that was signed beforehand could do: credentials of a role then serve its own calls only,
    /// and nobody who finds a link.
    pub fn deny_presigned(&self) -> Statement {
        Statement::deny(["s3:*"])
            .sid("DenyPresigned")
            .on(&self.bucket.arn)
            .on(text!("{}/*", &self.bucket.arn))
            .when("StringNotEquals", "s3:authType", "REST-HEADER")
    }

    pub(super) fn told(&self) -> Vec<Told> {
        let only = |setting, prefix| Told::only_setting(setting, self.bucket.uri(prefix));
        let fixed = |setting, value: &str| Told::only_setting(setting, value.into_value());
        vec![
            fixed("METAFLOW_DEFAULT_DATASTORE", "s3"),
            Told::setting(
                "MetaflowDataStoreS3Url",
                "METAFLOW_DATASTORE_SYSROOT_S3",
                "Where flows keep their data",
                self.bucket.uri(FLOWS),
            ),
            Told::setting(
                "MetaflowDataToolsS3Url",
                "METAFLOW_DATATOOLS_S3ROOT",
                "Where files of metaflow.S3 lie",
                self.bucket.uri("data"),
            ),
            only("METAFLOW_CONDA_PACKAGE_S3ROOT", "conda"),
            Told::only_setting(
                "METAFLOW_S3_ENDPOINT_URL",
                text!("https://s3.{}.{}", pseudo::region(), pseudo::url_suffix()),
            ),
        ]
    }
}

/// Where in the bucket flows keep code and artifacts.
const FLOWS: &str = "metaflow";
