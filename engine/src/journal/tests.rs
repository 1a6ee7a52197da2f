use std::io::Write;

use serde_json::json;

use super::history::Fate;
use super::*;
use crate::aws::{Error, ErrorKind};
use crate::error::Class;

const RUN: &str = "20261122-014431-abcd";

fn error(kind: ErrorKind) -> Error {
    Error {
        operation: "ExecuteChangeSet",
        kind,
        code: Some("Code".to_owned()),
        message: "token AKIA is wrong".to_owned(),
        request_id: None,
    }
}

fn execute(journal: &Journal) -> Ticket {
    journal.intent(Intent::new("ExecuteChangeSet", "web")).unwrap()
}

#[test]
fn an_intent_stands_on_disk_before_the_ticket_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::create(&directory.path().join("journal"), RUN).unwrap();
    let ticket = journal.intent(Intent::new("DeleteStack", "web").with_name("stack", "arn:x")).unwrap();
    let text = std::fs::read_to_string(journal.path().unwrap()).unwrap();
    assert!(text.ends_with('\n') && text.contains(ticket.token()) && text.contains("arn:x"), "{text}");
    assert_eq!(ticket.call(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(journal.path().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_run_has_one_journal() {
    let directory = tempfile::tempdir().unwrap();
    drop(Journal::create(directory.path(), RUN).unwrap());
    let error = Journal::create(directory.path(), RUN).unwrap_err();
    assert_eq!(error.class, Class::Usage);
}

#[test]
fn a_repetition_has_the_same_token_and_a_new_attempt_another() {
    let journal = Journal::in_memory();
    let first = execute(&journal);
    let token = first.token().to_owned();
    assert_eq!(execute(&journal).token(), token, "the outcome of the first is not known");
    journal.outcome(&first, Err(&error(ErrorKind::Unreachable)));
    let again = execute(&journal);
    assert_eq!(again.token(), token, "no answer is no outcome");
    journal.outcome(&again, Err(&error(ErrorKind::Invalid)));
    let next = execute(&journal);
    assert_ne!(next.token(), token, "it was refused");
    journal.outcome(&next, Ok(BTreeMap::new()));
    assert_ne!(execute(&journal).token(), next.token());
}

#[test]
fn tokens_fit_every_service_and_name_the_run() {
    let other = |run, operation, target, attempt| super::token(run, operation, target, attempt);
    let token = other(RUN, "DeleteStack", "web", 0);
    assert_eq!(token.len(), 64);
    assert!(token.starts_with("fw-20261122-014431-abcd-"));
    assert!(token.chars().all(|it| it.is_ascii_alphanumeric() || it == '-'));
    assert_ne!(token, other(RUN, "DeleteStack", "web", 1));
    assert_ne!(token, other(RUN, "DeleteStackw", "eb", 0));
    assert_eq!(other(&"ü/".repeat(90), "DeleteStack", "web", 0).len(), 64);
}

/// Fault 70: the power went while a line was written.
#[test]
fn a_torn_last_line_is_ignored_and_removed() {
    for torn in ["{\"sequence\":3,\"time\":\"2026-11", "{}", "\0\0\0\0\n"] {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::create(directory.path(), RUN).unwrap();
        journal.began("deploy", "cfn-out", json!({})).unwrap();
        let token = execute(&journal).token().to_owned();
        let path = journal.path().unwrap().to_owned();
        drop(journal);
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(torn.as_bytes()).unwrap();

        assert_eq!(History::read(&path).unwrap().lines.len(), 2, "{torn:?}");
        let resumed = Journal::open(directory.path(), RUN).unwrap();
        let ticket = execute(&resumed);
        assert_eq!((ticket.token(), ticket.call()), (token.as_str(), 2));
        drop(resumed);
        let sequences: Vec<u64> = History::read(&path).unwrap().lines.iter().map(|it| it.sequence).collect();
        assert_eq!(sequences, [1, 2, 3], "{torn:?}");
    }
}

#[test]
fn a_damaged_line_in_the_middle_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::create(directory.path(), RUN).unwrap();
    execute(&journal);
    let path = journal.path().unwrap().to_owned();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}nonsense\n{text}")).unwrap();
    let error = History::read(&path).unwrap_err();
    assert!(error.message.contains("line 2"), "{}", error.message);
}

/// Fault 72: the journal was written by a later version.
#[test]
fn a_later_form_is_refused_and_an_unknown_record_is_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(format!("{RUN}.jsonl"));
    let began = |format: u32| {
        format!(
            "{{\"sequence\":1,\"time\":\"2026-11-22T00:00:00Z\",\"record\":\"began\",\"format\":{format},\"run\":\"{RUN}\",\
             \"program\":\"9.0.0\",\"command\":\"deploy\",\"assembly\":\"cfn-out\",\"options\":{{}}}}\n"
        )
    };
    let news =
        "{\"sequence\":2,\"time\":\"2026-11-22T00:00:01Z\",\"record\":\"paused\",\"why\":{\"a\":[1]}}\n";
    std::fs::write(&path, began(1) + news).unwrap();
    let history = History::read(&path).unwrap();
    assert_eq!(history.lines[1].record, Record::Unknown);

    // Also when nothing else of the line is as it was, and when it is the last one.
    let bare = "{\"record\":\"began\",\"format\":3,\"program\":\"9.0.0\"}\n".to_owned();
    for later in [began(2), bare.clone(), bare + news] {
        std::fs::write(&path, later).unwrap();
        let error = Journal::open(directory.path(), RUN).unwrap_err();
        assert_eq!(error.class, Class::Input);
        assert!(error.message.contains("9.0.0"), "{}", error.message);
        let listed = listing(directory.path());
        assert_eq!(listed[0].as_ref().unwrap_err().run, RUN);
    }
}

