//! The users of a proxy, against the simulator's secrets.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::assets::stage::Stage;
use crate::error::Class;
use crate::journal::Record;

const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:Users-AbCdEf";

/// An account with a secret that has no value.
async fn stage(script: &str) -> (Stage, UserStore) {
    let stage = Stage::new(script).await;
    let key = [stage.session.account(), stage.session.region(), "AWS::SecretsManager::Secret", SECRET];
    let [account, region, kind, id] = key.map(str::to_owned);
    stage
        .local
        .simulator
        .lock()
        .expect("whole")
        .services_mut()
        .resources
        .insert((account, region, kind, id), json!({}));
    let store = UserStore::new(stage.session.clone(), SECRET);
    (stage, store)
}

fn user(name: &str) -> User {
    let NewToken { credential, .. } = new_token().expect("a token");
    let created = "2026-11-22T08:30:00Z".parse().expect("a time");
    User { name: name.to_owned(), role: Role::Writer, credential, created, expires: None }
}

fn names(users: &Users) -> Vec<&str> {
    users.users.iter().map(|user| user.name.as_str()).collect()
}

async fn add(store: &UserStore, stage: &Stage, name: &str) {
    let user = user(name);
    let change = |users: &mut Users| {
        users.users.push(user.clone());
        Ok(())
    };
    store.change(&stage.journal, change).await.expect("changed");
}

#[tokio::test(start_paused = true)]
async fn a_secret_without_a_value_has_nobody_and_takes_users() {
    let (stage, store) = stage("").await;
    assert_eq!(store.read().await.expect("reads"), Users::default());
    add(&store, &stage, "ci").await;
    add(&store, &stage, "ann").await;
    assert_eq!(names(&store.read().await.expect("reads")), ["ci", "ann"]);
}

