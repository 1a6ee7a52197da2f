//! A multipart upload: parts, and at the end either an object or nothing.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::header::ETAG;
use http::{HeaderMap, Method, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use tokio::sync::mpsc;

use super::UploadError;
use crate::artifacts::bucket::{Bucket, BucketError, Call, Content, parts_document, refused_inside, text_of};
use crate::artifacts::part::{Part, PartError, Source};
use crate::body::{Body, BodyError};

/// An upload under way. Dropped before its end it is aborted, so that no parts stay that nobody sees but who pays for
/// them.
pub(super) struct Multipart {
    bucket: Arc<Bucket>,
    key: String,
    id: String,
    parts: Vec<(u32, String)>,
    completed: bool,
}

impl Multipart {
    pub(super) async fn begin(
        bucket: &Arc<Bucket>,
        key: &str,
        headers: HeaderMap,
    ) -> Result<Self, UploadError> {
        let mut call = Call::new("PutObject", Method::POST, key);
        call.query = &[("uploads", "")];
        call.headers = headers;
        let document = bucket.document(call).await?;
        let id = text_of(&document, "UploadId").filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| BucketError::Garbage { why: "a new upload has no id".to_owned() })?;
        Ok(Self { bucket: Arc::clone(bucket), key: key.to_owned(), id, parts: Vec::new(), completed: false })
    }

    /// How many parts have been sent.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Sends a part that waits.
    pub(super) async fn send(&mut self, part: Part) -> Result<(), UploadError> {
        let content = Content::Repeatable(part.maker(), part.length, part.hash);
        let answer = self.part(content).await?;
        self.note(&answer)
    }

    /// Sends the next `length` bytes as a part, as they come.
    pub(super) async fn stream(&mut self, source: &mut Source, length: u64) -> Result<(), UploadError> {
        // One chunk under way and one that waits: what the client sends faster waits in its own socket.
        let (sender, receiver) = mpsc::channel::<Result<Bytes, BodyError>>(1);
        let chunks = stream::unfold(receiver, |mut receiver| async move {
            let chunk = receiver.recv().await?;
            Some((chunk.map(Frame::data), receiver))
        });
        let body: Body = BodyExt::boxed_unsync(StreamBody::new(chunks));
        let pump = async move {
            let mut left = length;
            while left > 0 {
                let chunk = match source.take(left).await {
                    Ok(Some(chunk)) => chunk,
                    end => {
                        let error = end.err().unwrap_or_else(|| "the body is shorter than it said".into());
                        // The part has to break off too: it must not end as if it were whole.
                        let _ = sender.send(Err("the client broke off".into())).await;
                        return Err(UploadError::Part(PartError::Body(error)));
                    }
                };
                left -= chunk.len() as u64;
                if sender.send(Ok(chunk)).await.is_err() {
                    // S3 has answered before the end, or the connection is gone: the answer tells.
                    return Ok(());
                }
            }
            Ok(())
        };
        let (pumped, answer) = tokio::join!(pump, self.part(Content::Stream(body, length)));
        pumped?;
        let answer = answer?;
        self.note(&answer)
    }

    async fn part(&self, content: Content) -> Result<Response<Incoming>, BucketError> {
        let number = (self.parts.len() + 1).to_string();
        let query = [("partNumber", number.as_str()), ("uploadId", self.id.as_str())];
        let mut call = Call::new("PutObject", Method::PUT, &self.key);
        (call.query, call.content) = (&query, content);
        self.bucket.send(call).await
    }

    fn note(&mut self, answer: &Response<Incoming>) -> Result<(), UploadError> {
        let tag = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
        let tag = tag.ok_or_else(|| BucketError::Garbage { why: "a part has no tag".to_owned() })?;
        let number = u32::try_from(self.parts.len() + 1).unwrap_or(u32::MAX);
        self.parts.push((number, tag.to_owned()));
        Ok(())
    }

    /// Makes the object of its parts.
    pub(super) async fn complete(mut self) -> Result<(), UploadError> {
        let query = [("uploadId", self.id.as_str())];
        let mut call = Call::new("PutObject", Method::POST, &self.key);
        (call.query, call.content) = (&query, Content::Held(parts_document(&self.parts).into()));
        let document = self.bucket.document(call).await?;
        if let Some(refusal) = refused_inside("PutObject", &document) {
            return Err(BucketError::Refused(refusal).into());
        }
        self.completed = true;
        Ok(())
    }
}

impl Drop for Multipart {
    fn drop(&mut self) {
        if self.completed {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (bucket, key, id) =
            (Arc::clone(&self.bucket), std::mem::take(&mut self.key), std::mem::take(&mut self.id));
        runtime.spawn(async move {
            let query = [("uploadId", id.as_str())];
            let mut call = Call::new("AbortMultipartUpload", Method::DELETE, &key);
            call.query = &query;
            if let Err(error) = bucket.send(call).await {
                // The bucket's lifecycle rule for unfinished uploads takes what is left.
                tracing::warn!(%error, "an upload that broke off could not be aborted");
            }
        });
    }
}
