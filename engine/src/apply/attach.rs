//! Looks on at what CloudFormation does for a run, or for a stack, without doing anything.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::calls::{failed, session};
use super::report::{Ending, RunReport, StackReport};
use super::step::ending_of;
use crate::aws::Session;
use crate::aws::cloudformation::StackStatus;
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::follow::{Operation, OperationKind, Places, Watchers};
use crate::journal::History;
use crate::plan::model::{Environment, Operation as Planned, Plan};
use crate::runtime::Runtime;

/// An operation of CloudFormation that somebody started.
#[derive(Clone)]
pub struct Attached {
    /// The stack's id in the assembly; its name when that is not known.
    pub id: String,
    /// The stack's name.
    pub name: String,
    /// Where.
    pub environment: Environment,
    /// As whom it is looked at.
    pub session: Session,
    /// The stack's ARN.
    pub stack_id: String,
    /// The token of the operation, when it is known.
    pub token: Option<String>,
    /// What is done.
    pub kind: OperationKind,
    /// When it was started.
    pub started: Timestamp,
    /// What made the stack's resources, as far as it is known.
    pub places: Arc<Places>,
}

/// The plan that a run's journal holds.
///
/// # Errors
/// When the run was never approved, or the plan is of another version.
pub fn approved_plan(history: &History) -> Result<Plan, EngineError> {
    let Some(plan) = history.plan() else {
        return Err(EngineError::new(Class::Usage, "the run was never approved, so that it changed nothing")
            .with_hint(
                "start anew with `formwork deploy`; `formwork gc` deletes change sets that are left",
            ));
    };
    serde_json::from_value(plan.clone()).map_err(|error| {
        EngineError::new(Class::Input, format!("the plan in the journal cannot be read: {error}"))
            .with_hint("resume the run with the version of Formwork that began it")
    })
}

/// The operations that a run has begun and of whose ends its journal does not tell.
///
/// # Errors
/// When the journal has no plan, or there are no credentials for one of the accounts.
pub async fn operations(history: &History, runtime: &Runtime) -> Result<Vec<Attached>, EngineError> {
    let plan = approved_plan(history)?;
    let states = history.stacks();
    let mut found = Vec::new();
    for stack in &plan.stacks {
        let Some((state, names)) = states.get(stack.id.as_str()) else { continue };
        if !matches!(*state, "EXECUTING" | "DETACHED" | "READY") {
            continue;
        }
        let of_stack = |call: &crate::journal::history::Call<'_>| {
            call.target == stack.id || call.target.starts_with(&format!("{} ", stack.id))
        };
        let starts = ["ExecuteChangeSet", "DeleteStack"];
        let last = history.calls().filter(|call| starts.contains(&call.operation) && of_stack(call)).last();
        let Some(call) = last else { continue };
        let Some(stack_id) = names.get("stackId").map(String::as_str).or(call.names.get("stackId").copied())
        else {
            continue;
        };
        found.push(Attached {
            id: stack.id.clone(),
            name: stack.name.clone(),
            environment: stack.environment.clone(),
            session: session(stack, runtime).await?,
            stack_id: stack_id.to_owned(),
            token: call.token.map(str::to_owned),
            kind: match stack.operation {
                _ if call.operation == "DeleteStack" => OperationKind::Delete,
                Planned::Create | Planned::Recreate if !call.target.contains(" phase 2") => {
                    OperationKind::Create
                }
                Planned::Import => OperationKind::Import,
                _ => OperationKind::Update,
            },
            started: call.time,
            places: Arc::default(),
        });
    }
    Ok(found)
}

/// What happens to a stack now, by its name or its ARN, as the caller of a session sees it.
///
/// # Errors
/// When there is no such stack, or it cannot be read.
pub async fn operation_of(
    name: &str,
    session: &Session,
    places: Arc<Places>,
    runtime: &Runtime,
) -> Result<Attached, EngineError> {
    let stack = session.cloudformation().stack(name).await.map_err(|error| failed(name, &error))?;
    let Some(stack) = stack else { return Err(absent(name, session)) };
    let started = stack.updated.or(stack.created).unwrap_or_else(|| runtime.clock.now());
    Ok(Attached {
        id: stack.name.clone(),
        name: stack.name,
        environment: environment(session),
        stack_id: stack.id,
        token: None,
        kind: match stack.status {
            StackStatus::DeleteInProgress => OperationKind::Delete,
            _ => OperationKind::Unknown,
        },
        started,
        session: session.clone(),
        places,
    })
}

/// Watches operations to their ends. Nothing is changed, and stopping to look changes nothing either.
pub async fn follow(run: &str, attached: &[Attached], runtime: &Runtime) -> RunReport {
    let started = runtime.clock.elapsed();
    runtime.tell(What::RunStarted {
        run: run.to_owned(),
        command: "follow".to_owned(),
        stacks: attached.iter().map(|it| it.name.clone()).collect(),
    });
    let watchers = Watchers::new(runtime);
    let stacks = join_all(attached.iter().map(|it| follow_one(it, &watchers, runtime))).await;
    let code = RunReport::worst(&stacks);
    let seconds = runtime.clock.elapsed().saturating_sub(started).as_secs_f64();
    let left = stacks.iter().find(|stack| stack.code == Class::Detached.exit_code());
    let detached = left.map(|stack| stack.message.clone().unwrap_or_else(|| "nobody watches".to_owned()));
    runtime.tell(What::RunFinished { code, seconds });
    RunReport { run: run.to_owned(), stacks, seconds, detached, code }
}

async fn follow_one(attached: &Attached, watchers: &Watchers, runtime: &Runtime) -> StackReport {
    let begun = runtime.clock.elapsed();
    let mut operation = Operation::new(&attached.stack_id, &attached.name, attached.kind, attached.started);
    operation.token.clone_from(&attached.token);
    operation.places = attached.places.clone();
    let mut finished = watchers.of(&attached.session).operation(operation).await;
    if let Some(cleanup) = finished.cleanup.take() {
        finished = cleanup.finished().await;
    }
    let ending: Ending = ending_of(&attached.name, attached.kind, finished);
    let seconds = runtime.clock.elapsed().saturating_sub(begun).as_secs_f64();
    if let Some(failure) = &ending.failure {
        runtime.tell_of(attached, What::Diagnosed(Box::new(failure.clone())));
    }
    runtime.tell_of(
        attached,
        What::StackFinished {
            outcome: ending.outcome,
            status: ending.status.clone(),
            seconds,
            outputs: ending.outputs.clone(),
        },
    );
    ending.report(&attached.id, &attached.name, &attached.environment, seconds)
}

pub(super) fn environment(session: &Session) -> Environment {
    Environment { account: session.account().to_owned(), region: session.region().to_owned() }
}

pub(super) fn absent(name: &str, session: &Session) -> EngineError {
    let (account, region) = (session.account(), session.region());
    EngineError::new(Class::Usage, format!("there is no stack {name} in account {account}, region {region}"))
        .with_hint("`formwork status` lists the stacks; --region and --profile say where to look")
}
