use serde_json::json;

use super::*;
use crate::journal::{Intent, Journal};

const RUN: &str = "20261122-014431-abcd";

fn run(directory: &Path) {
    let journal = Journal::create(directory, RUN).unwrap();
    journal.began("deploy", "cfn-out", json!({})).unwrap();
    journal.approved(json!({"stacks": []}), "prompt").unwrap();
    let ticket = journal.intent(Intent::new("ExecuteChangeSet", "web")).unwrap();
    journal.outcome(&ticket, Ok(BTreeMap::new()));
    journal.intent(Intent::new("DeleteStack", "web")).unwrap();
    journal.ended(4);
    std::fs::write(directory.join(format!("{RUN}.events.jsonl")), "{}\n").unwrap();
}

#[test]
fn a_bundle_is_the_same_bytes_and_names_its_files() {
    let directory = tempfile::tempdir().unwrap();
    run(directory.path());
    let bundle = Bundle::of(directory.path(), RUN).unwrap();
    let names: Vec<&str> = bundle.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["SHA256SUMS", "audit.json", "events.jsonl", "journal.jsonl", "plan.json"]);
    let audit: Audit = serde_json::from_slice(&bundle.files["audit.json"]).unwrap();
    assert_eq!(audit.approval.unwrap().by, "prompt");
    assert_eq!(audit.end.unwrap().code, 4);
    assert_eq!(audit.calls["ExecuteChangeSet"].done, 1);
    assert_eq!(audit.calls["DeleteStack"].unknown, 1);
    let sums = String::from_utf8(bundle.files["SHA256SUMS"].clone()).unwrap();
    assert!(sums.contains(&format!("{}  plan.json\n", sha256(&bundle.files["plan.json"]))), "{sums}");

    let (one, other) = (directory.path().join("one.zip"), directory.path().join("other.zip"));
    bundle.write_archive(&one).unwrap();
    Bundle::of(directory.path(), RUN).unwrap().write_archive(&other).unwrap();
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&other).unwrap());
    let mut archive = zip::ZipArchive::new(File::open(&one).unwrap()).unwrap();
    assert_eq!(io::read_to_string(archive.by_name("events.jsonl").unwrap()).unwrap(), "{}\n");

    let folder = directory.path().join("folder");
    bundle.write_directory(&folder).unwrap();
    assert_eq!(std::fs::read(folder.join("audit.json")).unwrap(), bundle.files["audit.json"]);
}

#[test]
fn nothing_is_replaced_and_a_run_that_is_not_there_is_told() {
    let directory = tempfile::tempdir().unwrap();
    run(directory.path());
    let bundle = Bundle::of(directory.path(), RUN).unwrap();
    let path = directory.path().join("there.zip");
    std::fs::write(&path, "mine").unwrap();
    assert!(bundle.write_archive(&path).unwrap_err().hint.unwrap().contains("--out"));
    assert!(bundle.write_directory(directory.path()).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert!(Bundle::of(directory.path(), "nope").unwrap_err().message.contains("nope"));
}
