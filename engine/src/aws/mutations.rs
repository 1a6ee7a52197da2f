//! Every call of the engine that changes something, and why repeating it does no harm.
//!
//! A connection can break after a service took a call, so that each of these may arrive twice. Where the API takes an
//! idempotency token the second has no effect; for the others the reason stands here, and a test compares the table with
//! the sources.

/// Why a call may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It carries a token in this field.
    Token(&'static str),
    /// It has no token; this is why a second call changes nothing.
    Harmless(&'static str),
}

/// A call that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// The service, by the name that signatures use.
    pub service: &'static str,
    /// The API operation.
    pub operation: &'static str,
    /// Why it may be repeated.
    pub repeat: Repeat,
}

const fn token(service: &'static str, operation: &'static str, field: &'static str) -> Mutation {
    Mutation { service, operation, repeat: Repeat::Token(field) }
}

const fn harmless(service: &'static str, operation: &'static str, reason: &'static str) -> Mutation {
    Mutation { service, operation, repeat: Repeat::Harmless(reason) }
}

/// The calls.
pub const MUTATIONS: &[Mutation] = &[
    token("cloudformation", "CreateChangeSet", "ClientToken"),
    token("cloudformation", "ExecuteChangeSet", "ClientRequestToken"),
    token("cloudformation", "DeleteStack", "ClientRequestToken"),
    token("cloudformation", "RollbackStack", "ClientRequestToken"),
    token("cloudformation", "ContinueUpdateRollback", "ClientRequestToken"),
    token("cloudformation", "CancelUpdateStack", "ClientRequestToken"),
    harmless(
        "cloudformation",
        "DeleteChangeSet",
        "it names one change set by its ARN, which is never used again",
    ),
    harmless("cloudformation", "UpdateTerminationProtection", "it sets a value"),
    harmless(
        "cloudformation",
        "DetectStackDrift",
        "it changes no stack; while one detection runs a second is refused",
    ),
    harmless("sts", "AssumeRole", "it makes credentials; those that are lost expire"),
    harmless(
        "s3",
        "PutObject",
        "the key is the hash of the content, or the name of what is copied there as it is",
    ),
    harmless(
        "s3",
        "CreateMultipartUpload",
        "an upload that nobody completes is removed by the bucket's lifecycle",
    ),
    harmless("s3", "UploadPart", "a part of a number replaces the one before"),
    harmless("s3", "CompleteMultipartUpload", "the key is the hash of the content, and the parts are named"),
    harmless("s3", "AbortMultipartUpload", "it names one upload; a second abort finds none"),
    harmless("s3", "DeleteObject", "it names one version of a key"),
    harmless("s3", "DeleteObjects", "it names versions of keys"),
    harmless("ecr", "BatchDeleteImage", "it names images by digest"),
    harmless(
        "ecr",
        "PutImage",
        "the tag is the hash of what the image is made of; the container program pushes it",
    ),
    harmless(
        "lambda",
        "Invoke",
        "the function of Metaflow's tables applies what is missing, and finds it done",
    ),
    harmless("sagemaker", "DeleteApp", "it names one app; while it goes a second deletion is refused"),
    harmless("sagemaker", "DeleteSpace", "it names one space; a second deletion finds none"),
    harmless(
        "sagemaker",
        "StartMlflowTrackingServer",
        "it names one server; while it starts, and once it runs, a second start is refused",
    ),
    harmless(
        "sagemaker",
        "StopMlflowTrackingServer",
        "it names one server; while it stops, and once it has, a second stop is refused",
    ),
    token("secretsmanager", "PutSecretValue", "ClientRequestToken"),
    harmless(
        "secretsmanager",
        "UpdateSecretVersionStage",
        "it moves a label from one named version to another; a second move is refused, and a read tells that it was made",
    ),
];

/// What is known of an operation.
pub fn of(service: &str, operation: &str) -> Option<&'static Mutation> {
    MUTATIONS.iter().find(|it| it.service == service && it.operation == operation)
}

/// Reads of CloudFormation, for [`permission`].
const STACK_READS: &[&str] = &[
    "DescribeChangeSet",
    "DescribeEvents",
    "DescribeStackDriftDetectionStatus",
    "DescribeStackEvents",
    "DescribeStackResource",
    "DescribeStackResourceDrifts",
    "DescribeStackResources",
    "DescribeStacks",
    "GetTemplate",
    "GetTemplateSummary",
    "ListChangeSets",
    "ListExports",
    "ListImports",
    "ListStackResources",
    "ListStacks",
];

