use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use tokio::time::Instant;

use super::super::cache::{CredentialCache, Source};
use super::super::{Credentials, CredentialsError};

/// What the source does next; the last stays.
#[derive(Clone)]
enum Next {
    /// Gives credentials that live so long, after so long.
    Give {
        life: Option<u64>,
        after: Duration,
    },
    Fail(CredentialsError),
    Hang,
    Panic,
}

fn give(life: u64) -> Next {
    Next::Give { life: Some(life), after: Duration::from_millis(20) }
}

fn throttled() -> CredentialsError {
    CredentialsError::Throttled { why: "Throttling".to_owned() }
}

/// A source with a script and a clock that the test sets. Credentials are numbered.
#[derive(Clone)]
struct Scripted(Arc<Script>);

struct Script {
    next: Mutex<Vec<Next>>,
    fetches: AtomicUsize,
    now: AtomicU64,
}

impl Scripted {
    fn new(next: &[Next]) -> (Self, CredentialCache) {
        let script = Script {
            next: Mutex::new(next.iter().rev().cloned().collect()),
            fetches: AtomicUsize::new(0),
            now: AtomicU64::new(1_000_000),
        };
        let scripted = Self(Arc::new(script));
        let clock = scripted.clone();
        let cache = CredentialCache::with_clock(scripted.clone(), Arc::new(move || clock.now()));
        (scripted, cache)
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.0.now.load(Ordering::SeqCst))
    }

    fn pass(&self, seconds: u64) {
        self.0.now.fetch_add(seconds, Ordering::SeqCst);
    }

    fn fetches(&self) -> usize {
        self.0.fetches.load(Ordering::SeqCst)
    }

    fn then(&self, next: Next) {
        *self.0.next.lock().unwrap() = vec![next];
    }
}

impl Source for Scripted {
    fn fetch(&self) -> BoxFuture<'static, Result<Credentials, CredentialsError>> {
        let number = self.0.fetches.fetch_add(1, Ordering::SeqCst);
        let next = {
            let mut next = self.0.next.lock().unwrap();
            if next.len() > 1 { next.pop().unwrap() } else { next[0].clone() }
        };
        let now = self.now();
        async move {
            match next {
                Next::Give { life, after } => {
                    tokio::time::sleep(after).await;
                    Ok(Credentials {
                        access_key_id: format!("KEY{number}"),
                        secret_access_key: "secret".to_owned(),
                        session_token: Some("token".to_owned()),
                        expires: life.map(|life| now + Duration::from_secs(life)),
                    })
                }
                Next::Fail(error) => Err(error),
                Next::Hang => std::future::pending().await,
                Next::Panic => panic!("on purpose"),
            }
        }
        .boxed()
    }
}

async fn key(cache: &CredentialCache) -> String {
    cache.get().await.unwrap().access_key_id.clone()
}

