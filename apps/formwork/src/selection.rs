//! Which stacks a command is about: names and patterns with `*` and `?`.

use crate::failure::Failure;
use crate::report::StackReport;
use crate::suggestion::nearest;

/// The stacks that the patterns name, in the order of the app; all of them without a pattern.
///
/// # Errors
/// When a pattern names no stack.
pub(crate) fn select<'s>(
    stacks: &'s [StackReport],
    patterns: &[String],
) -> Result<Vec<&'s StackReport>, Failure> {
    for pattern in patterns {
        if !stacks.iter().any(|stack| names(pattern, stack)) {
            return Err(no_stack(pattern, stacks));
        }
    }
    let chosen =
        |stack: &&StackReport| patterns.is_empty() || patterns.iter().any(|pattern| names(pattern, stack));
    Ok(stacks.iter().filter(chosen).collect())
}

/// The one stack that a pattern names.
///
/// # Errors
/// When it names none, or several.
pub(crate) fn select_one<'s>(stacks: &'s [StackReport], pattern: &str) -> Result<&'s StackReport, Failure> {
    let named: Vec<&StackReport> = stacks.iter().filter(|stack| names(pattern, stack)).collect();
    match named.as_slice() {
        [] => Err(no_stack(pattern, stacks)),
        [one] => Ok(one),
        several => {
            let ids: Vec<&str> = several.iter().map(|stack| stack.id.as_str()).collect();
            let message =
                format!("`{pattern}` names several stacks: {}\nhint: name one of them", ids.join(", "));
            Err(Failure::Usage(message))
        }
    }
}

fn names(pattern: &str, stack: &StackReport) -> bool {
    matches(pattern, &stack.id) || matches(pattern, &stack.name)
}

fn no_stack(pattern: &str, stacks: &[StackReport]) -> Failure {
    let ids: Vec<&str> = stacks.iter().map(|stack| stack.id.as_str()).collect();
    let hint = match (nearest(pattern, ids.iter().copied()), ids.is_empty()) {
        (Some(near), _) => format!("did you mean {near}? the app has {}", ids.join(", ")),
        (None, false) => format!("the app has {}", ids.join(", ")),
        (None, true) => "the app has no stack".to_owned(),
    };
    Failure::Usage(format!("no stack is named `{pattern}`\nhint: {hint}"))
}

/// Whether a text matches a pattern, in which `*` stands for any characters and `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut place) = (0, 0);
    // Where to go back to: just behind the last star, with one more character given to it.
    let mut retry: Option<(usize, usize)> = None;
    while place < text.len() {
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                retry = Some((at, place));
            }
            Some(wanted) if *wanted == '?' || *wanted == text[place] => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((behind, given)) = retry else { return false };
                at = behind;
                place = given + 1;
                retry = Some((behind, place));
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text) in
            [("*", ""), ("a*", "abc"), ("*c", "abcbc"), ("a?c", "abc"), ("*-mlflow-*", "x-mlflow-y")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("?", ""), ("*b", "abc"), ("a*d", "abc"), ("", "a")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_stay_cheap() {
        assert!(!matches(&"a*".repeat(40), &"a".repeat(39)));
    }
}
