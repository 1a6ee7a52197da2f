//! What the files of this repository must not hold.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::fs;
use std::path::{Path, PathBuf};

use formwork_tests::{repository_root, tracked_files};

/// A file that is longer is split.
const LINES: usize = 500;

/// Files under `constructs/` that may read the environment and print: the entry point of a user's app, which is a program.
const ENTRY_POINTS: [&str; 1] = ["constructs/core/src/main_entry.rs"];

/// What reads the environment or prints.
const NOT_PURE: [&str; 7] = ["std::env", "env::", "println!", "eprintln!", "print!(", "eprint!(", "dbg!("];

/// The tracked files that are text, with their text.
fn texts() -> Vec<(PathBuf, String)> {
    let read = |file: PathBuf| {
        let text = fs::read_to_string(repository_root().join(&file)).ok()?;
        Some((file, text))
    };
    tracked_files().unwrap().into_iter().filter_map(read).collect()
}

fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    file.extension().is_some_and(|extension| extensions.iter().any(|it| extension == *it))
}

/// The code of a source file without its comments and its own tests, which may do what they want.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let own_tests =
        lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests {"));
    let end = own_tests.unwrap_or(lines.len());
    let numbered = lines.into_iter().enumerate().take(end).map(|(index, line)| (index + 1, line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether a line has the words, not as the end of longer ones.
fn has(line: &str, words: &str) -> bool {
    let is_part_of_word = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(words).any(|(start, _)| {
        line[..start].chars().next_back().is_none_or(|character| !is_part_of_word(character))
    })
}

#[test]
fn constructs_are_pure() {
    let is_source = |file: &Path| {
        let parts: Vec<_> = file.iter().collect();
        parts[0] == "constructs"
            && parts.get(2).is_some_and(|folder| *folder == "src")
            && has_extension(file, &["rs"])
    };
    let is_test = |file: &Path| file.ends_with("tests.rs") || file.iter().any(|part| part == "tests");
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (file, text) in texts() {
        if !is_source(&file) || is_test(&file) || ENTRY_POINTS.iter().any(|it| file == Path::new(it)) {
            continue;
        }
        seen += 1;
        for (number, line) in code(&text) {
            if let Some(words) = NOT_PURE.iter().find(|words| has(line, words)) {
                wrong.push(format!("{}:{number}: {words}", file.display()));
            }
        }
    }
    assert!(seen > 30, "the sources are seen: {seen}");
    assert!(
        wrong.is_empty(),
        "only the entry point may read the environment or print:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn files_are_short() {
    let is_generated = |file: &Path, text: &str| {
        file.starts_with("constructs/resources/src")
            || text.lines().take(5).any(|line| line.contains("@generated"))
    };
    let long: Vec<String> = texts()
        .iter()
        .filter(|(file, text)| has_extension(file, &["rs", "py"]) && !is_generated(file, text))
        .map(|(file, text)| (file, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES)
        .map(|(file, lines)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "more than {LINES} lines, split by what changes together:\n{}", long.join("\n"));
}

#[test]
fn no_file_names_the_host_of_a_package_registry() {
    // In pieces, so that this file passes its own test.
    let hosts = [
        ["pypi", "org"],
        ["files.pythonhosted", "org"],
        ["registry.npmjs", "org"],
        ["registry.yarnpkg", "com"],
        ["static.crates", "io"],
        ["index.crates", "io"],
        ["proxy.golang", "org"],
    ]
    .map(|parts| parts.join("."));
    let mut wrong = Vec::new();
    for (file, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            let has_resolved = has_extension(&file, &["json"]) && line.contains("\"resolved\": \"http");
            if has_resolved || hosts.iter().any(|host| line.contains(host.as_str())) {
                wrong.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "a mirror must be usable without a change:\n{}", wrong.join("\n"));
}

#[test]
fn what_is_not_pure_is_found() {
    let find = |text: &str| code(text).any(|(_, line)| NOT_PURE.iter().any(|words| has(line, words)));
    assert!(find("use std::env;"));
    assert!(find("let home = env::var(\"HOME\");"));
    assert!(find("    println!(\"{it}\");"));
    assert!(!find("// println!(\"{it}\");"));
    assert!(!find("let path = env!(\"CARGO_MANIFEST_DIR\");"));
    assert!(!find("#[cfg(test)]\nmod tests {\n    println!();\n}"));
    assert!(find("#[cfg(test)]\nmod tests;\nprintln!();"));
}
