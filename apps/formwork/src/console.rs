//! What people see: data on standard output, talk on standard error.
//!
//! A text is written in one piece, so that a closed pipe is met in one place. Colour repeats what words say already, and
//! is left out when `NO_COLOR` is set or nobody looks.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use formwork_assembly::{Diagnostic, Severity};

use crate::failure::Failure;
use crate::report::FindingCounts;
use crate::wrapping::{fitted, of_talk};

/// The two streams of the process, and how much goes to the second.
pub(crate) struct Console {
    quiet: bool,
    verbose: bool,
    /// Whether standard output belongs to events, one a line.
    gives_events: AtomicBool,
}

impl Console {
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        Self { quiet, verbose, gives_events: AtomicBool::new(false) }
    }

    /// Leaves standard output to events: whoever reads them must find nothing else there.
    #[cfg(feature = "engine")]
    pub(crate) fn give_output_to_events(&self) {
        self.gives_events.store(true, Ordering::Relaxed);
    }

    /// Writes what the command was asked for. Where standard output belongs to events it is talk.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        if self.gives_events.load(Ordering::Relaxed) {
            self.talk(text);
            return Ok(());
        }
        let mut stream = anstream::stdout().lock();
        stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).map_err(Failure::Output)
    }

    /// Tells people something, in whole lines; scripts do not read it, and `--quiet` leaves it out.
    pub(crate) fn talk(&self, text: &str) {
        if !self.quiet {
            say(&fitted(text, of_talk()));
        }
    }

    /// Tells people command lines to copy, which therefore are not broken anywhere.
    pub(crate) fn commands(&self, lines: &[String]) {
        if !self.quiet {
            say(&lines.iter().map(|line| format!("  {line}\n")).collect::<String>());
        }
    }

    /// Shows findings: errors always, warnings unless it shall be quiet, notes when more is wanted.
    pub(crate) fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics.iter().filter(|diagnostic| self.shows(diagnostic.severity)) {
            say(&format!("{}\n\n", styled(&diagnostic.to_string(), diagnostic.severity)));
        }
    }

    /// Whether only errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether everything is wanted.
    #[cfg(feature = "engine")]
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether findings of a severity are shown.
    pub(crate) fn shows(&self, severity: Severity) -> bool {
        match severity {
            Severity::Error => true,
            Severity::Warning => !self.quiet,
            Severity::Note => self.verbose && !self.quiet,
        }
    }

    /// Says why the command failed, with the causes beneath, unless that has been said.
    pub(crate) fn failure(&self, failure: &Failure) {
        if failure.is_silent() {
            return;
        }
        let mut text = format!("error: {failure}");
        let mut cause = failure.source();
        while let Some(error) = cause {
            // An error that tells its cause already need not have it told again.
            let words = error.to_string();
            if !text.contains(&words) {
                let _ = write!(text, "\n  because: {words}");
            }
            cause = error.source();
        }
        text.push('\n');
        say(&styled(&fitted(&text, of_talk()), Severity::Error));
    }
}

/// Nothing sensible is left to do when standard error is closed, so its errors are passed over.
fn say(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// The text with its first severity word and its hints in colour.
pub(crate) fn styled(text: &str, severity: Severity) -> String {
    let color = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Cyan,
    };
    let style = color.on_default().bold();
    let hint = Style::new().bold();
    let word = severity.to_string();
    text.replacen(&word, &format!("{style}{word}{style:#}"), 1)
        .replace("\nhint:", &format!("\n{hint}hint:{hint:#}"))
}

/// Rows as a table: the first row is the heading, columns that hold only figures go to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
    let figures = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == ',');
    let mut lines = vec![String::new(); rows.len()];
    for column in 0..columns {
        let width = rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0);
        let right = rows.len() > 1 && rows.iter().skip(1).all(|row| figures(&cell(row, column)));
        for (line, row) in lines.iter_mut().zip(rows) {
            let text = cell(row, column);
            if column > 0 {
                line.push_str("  ");
            }
            let _ = if right { write!(line, "{text:>width$}") } else { write!(line, "{text:<width$}") };
        }
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The same where it fits the width, else each row as lines of its own with the last cell below the others.
#[cfg(feature = "engine")]
pub(crate) fn table_within(rows: &[Vec<String>], width: Option<usize>) -> String {
    let whole = table(rows);
    let Some(columns) = width else { return whole };
    if whole.lines().all(|line| line.chars().count() <= columns) {
        return whole;
    }
    let mut lines = String::new();
    for row in rows.iter().skip(1) {
        let Some((last, others)) = row.split_last() else { continue };
        lines.push_str(&crate::wrapping::wrapped(0, &others.join("  "), width));
        // Too long a value is left to the terminal to break: it can still be copied as one.
        let margin = if last.chars().count() + 2 <= columns { "  " } else { "" };
        lines.push_str(&format!("{margin}{last}\n"));
    }
    lines
}

/// A number with commas between thousands.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 error`, `2 errors`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", thousands(number)) }
}

/// How many notes are not shown, and how to see them; nothing when there is none.
pub(crate) fn hidden_notes(counts: FindingCounts, console: &Console) -> String {
    match counts.notes {
        0 => String::new(),
        _ if console.shows(Severity::Note) => String::new(),
        1 => "1 note is not shown: add -v to see it\n".to_owned(),
        notes => format!("{notes} notes are not shown: add -v to see them\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_puts_figures_to_the_right_and_ends_no_line_with_blanks() {
        let rows =
            [["stack", "bytes"], ["a", "9"], ["long", "1,024"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "stack  bytes\na          9\nlong   1,024\n");
    }

    #[cfg(feature = "engine")]
    #[test]
    fn a_table_that_is_too_wide_becomes_lines() {
        let rows = [["stack", "output", "value"], ["team-proxy", "Url", "https://proxy.example.com/"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        for wide in [None, Some(46)] {
            assert_eq!(table_within(&rows, wide), table(&rows));
        }
        assert_eq!(table_within(&rows, Some(45)), "team-proxy  Url\n  https://proxy.example.com/\n");
        assert_eq!(table_within(&rows, Some(20)), "team-proxy  Url\nhttps://proxy.example.com/\n");
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!([0, 999, 1_000, 1_048_576].map(thousands), ["0", "999", "1,000", "1,048,576"]);
    }

    #[test]
    fn colour_only_repeats_words() {
        let text = "error[rule]: an error\nhint: none";
        let shown = styled(text, Severity::Error);
        assert_ne!(shown, text);
        assert_eq!(anstream::adapter::strip_str(&shown).to_string(), text);
    }
}
