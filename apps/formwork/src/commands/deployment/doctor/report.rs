//! What `formwork doctor` tells: groups of checks, for programs and for people.

use formwork_engine::doctor::{Check, Outcome};
use schemars::JsonSchema;
use serde::Serialize;

use crate::console::count;

/// What `formwork doctor --json` prints.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "formwork doctor --json")]
pub(crate) struct DoctorReport {
    /// How many checks found something that does not work.
    pub(crate) failed: usize,
    /// How many checks found something that is likely to hurt.
    pub(crate) warnings: usize,
    /// How many questions could not be asked.
    pub(crate) unknown: usize,
    /// The checks, by what they are about.
    pub(crate) groups: Vec<CheckGroup>,
}

/// Checks of one thing.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckGroup {
    /// What they are about: this machine, an account and region, what is deployed.
    pub(crate) title: String,
    /// The checks.
    pub(crate) checks: Vec<Check>,
}

impl DoctorReport {
    /// Adds checks; a group of none is left out.
    pub(super) fn add(&mut self, title: impl Into<String>, checks: Vec<Check>) {
        let number = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
        self.failed += number(Outcome::Failed);
        self.warnings += number(Outcome::Warning);
        self.unknown += number(Outcome::Unknown);
        if !checks.is_empty() {
            self.groups.push(CheckGroup { title: title.into(), checks });
        }
    }
}

/// A line a check, what to do about it below.
pub(super) fn text(report: &DoctorReport) -> String {
    let mut text = String::new();
    for group in &report.groups {
        text.push_str(&format!("{}\n", group.title));
        for check in &group.checks {
            // The place of its group need not be said again.
            let subject = match check.subject.as_str() {
                subject if subject.is_empty() || subject == group.title => String::new(),
                subject => format!(" {subject}"),
            };
            let word = word(check.outcome);
            text.push_str(&format!("  {word:<11}  {}{subject}: {}\n", check.name, indented(&check.detail)));
            if let Some(hint) = &check.hint {
                text.push_str(&format!("               hint: {}\n", indented(hint)));
            }
        }
        text.push('\n');
    }
    text.push_str(&conclusion(report));
    text
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n               ")
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Warning => "warning",
        Outcome::Failed => "failed",
        Outcome::Unknown => "cannot tell",
        Outcome::Skipped => "not asked",
    }
}

fn conclusion(report: &DoctorReport) -> String {
    let parts: Vec<String> = [
        (report.failed, "check", "failed"),
        (report.warnings, "warning", ""),
        (report.unknown, "check", "cannot be told"),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, noun, verb)| format!("{} {verb}", count(number, noun)).trim_end().to_owned())
    .collect();
    if parts.is_empty() {
        "nothing stands in the way\n".to_owned()
    } else {
        format!("{}\n", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_grouped_counted_and_followed_by_what_to_do() {
        let mut report = DoctorReport::default();
        report.add("this machine", vec![Check::ok("proxy", "", "no proxy is set")]);
        report.add("nothing", Vec::new());
        let place = "aws://1/r";
        let checks = vec![
            Check::failed("region", place, "not enabled").with_hint("enable it"),
            Check::new("quota", "VPCs", Outcome::Unknown, "denied"),
        ];
        report.add(place, checks);
        let wanted = "\
this machine
  ok           proxy: no proxy is set

aws://1/r
  failed       region: not enabled
               hint: enable it
  cannot tell  quota VPCs: denied

1 check failed, 1 check cannot be told
";
        assert_eq!(text(&report), wanted);
    }
}
