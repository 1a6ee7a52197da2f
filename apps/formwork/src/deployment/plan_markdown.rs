//! A plan as Markdown, for a comment on a pull request.

use std::fmt::Write as _;

use formwork_engine::plan::{Operation, Plan};

use super::labels::Labels;
use super::plan_text;

/// The plan: a table, what is lost or broadened, and the whole folded in.
pub(crate) fn text(plan: &Plan) -> String {
    let mut text = String::from("## Deployment plan\n\n");
    for planned in &plan.environments {
        let environment = &planned.environment;
        let _ = writeln!(text, "Account `{}`, region `{}`\n", environment.account, environment.region);
    }
    text.push_str("| stack | operation | resources |\n|---|---|---:|\n");
    let labels = Labels::of(plan.stacks.iter().map(|stack| &stack.environment));
    for stack in &plan.stacks {
        let label = labels.label(&stack.name, Some(&stack.environment));
        let operation = match stack.operation {
            Operation::Create => "create",
            Operation::Recreate => "delete and create",
            Operation::Update => "update",
            Operation::Import => "import",
            Operation::Nothing => "none",
            Operation::Delete => "**delete**",
        };
        let later = if stack.provisional.is_some() { " (provisional)" } else { "" };
        let _ = writeln!(text, "| `{label}` | {operation}{later} | {} |", stack.changes.len());
    }
    let risks: Vec<String> = plan
        .stacks
        .iter()
        .flat_map(|stack| {
            let label = labels.label(&stack.name, Some(&stack.environment));
            let losses = stack.losses.iter().map(|loss| loss.words.clone());
            let broader =
                stack.broadenings.iter().map(|found| format!("`{}`: {}", found.logical_id, found.words));
            losses.chain(broader).map(move |risk| format!("- {label}: {risk}\n"))
        })
        .collect();
    if !risks.is_empty() {
        let _ = write!(text, "\n### To look at\n\n{}", risks.concat());
    }
    // A fence longer than any in the text keeps it together.
    let whole = plan_text::text(plan, true);
    let fence = "`".repeat(3.max(whole.split('\n').map(leading_ticks).max().unwrap_or(0) + 1));
    let _ = write!(
        text,
        "\n<details><summary>All changes</summary>\n\n{fence}\n{whole}{fence}\n\n</details>\n\nPlan `{}`\n",
        plan.digest
    );
    text
}

fn leading_ticks(line: &str) -> usize {
    line.trim_start().chars().take_while(|character| *character == '`').count()
}
