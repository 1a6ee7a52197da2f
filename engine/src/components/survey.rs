//! Which stacks are deployed and what is in them: the ground on which components are read and checks are made.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::aws::Error;
use crate::aws::cloudformation::{Stack, StackResource};
use crate::plan::Located;

/// All stacks that were asked for.
#[derive(Debug)]
pub(crate) struct Survey {
    /// The stacks in the order in which they were asked for.
    pub(crate) stacks: Vec<Found>,
}

/// A stack and its resources.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where it is.
    pub(crate) located: Located,
    /// The stack; `None` when it is not deployed.
    pub(crate) stack: Result<Option<Stack>, Error>,
    /// Its resources, as far as they are there.
    pub(crate) resources: Result<Vec<StackResource>, Error>,
}

/// Asks for the stacks and their resources.
pub(crate) async fn survey(located: &[Located]) -> Survey {
    Survey { stacks: join_all(located.iter().map(found)).await }
}

async fn found(located: &Located) -> Found {
    let cloudformation = located.session.cloudformation();
    let stack = cloudformation.stack(&located.name).await;
    let resources = match &stack {
        Ok(Some(stack)) => cloudformation.resources(&stack.id).await,
        _ => Ok(Vec::new()),
    };
    // A resource that was deleted is listed until the stack is, and one that was not made has no id.
    let is_there = |resource: &StackResource| {
        resource.status != "DELETE_COMPLETE"
            && resource.physical_id.as_deref().is_some_and(|id| !id.is_empty())
    };
    let resources = resources.map(|all| all.into_iter().filter(is_there).collect());
    Found { located: located.clone(), stack, resources }
}

impl Found {
    /// The stack, if it is deployed and could be read.
    pub(crate) fn deployed(&self) -> Option<&Stack> {
        self.stack.as_ref().ok().and_then(Option::as_ref)
    }

    /// The resources of a type, with their physical ids.
    pub(crate) fn of_type<'f>(
        &'f self,
        resource_type: &'f str,
    ) -> impl Iterator<Item = (&'f StackResource, &'f str)> {
        let all = self.resources.as_deref().unwrap_or_default().iter();
        all.filter(move |resource| resource.resource_type == resource_type)
            .filter_map(|resource| Some((resource, resource.physical_id.as_deref()?)))
    }
}

impl Survey {
    /// The values that the stacks of one place export, by name.
    pub(crate) fn exports(&self, beside: &Located) -> BTreeMap<&str, &str> {
        let near = self.stacks.iter().filter(|found| found.located.environment == beside.environment);
        let outputs = near.filter_map(Found::deployed).flat_map(|stack| stack.outputs.values());
        outputs.filter_map(|output| Some((output.export_name.as_deref()?, output.value.as_str()))).collect()
    }
}
