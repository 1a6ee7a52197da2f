//! What stacks are called when a name alone does not say which is meant.
//!
//! Two stacks may have one name in two regions or accounts. People see the place of every stack as soon as a run has
//! several; files keep plain names, as the CDK writes them, except where two stacks would fall together.

use std::collections::BTreeSet;

use formwork_engine::Event;
use formwork_engine::plan::Environment;

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

/// A name of its own for each stack: its plain name, or that and its place where another stack has the same.
pub(crate) fn distinct(stacks: &[(&str, &Environment)]) -> Vec<String> {
    let name = |(name, environment): &(&str, &Environment)| {
        let others = stacks.iter().filter(|(other, _)| other == name).map(|(_, environment)| *environment);
        let places: BTreeSet<&Environment> = others.collect();
        if places.len() > 1 { qualified(name, environment, places) } else { (*name).to_owned() }
    };
    stacks.iter().map(name).collect()
}

fn qualified<'e>(
    name: &str,
    environment: &Environment,
    among: impl IntoIterator<Item = &'e Environment>,
) -> String {
    let Environment { account, region } = environment;
    if among.into_iter().any(|other| other.account != *account) {
        format!("{name}@{account}/{region}")
    } else {
        format!("{name}@{region}")
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

    #[test]
    fn only_names_that_repeat_are_qualified_in_files() {
        let (eu, us, other) = (place("1", "eu-west-1"), place("1", "us-east-1"), place("2", "us-east-1"));
        assert_eq!(
            distinct(&[("net", &eu), ("net", &us), ("web", &us)]),
            ["net@eu-west-1", "net@us-east-1", "web"]
        );
        assert_eq!(distinct(&[("net", &us), ("net", &other)]), ["net@1/us-east-1", "net@2/us-east-1"]);
    }
}
