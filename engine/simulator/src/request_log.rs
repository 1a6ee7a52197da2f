//! Every request that came, for tests that ask what a client did.
//!
//! Values that may be secret (parameter values, templates, bodies) are kept as their length only, so that a log can be
//! written to a file and shown.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::api::ApiError;
use crate::simulator::{Call, Input};

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// When it came.
    pub time: Timestamp,
    /// The service by its name in signatures.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The region.
    pub region: String,
    /// The access key id.
    pub access_key: Option<String>,
    /// The parameters, flat, without what may be secret.
    pub parameters: BTreeMap<String, String>,
    /// The token that makes a repeat harmless.
    pub token: Option<String>,
    /// What was said of the bucket's owner, in calls of S3.
    pub expected_bucket_owner: Option<String>,
    /// `answered`, `broken`, `silent`, or `refused` when the connection was closed before anything was done.
    pub reply: &'static str,
    /// The error's code; none when the call was done.
    pub error: Option<String>,
    /// The error's message.
    pub message: Option<String>,
    /// Whether the operation changes anything.
    pub mutating: bool,
    /// Whether it was done, whatever the caller was told.
    pub done: bool,
    /// Whether it repeats a call with the same token that was done before, so that this one changed nothing.
    pub repeats: bool,
}

impl Entry {
    pub(crate) fn of(time: Timestamp, call: &Call) -> Self {
        let owner = match &call.input {
            Input::Storage(asked) => asked.expected_bucket_owner.clone(),
            _ => None,
        };
        Self {
            time,
            service: call.service.clone(),
            operation: call.operation.clone(),
            region: call.region.clone(),
            access_key: call.credential.as_ref().map(|it| it.access_key.clone()),
            parameters: parameters(&call.input),
            token: call.idempotency_token().map(str::to_owned),
            expected_bucket_owner: owner,
            reply: "answered",
            error: None,
            message: None,
            mutating: is_mutating(&call.service, &call.operation),
            done: false,
            repeats: false,
        }
    }

    pub(crate) fn unreadable(time: Timestamp, error: &ApiError) -> Self {
        Self {
            time,
            service: String::new(),
            operation: String::new(),
            region: String::new(),
            access_key: None,
            parameters: BTreeMap::new(),
            token: None,
            expected_bucket_owner: None,
            reply: "answered",
            error: Some(error.code.clone()),
            message: Some(error.message.clone()),
            mutating: false,
            done: false,
            repeats: false,
        }
    }

    pub(crate) fn unanswered(mut self, reply: &'static str) -> Self {
        self.reply = reply;
        self
    }

    pub(crate) fn settle(&mut self, error: Option<&ApiError>) {
        match error {
            None => self.done = true,
            Some(error) => {
                self.error = Some(error.code.clone());
                self.message = Some(error.message.clone());
            }
        }
    }
}

/// Every request that came, in order.
#[derive(Clone, Debug, Default)]
pub struct RequestLog {
    entries: Vec<Entry>,
    tokens: BTreeSet<(String, String, String)>,
}

impl RequestLog {
    pub(crate) fn push(&mut self, mut entry: Entry) {
        if let (true, true, Some(token)) = (entry.mutating, entry.done, &entry.token) {
            entry.repeats =
                !self.tokens.insert((entry.region.clone(), entry.operation.clone(), token.clone()));
        }
        self.entries.push(entry);
    }

