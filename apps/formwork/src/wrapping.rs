//! Lines that fit a width: broken between words, what follows indented below the first.

/// What is still useful to show in one line, however narrow it is.
const NARROWEST: usize = 20;

/// The width of the terminal that standard output goes to; nothing when it goes elsewhere.
pub(crate) fn of_output() -> Option<usize> {
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(usize::from(columns))
}

/// The width of the terminal that standard error goes to; nothing when it goes elsewhere.
pub(crate) fn of_talk() -> Option<usize> {
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(std::io::stderr())?;
    Some(usize::from(columns))
}

/// A text of whole lines in which each line that is too wide is broken, behind the margin that it has.
pub(crate) fn fitted(text: &str, width: Option<usize>) -> String {
    if width.is_none() {
        return text.to_owned();
    }
    let line = |line: &str| {
        let words = line.trim_start_matches(' ');
        wrapped(line.len() - words.len(), words, width)
    };
    text.lines().map(line).collect()
}

/// A line with a margin, broken so that no part is wider than the width.
pub(crate) fn wrapped(margin: usize, text: &str, width: Option<usize>) -> String {
    let Some(width) = width.map(|width| width.max(NARROWEST)) else {
        return format!("{}{text}\n", " ".repeat(margin));
    };
    // In a narrow window the margin gives way to the text.
    let margin = margin.min(width / 4);
    let hanging = (margin + 2).min(width / 2);
    let mut lines = String::new();
    let mut line = " ".repeat(margin);
    let mut is_fresh = true;
    for word in text.split(' ') {
        let mut word = word;
        loop {
            let used = line.chars().count();
            let blank = usize::from(!is_fresh);
            if used + blank + word.chars().count() <= width {
                line.push_str(&" ".repeat(blank));
                line.push_str(word);
                is_fresh = false;
                break;
            }
            if is_fresh {
                // A word that is wider than a line is broken anywhere.
                let room = width.saturating_sub(used).max(1);
                let at = word.char_indices().nth(room).map_or(word.len(), |(at, _)| at);
                line.push_str(&word[..at]);
                word = &word[at..];
            }
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = " ".repeat(hanging);
            is_fresh = true;
            if word.is_empty() {
                break;
            }
        }
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_margins() {
        let text = "a head\n\n    + some more words than fit\n";
        assert_eq!(fitted(text, None), text);
        assert_eq!(fitted(text, Some(80)), text);
        assert_eq!(fitted(text, Some(20)), "a head\n\n    + some more\n      words than fit\n");
    }

    #[test]
    fn lines_break_between_words_and_long_words_anywhere() {
        assert_eq!(wrapped(2, "a b", None), "  a b\n");
        assert_eq!(wrapped(2, "some words that do not fit", Some(20)), "  some words that do\n    not fit\n");
        assert_eq!(
            wrapped(4, "abcdefghijklmnopqrstuvwxyz", Some(20)),
            "    abcdefghijklmnop\n      qrstuvwxyz\n"
        );
        let text = "lets tcp 443 in from 0.0.0.0/0 (anywhere); before: tcp 443 10.0.0.0/8";
        for width in 20..90 {
            let lines = wrapped(8, text, Some(width));
            assert!(lines.lines().all(|line| line.chars().count() <= width), "{width}: {lines}");
            assert_eq!(lines.split_whitespace().collect::<Vec<_>>().join(" "), text);
        }
    }
}
