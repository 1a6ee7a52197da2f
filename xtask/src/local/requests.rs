//! What the emulator was asked for, as its launcher writes it down.
//!
//! The proof that something was not done, and in which order the rest was, comes from the other side of the wire.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The file that the launcher writes requests to, in the emulator's folder.
pub(super) const FILE: &str = "requests.jsonl";

/// What the name of an operation that changes nothing begins with. A role that is assumed is a session, not a change.
const READS: [&str; 9] =
    ["Describe", "Get", "List", "Head", "HEAD ", "GET ", "Validate", "AssumeRole", "SimulatePrincipalPolicy"];

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The operation, or the method and the path where the service is spoken to by those.
    pub(super) operation: String,
    /// The region that it was signed for.
    pub(super) region: String,
    /// The stack that CloudFormation was asked about, by name or ARN; empty where it was none.
    pub(super) stack: String,
}

impl Request {
    fn parse(line: &str) -> Option<Self> {
        let request: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Self { operation: text("operation"), region: text("region"), stack: text("stack") })
    }

    /// Whether it may have changed something.
    pub(super) fn writes(&self) -> bool {
        !READS.iter().any(|read| self.operation.starts_with(read))
    }
}

/// All requests so far, in order.
pub(super) fn read(folder: &Path) -> Result<Vec<Request>, String> {
    let path = folder.join(FILE);
    let text =
        fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    // The last line may not be whole yet.
    Ok(text.lines().filter_map(Request::parse).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(operation: &str) -> Request {
        let line = format!("{{\"operation\": \"{operation}\", \"region\": \"eu-west-1\", \"status\": 200}}");
        Request::parse(&line).unwrap()
    }

    #[test]
    fn operations_that_change_something_are_known() {
        for read in ["DescribeStacks", "GetTemplate", "HEAD /bucket/key", "GET /bucket", "ListExports"] {
            assert!(!request(read).writes(), "{read}");
        }
        for write in ["CreateChangeSet", "DeleteChangeSet", "PUT /bucket/key", "POST /bucket", "DELETE /b"] {
            assert!(request(write).writes(), "{write}");
        }
    }

    #[test]
    fn a_line_that_is_not_whole_is_left_out() {
        assert_eq!(Request::parse("{\"operation\": \"Descr"), None);
    }
}
