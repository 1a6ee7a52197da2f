//! A connection with limits on time: nobody holds one by doing nothing, and no answer is lost by closing too soon.
//!
//! It knows from the [`Traffic`] whether a request is under way, and judges what it sees on the wire by that: between
//! requests a client may be silent for long, within the head of a request for a short time only, and an answer has to be
//! taken. One timer a connection serves all of it; it is set anew only when a nearer deadline comes up.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::pace::Traffic;

/// How long what a client still sends is thrown away after an early answer: closing at once would reset the connection and
/// could destroy the answer on its way. Source: RFC 9112, section 9.6.
const LINGER: Duration = Duration::from_secs(30);

/// A client that sends nothing more for so long has read its answer.
const LINGER_SILENT: Duration = Duration::from_secs(3);

/// After so long between requests the machinery of HTTP is put away until the next one.
const IDLE: Duration = Duration::from_secs(2);

/// How HTTP/2 begins; three bytes tell it from every request of HTTP/1. Source: RFC 9113, section 3.4.
const PREFACE: &[u8; 3] = b"PRI";

const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Times for a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) head: Duration,
    pub(super) idle: Duration,
    /// How long a client may take nothing of its answer.
    pub(super) write: Duration,
}

/// A stream under guard.
pub(super) struct Guard<S> {
    stream: S,
    traffic: Arc<Traffic>,
    limits: Limits,
    /// Bytes that were read to see the protocol, and how many of them there are.
    preface: ([u8; PREFACE.len()], usize),
    /// HTTP/2 has frames without a request: there a started head cannot be seen.
    multiplexed: bool,
    /// Nobody but [`is_http2`](Self::is_http2) reads at the moment.
    waiting: bool,
    idle_since: Instant,
    head_since: Option<Instant>,
    stalled_since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    lingering: Option<Instant>,
    /// Who reads was told that the client had gone, only because it was silent.
    idle: bool,
    /// Bytes came while a request was under way: of its body, or of the next request already.
    ahead: bool,
    /// The time for a head is over, which the client was told.
    over: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    pub(super) fn new(stream: S, traffic: Arc<Traffic>, limits: Limits) -> Self {
        let now = Instant::now();
        Self {
            stream,
            traffic,
            limits,
            preface: ([0; 3], 0),
            multiplexed: false,
            waiting: false,
            idle_since: now,
            head_since: None,
            stalled_since: None,
            timer: Box::pin(tokio::time::sleep_until(now + limits.idle)),
            lingering: None,
            idle: false,
            ahead: false,
            over: false,
        }
    }

    /// Says that the stream is known to carry HTTP/2.
    pub(super) fn set_multiplexed(&mut self) {
        self.multiplexed = true;
    }

    /// Whether reading ended for no other reason than that nothing came for a while.
    pub(super) fn take_idle(&mut self) -> bool {
        std::mem::take(&mut self.idle)
    }

    /// Waits for as much as tells HTTP/2 from HTTP/1; `None` when the client has gone, or was silent for too long. What was
    /// read is read again by who reads next.
    pub(super) async fn is_http2(&mut self) -> io::Result<Option<bool>> {
        self.waiting = true;
        let seen = self.look_ahead().await;
        self.waiting = false;
        seen
    }

    async fn look_ahead(&mut self) -> io::Result<Option<bool>> {
        let (mut bytes, mut length) = ([0; PREFACE.len()], 0);
        while length < bytes.len() && bytes[..length] == PREFACE[..length] {
            let count = self.read(&mut bytes[length..]).await?;
            if count == 0 {
                break;
            }
            length += count;
        }
        self.preface = (bytes, length);
        Ok((length > 0).then_some(&bytes == PREFACE))
    }

    /// Notes what the requests did since the last look.
    fn look(&mut self) {
        if self.traffic.take_ended() {
            self.idle_since = Instant::now();
            self.head_since = None;
        }
    }

    fn deadline(&self) -> Instant {
        if let Some(since) = self.stalled_since {
            return since + self.limits.write;
        }
        if self.traffic.busy() {
            // Others watch, but for what nobody takes; look again later.
            let later = Instant::now() + self.limits.idle.min(self.limits.write);
            let untaken = if self.multiplexed { self.traffic.untaken_since() } else { None };
            let end = untaken.map(|since| since + self.limits.write);
            return end.map_or(later, |end| end.min(later));
        }
        match self.head_since {
            Some(since) => since + self.limits.head,
            None if self.waiting || self.multiplexed || self.ahead => self.idle_since + self.limits.idle,
            None => self.idle_since + IDLE.min(self.limits.idle),
        }
    }

    /// Ready when the deadline has passed.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline();
        if deadline < self.timer.deadline() {
            self.timer.as_mut().reset(deadline);
        }
        loop {
            ready!(self.timer.as_mut().poll(context));
            let deadline = self.deadline();
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(deadline);
        }
    }

    fn poll_stalled<T>(&mut self, context: &mut Context<'_>, written: Poll<T>) -> Poll<Result<T, io::Error>> {
        match written {
            Poll::Ready(written) => {
                self.stalled_since = None;
                Poll::Ready(Ok(written))
            }
            Poll::Pending => {
                if self.stalled_since.is_none() {
                    self.stalled_since = Some(Instant::now());
                }
                ready!(self.poll_deadline(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(Ok(()));
        }
        let (bytes, length) = this.preface;
        if length > 0 {
            let fits = length.min(buffer.remaining());
            buffer.put_slice(&bytes[..fits]);
            this.preface.0.copy_within(fits.., 0);
            this.preface.1 -= fits;
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        this.look();
        match read {
            Poll::Ready(result) => {
                if buffer.filled().len() > before && !this.multiplexed {
                    if this.traffic.busy() {
                        this.ahead = true;
                    } else if this.head_since.is_none() {
                        this.head_since = Some(Instant::now());
                        this.ahead = false;
                    }
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                ready!(this.poll_deadline(context));
                this.idle = this.head_since.is_none() && !(this.waiting || this.multiplexed || this.ahead);
                this.over = !this.idle;
                if this.head_since.is_some() && this.stalled_since.is_none() {
                    // Nothing else is being written on a connection without a request.
                    let _ = Pin::new(&mut this.stream).poll_write(context, TOO_SLOW);
                }
                // To the reader it is as if the client had gone.
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.poll_stalled(context, written).map(Result::flatten)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.poll_stalled(context, written).map(Result::flatten)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.poll_stalled(context, flushed).map(Result::flatten)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let Some(until) = this.lingering else {
            // Over TLS a farewell has to be written, for which there may be no room.
            let closed = Pin::new(&mut this.stream).poll_shutdown(context);
            ready!(this.poll_stalled(context, closed)).flatten()?;
            this.look();
            if this.multiplexed || !(this.traffic.unread() || this.head_since.is_some()) {
                return Poll::Ready(Ok(()));
            }
            this.lingering = Some(Instant::now() + LINGER);
            this.timer.as_mut().reset(Instant::now() + LINGER_SILENT);
            return self.poll_shutdown(context);
        };
        let mut scratch = [0; 4096];
        while Instant::now() < until {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut this.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    this.timer.as_mut().reset(Instant::now() + LINGER_SILENT);
                }
                Poll::Ready(_) => break,
                Poll::Pending => {
                    ready!(this.timer.as_mut().poll(context));
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
