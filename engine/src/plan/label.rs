//! What stacks are called when a name alone does not say which is meant.
//!
//! Two stacks may have one name in two regions or accounts. Where they would fall together, their places are told as well.

use std::collections::BTreeSet;

use super::model::Environment;

/// A name of its own for each stack: its plain name, or that and its place where another stack has the same.
pub fn distinct(stacks: &[(&str, &Environment)]) -> Vec<String> {
    let name = |(name, environment): &(&str, &Environment)| {
        let others = stacks.iter().filter(|(other, _)| other == name).map(|(_, environment)| *environment);
        let places: BTreeSet<&Environment> = others.collect();
        if places.len() > 1 { qualified(name, environment, places) } else { (*name).to_owned() }
    };
    stacks.iter().map(name).collect()
}

/// The name of a stack with its place: `name@region`, or `name@account/region` when there are several accounts.
pub fn qualified<'e>(
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
    fn only_names_that_repeat_are_qualified_in_files() {
        let (eu, us, other) = (place("1", "eu-west-1"), place("1", "us-east-1"), place("2", "us-east-1"));
        assert_eq!(
            distinct(&[("net", &eu), ("net", &us), ("web", &us)]),
            ["net@eu-west-1", "net@us-east-1", "web"]
        );
        assert_eq!(distinct(&[("net", &us), ("net", &other)]), ["net@1/us-east-1", "net@2/us-east-1"]);
    }
}
