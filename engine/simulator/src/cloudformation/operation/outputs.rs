//! Outputs, exports and imports: what ties stacks together.

use std::collections::BTreeSet;

use super::super::exports::ExportChange;
use super::super::state::{Output, StackKey};
use super::super::template::parameters::plain;
use super::Engine;
use super::lookup::with_scope;

impl Engine<'_> {
    /// Writes down which exports the stack uses from now on.
    pub(super) fn register_imports(&mut self, key: StackKey) -> Result<(), String> {
        let imports = self.wanted_imports(key)?;
        let stack = self.stack(key);
        // Until the operation has ended, the exports of the old template are in use as well.
        stack.imports.extend(imports);
        self.world.update_importers(key);
        Ok(())
    }

    fn wanted_imports(&self, key: StackKey) -> Result<BTreeSet<String>, String> {
        let target = self.target(key);
        let mut imports = BTreeSet::new();
        for (section, name, argument) in target.template.imports() {
            let entry = target.template.value.get(section).and_then(|entries| entries.get(name));
            if !entry.is_some_and(|entry| target.holds(entry)) {
                continue;
            }
            let export =
                with_scope(self.world, &*self.around, key, &target, Some(&BTreeSet::new()), |scope| {
                    scope.text(argument)
                })?;
            let stack = &self.world.stacks[key];
            if self.world.export(&stack.account, &stack.region, &export).is_none() {
                return Err(format!("No export named {export} found"));
            }
            imports.insert(export);
        }
        Ok(imports)
    }

    pub(super) fn restore_imports(&mut self, key: StackKey) {
        let imports = match self.world.stacks[key].revision {
            Some(_) => self.wanted_imports(key).unwrap_or_default(),
            None => BTreeSet::new(),
        };
        self.stack(key).imports = imports;
        self.world.update_importers(key);
    }

    /// Evaluates the outputs and changes the exports, or says why that cannot be.
    pub(super) fn publish_outputs(&mut self, key: StackKey) -> Result<(), String> {
        let outputs = self.outputs(key)?;
        let stack = &self.world.stacks[key];
        let (account, region, name) = (stack.account.clone(), stack.region.clone(), stack.name.clone());
        let old: Vec<Output> = stack.outputs.iter().filter(|it| it.export.is_some()).cloned().collect();
        let mut seen = BTreeSet::new();
        for output in outputs.iter().filter(|it| it.export.is_some()) {
            let export = output.export.as_deref().unwrap_or_default();
            let owner = self.world.export(&account, &region, export).map(|(owner, _)| *owner);
            if let Some(owner) = owner.filter(|owner| *owner != key) {
                let owner = &self.world.stacks[owner].name;
                return Err(format!("Export with name {export} is already exported by stack {owner}"));
            }
            if !seen.insert(export) {
                return Err(format!("Export with name {export} is already exported by stack {name}"));
            }
        }
        for before in &old {
            let export = before.export.as_deref().unwrap_or_default();
            let users = self.world.importers(&account, &region, export);
            if users.is_empty() {
                continue;
            }
            match outputs.iter().find(|it| it.export == before.export) {
                None => return Err(self.world.export_in_use(ExportChange::Deleted, export, &users)),
                Some(now) if now.value != before.value => {
                    return Err(self.world.export_in_use(ExportChange::Updated, export, &users));
                }
                Some(_) => {}
            }
        }
        self.world.set_exports(key, &outputs);
        self.stack(key).outputs = outputs;
        let imports = self.wanted_imports(key).unwrap_or_default();
        self.stack(key).imports = imports;
        self.world.update_importers(key);
        Ok(())
    }

    fn outputs(&self, key: StackKey) -> Result<Vec<Output>, String> {
        let target = self.target(key);
        with_scope(self.world, &*self.around, key, &target, None, |scope| {
            let mut outputs = Vec::new();
            for (name, declaration) in target.template.outputs().filter(|(_, it)| target.holds(it)) {
                let Some(value) = declaration.get("Value") else { continue };
                let text = scope.text(value).map_err(|error| {
                    if error.starts_with("Template error: every value") {
                        "Template format error: The Value field of every Outputs member must evaluate to a String."
                            .to_owned()
                    } else {
                        error
                    }
                })?;
                let export = match declaration.get("Export").and_then(|export| export.get("Name")) {
                    Some(name) => Some(scope.text(name)?),
                    None => None,
                };
                let description = declaration.get("Description").map(plain);
                outputs.push(Output { key: name.to_owned(), value: text, description, export });
            }
            Ok(outputs)
        })
    }

    /// The reason why a stack cannot be deleted: an export that others use.
    pub(super) fn exports_in_use(&self, key: StackKey) -> Option<String> {
        let stack = &self.world.stacks[key];
        stack.outputs.iter().filter_map(|output| output.export.as_deref()).find_map(|export| {
            let users = self.world.importers(&stack.account, &stack.region, export);
            (!users.is_empty()).then(|| self.world.export_in_use(ExportChange::Deleted, export, &users))
        })
    }

    /// Gives up everything that other stacks might use.
    pub(super) fn release_all(&mut self, key: StackKey) {
        self.world.set_exports(key, &[]);
        self.stack(key).imports.clear();
        self.world.update_importers(key);
    }
}