    /// All requests.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The calls of an operation.
    pub fn calls(&self, operation: &str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.operation == operation)
    }

    /// The calls that changed something: done, and no repeats by their token.
    pub fn effects(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.mutating && entry.done && !entry.repeats)
    }

    /// The calls that change something, done or not.
    pub fn mutating(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.mutating)
    }

    /// The calls of S3 about a bucket that do not say whose bucket they expect. `CreateBucket` and `ListBuckets` have no
    /// such field.
    pub fn without_expected_owner(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| {
            entry.service == "s3"
                && entry.expected_bucket_owner.is_none()
                && !["CreateBucket", "ListBuckets"].contains(&entry.operation.as_str())
        })
    }

    /// The most calls in any window of this length, by account key and region.
    pub fn most_within(&self, window: Duration, counts: impl Fn(&Entry) -> bool) -> usize {
        let times: Vec<Timestamp> =
            self.entries.iter().filter(|entry| counts(entry)).map(|entry| entry.time).collect();
        let mut first = 0;
        let mut most = 0;
        for (last, time) in times.iter().enumerate() {
            while *time >= times[first] + window && first < last {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }
}

/// Whether an operation changes anything, by its name's first word.
pub fn is_mutating(service: &str, operation: &str) -> bool {
    const READS: [&str; 15] = [
        "Batch", "Decode", "Describe", "Detect", "Estimate", "Filter", "Get", "Head", "List", "Lookup",
        "Query", "Search", "Select", "Simulate", "Validate",
    ];
    // Drift detection writes what it found, and no stack changes by it.
    !(service == "sts" || READS.iter().any(|word| operation.starts_with(word)))
}

/// The fields whose values are told.
const PLAIN: [&str; 30] = [
    "StackName",
    "ChangeSetName",
    "ChangeSetType",
    "ClientToken",
    "ClientRequestToken",
    "RoleARN",
    "RoleArn",
    "RoleSessionName",
    "DisableRollback",
    "RetainExceptOnCreate",
    "IncludeNestedStacks",
    "OnStackFailure",
    "ImportExistingResources",
    "DeploymentMode",
    "EnableTerminationProtection",
    "DeletionMode",
    "NextToken",
    "Name",
    "Names",
    "Path",
    "WithDecryption",
    "TemplateURL",
    "UsePreviousTemplate",
    "ExportName",
    "IncludePropertyValues",
    "LogicalResourceId",
    "OperationId",
    "StackDriftDetectionId",
    "DurationSeconds",
    "Description",
];

fn parameters(input: &Input) -> BTreeMap<String, String> {
    match input {
        Input::Query(parameters) => {
            parameters.iter().map(|(name, value)| (name.to_owned(), shown(name, value))).collect()
        }
        Input::Json(input) => input
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                let text = if let Value::String(text) = value { text.clone() } else { value.to_string() };
                (name.clone(), shown(name, &text))
            })
            .collect(),
        Input::Storage(asked) => {
            let named = [("Bucket", &asked.bucket), ("Key", &asked.key)];
            let mut told: BTreeMap<String, String> = named
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
                .collect();
            for name in ["partNumber", "uploadId", "prefix", "versionId"] {
                told.extend(asked.query.get(name).map(|value| (name.to_owned(), value.clone())));
            }
            told
        }
    }
}

fn shown(name: &str, value: &str) -> String {
    let field = name.split('.').next().unwrap_or(name);
    let is_key = ["Key", "ParameterKey"].iter().any(|end| name.ends_with(end));
    let tells = is_key
        || (PLAIN.contains(&field) && !name.contains("Value"))
        || [
            "Capabilities",
            "NotificationARNs",
            "RetainResources",
            "StackStatusFilter",
            "Tags",
            "ResourcesToSkip",
        ]
        .contains(&field);
    if tells { value.to_owned() } else { format!("({} bytes)", value.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_parameters_are_not_kept() {
        assert_eq!(shown("Parameters.member.1.ParameterValue", "hunter2"), "(7 bytes)");
        assert_eq!(shown("Parameters.member.1.ParameterKey", "Password"), "Password");
        assert_eq!(shown("TemplateBody", "{}"), "(2 bytes)");
        assert_eq!(shown("Value", "hunter2"), "(7 bytes)");
        assert_eq!(shown("SecretString", "hunter2"), "(7 bytes)");
        assert_eq!(shown("Tags.member.1.Value", "fw"), "fw");
    }

    #[test]
    fn reads_are_known_by_their_first_word() {
        assert!(is_mutating("cloudformation", "ExecuteChangeSet"));
        assert!(is_mutating("s3", "PutObject"));
        assert!(!is_mutating("s3", "HeadBucket"));
        assert!(!is_mutating("sts", "AssumeRole"));
    }

    #[test]
    fn the_busiest_second_is_found() {
        let mut log = RequestLog::default();
        for millis in [0_i64, 500, 999, 1000, 1400, 5000] {
            let mut entry =
                Entry::unreadable(Timestamp::from_millisecond(millis).unwrap(), &ApiError::validation(""));
            entry.operation = "DescribeStacks".to_owned();
            log.push(entry);
        }
        assert_eq!(log.most_within(Duration::from_secs(1), |_| true), 4);
    }
}
