//! `formwork list`: the stacks of the app, each after those that it needs.

use std::collections::BTreeSet;

use crate::application;
use crate::arguments::ListArguments;
use crate::console::{Console, table, thousands};
use crate::failure::Failure;
use crate::report::{ListReport, StackReport, to_text};
use crate::selection::select;
use crate::settings::Settings;

pub(crate) fn run(arguments: &ListArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    let stacks: Vec<StackReport> =
        application::stacks(settings, console)?.into_iter().map(|stack| stack.report).collect();
    let selected = select(&stacks, &arguments.stacks)?;
    console.data(&if arguments.json {
        to_text(&ListReport { stacks: selected.into_iter().cloned().collect() })
    } else if arguments.tree {
        tree(&stacks, &selected)
    } else if arguments.long {
        long(&selected)
    } else {
        selected.iter().map(|stack| format!("{}\n", stack.id)).collect()
    })
}

fn long(stacks: &[&StackReport]) -> String {
    let headings = ["stack", "name", "environment", "resources", "bytes", "needs"];
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    for stack in stacks {
        rows.push(vec![
            stack.id.clone(),
            stack.name.clone(),
            stack.environment.clone(),
            thousands(stack.resources),
            thousands(stack.template_bytes),
            stack.dependencies.join(", "),
        ]);
    }
    table(&rows)
}

/// Each chosen stack that no other chosen one needs, with what it needs beneath it.
fn tree(stacks: &[StackReport], selected: &[&StackReport]) -> String {
    let mut text = String::new();
    let mut opened = BTreeSet::new();
    for stack in selected {
        let is_needed = selected.iter().any(|other| other.dependencies.contains(&stack.id));
        if !is_needed {
            branch(stacks, &stack.id, 0, &mut opened, &mut text);
        }
    }
    text
}

/// A stack that stands above already is not opened once more, so that the text stays as long as the graph.
fn branch<'s>(
    stacks: &'s [StackReport],
    id: &'s str,
    depth: usize,
    opened: &mut BTreeSet<&'s str>,
    text: &mut String,
) {
    let needs = stacks.iter().find(|stack| stack.id == id).map_or(&[][..], |stack| &stack.dependencies);
    let is_new = opened.insert(id);
    let mark = if is_new || needs.is_empty() { "" } else { " (see above)" };
    text.push_str(&format!("{}{id}{mark}\n", "  ".repeat(depth)));
    if is_new {
        for need in needs {
            branch(stacks, need, depth + 1, opened, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(id: &str, needs: &[&str]) -> StackReport {
        StackReport {
            id: id.to_owned(),
            name: id.to_owned(),
            environment: "aws://unknown-account/unknown-region".to_owned(),
            template_file: format!("{id}.template.json"),
            template_bytes: 2,
            resources: 1,
            dependencies: needs.iter().map(|need| (*need).to_owned()).collect(),
        }
    }

    #[test]
    fn a_tree_opens_each_stack_once() {
        let stacks = [
            stack("net", &[]),
            stack("flow", &["net"]),
            stack("proxy", &["flow", "net"]),
            stack("spare", &["flow"]),
        ];
        let all: Vec<&StackReport> = stacks.iter().collect();
        assert_eq!(tree(&stacks, &all), "proxy\n  flow\n    net\n  net\nspare\n  flow (see above)\n");
    }
}
