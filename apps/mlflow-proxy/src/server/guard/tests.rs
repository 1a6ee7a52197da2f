use tokio::io::AsyncWriteExt;

use super::*;
use crate::operate::{Operate, Settings};
use crate::settings::Reader;

/// Writes nothing and never closes, as TLS does over a socket that nobody reads: its farewell does not go out.
struct Full;

impl AsyncRead for Full {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Full {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

fn guard() -> Guard<Full> {
    let operate = Operate::new(&Settings::read(&mut Reader::new(&|_| None)));
    let traffic = Arc::new(Traffic::new(operate.metrics.clone()));
    let (head, idle, write) = (Duration::from_secs(10), Duration::from_secs(75), Duration::from_secs(120));
    Guard::new(Full, traffic, Limits { head, idle, write })
}

#[tokio::test(start_paused = true)]
async fn closing_ends_although_the_client_takes_nothing() {
    let begin = Instant::now();
    let closed = tokio::time::timeout(Duration::from_secs(1000), guard().shutdown()).await;
    assert_eq!(closed.expect("it ends").unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(begin.elapsed() <= Duration::from_secs(121), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn closing_after_a_write_that_timed_out_waits_no_second_time() {
    let mut guard = guard();
    let written = tokio::time::timeout(Duration::from_secs(1000), guard.write_all(b"x")).await;
    assert_eq!(written.expect("it ends").unwrap_err().kind(), io::ErrorKind::TimedOut);
    let begin = Instant::now();
    assert!(
        tokio::time::timeout(Duration::from_secs(1000), guard.shutdown()).await.expect("it ends").is_err()
    );
    assert!(begin.elapsed() <= Duration::from_secs(1), "{:?}", begin.elapsed());
}
