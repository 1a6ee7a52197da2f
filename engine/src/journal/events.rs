//! The events of a run as lines of JSON beside its journal: what was told while it went on.
//!
//! The journal says what was called and with which tokens; these lines say what happened: resources, failures, waits.
//! They are for audits and for looking back, nothing is resumed from them, and so nothing waits for the disk. Values of
//! outputs are left out, for an output can be made of a secret.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::{Journal, kept};
use crate::event::{Event, Listener, What};

/// What the name of the file ends with, after the run.
pub(crate) const SUFFIX: &str = "events.jsonl";

/// The largest size, in bytes: a run of hundreds of stacks writes some megabytes.
const LARGEST: u64 = 64 << 20;

/// Writes events down. A listener like any other; that it cannot write is no reason to end a run.
#[derive(Debug)]
pub struct EventLog(Mutex<Option<Open>>);

#[derive(Debug)]
struct Open {
    file: File,
    left: u64,
}

impl EventLog {
    /// Writes to `<run>.events.jsonl` beside a journal, after what a process before this one wrote. Nothing is written
    /// for a journal in memory, or where the file cannot be opened.
    pub fn beside(journal: &Journal) -> Self {
        let open = kept::beside(journal, SUFFIX).and_then(|path| open(&path, LARGEST).ok());
        Self(Mutex::new(open))
    }
}

impl Listener for EventLog {
    fn tell(&self, mut event: Event) {
        match &mut event.what {
            // How far an upload is interests nobody afterwards.
            What::AssetUploading { .. } => return,
            What::StackFinished { outputs, .. } => outputs.clear(),
            _ => {}
        }
        let Ok(line) = serde_json::to_string(&event) else { return };
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(log) = &mut *open else { return };
        let length = line.len() as u64 + 1;
        if length > log.left {
            let _ = log.file.write_all(last_line(event.time).as_bytes());
            *open = None;
            return;
        }
        log.left -= length;
        if log.file.write_all(format!("{line}\n").as_bytes()).is_err() {
            *open = None;
        }
    }
}

/// Said where the rest is left out.
fn last_line(time: Timestamp) -> String {
    let message = "events from here on are not written down: there are too many".to_owned();
    let event = Event { time, stack: None, environment: None, what: What::Note { message } };
    serde_json::to_string(&event).map(|line| line + "\n").unwrap_or_default()
}

fn open(path: &Path, largest: u64) -> std::io::Result<Open> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let length = file.metadata()?.len();
    if length > 0 {
        // A process that was killed may have left half a line.
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(Open { file, left: largest.saturating_sub(length) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::aws::cloudformation::Output;
    use crate::event::StackOutcome;

    fn note(message: &str) -> Event {
        let time = "2026-01-02T03:04:05Z".parse().unwrap();
        Event { time, stack: None, environment: None, what: What::Note { message: message.to_owned() } }
    }

    /// Fault 74: an output may be made of a secret.
    #[test]
    fn events_are_lines_without_the_values_of_outputs() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::create(directory.path(), "20260102-030405-abcd").unwrap();
        let outputs = BTreeMap::from([(
            "Password".to_owned(),
            Output { value: "hunter2".to_owned(), description: None, export_name: None },
        )]);
        let what =
            What::StackFinished { outcome: StackOutcome::Deployed, status: None, seconds: 1.0, outputs };
        EventLog::beside(&journal).tell(Event { what, ..note("") });
        let path = directory.path().join("20260102-030405-abcd.events.jsonl");
        // The process ends in the middle of a line; the next one goes on.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"time").unwrap();
        EventLog::beside(&journal).tell(note("again"));
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(!text.contains("hunter2"));
        assert_eq!(serde_json::from_str::<Event>(lines[2]).unwrap(), note("again"));
        assert!(crate::journal::listing(directory.path()).len() == 1, "it is taken for no journal");
    }

    #[test]
    fn there_is_an_end_to_what_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.jsonl");
        let log = EventLog(Mutex::new(open(&path, 300).ok()));
        (0..50).for_each(|_| log.tell(note("a word")));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.len() < 500 && text.trim_end().ends_with("too many\"}"), "{text}");
    }
}
