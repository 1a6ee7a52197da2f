//! A difference for people: stack by stack, what opens something first, then section by section.
//!
//! Marks and colours repeat what words say: `+` added, `-` removed, `~` changed, `-/+` replaced, `!` more rights or a
//! wider network, or data that is lost.

use anstyle::{AnsiColor, Style};
use formwork_assembly::broadening::readable;
use formwork_assembly::json::to_compact_text;
use serde_json::Value as Json;

use super::report::*;
use crate::console::count;
use crate::wrapping::wrapped;

/// How many resources of a new or removed stack are told one by one.
const LISTED: usize = 12;
/// How much of a value is shown.
const SHORT: usize = 60;

/// How to show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// The width to fit; nothing for lines of any length.
    pub(super) width: Option<usize>,
    /// Whether everything is wanted: whole values, every resource, what CloudFormation does not see.
    pub(super) is_verbose: bool,
}

/// The headings of sections, in their order; resources stand before the outputs.
const SECTIONS: [(&str, &str); 9] = [
    ("AWSTemplateFormatVersion", "format version"),
    ("Description", "description"),
    ("Metadata", "metadata"),
    ("Transform", "transform"),
    ("Parameters", "parameters"),
    ("Mappings", "mappings"),
    ("Conditions", "conditions"),
    ("Rules", "rules"),
    ("Outputs", "outputs"),
];

/// The whole difference.
pub(super) fn text(report: &DiffReport, look: Look) -> String {
    let mut writer = Writer { text: String::new(), look };
    for stack in &report.stacks {
        writer.stack(stack);
    }
    writer.text
}

struct Writer {
    text: String,
    look: Look,
}

impl Writer {
    fn line(&mut self, margin: usize, style: Style, text: &str) {
        for (index, line) in wrapped(margin, text, self.look.width).lines().enumerate() {
            // Only what stands out is in colour, and no line ends in the colour of another.
            let blanks = line.len() - line.trim_start().len();
            let (blanks, words) = line.split_at(blanks);
            let style = if index == 0 || style != Style::new().bold() { style } else { Style::new() };
            self.text.push_str(&format!("{blanks}{style}{words}{style:#}\n"));
        }
    }

    fn stack(&mut self, stack: &StackDiffReport) {
        let number = count(stack.resources.len(), "resource");
        let (mark, words, style) = match stack.state {
            StackState::Added => ('+', format!("new, with {number}"), green()),
            StackState::Removed => (
                '-',
                format!("no longer in the app; stays in the account until it is destroyed ({number})"),
                red(),
            ),
            StackState::Changed => ('~', changed(stack), Style::new().bold()),
            StackState::Alike => {
                ('=', "differs only in what CloudFormation does not see".to_owned(), Style::new())
            }
            StackState::Unchanged => ('=', "no differences".to_owned(), Style::new()),
        };
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(0, style, &format!("{mark} {}  {words}", stack.name));
        if stack.state == StackState::Alike && !self.look.is_verbose {
            return;
        }
        self.broadenings(stack, BroadeningKindReport::Rights, "more rights");
        self.broadenings(stack, BroadeningKindReport::Network, "wider network");
        let is_whole = matches!(stack.state, StackState::Added | StackState::Removed);
        // Of a whole stack, people want to know what it is made of and not how.
        let has_sections = !is_whole || self.look.is_verbose;
        for (section, heading) in SECTIONS.iter().filter(|(section, _)| *section != "Outputs" && has_sections)
        {
            self.section(stack, section, heading);
        }
        for entry in stack.entries.iter().filter(|_| has_sections) {
            if SECTIONS.iter().all(|(section, _)| *section != entry.section) {
                self.section(stack, &entry.section, &entry.section.to_lowercase());
            }
        }
        self.resources(stack, is_whole);
        if has_sections {
            self.section(stack, "Outputs", "outputs");
        }
    }

    fn broadenings(&mut self, stack: &StackDiffReport, kind: BroadeningKindReport, heading: &str) {
        let mut found = stack.broadenings.iter().filter(|found| found.kind == kind).peekable();
        if found.peek().is_none() {
            return;
        }
        self.line(4, Style::new().bold(), heading);
        for found in found {
            self.line(
                6,
                yellow(),
                &format!("! {} ({}): {}", found.logical_id, found.resource_type, found.words),
            );
        }
    }

