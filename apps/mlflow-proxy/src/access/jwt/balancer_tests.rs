//! The keys of a load balancer, while somebody else asks for keys that there are not.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use serde_json::json;
use tokio::sync::Notify;

use super::testing::Pair;
use super::tests::{balancer_settings, balancer_token, now};
use super::*;

const REAL: &str = "/11111111-2222-3333-4444-555555555555";

/// Keys that are published: one, once it may be had; some are missing, and for all others no answer ever comes.
#[derive(Clone)]
struct Keys {
    pem: Bytes,
    open: Arc<Notify>,
    is_open: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Keys {
    fn new(pair: &Pair, is_open: bool) -> Self {
        Self { pem: pair.pem().into(), open: Arc::default(), is_open, asked: Arc::default() }
    }

    fn verifier(&self) -> Arc<Verifier> {
        let keys = self.clone();
        let documents: Documents = Arc::new(move |uri, _| {
            keys.asked.lock().unwrap().push(uri.path().to_owned());
            let (keys, uri) = (keys.clone(), uri);
            Box::pin(async move {
                match uri.path() {
                    REAL if keys.is_open => Ok(keys.pem.clone()),
                    REAL => {
                        keys.open.notified().await;
                        Ok(keys.pem.clone())
                    }
                    path if path.starts_with("/missing") => Err("the answer is 403".to_owned()),
                    _ => std::future::pending().await,
                }
            })
        });
        Arc::new(Verifier::new(balancer_settings(), documents))
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.starts_with(path)).count()
    }
}

fn invented(pair: &Pair, id: &str) -> String {
    balancer_token(pair, |head| head["kid"] = json!(id))
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(2), future).await.expect("nobody else is waited for")
}

#[tokio::test]
async fn a_key_that_hangs_and_many_that_are_invented_keep_nobody_out() {
    let pair = Pair::p256();
    let keys = Keys::new(&pair, true);
    let verifier = keys.verifier();
    for index in 0..3 {
        let (verifier, token) = (verifier.clone(), invented(&pair, &format!("hangs-{index}")));
        tokio::spawn(async move { verifier.balancer(&token, now()).await });
    }
    while keys.asked("/hangs") == 0 {
        tokio::task::yield_now().await;
    }
    for index in 0..5 {
        let token = invented(&pair, &format!("missing-{index}"));
        assert!(matches!(soon(verifier.balancer(&token, now())).await, Err(Refusal::Unavailable(_))));
    }
    assert!(soon(verifier.balancer(&balancer_token(&pair, |_| {}), now())).await.is_ok());
}

#[tokio::test]
async fn a_key_is_fetched_once_for_all_who_wait_and_also_when_the_first_goes_away() {
    let pair = Pair::p256();
    let keys = Keys::new(&pair, false);
    let verifier = keys.verifier();
    let ask = |name: &str| {
        let (verifier, token) = (verifier.clone(), balancer_token(&pair, |head| head["x"] = json!(name)));
        tokio::spawn(async move { verifier.balancer(&token, now()).await.is_ok() })
    };
    let first = ask("first");
    while keys.asked(REAL) == 0 {
        tokio::task::yield_now().await;
    }
    let others: Vec<_> = (0..20).map(|index| ask(&index.to_string())).collect();
    first.abort();
    assert!(first.await.is_err());
    keys.open.notify_one();
    for other in others {
        assert!(soon(other).await.unwrap());
    }
    assert_eq!(keys.asked(REAL), 1);
}

#[tokio::test]
async fn a_key_that_is_not_there_is_asked_for_once_in_a_while_and_all_of_them_are_rationed() {
    let (pair, other) = (Pair::p256(), Pair::p256());
    let keys = Keys::new(&pair, true);
    let verifier = keys.verifier();
    assert!(verifier.balancer(&balancer_token(&pair, |_| {}), now()).await.is_ok());
    let counted = AtomicU32::new(0);
    let ask = async |id: String| {
        counted.fetch_add(1, Ordering::Relaxed);
        assert!(matches!(
            verifier.balancer(&invented(&other, &id), now()).await,
            Err(Refusal::Unavailable(_))
        ));
    };
    for _ in 0..50 {
        ask("missing".to_owned()).await;
    }
    assert_eq!(keys.asked("/missing"), 1);
    for index in 0..500 {
        ask(format!("missing-{index}")).await;
    }
    assert!((20..300).contains(&keys.asked("/missing")), "{} of {counted:?}", keys.asked("/missing"));
    let again = balancer_token(&pair, |head| head["x"] = json!("again"));
    assert!(verifier.balancer(&again, now()).await.is_ok(), "the key that has signed is kept");
    assert_eq!(keys.asked(REAL), 1);
}
