//! The reads that watching needs, as a trait: the session's client is one answer to it, a test's script another.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::aws::cloudformation::{EventPage, Stack, StackPages, StackStatus, StackSummary};
use crate::aws::{Error, Session};

/// Reads of one account and region.
pub(super) trait Reads: Send + Sync {
    /// `DescribeStacks` by ARN.
    fn stack(&self, arn: String) -> BoxFuture<'static, Result<Option<Stack>, Error>>;
    /// `DescribeStacks` of all stacks, so many pages at most.
    fn stacks(&self, most: usize) -> BoxFuture<'static, Result<StackPages, Error>>;
    /// `ListStacks` of the stacks with a running operation.
    fn in_progress(&self) -> BoxFuture<'static, Result<Vec<StackSummary>, Error>>;
    /// One page of `DescribeStackEvents`.
    fn events(&self, arn: String, page: Option<String>) -> BoxFuture<'static, Result<EventPage, Error>>;
    /// `sts:DecodeAuthorizationMessage`; nothing when the caller may not.
    fn decode(&self, encoded: String) -> BoxFuture<'static, Option<String>>;
}

/// Reads as a session.
pub(super) struct SessionReads(pub(super) Session);

impl SessionReads {
    pub(super) fn shared(session: &Session) -> Arc<dyn Reads> {
        Arc::new(Self(session.clone()))
    }
}

impl Reads for SessionReads {
    fn stack(&self, arn: String) -> BoxFuture<'static, Result<Option<Stack>, Error>> {
        let session = self.0.clone();
        Box::pin(async move { session.cloudformation().stack(&arn).await })
    }

    fn stacks(&self, most: usize) -> BoxFuture<'static, Result<StackPages, Error>> {
        let session = self.0.clone();
        Box::pin(async move { session.cloudformation().stacks(most).await })
    }

    fn in_progress(&self) -> BoxFuture<'static, Result<Vec<StackSummary>, Error>> {
        let session = self.0.clone();
        let statuses: Vec<StackStatus> =
            StackStatus::ALL.iter().filter(|status| status.is_in_progress()).cloned().collect();
        Box::pin(async move { session.cloudformation().list_stacks(&statuses).await })
    }

    fn events(&self, arn: String, page: Option<String>) -> BoxFuture<'static, Result<EventPage, Error>> {
        let session = self.0.clone();
        Box::pin(async move { session.cloudformation().events(&arn, page.as_deref()).await })
    }

    fn decode(&self, encoded: String) -> BoxFuture<'static, Option<String>> {
        let session = self.0.clone();
        // Whatever stands in the way: the message is then shown as it came.
        Box::pin(async move { session.decode_authorization_message(&encoded).await.ok() })
    }
}