    fn section(&mut self, stack: &StackDiffReport, section: &str, heading: &str) {
        let is_shown = |entry: &&EntryReport| {
            entry.section == section
                && (self.look.is_verbose || entry.changes.iter().any(|change| !change.alike))
        };
        let entries: Vec<&EntryReport> = stack.entries.iter().filter(is_shown).collect();
        if entries.is_empty() {
            return;
        }
        self.line(4, Style::new().bold(), heading);
        for entry in entries {
            let (mark, style) = mark(entry.change);
            let name = entry.name.as_deref().unwrap_or(section);
            let root = entry.changes.first().filter(|change| change.pointer.matches('/').count() <= 2);
            match (entry.change, root) {
                // A value of its own, or one that came or went as a whole.
                (ChangeKindReport::Changed, Some(change)) => {
                    self.line(6, style, &format!("{mark} {name}: {}", self.values(change)));
                }
                (_, Some(change)) => {
                    let value = change.after.as_ref().or(change.before.as_ref());
                    // Of an output, the value is what matters.
                    let value = value.map(|value| value.get("Value").unwrap_or(value));
                    let value = value.map(|value| self.value(value)).unwrap_or_default();
                    self.line(6, style, &format!("{mark} {name}: {value}"));
                }
                _ => {
                    self.line(6, style, &format!("{mark} {name}"));
                    for change in &entry.changes {
                        self.change(change, "");
                    }
                }
            }
        }
    }

    fn resources(&mut self, stack: &StackDiffReport, is_whole: bool) {
        let is_shown = |resource: &&ResourceReport| self.look.is_verbose || resource.outcome.is_some();
        let shown: Vec<&ResourceReport> = stack.resources.iter().filter(is_shown).collect();
        if shown.is_empty() {
            return;
        }
        self.line(4, Style::new().bold(), "resources");
        let hides = is_whole && shown.len() > LISTED && !self.look.is_verbose;
        for resource in &shown {
            if !hides || resource.loss.is_some() {
                self.resource(resource, stack.state);
            }
        }
        if hides {
            self.line(6, Style::new(), &format!("{} in all (-v lists them)", count(shown.len(), "resource")));
        }
    }

    fn resource(&mut self, resource: &ResourceReport, state: StackState) {
        let (mark, words, style) = match resource.outcome {
            Some(OutcomeReport::Created) => ("+", "added", green()),
            Some(OutcomeReport::Updated) => ("~", "changed", Style::new()),
            Some(OutcomeReport::PerhapsReplaced) => ("~", "may be replaced", yellow()),
            Some(OutcomeReport::PerhapsDeleted) => ("~", "may be deleted", yellow()),
            Some(OutcomeReport::Replaced) => ("-/+", "replaced", red()),
            Some(OutcomeReport::Deleted) => ("-", "deleted", red()),
            Some(OutcomeReport::Released) => ("-", "let go of, kept in the account", yellow()),
            None => ("=", "the same to CloudFormation", Style::new()),
        };
        // A stack that the app dropped stays until somebody destroys it.
        let words = if state == StackState::Removed { "" } else { words };
        let line = format!("{mark} {}  {}  {words}", resource.logical_id, resource.resource_type);
        self.line(6, style, line.trim_end());
        if let Some(from) = &resource.moved_from {
            self.line(10, Style::new(), &format!("probably {from} under another logical id"));
        }
        if let Some(to) = &resource.moved_to {
            self.line(10, Style::new(), &format!("probably {to} now"));
        }
        if let Some(refusal) = &resource.refusal {
            self.line(10, red(), &format!("! {refusal}"));
        }
        if let Some(loss) = resource.loss.as_ref().filter(|_| state != StackState::Removed) {
            let words = match (loss.kept, loss.certain) {
                (true, _) => format!("! {}", loss.words),
                (false, true) => format!("! data is lost: {}", loss.words),
                (false, false) => format!("! data may be lost: {}", loss.words),
            };
            self.line(10, if loss.kept { yellow() } else { red() }, &words);
        }
        for change in &resource.changes {
            let cause = resource
                .causes
                .iter()
                .find(|cause| cause.pointer == change.pointer && cause.through.is_none());
            let note = match cause.map(|cause| cause.replaces) {
                Some(ReplacesReport::Always) => "  (needs a new resource)",
                Some(ReplacesReport::Perhaps) => "  (may need a new resource)",
                _ => "",
            };
            self.change(change, note);
        }
        for cause in &resource.causes {
            let Some(through) = &cause.through else { continue };
            let words = match cause.replaces {
                ReplacesReport::Always => "  (needs a new resource)",
                ReplacesReport::Perhaps => "  (may need a new resource)",
                ReplacesReport::Never => "",
            };
            let name = cause.name.replace('/', ".");
            let name = if name.is_empty() { "Properties" } else { &name };
            self.line(10, Style::new(), &format!("{name}: changes with {through}{words}"));
        }
    }

