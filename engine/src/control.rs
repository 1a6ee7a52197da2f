//! How a run is told to stop: by its user, or by whoever embeds the engine.

use std::sync::Arc;

use tokio::sync::watch;

/// How far a run is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    /// On.
    Continue,
    /// Start nothing more, and leave what runs to CloudFormation.
    Detach,
    /// Ask CloudFormation to cancel the updates that are running, then leave.
    Cancel,
}

/// The shared wish. It only ever grows.
#[derive(Clone, Debug)]
pub struct Control(Arc<watch::Sender<Wish>>);

impl Default for Control {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Wish::Continue)))
    }
}

impl Control {
    /// The wish now.
    pub fn wish(&self) -> Wish {
        *self.0.borrow()
    }

    /// Raises the wish.
    pub fn raise(&self, wish: Wish) {
        self.0.send_if_modified(|now| {
            let raised = wish > *now;
            *now = (*now).max(wish);
            raised
        });
    }

    /// Waits until the wish is at least this one.
    pub async fn reached(&self, wish: Wish) {
        let mut receiver = self.0.subscribe();
        // The sender lives as long as `self`, so that waiting cannot fail.
        let _ = receiver.wait_for(|now| *now >= wish).await;
    }
}
