//! How each stack stands before the plan: what there is, whose it is, and what its status allows.

use std::time::Duration;

use super::failure::failed;
use super::input::parse;
use super::model::{BaseState, Command, Operation};
use super::owner;
use super::parameters::Deployed;
use super::pre_state::{Step, steps};
use super::request::Busy;
use crate::aws::Session;
use crate::aws::cloudformation::{Stack, StackStatus};
use crate::control::Wish;
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::runtime::Runtime;

/// A stack as it stands, and what its status allows.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// What there is; nothing when there is no stack, or none that lives.
    pub(crate) deployed: Option<Deployed>,
    /// What is done.
    pub(crate) operation: Operation,
    /// Whether it carried no mark of ours.
    pub(crate) adopted: bool,
    /// What the user should know.
    pub(crate) notes: Vec<String>,
}

/// How to look at a stack.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) command: Command,
    pub(crate) busy: Busy,
    pub(crate) adopt: bool,
    pub(crate) rollback: bool,
    pub(crate) runtime: &'a Runtime,
}

impl Standing {
    /// The stack as it was, for the plan.
    pub(crate) fn base(&self) -> Option<BaseState> {
        self.deployed.as_ref().map(|deployed| base(&deployed.stack))
    }
}

/// What the plan remembers of a stack.
pub(crate) fn base(stack: &Stack) -> BaseState {
    BaseState {
        stack_id: stack.id.clone(),
        status: stack.status.clone(),
        updated: stack.updated.or(stack.created),
    }
}

/// Finds how a stack stands, after waiting for whoever works on it. What is `known` of it already is not asked for.
///
/// # Errors
/// When the stack is somebody else's, its status lets nothing be done, or the answer cannot be had.
pub(crate) async fn standing(
    session: &Session,
    id: &str,
    name: &str,
    known: Option<Option<Stack>>,
    look: Look<'_>,
) -> Result<Standing, EngineError> {
    let (stack, step) = quiet(session, name, known, look).await?;
    let told = |error: &crate::aws::Error| failed(&format!("stack {name}"), error);
    let mut notes = Vec::new();
    let Some(stack) = stack.filter(|stack| stack.status != StackStatus::DeleteComplete) else {
        let operation = if step == Step::Nothing { Operation::Nothing } else { Operation::Create };
        return Ok(Standing { deployed: None, operation, adopted: false, notes });
    };
    let in_review = stack.status == StackStatus::ReviewInProgress;
    let sets = if in_review {
        session.cloudformation().change_sets(&stack.id).await.map_err(|error| told(&error))?
    } else {
        Vec::new()
    };
    let command = match look.command {
        Command::Deploy => "deploy",
        Command::Destroy => "destroy",
    };
    let owner = owner::owner(&stack, id, &sets);
    owner::check(&owner, name, command, look.adopt)?;
    let adopted = owner != owner::Owner::Us;
    if adopted {
        notes.push(format!("stack {name} is taken over: it gets the tag {}", owner::TAG));
    }
    let operation = match step {
        Step::Create => Operation::Create,
        Step::Recreate => {
            notes.push(format!("stack {name} never came to be; what is left of it is deleted first"));
            Operation::Recreate
        }
        Step::Update => Operation::Update,
        Step::Delete => Operation::Delete,
        Step::Nothing | Step::Wait => Operation::Nothing,
        Step::Paused if !look.rollback => Operation::Update,
        Step::Paused => {
            let message =
                format!("stack {name} is {}: its last operation failed and was left as it was", stack.status);
            return Err(EngineError::new(Class::NeedsAction, message).with_hint(format!(
                "take it back with `formwork rollback {name}`, or go on with `formwork deploy {name} --no-rollback`"
            )));
        }
        Step::Refuse(way) => {
            let reason =
                stack.status_reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            let message = format!("stack {name} is {}{reason}: it takes no {command}", stack.status);
            return Err(EngineError::new(Class::NeedsAction, message)
                .with_hint(format!("run `{}`", way.replace("{}", name))));
        }
    };
    let template = if in_review {
        None
    } else {
        let text = session.cloudformation().template(&stack.id).await.map_err(|error| told(&error))?;
        // A template that we cannot read is compared as one that differs in everything.
        text.and_then(|text| parse(name, &text).ok())
    };
    Ok(Standing { deployed: Some(Deployed { stack, template }), operation, adopted, notes })
}

/// The stack once nobody works on it, and the step that its status allows.
async fn quiet(
    session: &Session,
    name: &str,
    mut known: Option<Option<Stack>>,
    look: Look<'_>,
) -> Result<(Option<Stack>, Step), EngineError> {
    let mut told = false;
    let mut delay = Duration::from_secs(2);
    loop {
        let stack = match known.take() {
            Some(known) => known,
            None => {
                let read = session.cloudformation().stack(name).await;
                read.map_err(|error| failed(&format!("stack {name}"), &error))?
            }
        };
        let (deploy, destroy) = steps(stack.as_ref().map(|stack| &stack.status));
        let step = match look.command {
            Command::Deploy => deploy,
            Command::Destroy => destroy,
        };
        let stack = match stack {
            Some(stack) if step == Step::Wait => stack,
            other => return Ok((other, step)),
        };
        if look.busy == Busy::Fail {
            let message = format!("stack {name} is {}: somebody works on it", stack.status);
            return Err(EngineError::new(Class::NeedsAction, message)
                .with_hint(format!("look on with `formwork follow {name}`, then try again")));
        }
        if !told {
            let reason = format!("the operation that is {}", stack.status);
            look.runtime.tell_of((name, session), What::StackWaiting { reason });
            told = true;
        }
        tokio::select! {
            () = look.runtime.clock.sleep(delay) => {}
            () = look.runtime.control.reached(Wish::Detach) => return Err(super::change_set::interrupted()),
        }
        delay = (delay * 2).min(Duration::from_secs(15));
    }
}