/// Fault 71: two resumes of one run at once.
#[test]
fn a_journal_is_written_by_one_process() {
    let directory = tempfile::tempdir().unwrap();
    let first = Journal::create(directory.path(), RUN).unwrap();
    let error = Journal::open(directory.path(), RUN).unwrap_err();
    assert_eq!(error.class, Class::Refused);
    drop(first);
    Journal::open(directory.path(), RUN).unwrap();
}

/// Fault 65: the directory is a file, so that nothing can be written in it.
#[test]
fn an_unwritable_journal_is_told_with_a_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Journal::create(&file.join("journal"), RUN).unwrap_err();
    assert_eq!(error.class, Class::Usage);
    assert!(error.hint.unwrap().contains(".formwork"));
}

/// Fault 65: the disk is full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_gives_no_ticket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(format!("{RUN}.jsonl"));
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    // A device cannot be cut to a length, which may be told first; either way there is no ticket.
    let ticket =
        Journal::open(directory.path(), RUN).and_then(|it| it.intent(Intent::new("DeleteStack", "x")));
    assert_eq!(ticket.unwrap_err().class, Class::Usage);
}

#[test]
fn runs_that_were_cut_off_or_detached_are_unfinished() {
    let directory = tempfile::tempdir().unwrap();
    let run = |id: &str, approved: bool| {
        let journal = Journal::create(directory.path(), id).unwrap();
        journal.began("deploy", "cfn-out", json!({})).unwrap();
        if approved {
            journal.approved(json!({"run": id}), "prompt").unwrap();
        }
        journal
    };
    run("20260101-000000-0001", true).ended(0);
    run("20260101-000000-0002", true);
    run("20260101-000000-0003", false);
    let detached = run("20260101-000000-0004", true);
    detached.stack_state("web", "EXECUTING", BTreeMap::new());
    detached.detached("interrupted");
    detached.ended(6);
    drop(detached);
    let names: Vec<String> = unfinished(directory.path()).into_iter().map(|it| it.run).collect();
    assert_eq!(names, ["20260101-000000-0002", "20260101-000000-0004"]);
    let latest = latest(directory.path()).unwrap();
    assert_eq!(latest.detached.as_deref(), Some("interrupted"));
    assert_eq!(latest.stacks["web"], "EXECUTING");
    let missing = Journal::open(directory.path(), "nope").unwrap_err();
    assert!(missing.hint.unwrap().contains("20260101-000000-0002"));
}

#[test]
fn the_fate_of_a_call_is_read_back() {
    let journal = Journal::in_memory();
    let ticket = execute(&journal);
    assert_eq!(journal.history().last_call("ExecuteChangeSet", "web").unwrap().fate, Fate::Open);
    journal.outcome(&ticket, Err(&error(ErrorKind::WrongState)));
    assert_eq!(journal.history().last_call("ExecuteChangeSet", "web").unwrap().fate, Fate::Refused("Code"));
    let ticket = execute(&journal);
    journal.outcome(&ticket, Ok(BTreeMap::from([("stack".to_owned(), "arn".to_owned())])));
    let history = journal.history();
    let call = history.last_call("ExecuteChangeSet", "web").unwrap();
    assert_eq!((call.fate, call.names["stack"]), (Fate::Done, "arn"));
    assert!(!format!("{history:?}").contains("AKIA"), "messages are not written down");
}

#[test]
fn after_a_cut_nothing_is_written_and_no_ticket_is_given() {
    for (written, lines) in [(true, 2), (false, 1)] {
        let journal = Journal::in_memory();
        journal.cut_at(2, written);
        execute(&journal);
        assert!(journal.intent(Intent::new("DeleteStack", "a")).is_err());
        assert!(journal.intent(Intent::new("DeleteStack", "b")).is_err());
        assert_eq!(journal.history().lines.len(), lines);
    }
}

#[test]
fn run_ids_sort_by_time() {
    let id = new_run_id("2026-11-22T01:44:31Z".parse().unwrap());
    assert!(id.starts_with("20261122-014431-") && id.len() == 20, "{id}");
}
