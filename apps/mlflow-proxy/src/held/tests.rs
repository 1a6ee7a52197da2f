//! Bounds are kept by all together, and given back.

use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::*;
use crate::body::{BodyError, full};
use crate::share::Shares;

/// A body of pieces, which then goes on without a byte.
fn silent(pieces: usize, size: usize) -> Body {
    let piece = Bytes::from(vec![b' '; size]);
    let begun = stream::iter((0..pieces).map(move |_| Ok::<_, BodyError>(Frame::data(piece.clone()))));
    let silence = stream::once(std::future::pending());
    StreamBody::new(futures_util::StreamExt::chain(begun, silence)).boxed_unsync()
}

#[test]
fn what_is_taken_comes_back() {
    let told = Gauge::default();
    let disk = Disk::new(std::env::temp_dir(), 100, 1, told.clone());
    let shares = Shares::new(0, 1);
    let (mut one, mut other) = (disk.room(&shares.of_anybody()), disk.room(&shares.of_anybody()));
    assert!(
        one.more(60).is_ok() && other.more(41).is_err() && other.more(40).is_ok() && one.more(1).is_err()
    );
    assert!(one.more(u64::MAX).is_err() && disk.look(1).is_err());
    assert_eq!(told.get(), 100);
    drop(one);
    assert_eq!(told.get(), 40);
    assert!(disk.look(60).is_ok() && other.more(60).is_ok());
    drop(other);
    assert_eq!(told.get(), 0);
}

#[test]
fn a_user_leaves_half_of_the_disk_to_others() {
    let disk = Disk::new(std::env::temp_dir(), 100, 1, Gauge::default());
    let shares = Shares::new(0, 1);
    let (ann, bob) = (shares.of(&Arc::from("ann")), shares.of(&Arc::from("bob")));
    let (mut one, mut other) = (disk.room(&ann), disk.room(&ann));
    assert!(one.more(40).is_ok() && other.more(11).is_err() && other.more(10).is_ok());
    assert!(disk.room(&bob).more(50).is_ok());
    drop((one, other));
    assert!(disk.room(&ann).more(100).is_ok(), "what is alone may have all");
}

#[tokio::test]
async fn a_body_counts_as_long_as_somebody_has_it() {
    let shares = Shares::with_most(100_000, 1);
    let body = collect(full(vec![7; 100_000]), 1 << 20, shares.of_anybody().count()).await.unwrap();
    let part = body.slice(10..20);
    drop(body);
    assert!(shares.of_anybody().count().add(1).is_err());
    drop(part);
    let body = full(vec![7; 50_001]);
    let problem = collect(body, 50_000, shares.of_anybody().count()).await.unwrap_err();
    assert_eq!((problem.status, problem.headers.len()), (StatusCode::PAYLOAD_TOO_LARGE, 1));
    assert!(shares.of_anybody().count().add(100_000).is_ok());
}

#[tokio::test]
async fn many_bodies_that_wait_take_no_more_than_there_is() {
    let shares = Arc::new(Shares::with_most(4 << 20, 1));
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let counted = shares.of_anybody().count();
            tokio::spawn(async move { collect(silent(15, 64 << 10), 1 << 20, counted).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = waiting.iter().filter(|waiting| waiting.is_finished()).count();
    assert_eq!(refused, 16);
    for waiting in waiting {
        waiting.abort();
        assert!(waiting.await.map_or(true, |refused| refused.unwrap_err().status == 503));
    }
    assert!(shares.of_anybody().count().add(4 << 20).is_ok(), "all of it came back");
}

#[tokio::test(start_paused = true)]
async fn files_have_so_many_places() {
    let disk = Disk::new(std::env::temp_dir(), 10, 1, Gauge::default());
    let share = Shares::new(0, 2).of_anybody();
    let place = disk.place(&share).await.unwrap();
    assert_eq!(disk.place(&share).await.unwrap_err().status, StatusCode::SERVICE_UNAVAILABLE);
    drop(place);
    assert!(disk.place(&share).await.is_ok());
}
