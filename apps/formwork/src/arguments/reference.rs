//! `docs/commands.md`: every command with its arguments and options, made from what the program takes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::{Arg, ArgAction, Command, CommandFactory};

use super::Arguments;

/// The whole document.
fn document() -> String {
    let mut program = Arguments::command();
    program.build();
    let mut text = "# Commands\n\nEvery command with its arguments and options, as `--help` shows them. \
                    [command-line.md](command-line.md) and\n[deployment.md](deployment.md) say what they are for. This file \
                    is generated: `FORMWORK_BLESS=1 cargo test -p formwork-cli published`.\n"
        .to_owned();
    let mut commands = Vec::new();
    let own = program.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help");
    own.for_each(|command| gather("", command, &mut commands));
    commands.sort_by(|(name, _), (other, _)| name.cmp(other));
    for (name, mut command) in commands {
        let usage = command.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").split_whitespace().collect::<Vec<_>>().join(" ");
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = write!(text, "\n## {name}\n\n{about}.\n\n`{usage}`\n\n");
        write_arguments(&mut text, command.get_arguments().filter(|argument| !argument.is_global_set()));
    }
    text.push_str("\n## Every command\n\nThese options stand before or after any command.\n\n");
    write_arguments(&mut text, program.get_arguments().filter(|argument| argument.is_global_set()));
    text
}

/// A command with its whole name, or those that it has inside.
fn gather(before: &str, command: &Command, found: &mut Vec<(String, Command)>) {
    let name = format!("{before}{}", command.get_name());
    if !command.has_subcommands() {
        found.push((name, command.clone()));
        return;
    }
    let inner = command.get_subcommands().filter(|inner| inner.get_name() != "help");
    inner.for_each(|inner| gather(&format!("{name} "), inner, found));
}

fn write_arguments<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    for argument in arguments.filter(|argument| !["help", "version"].contains(&argument.get_id().as_str())) {
        let names: Vec<&str> =
            argument.get_value_names().into_iter().flatten().map(|name| name.as_str()).collect();
        let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
        let value = if takes_value { names.join(" ") } else { String::new() };
        let mut name = match argument.get_long() {
            Some(long) if value.is_empty() => format!("--{long}"),
            Some(long) => format!("--{long} {value}"),
            None => value,
        };
        if let Some(short) = argument.get_short() {
            name = format!("-{short}, {name}");
        }
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = write!(text, "- `{name}`: {help}");
        let choices: Vec<String> = argument
            .get_possible_values()
            .iter()
            .filter(|choice| takes_value && !choice.is_hide_set())
            .map(|choice| {
                let help = choice.get_help().map(|help| format!(" ({help})")).unwrap_or_default();
                format!("`{}`{help}", choice.get_name())
            })
            .collect();
        if !choices.is_empty() {
            let _ = write!(text, ": {}", choices.join(", "));
        }
        let defaults: Vec<String> =
            argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
        if takes_value && !defaults.is_empty() {
            let _ = write!(text, " [default: {}]", defaults.join(", "));
        }
        text.push('\n');
    }
}

/// Set `FORMWORK_BLESS=1` to write the document anew.
#[test]
fn published_commands_are_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let text = document();
    if std::env::var_os("FORMWORK_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(published, text, "docs/commands.md is stale: run this test with FORMWORK_BLESS=1");
}

/// People find every command in the tour of the command line as well.
#[test]
fn the_command_line_is_described_in_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let tour = fs::read_to_string(folder.join("command-line.md")).unwrap();
    let program = Arguments::command();
    let commands = program.get_subcommands().filter(|command| !command.is_hide_set());
    let missing: Vec<&str> = commands
        .map(Command::get_name)
        .filter(|name| !tour.contains(&format!("`formwork {name}")) && !tour.contains(&format!("`{name}")))
        .collect();
    assert!(missing.is_empty(), "docs/command-line.md does not name {missing:?}");
}