    /// A difference below an entry, named by what follows the section and the entry in its pointer.
    fn change(&mut self, change: &ValueReport, note: &str) {
        if change.alike && !self.look.is_verbose {
            return;
        }
        let path: Vec<&str> = change.pointer.split('/').skip(3).collect();
        let path = path.strip_prefix(&["Properties"]).unwrap_or(&path).join(".");
        let path = path.replace("~1", "/").replace("~0", "~");
        let note = if change.alike { "  (the same to CloudFormation)" } else { note };
        self.line(10, Style::new(), &format!("{path}: {}{note}", self.values(change)));
    }

    fn values(&self, change: &ValueReport) -> String {
        match (&change.before, &change.after) {
            (Some(before), Some(after)) => {
                let (old, new) = (self.value(before), self.value(after));
                if old != new {
                    return format!("{old} -> {new}");
                }
                if before == after {
                    return format!("{old} -> {new}, which is another one");
                }
                // A number and its text look the same without quotes.
                let (before, after) = (to_compact_text(before), to_compact_text(after));
                if before.chars().count() <= SHORT || self.look.is_verbose {
                    return format!("{before} -> {after}");
                }
                format!("{old}  (differs further on: -v shows it)")
            }
            (None, Some(after)) => format!("+ {}", self.value(after)),
            (Some(before), None) => format!("- {}", self.value(before)),
            (None, None) => String::new(),
        }
    }

    fn value(&self, value: &Json) -> String {
        let line = readable(value).split_whitespace().collect::<Vec<_>>().join(" ");
        if self.look.is_verbose || line.chars().count() <= SHORT {
            return if line.is_empty() { "\"\"".to_owned() } else { line };
        }
        let start: String = line.chars().take(SHORT - 1).collect();
        format!("{start}…")
    }
}

/// How many resources of a stack have which fate.
fn changed(stack: &StackDiffReport) -> String {
    use OutcomeReport::{Created, Deleted, PerhapsDeleted, PerhapsReplaced, Released, Replaced, Updated};
    let number = |wanted: &[OutcomeReport]| {
        stack
            .resources
            .iter()
            .filter(|resource| resource.outcome.is_some_and(|is| wanted.contains(&is)))
            .count()
    };
    let parts: Vec<String> = [
        (number(&[Created]), "added"),
        (number(&[Updated]), "changed"),
        (number(&[Replaced]), "replaced"),
        (number(&[PerhapsReplaced]), "may be replaced"),
        (number(&[PerhapsDeleted]), "may be deleted"),
        (number(&[Deleted]), "deleted"),
        (number(&[Released]), "let go of"),
    ]
    .iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, words)| format!("{number} {words}"))
    .collect();
    if parts.is_empty() { "no resource changes".to_owned() } else { parts.join(", ") }
}

fn mark(change: ChangeKindReport) -> (char, Style) {
    match change {
        ChangeKindReport::Added => ('+', green()),
        ChangeKindReport::Removed => ('-', red()),
        ChangeKindReport::Changed | ChangeKindReport::Reached => ('~', Style::new()),
    }
}

fn green() -> Style {
    AnsiColor::Green.on_default()
}

fn red() -> Style {
    AnsiColor::Red.on_default()
}

fn yellow() -> Style {
    AnsiColor::Yellow.on_default()
}

#[cfg(test)]
mod tests;
