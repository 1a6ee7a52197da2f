//! Whether every command line that a message, a comment or a document names is one that this program takes.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::Arguments;

/// The files below a folder of the repository whose names end so.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder)];
    while let Some(folder) = folders.pop() {
        // A folder that is not there shows in the number of what is found.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.to_string_lossy().ends_with(end) {
                found.push(entry);
            }
        }
    }
    found.sort();
    found
}

/// The command lines in backticks that begin with `formwork`, each as its words.
fn commands(text: &str) -> Vec<Vec<String>> {
    // A literal may go on in the next line, and a comment or a paragraph always may.
    let joined: Vec<&str> = text
        .lines()
        .map(|line| line.trim().trim_start_matches("///").trim_start_matches("//!").trim_start_matches("//"))
        .map(|line| line.trim_end_matches('\\').trim())
        .collect();
    let joined = joined.join(" ");
    let quoted = joined.split('`').skip(1);
    let lines = quoted.filter(|line| line.starts_with("formwork ") && line.len() < 200);
    lines.map(|line| line.split_whitespace().map(placeholder_filled).collect()).collect()
}

/// A word with each `{name}` of a format replaced by something.
fn placeholder_filled(word: &str) -> String {
    let mut filled = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        filled.push('x');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    filled + rest
}

fn is_taken(words: &[String]) -> Result<(), String> {
    // A sentence leaves out what it is not about, such as the plan of `formwork apply` or the file of `--out`.
    let mut again = words.to_vec();
    again.extend((!words.iter().any(|word| word == "--")).then(|| "x".to_owned()));
    let errors = [words, &again].map(|words| Arguments::command().try_get_matches_from(words).err());
    let is_wrong = |error: &clap::Error| {
        !matches!(
            error.kind(),
            ErrorKind::DisplayHelp
                | ErrorKind::DisplayVersion
                | ErrorKind::MissingRequiredArgument
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                | ErrorKind::MissingSubcommand
        )
    };
    match errors {
        [Some(first), Some(second)] if is_wrong(&first) && is_wrong(&second) => {
            Err(first.to_string().lines().next().unwrap_or_default().to_owned())
        }
        _ => Ok(()),
    }
}

fn sources() -> Vec<PathBuf> {
    let mut sources = files("engine/src", ".rs");
    sources.extend(files("apps/formwork/src", ".rs"));
    // What is wrong in them is what they test.
    sources.retain(|path| !["hints.rs", "reference.rs"].iter().any(|name| path.ends_with(name)));
    sources
}

#[test]
fn every_command_line_that_is_named_is_taken() {
    let (mut wrong, mut number) = (Vec::new(), 0);
    // The list of all commands has their usage, which is a grammar and no command line.
    let documents = files("docs", ".md").into_iter().filter(|path| !path.ends_with("commands.md"));
    for path in sources().into_iter().chain(documents) {
        for words in commands(&fs::read_to_string(&path).unwrap()) {
            number += 1;
            let line = words.join(" ");
            if let Err(why) = is_taken(&words) {
                wrong.push(format!("{}: `{line}`: {why}", path.display()));
            }
        }
    }
    assert!(number > 100, "only {number} command lines were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The options in the hints of a source file, but for those of other programs' command lines.
fn hinted_options(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let starts = text.match_indices("with_hint(").chain(text.match_indices("hint: ")).map(|(at, _)| at);
    for start in starts {
        let rest = &text[start..];
        // Enough of the literal that follows; what comes behind the statement belongs to others.
        let hint = rest.split(";\n").next().unwrap_or(rest);
        for line in
            hint.lines().filter(|line| !["aws ", "journalctl "].iter().any(|other| line.contains(other)))
        {
            let is_sign = |sign: char| !(sign.is_ascii_lowercase() || sign == '-');
            let words = line.split(is_sign).filter(|word| word.starts_with("--") && word.len() > 3);
            found.extend(words.map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_option_that_a_hint_names_exists() {
    let mut known = Vec::new();
    let mut commands = vec![Arguments::command()];
    while let Some(command) = commands.pop() {
        known.extend(
            command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))),
        );
        commands.extend(command.get_subcommands().cloned());
    }
    let (mut wrong, mut number) = (Vec::new(), 0);
    for path in sources() {
        let options = hinted_options(&fs::read_to_string(&path).unwrap());
        number += options.len();
        let unknown = options.into_iter().filter(|option| !known.contains(option));
        wrong.extend(unknown.map(|option| format!("{}: {option}", path.display())));
    }
    assert!(number > 20, "only {number} options were found in hints");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_taken_is_found() {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for line in ["formwork destroy x --adopt", "formwork apply --journal", "formwork undo"] {
        assert!(is_taken(&words(line)).is_err(), "{line}");
    }
    for line in ["formwork apply", "formwork plan --out", "formwork deploy x --adopt"] {
        assert_eq!(is_taken(&words(line)), Ok(()), "{line}");
    }
    let source = "error.with_hint(\n\"name it with --journal DIR\");\nlet x = \"--other\";";
    assert_eq!(hinted_options(source), ["--journal"]);
}

#[test]
fn command_lines_are_found_in_literals_and_comments() {
    let text =
        "/// Run `formwork\n/// list` or\nlet x = \"see `formwork follow {name}` and \\\n   `formwork gc`\";";
    assert_eq!(
        commands(text),
        [vec!["formwork", "list"], vec!["formwork", "follow", "x"], vec!["formwork", "gc"]]
    );
}
