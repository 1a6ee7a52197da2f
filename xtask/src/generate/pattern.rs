//! Regular expressions of AWS, rewritten until a Rust engine takes them.
//!
//! The sources are written for Java, Python and JavaScript. Rewriting is done here once, so that the validator takes
//! every pattern as it is.

use formwork_schema::pattern::is_usable;

/// The pattern as the validator can use it, or why there is none.
pub(super) fn normalise(pattern: &str) -> Result<String, String> {
    let mut text = pattern.replace("\\A", "^").replace("\\Z", "$").replace("\\z", "$").replace("\\/", "/");
    text = java_classes(&text);
    // Surrogates stand for the characters beyond the first plane; one slip with them is common.
    for surrogates in [
        "\\uD800\\uDC00-\\uDBFF\\uDFFF",
        "\\uD800\\uDBFF-\\uDC00\\uDFFF",
        "\\uD83C-\\uDBFF\\uDC00-\\uDFFF",
        "\\ud800\\udc00-\\udbff\\udfff",
    ] {
        text = text.replace(surrogates, "\\x{10000}-\\x{10FFFF}");
    }
    // Repeating a lookahead changes nothing, and no Rust engine takes it.
    text = text.replace("(?!\\.)+", "(?!\\.)");
    // Repaired whether or not it builds: a hyphen beside a class may build and mean another range.
    let repaired = repair_classes(&text);
    if is_usable(&repaired) {
        return Ok(repaired);
    }
    match fancy_regex::Regex::new(&repaired) {
        Ok(_) => Ok(repaired),
        Err(error) => Err(error.to_string().lines().last().unwrap_or_default().trim().to_owned()),
    }
}

/// Writes out the classes that only Java knows, with brackets where they stand outside any.
fn java_classes(pattern: &str) -> String {
    const CLASSES: [(&str, &str); 5] = [
        ("\\p{Print}", "\\x20-\\x7E"),
        ("\\p{ASCII}", "\\x00-\\x7F"),
        ("\\p{Graph}", "\\x21-\\x7E"),
        ("\\p{Alnum}", "A-Za-z0-9"),
        ("\\p{Punct}", "\\x21-\\x2F\\x3A-\\x40\\x5B-\\x60\\x7B-\\x7E"),
    ];
    let mut written = String::with_capacity(pattern.len() + 16);
    let mut inside = false;
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        if let Some((name, range)) = CLASSES.iter().find(|(name, _)| rest.starts_with(name)) {
            written.push_str(&if inside { (*range).to_owned() } else { format!("[{range}]") });
            rest = &rest[name.len()..];
            continue;
        }
        let length = match character {
            '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            _ => character.len_utf8(),
        };
        match character {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        written.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    written
}

/// A pattern that is one repeated character without the length, and the length: `^[a-z]{1,255}$` as `^[a-z]*$` and
/// 1 to 255. Counting characters is what such patterns cost most for.
pub(super) fn without_length(pattern: &str) -> (String, Option<(u64, u64)>) {
    let whole = || {
        let inner = pattern.strip_prefix('^')?.strip_suffix('$')?;
        let (atom, limits) = inner.strip_suffix('}')?.rsplit_once('{')?;
        let (least, most) = limits.split_once(',')?;
        let (least, most): (u64, u64) = (least.parse().ok()?, most.parse().ok()?);
        (most >= 32 && is_one_character(atom)).then_some((atom, least, most))
    };
    match whole() {
        Some((atom, least, most)) => (format!("^{atom}*$"), Some((least, most))),
        None => (pattern.to_owned(), None),
    }
}

/// Whether a piece of a pattern matches exactly one character: `.`, a class such as `\w`, or brackets.
fn is_one_character(atom: &str) -> bool {
    if atom == "." || matches!(atom, "\\w" | "\\d" | "\\s" | "\\S") {
        return true;
    }
    let Some(inner) = atom.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return false };
    let mut escaped = false;
    !inner.is_empty()
        && inner.chars().all(|character| {
            let bracket = matches!(character, '[' | ']') && !escaped;
            escaped = character == '\\' && !escaped;
            !bracket
        })
        && !escaped
}

