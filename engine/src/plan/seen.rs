//! Many stacks at once: what one list of descriptions tells need not be asked stack by stack.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::environment::Target;
use super::model::Environment;
use crate::aws::Session;
use crate::aws::cloudformation::{Stack, StackPages, StackStatus};

/// With so many stacks at most, each is asked for by itself.
const FEW: usize = 3;
/// So many stacks of the plan are worth reading one page of descriptions.
const WORTH_A_PAGE: usize = 4;

/// The stacks of a caller's account and region, as far as they were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    stacks: BTreeMap<String, Stack>,
    whole: bool,
}

impl Seen {
    /// What is known of a stack by its name: itself, that there is none, or nothing.
    ///
    /// Of a stack on which somebody works nothing counts as known: it is asked for again anyway.
    pub(crate) fn stack(&self, name: &str) -> Option<Option<Stack>> {
        match self.stacks.get(name) {
            Some(stack) if stack.status.is_in_progress() => None,
            Some(stack) => Some(Some(stack.clone())),
            None => self.whole.then_some(None),
        }
    }

    /// Reads the stacks of a session for so many stacks of a plan. A list that cannot be had is none: then each is asked
    /// for, and that tells what is wrong.
    pub(crate) async fn of(session: &Session, wanted: usize) -> Self {
        if wanted <= FEW {
            return Self::default();
        }
        let found = session.cloudformation().stacks(wanted.div_ceil(WORTH_A_PAGE)).await;
        let StackPages { stacks, whole, .. } = found.unwrap_or_default();
        let living = stacks.into_iter().filter(|stack| stack.status != StackStatus::DeleteComplete);
        Self { stacks: living.map(|stack| (stack.name.clone(), stack)).collect(), whole }
    }
}

/// Where stacks go, and as whom.
pub(crate) type Place = (Environment, Option<String>);

/// What was seen in all places of a plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllSeen(BTreeMap<Place, Seen>);

impl AllSeen {
    /// Reads the stacks of all places that a plan's stacks go to, each with its caller.
    pub(crate) async fn of<'s>(stacks: impl IntoIterator<Item = (Place, &'s Session)>) -> Self {
        let mut places: BTreeMap<Place, (usize, &Session)> = BTreeMap::new();
        for (place, session) in stacks {
            places.entry(place).or_insert((0, session)).0 += 1;
        }
        let read = places
            .into_iter()
            .map(|(place, (wanted, session))| async move { (place, Seen::of(session, wanted).await) });
        Self(join_all(read).await.into_iter().collect())
    }

    /// What is known of a stack in its place.
    pub(crate) fn stack(&self, place: &Place, name: &str) -> Option<Option<Stack>> {
        self.0.get(place)?.stack(name)
    }
}

/// The place of a stack that is planned.
pub(crate) fn place(target: &Target) -> Place {
    (target.environment.clone(), target.role.clone())
}
