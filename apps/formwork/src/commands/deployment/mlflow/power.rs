//! `formwork mlflow start` and `stop`.

use formwork_engine::aws::Session;
use formwork_engine::mlflow::power::{Power, power};
use formwork_engine::{Class, EngineError};

use crate::arguments::{PowerArguments, ProgressOptions};
use crate::console::Console;
use crate::deployment::named::named;
use crate::deployment::{Workplace, located};
use crate::failure::{Failure, exit};
use crate::settings::Settings;

/// The type of the resource that can be started and stopped; an app has no such switch.
const SERVER: &str = "AWS::SageMaker::MlflowTrackingServer";

pub(super) fn run(
    arguments: &PowerArguments,
    wanted: Power,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let (name, session) = find(arguments, settings, &workplace, console)?;
    let journal = workplace.journal()?;
    let tell = |status: &str| console.talk(&format!("tracking server {name} is {status}\n"));
    let waits = !arguments.no_wait;
    let done = workplace.read(power(&workplace.engine, &session, &name, wanted, waits, &journal, &tell));
    journal.ended(done.as_ref().map_or_else(Failure::exit_code, |_| exit::OK));
    let done = done?;
    if done.was_so {
        console.talk(&format!("tracking server {name} is {} already\n", done.status));
    }
    console.talk(match wanted {
        Power::Start => "note: it costs by the hour until `formwork mlflow stop`\n",
        Power::Stop => "note: what it stores still costs; nobody can log until `formwork mlflow start`\n",
    });
    Ok(())
}

/// The server that is meant, and who acts on it.
fn find(
    arguments: &PowerArguments,
    settings: &Settings,
    workplace: &Workplace,
    console: &Console,
) -> Result<(String, Session), Failure> {
    if let Some(name) = &arguments.name {
        return Ok((name.clone(), workplace.read(workplace.engine.sessions.session(None, None))?));
    }
    let stacks: Vec<(String, Session)> = match &arguments.stack {
        Some(word) => {
            let stack = named(word, settings, workplace)?;
            vec![(stack.name, stack.session)]
        }
        None => {
            let own = located(&[], settings, workplace, console)?;
            own.into_iter().map(|stack| (stack.name, stack.session)).collect()
        }
    };
    let mut found = Vec::new();
    for (stack, session) in stacks {
        if workplace.read(session.cloudformation().stack(&stack))?.is_none() {
            continue;
        }
        let resources = workplace.read(session.cloudformation().resources(&stack))?;
        let servers = resources.into_iter().filter(|it| it.resource_type == SERVER);
        found.extend(servers.filter_map(|it| Some((it.physical_id?, session.clone()))));
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(EngineError::new(Class::Input, "no deployed stack has a tracking server")
            .with_hint("name the server, or its stack with --stack; an MLflow app is always on")
            .into()),
        _ => {
            let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
            let message = format!("several tracking servers are deployed: {}", names.join(", "));
            Err(EngineError::new(Class::Usage, message).with_hint("name one").into())
        }
    }
}
