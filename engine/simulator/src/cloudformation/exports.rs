//! Exports of an account and region, and who imports them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::World;
use super::state::{Output, StackKey};

type Place = (String, String);

/// The exports of all accounts and regions.
#[derive(Debug, Default)]
pub(super) struct Exports {
    values: HashMap<Place, BTreeMap<String, (StackKey, String)>>,
    importers: HashMap<Place, BTreeMap<String, BTreeSet<StackKey>>>,
    /// What each stack is written down for.
    registered: HashMap<StackKey, BTreeSet<String>>,
}

impl World {
    fn place(&self, key: StackKey) -> Place {
        (self.stacks[key].account.clone(), self.stacks[key].region.clone())
    }

    /// The stack and the value of an export.
    pub(super) fn export(&self, account: &str, region: &str, name: &str) -> Option<&(StackKey, String)> {
        self.exports.values.get(&(account.to_owned(), region.to_owned()))?.get(name)
    }

    /// All exports, by name.
    pub(super) fn all_exports(
        &self,
        account: &str,
        region: &str,
    ) -> impl Iterator<Item = (&String, &(StackKey, String))> {
        self.exports.values.get(&(account.to_owned(), region.to_owned())).into_iter().flatten()
    }

    /// The names of the stacks that use an export, sorted.
    pub(super) fn importers(&self, account: &str, region: &str, name: &str) -> Vec<String> {
        let keys =
            self.exports.importers.get(&(account.to_owned(), region.to_owned())).and_then(|it| it.get(name));
        let mut names: Vec<String> =
            keys.into_iter().flatten().map(|key| self.stacks[*key].name.clone()).collect();
        names.sort_unstable();
        names
    }

    /// Replaces the exports of a stack.
    pub(super) fn set_exports(&mut self, key: StackKey, outputs: &[Output]) {
        let place = self.place(key);
        let old: Vec<String> = self.stacks[key].outputs.iter().filter_map(|it| it.export.clone()).collect();
        let values = self.exports.values.entry(place).or_default();
        for name in old {
            values.remove(&name);
        }
        for output in outputs {
            if let Some(name) = &output.export {
                values.insert(name.clone(), (key, output.value.clone()));
            }
        }
    }

    /// Writes down what a stack imports now.
    pub(super) fn update_importers(&mut self, key: StackKey) {
        let place = self.place(key);
        let wanted = self.stacks[key].imports.clone();
        let importers = self.exports.importers.entry(place).or_default();
        let before = self.exports.registered.insert(key, wanted.clone()).unwrap_or_default();
        for name in before.difference(&wanted) {
            if let Some(keys) = importers.get_mut(name) {
                keys.remove(&key);
            }
        }
        for name in wanted.difference(&before) {
            importers.entry(name.clone()).or_default().insert(key);
        }
    }

    /// What is said of an export that cannot go, or not change, since others use it.
    pub(super) fn export_in_use(&self, change: ExportChange, export: &str, users: &[String]) -> String {
        let users = match users {
            [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
            _ => users.concat(),
        };
        match (change, self.options.older_export_words) {
            (ExportChange::Deleted, true) => {
                format!("Export {export} cannot be deleted as it is in use by {users}")
            }
            (ExportChange::Deleted, false) => {
                format!("Delete canceled. Cannot delete export {export} as it is in use by {users}.")
            }
            (ExportChange::Updated, true) => {
                format!("Export {export} cannot be updated as it is in use by {users}")
            }
            (ExportChange::Updated, false) => {
                format!("Cannot update export {export} as it is in use by {users}.")
            }
        }
    }
}

/// What was to happen to an export that others use.
#[derive(Clone, Copy, Debug)]
pub(super) enum ExportChange {
    /// It goes.
    Deleted,
    /// It has another value.
    Updated,
}
