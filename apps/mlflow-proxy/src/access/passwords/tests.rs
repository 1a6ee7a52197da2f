//! Passwords: what is right, what it costs, and what a flood comes to.

use serde_json::Value;

use super::*;
use crate::access::Users;
use crate::access::testing::{document, with_password};

fn users(entries: &[Value]) -> Users {
    let users = Users::parse(&document(entries)).unwrap();
    assert_eq!(users.left_out(), &[] as &[String]);
    users
}

async fn check(passwords: &Passwords, users: &Users, name: &str, password: &str) -> Result<bool, StatusCode> {
    let user = users.password(name);
    let checked = passwords.check(user.as_deref(), name, &Arc::from(password)).await;
    checked.map_err(|problem| problem.status)
}

#[tokio::test]
async fn only_the_password_of_the_name_is_right() {
    let users = users(&[with_password("ann", "reader", "ann's"), with_password("bob", "reader", "bob's")]);
    let passwords = Passwords::default();
    assert_eq!(check(&passwords, &users, "ann", "ann's").await, Ok(true));
    assert_eq!(check(&passwords, &users, "ann", "ann's").await, Ok(true), "from what is known");
    assert_eq!(passwords.known.lock().unwrap().len(), 1);
    assert_eq!(check(&passwords, &users, "ann", "bob's").await, Ok(false));
    assert_eq!(check(&passwords, &users, "bob", "ann's").await, Ok(false));
    assert_eq!(check(&passwords, &users, "eve", "ann's").await, Ok(false));
    assert_eq!(check(&passwords, &users, "ann", "").await, Ok(false));
    assert_eq!(check(&passwords, &users, "ann", &"x".repeat(LONGEST + 1)).await, Ok(false));
    assert_eq!(passwords.known.lock().unwrap().len(), 1, "what is wrong is not kept");
}

#[tokio::test]
async fn a_new_password_makes_the_old_one_wrong_at_once() {
    let passwords = Passwords::default();
    let before = users(&[with_password("ann", "reader", "old")]);
    assert_eq!(check(&passwords, &before, "ann", "old").await, Ok(true));
    let after = users(&[with_password("ann", "reader", "new")]);
    assert_eq!(check(&passwords, &after, "ann", "old").await, Ok(false));
    assert_eq!(check(&passwords, &after, "ann", "new").await, Ok(true));
    assert_eq!(
        check(&passwords, &Users::default(), "ann", "new").await,
        Ok(false),
        "a user who is gone is gone"
    );
}

