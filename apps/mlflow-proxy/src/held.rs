//! How much may wait at once, in memory and on disk, over all requests: it is taken as bytes come, not as they are told.
//!
//! A bound of each request alone is none: whoever may send one request may send a thousand and let them all wait.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::body::{self, Body};
use crate::problem::Problem;
use crate::settings::Size;
use crate::share::{Counted, Share, busy};

/// How long a file waits for its place among those that are written.
const PATIENCE: Duration = Duration::from_secs(10);

/// So many bytes, for all who take of them. Clones share them.
#[derive(Clone)]
struct Bound(Arc<Inner>);

struct Inner {
    limit: u64,
    taken: AtomicU64,
    told: Gauge,
}

impl Bound {
    /// At most `limit` bytes. `told` shows how many are taken.
    fn new(limit: u64, told: Gauge) -> Self {
        Self(Arc::new(Inner { limit, taken: AtomicU64::new(0), told }))
    }

    fn has(&self, bytes: u64) -> bool {
        self.fits(self.0.taken.load(Ordering::Acquire), bytes).is_some()
    }

    fn fits(&self, taken: u64, bytes: u64) -> Option<u64> {
        taken.checked_add(bytes).filter(|all| *all <= self.0.limit)
    }

    /// Takes `bytes`; `false` if they are not there, and then nothing is taken.
    fn take(&self, bytes: u64) -> bool {
        let fits = |taken| self.fits(taken, bytes);
        let took = self.0.taken.fetch_update(Ordering::AcqRel, Ordering::Relaxed, fits).is_ok();
        if took {
            self.0.told.inc_by(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
        took
    }

    fn give_back(&self, bytes: u64) {
        self.0.taken.fetch_sub(bytes, Ordering::AcqRel);
        self.0.told.dec_by(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}

/// The room of one file, which it takes until this is dropped.
pub(crate) struct Room {
    bound: Bound,
    share: Share,
    bytes: u64,
}

impl Room {
    /// What is taken, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes `bytes` more.
    ///
    /// # Errors
    ///
    /// 503 if they are not there, for all or for this user; then it is as it was.
    pub(crate) fn more(&mut self, bytes: u64) -> Result<(), Problem> {
        let limit = self.bound.0.limit;
        if !self.bound.take(bytes) {
            return Err(full(limit));
        }
        if !self.share.take_disk(bytes, self.bytes + bytes, limit) {
            self.share.return_disk(bytes);
            self.bound.give_back(bytes);
            let message = format!("this user's bodies on their way take half of the {}", Size(limit));
            return Err(busy(&message, "send fewer large bodies at once, or try again later"));
        }
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.share.return_disk(self.bytes);
        self.bound.give_back(self.bytes);
    }
}

/// What is told to whom the room does not suffice.
fn full(limit: u64) -> Problem {
    let message = format!("bodies on their way take all of the {} that they may", Size(limit));
    busy(&message, "try again later, or raise MLFLOW_PROXY_MAX_SPOOL at the proxy")
}

/// Where files without a name lie, how much they may hold together, and how many may be written at once. Clones share it.
#[derive(Clone)]
pub struct Disk {
    directory: PathBuf,
    room: Bound,
    places: Arc<Semaphore>,
}

impl Disk {
    /// Files in `directory`, of `limit` bytes in all, of which `places` are written at once.
    pub fn new(directory: PathBuf, limit: u64, places: usize, told: Gauge) -> Self {
        let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Self { directory, room: Bound::new(limit, told), places }
    }

    /// Where the files lie.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Looks whether there is room for so many bytes now, without taking it.
    ///
    /// # Errors
    ///
    /// 503 if there is not.
    pub(crate) fn look(&self, bytes: u64) -> Result<(), Problem> {
        if self.room.has(bytes) { Ok(()) } else { Err(full(self.room.0.limit)) }
    }

    /// Room for a file of somebody's, without a byte yet.
    pub(crate) fn room(&self, share: &Share) -> Room {
        Room { bound: self.room.clone(), share: share.clone(), bytes: 0 }
    }

    /// A place among the files that are written, until it is dropped.
    ///
    /// # Errors
    ///
    /// 503 when none became free for a while.
    pub(crate) async fn place<'a>(&'a self, share: &'a Share) -> Result<Place<'a>, Problem> {
        let places =
            async { Ok::<_, AcquireError>((share.places().acquire().await?, self.places.acquire().await?)) };
        match timeout(PATIENCE, places).await {
            Ok(Ok(places)) => Ok(places),
            _ => {
                let message = "too many large bodies are being received at once";
                Err(busy(message, "try again later, or raise MLFLOW_PROXY_MAX_SPOOLS at the proxy"))
            }
        }
    }
}

/// The user's place, and that among all.
pub(crate) type Place<'a> = (SemaphorePermit<'a>, SemaphorePermit<'a>);

/// Bytes that wait as a whole.
struct Whole<T> {
    bytes: T,
    counted: Counted,
}

impl<T: AsRef<[u8]>> AsRef<[u8]> for Whole<T> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

/// Bytes that wait as a whole, counted as long as anybody has a part of them.
pub(crate) fn counted(bytes: impl AsRef<[u8]> + Send + 'static, counted: Counted) -> Bytes {
    Bytes::from_owner(Whole { bytes, counted })
}

/// Reads a body to its end that is looked into before anything is done, of at most `greatest` bytes.
///
/// # Errors
///
/// 413 when it is longer, 503 when too much waits already, else what broke it off.
pub(crate) async fn collect(mut body: Body, greatest: usize, counted: Counted) -> Result<Bytes, Problem> {
    let mut whole = Whole { bytes: Vec::<u8>::new(), counted };
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| body::problem(&error))?.into_data() else { continue };
        let (needed, room) = (whole.bytes.len() + data.len(), whole.bytes.capacity());
        if needed > greatest {
            let message = format!("the request's body is longer than {greatest} bytes");
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "MAX_READ_SIZE_EXCEEDED", message);
            // What is left of it is not read.
            return Err(problem.header(CONNECTION, HeaderValue::from_static("close")));
        }
        if needed > room {
            let size = needed.max(2 * room).min(greatest);
            whole.counted.add((size - room) as u64)?;
            whole.bytes.reserve_exact(size - whole.bytes.len());
        }
        whole.bytes.extend_from_slice(&data);
    }
    Ok(Bytes::from_owner(whole))
}

#[cfg(test)]
mod tests;
