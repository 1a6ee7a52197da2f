//! The words of a script: cutting a line up, durations, and patterns with stars.

use std::time::Duration;

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// The text, without quotes.
    pub(super) text: String,
    /// Whether it stood in quotes.
    pub(super) quoted: bool,
}

/// The statements of a script with their lines, counted from one: cut at ends of lines and at semicolons.
///
/// # Errors
/// The line of a quote that is not closed.
pub(super) fn statements(text: &str) -> Result<Vec<(usize, Vec<Word>)>, usize> {
    let mut all = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        let mut statement = Vec::new();
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            if character == ';' {
                all.push((index + 1, std::mem::take(&mut statement)));
            } else if character == '"' {
                let mut text = String::new();
                loop {
                    match characters.next() {
                        Some('"') => break,
                        Some('\\') => text.extend(characters.next()),
                        Some(character) => text.push(character),
                        None => return Err(index + 1),
                    }
                }
                statement.push(Word { text, quoted: true });
            } else if !character.is_whitespace() {
                let mut text = String::from(character);
                while let Some(next) = characters.next_if(|next| !next.is_whitespace() && *next != ';') {
                    text.push(next);
                }
                statement.push(Word { text, quoted: false });
            }
        }
        all.push((index + 1, statement));
    }
    all.retain(|(_, statement)| !statement.is_empty());
    Ok(all)
}

/// A duration: digits and `ms`, `s`, `m` or `h`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let number: u64 = text[..end].parse().ok()?;
    match &text[end..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        _ => None,
    }
}

/// Whether a pattern fits a text; `*` stands for any letters.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(start) => rest = &rest[start + piece.len()..],
            None => return false,
        }
    }
    true
}
