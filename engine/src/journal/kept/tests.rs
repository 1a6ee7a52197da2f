use serde_json::json;

use super::*;

const RUN: &str = "20261122-014431-abcd";

fn assembly(directory: &Path) -> CloudAssembly {
    let manifest = json!({"version": "10.0.0", "artifacts": {
        "net": {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": "net.template.json"},
            "dependencies": ["net.assets"],
        },
        "net.assets": {"type": "cdk:asset-manifest", "properties": {"file": "net.assets.json"}},
        "other": {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": "../elsewhere.json"},
        },
    }});
    std::fs::create_dir_all(directory).unwrap();
    std::fs::write(directory.join("manifest.json"), manifest.to_string()).unwrap();
    std::fs::write(directory.join("net.template.json"), "{}").unwrap();
    std::fs::write(directory.join("net.assets.json"), "{}").unwrap();
    std::fs::write(directory.join("../elsewhere.json"), "{}").unwrap();
    CloudAssembly::open(directory).unwrap()
}

fn approved(directory: &Path) -> Journal {
    let assembly = assembly(&directory.join("cfn-out"));
    let journal = Journal::create(&directory.join("journal"), RUN).unwrap();
    let files = keep(&journal, &assembly, &["net", "other"]).unwrap();
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["manifest.json", "net.assets.json", "net.template.json"],
        "what leads out of the assembly is not copied"
    );
    journal.approved_with(json!({}), "prompt", Vec::new(), files).unwrap();
    journal
}

#[test]
fn what_was_approved_is_there_after_the_assembly_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let journal = approved(directory.path());
    std::fs::remove_dir_all(directory.path().join("cfn-out")).unwrap();
    let kept = open(&journal).unwrap().unwrap();
    assert_eq!(kept.template_text(&kept.stacks().unwrap()[0]).unwrap(), "{}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(kept.directory()), 0o700);
        assert_eq!(mode(&kept.directory().join("net.template.json")), 0o600);
    }
    journal.ended(0);
    assert!(!kept.directory().exists(), "a run that has ended needs nothing");
}

/// Fault 67: a kept template is another one when the run goes on.
#[test]
fn a_kept_file_that_was_changed_is_refused() {
    for change in [Some("{\"Resources\":{}}"), None] {
        let directory = tempfile::tempdir().unwrap();
        let journal = approved(directory.path());
        let path = directory.path().join("journal").join(format!("{RUN}.assembly/net.template.json"));
        match change {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let error = open(&journal).unwrap_err();
        assert_eq!(error.class, Class::Refused);
        assert!(error.message.contains("net.template.json"), "{}", error.message);
    }
}

#[test]
fn a_journal_in_memory_keeps_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let assembly = assembly(&directory.path().join("cfn-out"));
    let journal = Journal::in_memory();
    assert!(keep(&journal, &assembly, &["net"]).unwrap().is_empty());
    assert!(open(&journal).unwrap().is_none());
}
