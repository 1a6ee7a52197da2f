//! What a document of users may hold.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::access::testing::{document, token, with_password, with_token};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

#[test]
fn users_are_read_as_the_command_line_writes_them() {
    let users = [
        with_token("ci", "writer", "0a1b2c3d"),
        with_token("ci", "reader", "11111111"),
        with_password("ann", "admin", "secret"),
    ];
    let users = Users::parse(&document(&users)).unwrap();
    assert_eq!((users.len(), users.left_out()), (3, &[][..]));
    let identity = users.token(&token("0a1b2c3d"), now()).unwrap().identity();
    assert_eq!(identity, Identity::new("ci", Role::Writer, "token 0a1b2c3d"));
    let other = users.token(&token("11111111"), now()).unwrap().identity();
    assert_eq!(other.role, Role::Reader, "a name may have several tokens, of several roles");
    assert_eq!(users.password("ann").unwrap().identity(), Identity::new("ann", Role::Admin, "password"));
    assert!(users.password("ci").is_none() && users.password("Ann").is_none());
}

/// The document as `formwork proxy user add` writes it, kept as a file, with a token and a password that are known.
#[tokio::test]
async fn the_example_is_understood() {
    let users = Users::parse(include_str!("../../../../../tests/proxy/users/example.json")).unwrap();
    assert_eq!((users.len(), users.left_out()), (2, &[][..]));
    let token = "fwp_0a1b2c3d_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    assert_eq!(users.token(token, now()).unwrap().identity().role, Role::Writer);
    let user = users.password("ann");
    let passwords = passwords::Passwords::default();
    let good = passwords.check(user.as_deref(), "ann", &Arc::from("correct horse battery")).await;
    assert_eq!(good, Ok(true));
}

#[test]
fn only_the_whole_token_is_good() {
    let users = Users::parse(&document(&[with_token("ci", "writer", "0a1b2c3d")])).unwrap();
    let good = token("0a1b2c3d");
    let swapped = format!("{}{}", &good[..good.len() - 1], if good.ends_with('x') { 'y' } else { 'x' });
    for wrong in [
        swapped.as_str(),
        &good[..good.len() - 1],
        &format!("{good}x"),
        &token("11111111"),
        &good.to_uppercase(),
        &good.replace("fwp_", ""),
        "fwp_0a1b2c3d_",
        "fwp_",
        "",
    ] {
        assert!(users.token(wrong, now()).is_err(), "{wrong}");
    }
    assert!(users.token(&good, now()).is_ok());
}

#[test]
fn a_token_ends_when_it_says_so() {
    let mut user = with_token("ci", "writer", "0a1b2c3d");
    user["expires"] = json!("2027-01-15T08:00:00Z");
    let users = Users::parse(&document(&[user])).unwrap();
    let end = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    assert!(users.token(&token("0a1b2c3d"), end - Duration::from_secs(1)).is_ok());
    assert_eq!(users.token(&token("0a1b2c3d"), end).unwrap_err(), "the token has expired");
    let wrong = token("0a1b2c3d").replace("random", "Random");
    assert_ne!(
        users.token(&wrong, end).unwrap_err(),
        "the token has expired",
        "that is told to its bearer only"
    );
}

#[test]
fn an_entry_that_cannot_be_used_is_left_out_and_the_others_stay() {
    let good = with_token("ci", "writer", "0a1b2c3d");
    let change = |field: &str, value: Value| {
        let mut user = with_token("other", "writer", "11111111");
        user[field] = value;
        user
    };
    use serde_json::Value;
    let mut weak = with_password("ann", "reader", "secret");
    weak["argon2"] = json!("$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA");
    let mut heavy = with_password("ann", "reader", "secret");
    heavy["argon2"] = json!(heavy["argon2"].as_str().unwrap().replace("m=8", "m=4000000"));
    let wrong = [
        (change("role", json!("owner")), "role"),
        (change("kind", json!("key")), "kind"),
        (change("id", json!("0A1B2C3D")), "id"),
        (change("id", json!("0a1b2c3d")), "another one has the id"),
        (change("sha256", json!("00")), "sha256"),
        (change("sha256", json!("zz".repeat(32))), "sha256"),
        (change("sha256", json!("é".repeat(32))), "sha256"),
        (change("expires", json!("tomorrow")), "expiry"),
        (change("name", json!("")), "name"),
        (change("name", json!("a\nb")), "name"),
        (change("name", json!(7)), "form"),
        (json!("x"), "form"),
        (weak, "argon2id"),
        (heavy, "asks for more"),
    ];
    for (wrong, word) in wrong {
        let users = Users::parse(&document(&[good.clone(), wrong.clone()])).unwrap();
        assert_eq!(users.len(), 1, "{wrong}");
        let [told] = users.left_out() else { panic!("{wrong}") };
        assert!(told.starts_with("user 2 is left out: ") && told.contains(word), "{told}");
        assert!(!told.contains("argon2id$") && !told.contains("zz"), "no part of a hash is told: {told}");
    }
}

#[test]
fn what_is_no_document_of_users_is_refused() {
    for wrong in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"version":2,"users":[]}"#,
        r#"{"version":1}"#,
        "{\"version\":1,\"users\":[",
    ] {
        assert!(Users::parse(wrong).is_err(), "{wrong}");
    }
    assert!(Users::parse(&" ".repeat(LONGEST + 1)).is_err());
    assert!(Users::parse(r#"{"version":1,"users":[]}"#).unwrap().is_empty());
}

#[test]
fn the_time_of_last_use_outlives_a_new_reading() {
    let text = document(&[with_token("ci", "writer", "0a1b2c3d")]);
    let before = Users::parse(&text).unwrap();
    before.token(&token("0a1b2c3d"), now()).unwrap().note_use(now());
    let mut after = Users::parse(&text).unwrap();
    after.take_over(&before);
    let user = after.token(&token("0a1b2c3d"), now()).unwrap();
    assert_eq!(user.used.load(Ordering::Relaxed), 1_800_000_000);
    user.note_use(now() + USE_INTERVAL / 2);
    assert_eq!(user.used.load(Ordering::Relaxed), 1_800_000_000, "it is told now and then only");
    user.note_use(now() + USE_INTERVAL);
    assert_eq!(user.used.load(Ordering::Relaxed), 1_800_000_900);
}

proptest::proptest! {
    #![proptest_config(crate::fuzzing::inputs())]

    #[test]
    fn any_text_is_parsed(text in "\\PC{0,80}") {
        let _ = Users::parse(&text);
        let users = Users::parse(&document(&[with_token("ci", "writer", "0a1b2c3d")])).unwrap();
        proptest::prop_assert!(users.token(&text, now()).is_err());
        let guessed = ["fwp_0a1b2c3d_", &text].concat();
        proptest::prop_assert!(users.token(&guessed, now()).is_err());
    }
}