/// Lets what runs in the background come to its end.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_who_ask_at_once_share_a_fetch() {
    let (source, cache) = Scripted::new(&[give(3600)]);
    let all = join_all((0..100).map(|_| cache.get())).await;
    assert!(all.iter().all(|one| Arc::ptr_eq(one.as_ref().unwrap(), all[0].as_ref().unwrap())));
    assert_eq!(key(&cache).await, "KEY0");
    assert_eq!(source.fetches(), 1);
    let state = cache.state();
    assert!(state.valid);
    assert_eq!((state.refreshes, state.failures, state.last_success), (1, 0, Some(source.now())));
    assert_eq!(state.expires, Some(source.now() + Duration::from_secs(3600)));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_goes_on_when_who_waits_goes_away() {
    let (source, cache) = Scripted::new(&[give(3600)]);
    assert!(tokio::time::timeout(Duration::from_millis(5), cache.get()).await.is_err());
    settle().await;
    assert_eq!(key(&cache).await, "KEY0");
    assert_eq!(source.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn near_the_end_all_go_on_with_the_old_ones_while_one_fetches() {
    let (source, cache) = Scripted::new(&[give(3600)]);
    key(&cache).await;
    source.pass(3600 - 300 - 1);
    key(&cache).await;
    settle().await;
    assert_eq!(source.fetches(), 1, "more than five minutes are left");
    // The moment is up to a tenth later, by chance.
    source.pass(31);
    let start = Instant::now();
    let keys = join_all((0..100).map(|_| key(&cache))).await;
    assert!(keys.iter().all(|key| key == "KEY0"));
    assert_eq!(start.elapsed(), Duration::ZERO, "nobody waits");
    settle().await;
    assert_eq!(key(&cache).await, "KEY1");
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn sessions_of_seconds_are_used_for_most_of_their_life() {
    let (source, cache) = Scripted::new(&[give(9)]);
    key(&cache).await;
    source.pass(5);
    key(&cache).await;
    settle().await;
    assert_eq!(source.fetches(), 1);
    source.pass(2);
    key(&cache).await;
    settle().await;
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_the_end_all_wait_for_one_fetch() {
    let (source, cache) = Scripted::new(&[give(3600)]);
    key(&cache).await;
    source.pass(3600);
    assert!(!cache.state().valid);
    let keys = join_all((0..100).map(|_| key(&cache))).await;
    assert!(keys.iter().all(|key| key == "KEY1"));
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_near_the_end_harms_nobody_before_the_end() {
    let (source, cache) = Scripted::new(&[give(3600)]);
    key(&cache).await;
    source.then(Next::Fail(throttled()));
    source.pass(3400);
    for _ in 0..50 {
        assert_eq!(key(&cache).await, "KEY0");
        settle().await;
    }
    let state = cache.state();
    assert!(state.valid);
    assert_eq!(state.error, Some(throttled()));
    // 5 s in which it was asked fifty times, with pauses of 0.5, 1, 2 and 4 s.
    assert!((3..=5).contains(&source.fetches()), "{}", source.fetches());
    source.pass(200);
    assert_eq!(cache.get().await, Err(throttled()));
}

#[tokio::test(start_paused = true)]
async fn a_source_in_trouble_is_not_asked_by_every_request() {
    let (source, cache) = Scripted::new(&[Next::Fail(throttled())]);
    for _ in 0..1000 {
        assert_eq!(cache.get().await, Err(throttled()));
    }
    assert_eq!(source.fetches(), 1);
    // Ten minutes in steps of a second: the pause grows to ten seconds.
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(cache.get().await, Err(throttled()));
    }
    assert!((45..=90).contains(&source.fetches()), "{}", source.fetches());
    assert_eq!(cache.state().failures, source.fetches() as u64);
    source.then(give(3600));
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(cache.get().await.is_ok());
    assert_eq!(cache.state().error, None);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_given_up_after_its_limit() {
    let (source, cache) = Scripted::new(&[Next::Hang, give(3600)]);
    let start = Instant::now();
    let all = join_all((0..10).map(|_| cache.get())).await;
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    assert!(all.iter().all(|one| matches!(one, Err(CredentialsError::Unreachable { .. }))));
    assert_eq!(source.fetches(), 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(key(&cache).await, "KEY1");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_breaks_off_does_not_block_the_next() {
    let (_, cache) = Scripted::new(&[Next::Panic, give(3600)]);
    assert!(matches!(cache.get().await, Err(CredentialsError::Unreachable { .. })));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(key(&cache).await, "KEY1");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_have_ended_already_are_a_failure() {
    let (_, cache) = Scripted::new(&[give(0)]);
    let error = cache.get().await.unwrap_err();
    assert!(error.to_string().contains("is the clock right"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_who_renew_share_a_fetch_and_late_ones_take_what_is_there() {
    let (source, cache) = Scripted::new(&[give(3600)]);
    let stale = cache.get().await.unwrap();
    let renewed = join_all((0..100).map(|_| cache.renew(&stale))).await;
    assert!(renewed.iter().all(|one| one.as_ref().unwrap().access_key_id == "KEY1"));
    assert_eq!(source.fetches(), 2);
    assert_eq!(cache.renew(&stale).await.unwrap().access_key_id, "KEY1");
    assert_eq!(key(&cache).await, "KEY1");
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn renewals_that_are_no_cure_do_not_become_a_storm() {
    let (source, cache) = Scripted::new(&[give(3600)]);
    let mut last = cache.get().await.unwrap();
    for _ in 0..1000 {
        last = cache.renew(&last).await.unwrap();
    }
    assert_eq!(source.fetches(), 1 + 5);
    tokio::time::sleep(Duration::from_secs(21)).await;
    for _ in 0..10 {
        last = cache.renew(&last).await.unwrap();
    }
    assert_eq!(source.fetches(), 1 + 5 + 2, "one more every ten seconds");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_says_why_and_leaves_the_others_their_credentials() {
    let (source, cache) = Scripted::new(&[give(3600), Next::Fail(throttled())]);
    let stale = cache.get().await.unwrap();
    assert_eq!(cache.renew(&stale).await, Err(throttled()));
    assert_eq!(cache.renew(&stale).await, Err(throttled()), "in the pause");
    assert_eq!(source.fetches(), 2);
    assert_eq!(key(&cache).await, "KEY0");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_has_nothing_else_gives_the_same_back() {
    let credentials = Credentials {
        access_key_id: "AKIA".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: None,
        expires: None,
    };
    let cache = CredentialCache::fixed(credentials);
    let stale = cache.get().await.unwrap();
    assert!(Arc::ptr_eq(&cache.renew(&stale).await.unwrap(), &stale));
    assert_eq!(cache.state().expires, None);
    assert!(cache.state().valid);
}

#[tokio::test(start_paused = true)]
async fn credentials_without_an_end_are_fetched_once() {
    let (source, cache) = Scripted::new(&[Next::Give { life: None, after: Duration::ZERO }]);
    key(&cache).await;
    source.pass(10_000_000);
    assert_eq!(key(&cache).await, "KEY0");
    assert_eq!(source.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_keeper_fetches_without_anybody_asking_and_goes_on_after_failures() {
    let (source, cache) = Scripted::new(&[Next::Fail(throttled()), give(3600)]);
    let keeper = tokio::spawn({
        let cache = cache.clone();
        async move { cache.keep().await }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(source.fetches(), 2);
    assert!(cache.state().valid);
    source.pass(3400);
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(source.fetches(), 3);
    assert_eq!(cache.state().expires, Some(source.now() + Duration::from_secs(3600)));
    keeper.abort();
}