#[tokio::test]
async fn after_ten_failures_a_name_has_to_wait_and_others_do_not() {
    let users = users(&[with_password("ann", "reader", "right"), with_password("bob", "reader", "right")]);
    let passwords = Passwords::default();
    for attempt in 0..10 {
        assert_eq!(check(&passwords, &users, "ann", &format!("wrong {attempt}")).await, Ok(false));
    }
    let user = users.password("ann");
    let problem = passwords.check(user.as_deref(), "ann", &Arc::from("right")).await.unwrap_err();
    assert_eq!(problem.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(problem.login, Some(crate::problem::LoginFailure::Limited));
    assert!(problem.retry_after.unwrap() <= Duration::from_secs(6));
    assert_eq!(check(&passwords, &users, "bob", "right").await, Ok(true));
    // Who was right a moment ago is not shut out by others who guess.
    for attempt in 0..10 {
        let _ = check(&passwords, &users, "bob", &format!("wrong {attempt}")).await;
    }
    assert_eq!(check(&passwords, &users, "bob", "right").await, Ok(true));
}

#[tokio::test]
async fn a_flood_of_names_is_rationed_too() {
    let (passwords, users) = (Passwords::default(), users(&[with_password("ann", "reader", "right")]));
    // The work for unknown names is real: failures are entered here as if they had been checked.
    for index in 0..OF_ALL_AT_ONCE {
        let _ = passwords.all_failures.take("", Instant::now());
        let _ = passwords.failures.take(&index.to_string(), Instant::now());
    }
    assert_eq!(check(&passwords, &users, "nobody", "x").await, Err(StatusCode::TOO_MANY_REQUESTS));
}

const OF_ALL_AT_ONCE: u32 = 101;

fn flood(passwords: &Passwords) {
    for _ in 0..OF_ALL_AT_ONCE {
        let _ = passwords.all_failures.take("", Instant::now());
    }
}

/// Makes all that is known older.
fn age(passwords: &Passwords, by: Duration) {
    for known in [&passwords.known, &passwords.names] {
        known.lock().unwrap().values_mut().for_each(|until| *until -= by);
    }
}

#[tokio::test]
async fn a_pair_in_use_stays_known_and_one_that_is_not_is_forgotten() {
    let (passwords, users) = (Passwords::default(), users(&[with_password("ann", "reader", "right")]));
    assert_eq!(check(&passwords, &users, "ann", "right").await, Ok(true));
    let wrong = async || {
        for attempt in 0..10 {
            let _ = check(&passwords, &users, "ann", &format!("wrong {attempt}")).await;
        }
    };
    for _ in 0..3 {
        wrong().await;
        age(&passwords, KNOWN_FOR - Duration::from_secs(5));
        assert_eq!(
            check(&passwords, &users, "ann", "right").await,
            Ok(true),
            "each use lets it be known anew"
        );
    }
    age(&passwords, KNOWN_FOR);
    assert_eq!(check(&passwords, &users, "ann", "right").await, Err(StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn a_flood_of_names_does_not_shut_out_those_who_came_in_before() {
    let both = [with_password("ann", "reader", "right"), with_password("bob", "reader", "right")];
    let (passwords, users) = (Passwords::default(), users(&both));
    assert_eq!(check(&passwords, &users, "ann", "right").await, Ok(true));
    age(&passwords, KNOWN_FOR);
    flood(&passwords);
    assert_eq!(check(&passwords, &users, "ann", "right").await, Ok(true), "by a check of its own");
    assert_eq!(check(&passwords, &users, "bob", "right").await, Err(StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(
        check(&passwords, &users, "ann", "wrong").await,
        Err(StatusCode::TOO_MANY_REQUESTS),
        "who guesses is not told that the name is known"
    );
    age(&passwords, NAMES_FOR);
    assert_eq!(check(&passwords, &users, "ann", "right").await, Err(StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn what_is_known_is_bounded_and_the_oldest_gives_way() {
    let (passwords, users) = (Passwords::default(), users(&[with_password("ann", "reader", "right")]));
    let now = Instant::now();
    for index in 0..KNOWN as u64 {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&index.to_le_bytes());
        passwords.known.lock().unwrap().insert(key, now + KNOWN_FOR);
        passwords.names.lock().unwrap().insert(key, now + NAMES_FOR);
    }
    assert_eq!(check(&passwords, &users, "ann", "right").await, Ok(true));
    let pair = passwords.pair("ann", users.password("ann").unwrap().password_hash().unwrap(), "right");
    assert!(passwords.is_known(&pair, now));
    assert_eq!(passwords.known.lock().unwrap().len(), KNOWN);
    assert_eq!(passwords.names.lock().unwrap().len(), KNOWN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_checked_one_by_one_or_turned_away() {
    let users = Arc::new(users(&[with_password("ann", "reader", "right")]));
    let passwords = Arc::new(Passwords::default());
    let held = passwords.checks.clone().acquire_owned().await.unwrap();
    let tasks: Vec<_> = (0..WAITING + 8)
        .map(|_| {
            let (users, passwords) = (users.clone(), passwords.clone());
            tokio::spawn(async move { check(&passwords, &users, "ann", "right").await })
        })
        .collect();
    while passwords.waiting.load(Ordering::Relaxed) < WAITING {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(held);
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    let good = answers.iter().filter(|answer| **answer == Ok(true)).count();
    let busy = answers.iter().filter(|answer| **answer == Err(StatusCode::SERVICE_UNAVAILABLE)).count();
    assert_eq!((good, busy), (WAITING, 8));
    assert_eq!(passwords.waiting.load(Ordering::Relaxed), 0, "every place is given back");
}

/// A name that nobody has must not be told by the time that the answer takes.
#[test]
fn the_decoy_asks_for_the_work_of_a_usual_hash() {
    acceptable(DECOY).unwrap();
    let parsed = PasswordHash::new(DECOY).unwrap();
    let (decoy, usual) = (Params::try_from(&parsed).unwrap(), Params::default());
    assert_eq!(
        (decoy.m_cost(), decoy.t_cost(), decoy.p_cost()),
        (usual.m_cost(), usual.t_cost(), usual.p_cost()),
        "as `formwork proxy user add` hashes"
    );
    assert!(Argon2::default().verify_password(b"x", &parsed).is_err());
}

#[test]
fn hashes_that_would_wear_the_proxy_out_are_refused() {
    for (params, good) in [("m=19456,t=2,p=1", true), ("m=65537,t=2,p=1", false), ("m=8,t=11,p=1", false)] {
        let hash = DECOY.replace("m=19456,t=2,p=1", params);
        assert_eq!(acceptable(&hash).is_ok(), good, "{params}");
    }
    for wrong in ["", "x", "$argon2id$v=19$m=8,t=1,p=1", &DECOY.replace("argon2id", "argon2d")] {
        assert!(acceptable(wrong).is_err(), "{wrong}");
    }
}
