//! What is a path below the root and what is not.

use proptest::prelude::*;

use super::*;

fn taken(encoded: &str) -> String {
    RelativePath::from_url(encoded).unwrap().to_string()
}

fn refused(encoded: &str) -> &'static str {
    RelativePath::from_url(encoded).unwrap_err().reason
}

#[test]
fn names_that_clients_send_are_taken_as_they_mean() {
    assert_eq!(taken("1/abc/artifacts/model/MLmodel"), "1/abc/artifacts/model/MLmodel");
    assert_eq!(taken("a%20b.txt"), "a b.txt");
    assert_eq!(taken("a+b.txt"), "a+b.txt", "a plus is a plus in a path");
    assert_eq!(taken("caf%C3%A9/%E6%97%A5%E6%9C%AC.txt"), "café/日本.txt");
    assert_eq!(taken("caf%c3%a9"), "café");
    assert_eq!(taken("100%25.txt"), "100%.txt");
    assert_eq!(taken("100%.txt"), "100%.txt", "a percent sign that begins no code");
    assert_eq!(taken("a%23b%3Fc"), "a#b?c");
    assert_eq!(taken("a%2Fb"), "a/b", "as MLflow's server reads it");
    assert_eq!(taken("a%2520b"), "a%20b", "once");
    assert_eq!(taken("dir/"), "dir");
    assert_eq!(taken(""), "");
    assert_eq!(taken("..."), "...");
    assert_eq!(taken("..a/b..c/.hidden"), "..a/b..c/.hidden");
    assert_eq!(taken("[x](y)&z='!*;,=@:$~.txt"), "[x](y)&z='!*;,=@:$~.txt");
    assert_eq!(taken("ab:/c"), "ab:/c");
}

#[test]
fn other_places_are_refused() {
    for path in [
        "..",
        "../x",
        "a/../b",
        "a/..",
        "%2e%2e/x",
        "%2E%2e%2fx",
        "a/%2e%2e/%2e%2e/x",
        ".",
        "a/./b",
        "a/%2e/b",
        "%252e%252e/x",
        "%252e%252e%252fx",
        "a%252f..%252fb",
        "%25252e%25252e%25252fx",
        "..%252fx",
        "a%255c..%255cb",
        "/etc/passwd",
        "%2fetc",
        "%252fetc",
        "//x",
        "a//b",
        "a%2f%2fb",
        "a%252f%252fb",
        "a%250ab",
        "a/%2f",
        "\\x",
        "a%5cb",
        "..%5cx",
        "a%00b",
        "a%2500b",
        "a%0ab",
        "a%7fb",
        "C:/x",
        "c%3a/x",
        "D:",
        "%ff%fe",
    ] {
        assert!(RelativePath::from_url(path).is_err(), "{path}");
    }
    assert_eq!(refused("a//b"), "has an empty name in it");
    assert_eq!(refused("%252e%252e/x"), "hides another place behind a second encoding");
    assert_eq!(refused(&format!("%{}41", "25".repeat(12))), "is encoded too many times");
    assert_eq!(refused(&"x".repeat(1025)), "is longer than a key of S3 may be (1024 bytes)");
}

#[test]
fn an_error_shows_the_path_without_control_characters() {
    let error = RelativePath::from_text("a\nb").unwrap_err();
    assert_eq!(error.to_string(), "the artifact path `ab` has a control character in it");
}

#[test]
fn paths_are_joined_by_the_same_rules() {
    let run = RelativePath::from_text("1/abc").unwrap();
    assert_eq!(run.join("x/y").unwrap().as_str(), "1/abc/x/y");
    assert_eq!(RelativePath::from_text("").unwrap().join("x").unwrap().as_str(), "x");
    assert!(run.join("../x").is_err());
    assert!(run.join("").is_err());
    assert_eq!(run.name(), "abc");
}

proptest! {
    #![proptest_config(crate::fuzzing::inputs())]

    /// Whatever comes, a path that is taken has only names in it, now and after any further decoding.
    #[test]
    fn no_path_leaves_the_root(encoded in "([a./%\\\\ ]|%2e|%2E|%2f|%5c|%25|%00|%c3%a9|é){0,24}") {
        if let Ok(path) = RelativePath::from_url(&encoded) {
            let mut text = path.to_string();
            prop_assert!(!text.starts_with('/') && !text.ends_with("//"));
            if !text.is_empty() {
                prop_assert!(text.split('/').all(|name| !name.is_empty()));
            }
            for _ in 0..20 {
                prop_assert!(text.split('/').all(|name| name != "." && name != ".."), "{}", text);
                prop_assert!(!text.contains('\\') && !text.contains('\0'));
                let Some(next) = decode(&text) else { break };
                text = next;
            }
        }
    }

    /// Any name that is a name is taken back when it is encoded as a client does.
    #[test]
    fn names_come_back(name in "[^/\\\\%\\pC]{1,40}") {
        prop_assume!(name != "." && name != "..");
        prop_assume!(!(name.len() == 2 && name.ends_with(':')));
        let encoded = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC).to_string();
        prop_assert_eq!(RelativePath::from_url(&encoded).unwrap().to_string(), name);
    }
}
