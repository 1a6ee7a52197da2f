//! Every script that a shell runs is one that the shell can read and that ShellCheck finds nothing in.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use formwork_tests::variants::{VARIANTS, shown};
use formwork_tests::{ShellCheck, ShellScript, repository_root, tracked_files};

/// The distinct scripts of all variants' templates.
fn of_templates() -> Vec<ShellScript> {
    let mut distinct = BTreeMap::new();
    for variant in VARIANTS {
        let templates =
            variant.templates(None).unwrap_or_else(|error| panic!("{}: {}", variant.name, shown(&error)));
        for (stack, text) in templates {
            let template = serde_json::from_str(&text).expect("a template is JSON");
            for script in ShellScript::of_template(&format!("{}/{stack}", variant.name), &template) {
                distinct.entry(script.text.clone()).or_insert(script);
            }
        }
    }
    distinct.into_values().collect()
}

static ALL: LazyLock<Vec<ShellScript>> = LazyLock::new(|| {
    let mut scripts = ShellScript::of_repository().expect("a clone with git");
    scripts.extend(of_templates());
    scripts
});

#[test]
fn shellcheck_finds_nothing_in_any_script() {
    let Some(judge) = ShellCheck::find() else { return };
    let bad = ShellScript { name: "bad".to_owned(), shell: "bash", text: "#!/bin/bash\nrm $1\n".to_owned() };
    let found = judge.check(&bad).expect("ShellCheck runs");
    assert!(
        found.iter().any(|line| line.contains("SC2086")),
        "it finds nothing where something is: {found:?}"
    );
    let findings: Vec<String> =
        ALL.iter().flat_map(|script| judge.check(script).expect("ShellCheck runs")).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn shells_can_read_every_script() {
    for name in [".ci/run", "UserData"] {
        assert!(ALL.iter().any(|script| script.name.ends_with(name)), "no {name} is among the scripts");
    }
    for script in &*ALL {
        let mut child = Command::new(script.shell)
            .arg("-n")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell is there");
        std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), script.text.as_bytes())
            .expect("the shell reads");
        let ended = child.wait_with_output().expect("the shell ends");
        assert!(ended.status.success(), "{}: {}", script.name, String::from_utf8_lossy(&ended.stderr));
    }
}

/// A piece of a script is judged only where it is put together. The fixtures hold scripts that are wrong on purpose.
#[test]
fn every_piece_of_a_script_is_in_one_that_is_judged() {
    for file in tracked_files().expect("a clone with git") {
        let is_ours = !file.starts_with("tests/fixtures");
        if is_ours && file.extension().is_some_and(|extension| extension == "sh") {
            let text = std::fs::read_to_string(repository_root().join(&file)).expect("a readable file");
            let is_judged = ALL.iter().any(|script| script.text.contains(&text));
            assert!(
                is_judged,
                "{} has no first line that names a shell, and no template has it",
                file.display()
            );
        }
    }
}
