//! What is directly below a path, in MLflow's form.
//!
//! S3 gives 1000 entries a page. The first page is waited for, so that a refusal is an answer of its own; the others are
//! written into the answer as they come, so that a list of a million files needs no more memory than one of a thousand.
//! Entries are sorted within their page, which is S3's order but for names with letters below the slash.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::{Method, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde::Serialize;

use super::bucket::{Bucket, BucketError, Call, Content, Listing, listing};
use super::path::RelativePath;
use crate::body::{Body, BodyError};
use crate::problem::Problem;

/// An entry of a list. Source: `FileInfo` of MLflow's `service.proto`; MLflow's server leaves out the size of empty files.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    path: &'a str,
    is_dir: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_size: Option<u64>,
}

/// A list under way.
struct Pages {
    bucket: Arc<Bucket>,
    directory: String,
    next: Option<String>,
    begun: bool,
    ended: bool,
    ready: VecDeque<Bytes>,
}

pub(super) async fn answer(bucket: &Arc<Bucket>, path: RelativePath) -> Result<Response<Body>, Problem> {
    let directory = bucket.root().directory(&path);
    let page =
        fetch(bucket, &directory, None, "/").await.map_err(|error| error.into_problem(path.as_str()))?;
    let mut pages = Pages {
        bucket: Arc::clone(bucket),
        directory,
        next: None,
        begun: false,
        ended: false,
        ready: VecDeque::new(),
    };
    pages.take(page);
    if pages.ended {
        let text: Vec<u8> = pages.ready.iter().flatten().copied().collect();
        return Ok(super::json(text));
    }
    let frames = stream::try_unfold(pages, |mut pages| async move {
        loop {
            if let Some(bytes) = pages.ready.pop_front() {
                return Ok::<_, BodyError>(Some((Frame::data(bytes), pages)));
            }
            if pages.ended {
                return Ok(None);
            }
            let next = pages.next.take();
            let page = fetch(&pages.bucket, &pages.directory, next.as_deref(), "/").await;
            let page = page.inspect_err(|error| tracing::warn!(%error, "a list of artifacts broke off"))?;
            pages.take(page);
        }
    });
    let mut response = super::json(Bytes::new());
    *response.body_mut() = BodyExt::boxed_unsync(StreamBody::new(frames));
    Ok(response)
}

/// One page of what is below a directory; all the way down without a delimiter.
pub(super) async fn fetch(
    bucket: &Bucket,
    directory: &str,
    next: Option<&str>,
    delimiter: &str,
) -> Result<Listing, BucketError> {
    let mut query = vec![("encoding-type", "url"), ("list-type", "2"), ("prefix", directory)];
    if !delimiter.is_empty() {
        query.push(("delimiter", delimiter));
    }
    if let Some(next) = next {
        query.push(("continuation-token", next));
    }
    let call = Call {
        action: "ListBucket",
        method: Method::GET,
        key: None,
        query: &query,
        headers: http::HeaderMap::new(),
        content: Content::Nothing,
    };
    let document = bucket.document(call).await?;
    let mut page = listing(&document).map_err(|why| BucketError::Garbage { why })?;
    // Nothing outside of the directory is anybody's business, whatever the answer says.
    page.objects.retain(|(key, _)| key.starts_with(directory));
    page.directories.retain(|key| key.starts_with(directory));
    Ok(page)
}

impl Pages {
    /// Puts a page into the answer's text.
    fn take(&mut self, page: Listing) {
        let mut entries = Vec::with_capacity(page.objects.len() + page.directories.len());
        for directory in &page.directories {
            let name = directory[self.directory.len()..].trim_end_matches('/');
            if !name.is_empty() {
                entries.push(Entry { path: name, is_dir: true, file_size: None });
            }
        }
        for (key, size) in &page.objects {
            let name = &key[self.directory.len()..];
            // Consoles make directories by empty objects whose name ends with a slash.
            if !name.is_empty() && !name.ends_with('/') {
                let file_size = (*size > 0).then_some(*size);
                entries.push(Entry { path: name, is_dir: false, file_size });
            }
        }
        entries.sort_by(|one, other| one.path.cmp(other.path));
        let mut text = Vec::new();
        for entry in entries {
            text.extend_from_slice(if self.begun { b"," } else { b"{\"files\":[" });
            self.begun = true;
            serde_json::to_writer(&mut text, &entry).expect("text, numbers and a switch are JSON");
        }
        self.next = page.next;
        if self.next.is_none() {
            self.ended = true;
            text.extend_from_slice(if self.begun { b"]}" } else { b"{}" });
        }
        if !text.is_empty() {
            self.ready.push_back(text.into());
        }
    }
}
