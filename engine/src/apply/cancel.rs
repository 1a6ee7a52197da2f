//! Cancels updates: CloudFormation takes them back. Anything else cannot be cancelled.

use super::calls::{failed, names};
use super::step::Work;
use crate::aws::{ErrorKind, Session};
use crate::error::EngineError;
use crate::event::What;
use crate::follow::OperationKind;
use crate::journal::{Intent, Journal};

impl Work<'_> {
    /// Asks CloudFormation to take a running update back. That it has ended by itself is no error.
    pub(super) async fn cancel_update(
        &self,
        name: &str,
        target: &str,
        session: &Session,
        stack_id: &str,
    ) -> Result<(), EngineError> {
        cancel_update(self.journal, name, target, session, stack_id).await.map(|_| ())
    }

    /// Whether anything runs that can be cancelled.
    pub(super) fn can_cancel(&self) -> bool {
        self.running_now().values().any(|it| it.kind == OperationKind::Update)
    }

    /// Cancels what runs, as far as that can be done, and says what cannot.
    pub(super) async fn cancel_running(&self) {
        let running: Vec<_> = self.running_now().iter().map(|(step, it)| (*step, it.clone())).collect();
        for (step, it) in running {
            let name = &self.stack(step).name;
            let what = if it.kind == OperationKind::Update {
                let target = format!("{} cancelled by the user", self.target(step, 0));
                match self.cancel_update(name, &target, &it.session, &it.stack_id).await {
                    Ok(()) => What::Note { message: "the update is being taken back".to_owned() },
                    Err(error) => What::Warning {
                        message: format!("the update could not be cancelled: {}", error.message),
                        hint: error.hint,
                    },
                }
            } else {
                What::Warning {
                    message: "it goes on: only updates can be cancelled".to_owned(),
                    hint: (it.kind == OperationKind::Create)
                        .then(|| format!("give it up with `formwork destroy {name}`")),
                }
            };
            self.runtime.tell_of(self.stack(step), what);
        }
    }
}

/// Asks CloudFormation to take a running update back; whether one was running.
pub(super) async fn cancel_update(
    journal: &Journal,
    name: &str,
    target: &str,
    session: &Session,
    stack_id: &str,
) -> Result<bool, EngineError> {
    let ticket = journal.intent(Intent::new("CancelUpdateStack", target).with_name("stackId", stack_id))?;
    let answer = session.cloudformation().cancel_update(stack_id, &ticket).await;
    journal.outcome(&ticket, answer.as_ref().map(|()| names([])));
    match answer {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind, ErrorKind::WrongState | ErrorKind::Invalid) => Ok(false),
        Err(error) => Err(failed(name, &error)),
    }
}
