//! When the users are read, and what stays when that fails.

use std::time::SystemTime;

use super::*;
use crate::access::testing::{Source, document, token, with_token};

fn knows(store: &UserStore, id: &str) -> bool {
    store.users().token(&token(id), SystemTime::now()).is_ok()
}

fn store(source: &Source) -> Arc<UserStore> {
    UserStore::new(source.secret(), Duration::from_secs(30), Duration::from_secs(3600))
}

#[tokio::test]
async fn an_empty_secret_is_nobody_and_an_unreachable_one_is_not_known() {
    let source = Source::default();
    let store = store(&source);
    assert!(!store.state().loaded);
    source.set(Err("the secret cannot be reached".to_owned()));
    store.refresh().await;
    let state = store.state();
    assert_eq!((state.loaded, state.error.as_deref()), (false, Some("the secret cannot be reached")));
    source.set(Ok(None));
    store.refresh().await;
    let state = store.state();
    assert_eq!((state.loaded, state.users, state.error), (true, 0, None));
    assert_eq!(state.failures, 1);
}

#[tokio::test]
async fn what_was_read_stays_until_something_better_is_read() {
    let source = Source::with(&[with_token("ci", "writer", "0a1b2c3d")]);
    let store = store(&source);
    store.refresh().await;
    assert!(knows(&store, "0a1b2c3d"));
    for trouble in
        [Err("away".to_owned()), Ok(Some("{".to_owned())), Ok(Some(r#"{"version":9,"users":[]}"#.to_owned()))]
    {
        source.set(trouble);
        store.refresh().await;
        assert!(knows(&store, "0a1b2c3d"));
        assert!(store.state().loaded && store.state().error.is_some());
        // The same trouble again is trouble still.
        store.refresh().await;
        assert!(store.state().error.is_some());
    }
    source.set(Ok(Some(document(&[with_token("ci", "writer", "11111111")]))));
    store.refresh().await;
    assert!(!knows(&store, "0a1b2c3d") && knows(&store, "11111111"));
    assert_eq!(store.state().error, None);
    source.set(Ok(None));
    store.refresh().await;
    assert!(!knows(&store, "11111111"), "a secret whose value was taken away lets nobody in");
}

#[tokio::test]
async fn users_that_could_not_be_read_for_too_long_count_no_more() {
    let source = Source::with(&[with_token("ci", "writer", "0a1b2c3d")]);
    let store = UserStore::new(source.secret(), Duration::from_secs(30), Duration::from_millis(200));
    store.refresh().await;
    source.set(Err("the secret is gone".to_owned()));
    store.refresh().await;
    assert!(knows(&store, "0a1b2c3d") && store.state().loaded);
    tokio::time::sleep(Duration::from_millis(250)).await;
    store.refresh().await;
    let state = store.state();
    assert!(!knows(&store, "0a1b2c3d"));
    assert_eq!((state.loaded, state.outdated, state.users), (false, true, 0));
    assert_eq!(state.error.as_deref(), Some("the secret is gone"));
    source.set(Ok(Some(document(&[with_token("ci", "writer", "0a1b2c3d")]))));
    store.refresh().await;
    assert_eq!(
        (knows(&store, "0a1b2c3d"), store.state().loaded, store.state().outdated),
        (true, true, false)
    );
    // The same text read again is as good as a new one.
    tokio::time::sleep(Duration::from_millis(250)).await;
    store.refresh().await;
    source.set(Err("away".to_owned()));
    store.refresh().await;
    assert!(knows(&store, "0a1b2c3d"));
}

#[tokio::test]
async fn after_trouble_the_same_text_is_good_again() {
    let source = Source::with(&[with_token("ci", "writer", "0a1b2c3d")]);
    let store = store(&source);
    store.refresh().await;
    source.set(Err("away".to_owned()));
    store.refresh().await;
    source.set(Ok(Some(document(&[with_token("ci", "writer", "0a1b2c3d")]))));
    store.refresh().await;
    assert_eq!((store.state().error, knows(&store, "0a1b2c3d")), (None, true));
}

#[tokio::test]
async fn entries_that_are_left_out_are_told() {
    let source =
        Source::with(&[with_token("ci", "writer", "0a1b2c3d"), with_token("ci", "owner", "11111111")]);
    let store = store(&source);
    store.refresh().await;
    let state = store.state();
    assert_eq!((state.users, state.left_out.len(), state.error), (1, 1, None));
}

#[tokio::test]
async fn the_users_are_read_again_after_a_while_until_the_store_is_gone() {
    let source = Source::with(&[with_token("ci", "writer", "0a1b2c3d")]);
    let store = UserStore::new(source.secret(), Duration::from_millis(20), Duration::from_secs(3600));
    store.start().await;
    assert!(knows(&store, "0a1b2c3d"));
    source.set(Ok(Some(document(&[with_token("ci", "writer", "11111111")]))));
    for _ in 0..200 {
        if knows(&store, "11111111") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(knows(&store, "11111111") && !knows(&store, "0a1b2c3d"));
    drop(store);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let reads = source.reads();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(source.reads(), reads);
}

#[tokio::test]
async fn a_failed_login_reads_again_but_a_flood_of_them_does_not() {
    let source = Source::with(&[]);
    let store = store(&source);
    assert!(store.refresh_after_failure(&store.users()).await, "nothing was read before");
    source.set(Ok(Some(document(&[with_token("ci", "writer", "0a1b2c3d")]))));
    let seen = store.users();
    for _ in 0..100 {
        assert!(!store.refresh_after_failure(&seen).await);
    }
    assert_eq!(source.reads(), 1);
    store.reading.lock().await.as_mut().unwrap().1 = Instant::now() - AFTER_FAILURE;
    let waiting = (0..20).map(|_| store.refresh_after_failure(&seen));
    assert!(futures_util::future::join_all(waiting).await.iter().all(|changed| *changed));
    assert_eq!((source.reads(), knows(&store, "0a1b2c3d")), (2, true));
}
