//! Regular expressions of AWS, rewritten until a Rust engine takes them.
//!
//! The sources are written for Java, Python and JavaScript. Rewriting is done here once, so that the validator takes
//! every pattern as it is.

/// The pattern as the validator can use it, or why there is none.
pub(super) fn normalise(pattern: &str) -> Result<String, String> {
    let mut text = pattern.replace("\\A", "^").replace("\\Z", "$").replace("\\z", "$").replace("\\/", "/");
    // Classes that only Java knows.
    text = text.replace("\\p{Print}", "\\x20-\\x7E").replace("\\p{ASCII}", "\\x00-\\x7F");
    text = text.replace("\\p{Graph}", "\\x21-\\x7E").replace("\\p{Alnum}", "A-Za-z0-9");
    text = text.replace("\\p{Punct}", "\\x21-\\x2F\\x3A-\\x40\\x5B-\\x60\\x7B-\\x7E");
    // Surrogates stand for the characters beyond the first plane.
    text = text.replace("\\uD800\\uDC00-\\uDBFF\\uDFFF", "\\x{10000}-\\x{10FFFF}");
    text = text.replace("\\ud800\\udc00-\\udbff\\udfff", "\\x{10000}-\\x{10FFFF}");
    if builds(&text) {
        return Ok(text);
    }
    let repaired = repair_classes(&text);
    if builds(&repaired) {
        return Ok(repaired);
    }
    match fancy_regex::Regex::new(&repaired) {
        Ok(_) => Ok(repaired),
        Err(error) => Err(error.to_string().lines().last().unwrap_or_default().trim().to_owned()),
    }
}

fn builds(pattern: &str) -> bool {
    fancy_regex::Regex::new(pattern).is_ok()
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
                if inside && matches!(characters[position - 1], 'w' | 'W' | 'd' | 'D' | 's' | 'S') {
                    escape_hyphen(&characters, &mut position, &mut repaired);
                }
                continue;
            }
            '[' if inside => repaired.push_str("\\["),
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