/// Between the reading and the writing of one change others make theirs: nobody's is lost.
#[tokio::test(start_paused = true)]
async fn changes_at_the_same_time_lose_no_user() {
    let (stage, store) = stage("").await;
    for start in ["without a value", "with one"] {
        let mut others = vec!["late", "later"];
        let mut seen = Vec::new();
        let mine = user(start);
        // A change is made without waiting, so what others do meanwhile is put into the simulator at once.
        let change = |users: &mut Users| {
            seen.push(users.users.len());
            if let Some(other) = others.pop() {
                let mut theirs = users.clone();
                theirs.users.push(user(other));
                let text = theirs.to_text()?;
                stage.local.simulator.lock().expect("whole").services_mut().secrets.set(SECRET, &text);
            }
            users.users.push(mine.clone());
            Ok(())
        };
        store.change(&stage.journal, change).await.expect("changed");
        assert_eq!(seen.len(), 3, "{start}: made anew each time");
        let all = store.read().await.expect("reads");
        assert_eq!(names(&all)[all.users.len() - 3..], ["later", "late", start]);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost_add_a_user_once() {
    // The first version is the current one at once.
    for lost in ["PutSecretValue#2", "UpdateSecretVersionStage#1"] {
        let (stage, store) = stage(&format!("on {lost} accept-then-drop")).await;
        add(&store, &stage, "first").await;
        add(&store, &stage, "second").await;
        assert_eq!(names(&store.read().await.expect("reads")), ["first", "second"], "{lost}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_journal_names_the_secret_and_no_hash() {
    let (stage, store) = stage("").await;
    add(&store, &stage, "ci").await;
    let users = store.read().await.expect("reads");
    let Credential::Token { sha256, id } = &users.users[0].credential else { panic!("a token") };
    let journal = stage.journal.history();
    let told = format!("{journal:?}");
    assert!(
        told.contains("PutSecretValue") && !told.contains(sha256.as_str()) && !told.contains(id.as_str())
    );
    assert!(
        journal
            .lines
            .iter()
            .any(|line| matches!(&line.record, Record::Intent { target, .. } if target == SECRET))
    );
    assert!(!format!("{users:?}").contains(sha256.as_str()), "nor does whoever prints it for a look");
}

#[test]
fn a_token_is_kept_as_its_hash() {
    let (one, other) = (new_token().expect("a token"), new_token().expect("a token"));
    assert_ne!(one.token, other.token);
    let Credential::Token { id, sha256 } = &one.credential else { panic!("a token") };
    let parts: Vec<&str> = one.token.splitn(3, '_').collect();
    assert_eq!((parts[0], parts[1], parts[2].len()), ("fwp", id.as_str(), 43));
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&one.token);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(*sha256, hex);
    assert!(!format!("{one:?}").contains(parts[2]));
}

#[test]
fn a_password_is_kept_as_its_argon2id_hash() {
    use argon2::password_hash::phc::PasswordHash;
    use argon2::{Argon2, PasswordVerifier};
    let Credential::Password { argon2 } = hash_password("correct horse").expect("hashes") else {
        panic!("a password")
    };
    assert!(argon2.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{argon2}");
    let parsed = PasswordHash::new(&argon2).expect("a hash");
    assert!(Argon2::default().verify_password(b"correct horse", &parsed).is_ok());
    assert!(Argon2::default().verify_password(b"correct house", &parsed).is_err());
    for wrong in ["short", "with\tcontrol characters", &"x".repeat(257)] {
        assert_eq!(hash_password(wrong).expect_err("refused").class, Class::Usage);
    }
}

const GROUP: &str = "proxy-logs";

/// A stage whose proxy has logged these lines.
async fn logged(script: &str, lines: &[Value]) -> Stage {
    let (stage, _) = stage(script).await;
    let mut simulator = stage.local.simulator.lock().expect("whole");
    let services = simulator.services_mut();
    let key = [stage.session.account(), stage.session.region(), "AWS::Logs::LogGroup", GROUP];
    let [account, region, kind, id] = key.map(str::to_owned);
    services.resources.insert((account, region, kind, id), json!({}));
    services.log_lines.extend(lines.iter().map(|line| (GROUP.to_owned(), line.to_string())));
    drop(simulator);
    stage
}

async fn last_uses(stage: &Stage, group: &str) -> Result<LastUses, crate::error::EngineError> {
    let since = stage.runtime.clock.now() - Duration::from_secs(60);
    LastUses::read(&stage.session, stage.runtime.clock, group, since).await
}

#[tokio::test(start_paused = true)]
async fn a_use_is_known_by_the_name_and_the_credential() {
    let (used, unused) = (user("ci"), user("ci"));
    let password = Credential::Password { argon2: String::new() };
    let person = User { credential: password, ..user("ann") };
    let line = |name: &str, credential: String| json!({ "target": "access", "event": "credential_used", "user": name, "credential": credential });
    let id = used.credential.id().expect("a token");
    let stage = logged("", &[
        line("ci", format!("token {id}")),
        line("ann", "password".to_owned()),
        json!({ "target": "audit", "user": "ci", "credential": format!("token {:?}", unused.credential.id()) }),
    ])
    .await;
    let uses = last_uses(&stage, GROUP).await.expect("an answer");
    assert!(uses.of_user(&used).is_some());
    assert!(uses.of_user(&person).is_some());
    assert_eq!(uses.of_user(&unused), None, "another token of the same name");
    let other = Credential::Password { argon2: String::new() };
    let newer =
        User { credential: other, created: "2999-01-01T00:00:00Z".parse().expect("a time"), ..person };
    assert_eq!(uses.of_user(&newer), None, "a use of the password before");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_queried_says_what_is_missing() {
    let stage = logged("on StartQuery error 400 AccessDeniedException", &[]).await;
    let error = last_uses(&stage, GROUP).await.expect_err("denied");
    assert!(error.message.contains(GROUP), "{}", error.message);
    assert!(error.hint.is_some_and(|hint| hint.contains("logs:StartQuery")));
    let error = last_uses(&stage_without_log().await, "gone").await.expect_err("no such group");
    assert!(error.message.contains("gone") && error.message.contains("does not exist"), "{}", error.message);
}

async fn stage_without_log() -> Stage {
    stage("").await.0
}

/// What the proxy reads, to the letter.
#[test]
fn the_document_has_the_form_that_the_proxy_reads() {
    let text = json!({ "version": 1, "users": [
        { "name": "ci", "role": "writer", "kind": "token", "id": "0a1b2c3d", "sha256": "ab".repeat(32),
          "created": "2026-11-22T08:30:00Z", "expires": "2027-02-20T08:30:00Z" },
        { "name": "ann", "role": "reader", "kind": "password", "argon2": "$argon2id$v=19$...",
          "created": "2026-11-22T08:30:00Z" },
    ] });
    let users = Users::read(&text.to_string()).expect("reads");
    let written: serde_json::Value = serde_json::from_str(&users.to_text().expect("fits")).expect("is JSON");
    assert_eq!(written, text);
    assert_eq!(users.valid("2027-02-20T08:30:00Z".parse().expect("a time")), 1);
}

#[test]
fn what_is_no_document_is_refused_without_repeating_it() {
    for (text, class) in [
        (r#"{"version":2,"users":"a later form"}"#, Class::Refused),
        (r#"{"version":1,"users":[{"name":"hunter2"}]}"#, Class::Input),
        (r#"{"password":"hunter2"}"#, Class::Input),
        ("hunter2", Class::Input),
        ("", Class::Input),
    ] {
        let error = Users::read(text).expect_err("refused");
        assert_eq!(error.class, class, "{text}");
        assert!(!format!("{error:?}").contains("hunter2") && error.hint.is_some(), "{error:?}");
    }
}

#[test]
fn more_users_than_a_secret_has_room_for_are_refused() {
    let mut users = Users::default();
    users.users = (0..400).map(|number| user(&format!("user-{number}"))).collect();
    let error = users.to_text().expect_err("too many");
    assert!(error.message.contains("400 users"), "{}", error.message);
}

#[test]
fn names_are_words_of_one_line() {
    for good in ["ci", "ann.smith@example.com", "a", "7of9", "nightly-run_2+x"] {
        assert_eq!(check_name(good), Ok(()), "{good}");
    }
    for bad in ["", "-x", "two words", "a:b", "Zoë", "a\n", "../x", &"x".repeat(65)] {
        assert!(check_name(bad).is_err(), "{bad:?}");
    }
}
