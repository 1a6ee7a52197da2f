//! What stacks are called when a name alone does not say which is meant.
//!
//! Two stacks may have one name in two regions or accounts. People see the place of every stack as soon as a run has
//! several; files keep plain names, as the CDK writes them, except where two stacks would fall together: those the engine
//! tells apart.

use std::collections::BTreeSet;

use formwork_engine::Event;
use formwork_engine::plan::{Environment, qualified};

/// The places that are known so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    environments: BTreeSet<Environment>,
}

impl Labels {
    /// The labels of stacks in these places.
    pub(crate) fn of<'e>(environments: impl IntoIterator<Item = &'e Environment>) -> Self {
        Self { environments: environments.into_iter().cloned().collect() }
    }

    /// Takes a place in.
    pub(crate) fn learn(&mut self, environment: &Environment) {
        if !self.environments.contains(environment) {
            self.environments.insert(environment.clone());
        }
    }

    /// The label of the stack that an event is about.
    pub(crate) fn of_event(&self, event: &Event) -> Option<String> {
        Some(self.label(event.stack.as_deref()?, event.environment.as_ref()))
    }

    /// The name of a stack, with its place when there are several: `name@region`, or `name@account/region`.
    pub(crate) fn label(&self, name: &str, environment: Option<&Environment>) -> String {
        match environment {
            Some(environment) if self.environments.len() > 1 => {
                qualified(name, environment, self.environments.iter())
            }
            _ => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(account: &str, region: &str) -> Environment {
        Environment { account: account.to_owned(), region: region.to_owned() }
    }

    #[test]
    fn places_are_told_where_there_are_several() {
        let (eu, us, other) = (place("1", "eu-west-1"), place("1", "us-east-1"), place("2", "eu-west-1"));
        let mut labels = Labels::of([&eu]);
        assert_eq!(labels.label("net", Some(&eu)), "net");
        labels.learn(&us);
        assert_eq!(labels.label("net", Some(&eu)), "net@eu-west-1");
        assert_eq!(labels.label("net", None), "net");
        labels.learn(&other);
        assert_eq!(labels.label("net", Some(&eu)), "net@1/eu-west-1");
    }
}
