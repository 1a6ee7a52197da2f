//! The patterns of AWS: compiled when they are met, and kept.
//!
//! Most values are plain ASCII, and for them classes such as `\w` or `\p{L}` need none of their thousands of Unicode
//! ranges: that form compiles in a hundredth of the time. The full form waits for a value that needs it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

struct Pattern {
    source: String,
    ascii: OnceLock<Option<regex::bytes::Regex>>,
    full: OnceLock<Option<fancy_regex::Regex>>,
}

/// Whether a pattern matches somewhere in a text. A pattern that no engine takes matches everything.
pub fn is_match(pattern: &str, text: &str) -> bool {
    if pattern == ".*" || pattern == "^.*$" && !text.contains('\n') {
        return true;
    }
    let pattern = cached(pattern);
    if text.is_ascii()
        && let Some(regex) = pattern.ascii.get_or_init(|| ascii(&pattern.source))
    {
        return regex.is_match(text.as_bytes());
    }
    match pattern.full.get_or_init(|| fancy_regex::Regex::new(&pattern.source).ok()) {
        // Giving up on a pathological text is not the text's fault.
        Some(regex) => regex.is_match(text).unwrap_or(true),
        None => true,
    }
}

/// Whether an engine takes a pattern, at least for ASCII texts.
pub fn is_usable(pattern: &str) -> bool {
    ascii(pattern).is_some() || fancy_regex::Regex::new(pattern).is_ok()
}

fn cached(source: &str) -> Arc<Pattern> {
    static CACHE: OnceLock<Mutex<HashMap<String, Arc<Pattern>>>> = OnceLock::new();
    let mut cache =
        CACHE.get_or_init(Mutex::default).lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(pattern) = cache.get(source) {
        return Arc::clone(pattern);
    }
    let pattern =
        Arc::new(Pattern { source: source.to_owned(), ascii: OnceLock::new(), full: OnceLock::new() });
    cache.insert(source.to_owned(), Arc::clone(&pattern));
    pattern
}

/// The form for ASCII texts, when the simple engine takes it.
fn ascii(source: &str) -> Option<regex::bytes::Regex> {
    const CLASSES: &[(&str, &str)] = &[
        ("\\p{L}", "A-Za-z"),
        ("\\p{Lu}", "A-Z"),
        ("\\p{Ll}", "a-z"),
        ("\\p{Lo}", ""),
        ("\\p{N}", "0-9"),
        ("\\p{Nd}", "0-9"),
        ("\\p{Z}", " "),
        ("\\p{Zs}", " "),
        ("\\p{P}", "!-#%-*,-/:;?@\\[-\\]_{}"),
        ("\\p{S}", "$+<=>\\^`|~"),
        ("\\p{C}", "\\x00-\\x1F\\x7F"),
        ("\\p{Cc}", "\\x00-\\x1F\\x7F"),
    ];
    let mut text = source.to_owned();
    let mut inside = false;
    if source.contains("\\p") || source.contains("\\P") {
        for (class, characters) in CLASSES {
            // Only inside brackets do the characters of a class stand beside others.
            text = replace_in_brackets(&text, class, characters);
        }
        inside = text.contains("\\p") || text.contains("\\P");
    }
    if inside {
        return None;
    }
    regex::bytes::RegexBuilder::new(&text).unicode(false).build().ok()
}

/// Replaces a class inside brackets; outside them it becomes brackets of its own.
fn replace_in_brackets(pattern: &str, class: &str, characters: &str) -> String {
    let mut replaced = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut inside = false;
    while let Some(character) = rest.chars().next() {
        if rest.starts_with(class) {
            match (inside, characters) {
                (true, _) => replaced.push_str(characters),
                // A class without ASCII members cannot match at all.
                (false, "") => replaced.push_str("[^\\x00-\\xFF]"),
                (false, _) => {
                    replaced.push('[');
                    replaced.push_str(characters);
                    replaced.push(']');
                }
            }
            rest = &rest[class.len()..];
            // A hyphen after a class is itself; after the characters of the class it would make a range.
            if inside && rest.starts_with('-') && !rest.starts_with("-]") {
                replaced.push_str("\\-");
                rest = &rest[1..];
            }
            continue;
        }
        if character == '\\' {
            let width = rest.chars().take(2).map(char::len_utf8).sum();
            replaced.push_str(&rest[..width]);
            rest = &rest[width..];
            continue;
        }
        match character {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        replaced.push(character);
        rest = &rest[character.len_utf8()..];
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::{is_match, is_usable};

    #[test]
    fn ascii_and_other_texts_get_the_same_answer() {
        let letters = r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$";
        assert!(is_match(letters, "Name 1") && is_match(letters, "Größe 1") && !is_match(letters, "a#b"));
        assert!(is_match(r"^\p{L}+$", "abc") && is_match(r"^\p{L}+$", "äbc") && !is_match(r"^\p{L}+$", "a1"));
        assert!(
            is_match(r"^\w{1,128}$", "a_1")
                && is_match(r"^\w{1,128}$", "ä")
                && !is_match(r"^\w{1,128}$", "a b")
        );
        assert!(is_match(r"^[\P{C}\s]*$", "a\tb"));
        assert!(!is_match(r"^[\p{Z}-_]*$", "A"), "a hyphen after a class makes no range");
    }

    #[test]
    fn lookaround_is_taken_and_nonsense_is_not() {
        assert!(is_match(r"^(?!aws:).+$", "name") && !is_match(r"^(?!aws:).+$", "aws:name"));
        assert!(is_usable(r"(?<!-)$") && !is_usable("("));
        assert!(is_match("(", "what no engine takes refuses nothing"));
    }
}
