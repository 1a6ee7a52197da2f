//! What a path may turn into when somebody on the way decodes it once more than MLflow does.
//!
//! Who may do what is decided by a path, and so is where a file lies: both look at it by these rules.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// How often a path is decoded to see whether it hides another. MLflow itself stops at ten.
const DECODINGS: usize = 10;

/// What becomes of a text, decoded once, when it is decoded further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Further {
    /// It stays as it is.
    Same,
    /// It becomes another text, or none, but no other place.
    Harmless,
    /// It may come to mean another place.
    Elsewhere,
    /// There is no end to it.
    Endless,
}

/// Decodes a text further and further.
pub fn further(text: &str) -> Further {
    let mut current = Cow::Borrowed(text);
    for round in 0..DECODINGS {
        // Of a name such as `100%af` nobody who decodes it makes a text, and no dots either.
        let Ok(next) = percent_decode_str(&current).decode_utf8() else { return Further::Harmless };
        if next == current {
            return if round == 0 { Further::Same } else { Further::Harmless };
        }
        if is_ambiguous(&next) {
            return Further::Elsewhere;
        }
        current = Cow::Owned(next.into_owned());
    }
    Further::Endless
}

/// Whether servers disagree on what a decoded path means: they resolve dots, merge slashes, turn backslashes, cut texts off.
pub fn is_ambiguous(path: &str) -> bool {
    path.chars().any(|letter| letter.is_control() || letter == '\\')
        || path.split('/').any(|name| matches!(name, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_followed_to_its_end() {
        for (text, becomes) in [
            ("a b/c", Further::Same),
            ("100%", Further::Same),
            ("a%20b", Further::Harmless),
            ("100%af", Further::Harmless),
            ("%2e%2e", Further::Elsewhere),
            ("a%252f..%252fb", Further::Elsewhere),
            ("a%2f%2fb", Further::Elsewhere),
            ("%25255c", Further::Elsewhere),
            ("a%0ab", Further::Elsewhere),
        ] {
            assert_eq!(further(text), becomes, "{text}");
        }
        assert_eq!(further(&format!("%{}41", "25".repeat(8))), Further::Harmless);
        assert_eq!(further(&format!("%{}41", "25".repeat(12))), Further::Endless);
    }
}
