//! `formwork outputs`: what deployed stacks hand on.

use formwork_engine::plan::distinct;

use crate::arguments::{OutputsArguments, OutputsFormat, ProgressOptions};
use crate::console::{Console, table_within};
use crate::deployment::{Workplace, located, none_deployed};
use crate::failure::Failure;
use crate::report::{OutputReport, OutputsReport, StackOutputsReport, to_text};
use crate::settings::Settings;
use crate::wrapping::of_output;

pub(crate) fn run(
    arguments: &OutputsArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let mut deployed = Vec::new();
    let stacks = located(&arguments.stacks, settings, &workplace, console)?;
    for stack in &stacks {
        let found = workplace.read(stack.session.cloudformation().stack(&stack.name))?;
        let Some(found) = found else { continue };
        let output = |(name, output): (String, formwork_engine::aws::cloudformation::Output)| {
            let formwork_engine::aws::cloudformation::Output { value, description, export_name } = output;
            (name, OutputReport { value, description, export_name })
        };
        let outputs = found.outputs.into_iter().map(output).collect();
        deployed.push(StackOutputsReport {
            name: found.name,
            environment: stack.environment.clone(),
            status: found.status.to_string(),
            outputs,
        });
    }
    if deployed.is_empty() {
        let names: Vec<&str> = stacks.iter().map(|stack| stack.name.as_str()).collect();
        return Err(none_deployed(&names));
    }
    let names: Vec<_> = deployed.iter().map(|stack| (stack.name.as_str(), &stack.environment)).collect();
    let report = OutputsReport { stacks: distinct(&names).into_iter().zip(deployed).collect() };
    if arguments.json {
        return console.data(&to_text(&report));
    }
    console.data(&match arguments.format {
        OutputsFormat::Text => text(&report),
        OutputsFormat::Env => shell_lines(&report),
    })
}

fn text(report: &OutputsReport) -> String {
    let mut rows = vec![["stack", "output", "value"].map(str::to_owned).to_vec()];
    for (stack, outputs) in &report.stacks {
        for (name, output) in &outputs.outputs {
            rows.push(vec![stack.clone(), name.clone(), output.value.clone()]);
        }
    }
    table_within(&rows, of_output())
}

/// `STACK_OUTPUT='value'`, quoted so that any shell takes it as it is.
fn shell_lines(report: &OutputsReport) -> String {
    let mut lines = String::new();
    for (stack, outputs) in &report.stacks {
        for (name, output) in &outputs.outputs {
            let variable: String = format!("{stack}_{name}")
                .chars()
                .map(
                    |character| {
                        if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' }
                    },
                )
                .collect();
            let value = output.value.replace('\'', r"'\''");
            lines.push_str(&format!("{variable}='{value}'\n"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use formwork_engine::plan::Environment;

    use super::*;

    #[test]
    fn a_value_with_quotes_cannot_leave_its_line_of_shell() {
        let output = |value: &str| OutputReport { value: value.to_owned(), ..OutputReport::default() };
        let outputs = BTreeMap::from([("Url".to_owned(), output("https://x/'; rm -rf /; '"))]);
        let environment = Environment { account: "1".to_owned(), region: "eu-west-1".to_owned() };
        let name = "team-proxy".to_owned();
        let stack = StackOutputsReport { name, environment, status: "CREATE_COMPLETE".to_owned(), outputs };
        let report = OutputsReport { stacks: BTreeMap::from([("team-proxy".to_owned(), stack)]) };
        assert_eq!(shell_lines(&report), "TEAM_PROXY_URL='https://x/'\\''; rm -rf /; '\\'''\n");
    }
}
