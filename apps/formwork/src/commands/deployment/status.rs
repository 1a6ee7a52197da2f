//! `formwork status`: what is deployed and how it is, for people in a table and for programs as JSON.

use std::fmt::Write as _;

use formwork_engine::components::{self, Component, Health, Ownership, StackHealth};
use schemars::JsonSchema;
use serde::Serialize;

use crate::arguments::{ProgressOptions, StatusArguments};
use crate::console::{Console, table};
use crate::deployment::Workplace;
use crate::deployment::modes::located_in_both_modes;
use crate::failure::Failure;
use crate::report::to_text;
use crate::settings::Settings;

/// What `formwork status --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "formwork status --json")]
pub(crate) struct StatusReport {
    /// How many stacks and components are not as they should be.
    pub(crate) unhealthy: usize,
    /// How many stacks and components could not be asked about.
    pub(crate) unknown: usize,
    /// The stacks of the context's mode, and those of the other mode that are deployed.
    pub(crate) stacks: Vec<StackHealth>,
}

pub(crate) fn run(
    arguments: &StatusArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let located = located_in_both_modes(&arguments.stacks, settings, &workplace, console)?;
    let stacks =
        workplace.read(async { Ok::<_, formwork_engine::EngineError>(components::look(&located).await) })?;
    let number = |health| {
        let own = stacks.iter().filter(|stack| stack.health == health).count();
        own + stacks.iter().flat_map(|stack| &stack.components).filter(|it| it.health == health).count()
    };
    let (unhealthy, unknown) = (number(Health::Unhealthy), number(Health::Unknown));
    let report = StatusReport { unhealthy, unknown, stacks };
    console.data(&if arguments.json { to_text(&report) } else { text(&report) })
}

fn text(report: &StatusReport) -> String {
    let mut rows = vec![["stack, component", "state", "version", "url"].map(str::to_owned).to_vec()];
    for stack in &report.stacks {
        let state = match (&stack.status, &stack.unknown) {
            (Some(status), _) => status.to_string(),
            (None, Some(_)) => "unknown".to_owned(),
            (None, None) => "not deployed".to_owned(),
        };
        rows.push(vec![stack.name.clone(), state]);
        for component in &stack.components {
            rows.push(vec![
                format!("  {}", title(component)),
                component.state.clone().unwrap_or_else(|| "unknown".to_owned()),
                component.version.clone().unwrap_or_else(|| "-".to_owned()),
                component.url.clone().unwrap_or_else(|| "-".to_owned()),
            ]);
        }
    }
    let mut text = table(&rows);
    let notes: Vec<String> = report.stacks.iter().flat_map(notes).collect();
    if !notes.is_empty() {
        text.push('\n');
        for note in notes {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{note}");
        }
    }
    if report.unhealthy + report.unknown > 0 {
        text.push_str("hint: `formwork doctor` tells why, and what to do\n");
    }
    text
}

fn title(component: &Component) -> String {
    format!("{} {}", component.kind.words(), component.name).trim_end().to_owned()
}

/// What is not as it should be, a line each.
fn notes(stack: &StackHealth) -> Vec<String> {
    let name = &stack.name;
    let mut notes = Vec::new();
    if stack.health == Health::Absent && stack.status.is_none() {
        notes.push(format!("{name} is not deployed"));
    }
    if let Some(status) = stack.status.as_ref().filter(|_| stack.health == Health::Unhealthy) {
        let reason = stack.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        notes.push(format!("{name} is in {status}{reason}"));
    }
    if let Some(unknown) = &stack.unknown {
        notes.push(format!("{name}: {unknown}"));
    }
    match stack.owner {
        Some(Ownership::Another) => notes.push(format!("{name} belongs to another app of Formwork")),
        Some(Ownership::Nobody) => notes.push(format!("{name} was not made by Formwork")),
        _ => {}
    }
    for component in &stack.components {
        let state = component.state.as_deref().unwrap_or("unknown");
        let detail = component.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
        match component.health {
            Health::Healthy => {}
            Health::Changing => {
                notes.push(format!("{name}: {} is on its way: {state}{detail}", title(component)))
            }
            Health::Unhealthy => {
                notes.push(format!("{name}: {} is not well: {state}{detail}", title(component)))
            }
            Health::Unknown | Health::Absent => {
                notes.push(format!("{name}: {} is {state}{detail}", title(component)));
            }
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use formwork_engine::aws::cloudformation::StackStatus;
    use formwork_engine::components::ComponentKind;

    use super::*;

    fn component(kind: ComponentKind, state: &str, health: Health) -> Component {
        Component {
            kind,
            name: "team".to_owned(),
            logical_id: "Logical".to_owned(),
            physical_id: "team".to_owned(),
            state: Some(state.to_owned()),
            health,
            url: None,
            version: None,
            detail: None,
        }
    }

    fn stack(name: &str, status: Option<StackStatus>, components: Vec<Component>) -> StackHealth {
        StackHealth {
            id: name.to_owned(),
            name: name.to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            health: if status.is_some() { Health::Healthy } else { Health::Absent },
            owner: status.is_some().then_some(Ownership::Ours),
            status,
            reason: None,
            changed: None,
            unknown: None,
            components,
        }
    }

    #[test]
    fn what_is_ill_and_what_is_not_there_is_said_below_the_table() {
        let server = Component {
            version: Some("3.0".to_owned()),
            url: Some("https://example.com".to_owned()),
            ..component(ComponentKind::TrackingServer, "Created", Health::Healthy)
        };
        let targets = Component {
            detail: Some("i-1 is unhealthy (Target.Timeout)".to_owned()),
            ..component(ComponentKind::Targets, "0 of 1 healthy", Health::Unhealthy)
        };
        let stacks = vec![
            stack("team-mlflow", Some(StackStatus::CreateComplete), vec![server, targets]),
            stack("team-proxy", None, Vec::new()),
        ];
        let report = StatusReport { unhealthy: 1, unknown: 0, stacks };
        let wanted = "\
stack, component               state            version  url
team-mlflow                    CREATE_COMPLETE
  MLflow tracking server team  Created          3.0      https://example.com
  targets team                 0 of 1 healthy   -        -
team-proxy                     not deployed

team-mlflow: targets team is not well: 0 of 1 healthy: i-1 is unhealthy (Target.Timeout)
team-proxy is not deployed
hint: `formwork doctor` tells why, and what to do
";
        assert_eq!(text(&report), wanted);
    }
}