/// The permission that a call needs, as policies write it; nothing where the operation's name alone does not tell.
pub fn permission(operation: &str) -> Option<String> {
    Some(match operation {
        "AssumeRole" | "DecodeAuthorizationMessage" => format!("sts:{operation}"),
        "GetParameter" | "GetParameters" => format!("ssm:{operation}"),
        "Invoke" => "lambda:InvokeFunction".to_owned(),
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => "s3:ListBucket".to_owned(),
        "ListObjectVersions" => "s3:ListBucketVersions".to_owned(),
        "ListMultipartUploads" => "s3:ListBucketMultipartUploads".to_owned(),
        "HeadObject" | "GetObject" => "s3:GetObject".to_owned(),
        "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => "s3:PutObject".to_owned(),
        "DeleteObjects" => "s3:DeleteObject".to_owned(),
        "DescribeSecret" | "GetSecretValue" => format!("secretsmanager:{operation}"),
        _ if STACK_READS.contains(&operation) => format!("cloudformation:{operation}"),
        _ => {
            let row = MUTATIONS.iter().find(|row| row.operation == operation)?;
            format!("{}:{operation}", row.service)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Every call of an SDK client in this room whose name is that of a call which changes something stands in the table.
    #[test]
    fn the_table_has_every_call_of_the_sources() {
        let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws");
        let mut found = BTreeSet::new();
        gather(&room, &mut found);
        let missing: Vec<_> = found
            .iter()
            .filter(|operation| !FIELDS.contains(&operation.as_str()))
            .filter(|operation| !MUTATIONS.iter().any(|it| it.operation == **operation))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        for expected in ["CreateChangeSet", "ExecuteChangeSet", "DeleteStack", "PutObject"] {
            assert!(
                found.contains(expected),
                "{expected} is not found any more; has the style of the calls changed?"
            );
        }
    }

    /// Fields of answers that are named like calls.
    const FIELDS: &[&str] = &["DeleteMarkers"];

    /// Gathers builders such as `.create_change_set()` of names that change something.
    fn gather(folder: &Path, found: &mut BTreeSet<String>) {
        const VERBS: &str = "abort_|assume_|batch_delete_|cancel_|complete_|continue_|create_|delete_|detect_|execute_|put_|rollback_|set_stack_|signal_|update_|upload_part";
        let pattern = regex::Regex::new(&format!(r"\.((?:{VERBS})[a-z_]+)\(\)")).expect("a pattern");
        each_source(folder, &mut |text| {
            found.extend(pattern.captures_iter(text).map(|call| camel(&call[1])));
        });
    }

    /// Every call that the journal writes down stands in the table: without a row nobody has thought about its repeat.
    #[test]
    fn the_table_has_every_call_of_the_journal() {
        let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let pattern = regex::Regex::new(r#"Intent::new\(\s*"([A-Za-z]+)""#).expect("a pattern");
        let mut found: BTreeSet<String> =
            crate::plan::removal::OPERATIONS.iter().map(|it| (*it).to_owned()).collect();
        each_source(&room, &mut |text| {
            found.extend(pattern.captures_iter(text).map(|call| call[1].to_owned()))
        });
        assert!(found.contains("PutImage") && found.contains("CreateChangeSet"), "{found:?}");
        let missing: Vec<_> =
            found.iter().filter(|name| !MUTATIONS.iter().any(|it| it.operation == **name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    /// The text of each source of a folder, without tests.
    fn each_source(folder: &Path, told: &mut dyn FnMut(&str)) {
        for entry in std::fs::read_dir(folder).expect("reads") {
            let path = entry.expect("an entry").path();
            let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
            if path.is_dir() && !is_test {
                each_source(&path, told);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
                let text = std::fs::read_to_string(&path).expect("reads");
                told(text.split("#[cfg(test)]").next().unwrap_or_default());
            }
        }
    }

    fn camel(name: &str) -> String {
        let words = name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
        words.collect()
    }

    #[test]
    fn every_row_says_why() {
        let mut names = BTreeSet::new();
        for row in MUTATIONS {
            let (Repeat::Token(why) | Repeat::Harmless(why)) = row.repeat;
            assert!(!why.is_empty() && names.insert((row.service, row.operation)), "{row:?}");
        }
        assert!(
            of("cloudformation", "ExecuteChangeSet")
                .is_some_and(|it| it.repeat == Repeat::Token("ClientRequestToken"))
        );
    }
}