/// Escapes, inside classes, what other engines take literally: `[` and a hyphen beside a class such as `\w`.
fn repair_classes(pattern: &str) -> String {
    let mut repaired = String::with_capacity(pattern.len() + 8);
    let characters: Vec<char> = pattern.chars().collect();
    let mut inside = false;
    let mut position = 0;
    while position < characters.len() {
        let character = characters[position];
        match character {
            '\\' if position + 1 < characters.len() => {
                repaired.push(character);
                repaired.push(characters[position + 1]);
                position += 2;
                if inside
                    && matches!(characters[position - 1], 'p' | 'P')
                    && characters.get(position) == Some(&'{')
                {
                    while position < characters.len() {
                        repaired.push(characters[position]);
                        position += 1;
                        if characters[position - 1] == '}' {
                            break;
                        }
                    }
                    escape_hyphen(&characters, &mut position, &mut repaired);
                } else if inside && matches!(characters[position - 1], 'w' | 'W' | 'd' | 'D' | 's' | 'S') {
                    escape_hyphen(&characters, &mut position, &mut repaired);
                }
                continue;
            }
            '[' if inside && characters.get(position + 1) != Some(&':') => repaired.push_str("\\["),
            '[' => {
                inside = true;
                repaired.push('[');
                if characters.get(position + 1) == Some(&'^') {
                    repaired.push('^');
                    position += 1;
                }
                if characters.get(position + 1) == Some(&']') {
                    repaired.push_str("\\]");
                    position += 1;
                }
            }
            ']' => {
                inside = false;
                repaired.push(']');
            }
            '-' if inside
                && matches!(characters.get(position + 1), Some('\\'))
                && matches!(characters.get(position + 2), Some('w' | 'W' | 'd' | 'D' | 's' | 'S')) =>
            {
                repaired.push_str("\\-");
            }
            '&' | '~' if inside && characters.get(position + 1) == Some(&character) => {
                repaired.push('\\');
                repaired.push(character);
            }
            _ => repaired.push(character),
        }
        position += 1;
    }
    repaired
}

fn escape_hyphen(characters: &[char], position: &mut usize, repaired: &mut String) {
    if characters.get(*position) == Some(&'-') && characters.get(*position + 1) != Some(&']') {
        repaired.push_str("\\-");
        *position += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_dialects_become_usable() {
        for (source, wanted) in [
            (r"\A[a-z]+\Z", r"^[a-z]+$"),
            (r"^[\w-.]+$", r"^[\w\-.]+$"),
            (r"^[\p{L}\p{Z}-_]*$", r"^[\p{L}\p{Z}\-_]*$"),
            (r"^\p{Print}+$", r"^[\x20-\x7E]+$"),
            (r"^[\p{Alnum}\\\]_]+\p{Graph}$", r"^[A-Za-z0-9\\\]_]+[\x21-\x7E]$"),
            (r"^(/(?!\.)+[a-z]+)$", r"^(/(?!\.)[a-z]+)$"),
            (r"^[\u0020-\uD7FF\uD800\uDBFF-\uDC00\uDFFF]*$", r"^[\u0020-\uD7FF\x{10000}-\x{10FFFF}]*$"),
        ] {
            assert_eq!(normalise(source).as_deref(), Ok(wanted), "{source}");
        }
        assert!(normalise("(").is_err());
    }

    #[test]
    fn a_length_is_taken_out_of_one_repeated_character_only() {
        assert_eq!(without_length(r"^[\w-]{1,255}$"), (r"^[\w-]*$".into(), Some((1, 255))));
        assert_eq!(without_length("^.{0,2048}$"), ("^.*$".into(), Some((0, 2048))));
        for same in ["^[a-z]{1,8}$", "^[a-z][a-z]{1,255}$", "^(a|b){1,255}$", "[a-z]{1,255}", "^[a-z]{255}$"]
        {
            assert_eq!(without_length(same), (same.into(), None));
        }
    }
}
