//! What stacks are compared with: an assembly on disk, one template file, or whatever else knows old templates.

use std::collections::BTreeMap;
use std::path::Path;

use formwork_assembly::cloud_assembly::MANIFEST_FILE;
use formwork_assembly::{CloudAssembly, TemplateFile};
use serde_json::Value;

use crate::failure::Failure;
use crate::report::{LoadedStack, StackReport, load};

/// A stack as it was.
#[derive(Debug, Default)]
pub(crate) struct OldStack {
    /// Its template in long form.
    pub(crate) template: Value,
    /// The values of its parameters, as far as they are known.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// Something that knows stacks as they were.
pub(crate) trait Before {
    /// What it is, for people: a path, "the deployed stacks".
    fn name(&self) -> String;

    /// The stack as it was; nothing when there was none.
    ///
    /// # Errors
    /// When it cannot be read.
    fn stack(&self, stack: &StackReport) -> Result<Option<OldStack>, Failure>;

    /// Stacks that were there and that the app, whose stacks these are, no longer has.
    ///
    /// # Errors
    /// When they cannot be read.
    fn gone(&self, known: &[StackReport]) -> Result<Vec<(StackReport, OldStack)>, Failure>;
}

/// An assembly on disk.
pub(super) struct Directory {
    name: String,
    stacks: Vec<LoadedStack>,
}

/// One template for one stack.
pub(super) struct File {
    name: String,
    template: Value,
}

/// Reads what a path names.
pub(super) fn read(path: &Path, selected: &[&StackReport]) -> Result<Box<dyn Before>, Failure> {
    let name = path.display().to_string();
    if path.is_dir() {
        if !path.join(MANIFEST_FILE).is_file() {
            return Err(Failure::Usage(format!(
                "{name} holds no assembly: there is no {MANIFEST_FILE}\n\
                 hint: name a directory that `formwork synth` or `cdk synth` wrote, or a template file"
            )));
        }
        return Ok(Box::new(Directory { name, stacks: load(&CloudAssembly::open(path)?)? }));
    }
    if selected.len() != 1 {
        let ids: Vec<&str> = selected.iter().map(|stack| stack.id.as_str()).collect();
        return Err(Failure::Usage(format!(
            "{name} is one template, and {} stacks are selected\nhint: name one of {}",
            ids.len(),
            ids.join(", ")
        )));
    }
    let file = TemplateFile::read(path).map_err(|error| Failure::Input(error.to_string()))?;
    Ok(Box::new(File { name, template: file.into_value() }))
}

fn old(stack: &LoadedStack) -> OldStack {
    OldStack { template: stack.template.value().clone(), parameters: BTreeMap::new() }
}

impl Before for Directory {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn stack(&self, stack: &StackReport) -> Result<Option<OldStack>, Failure> {
        // Two stacks may have one name in two places, and an app may rename the places: the exact pair goes first.
        let named = || self.stacks.iter().filter(|old| old.report.name == stack.name);
        let exact = named().find(|old| old.report.environment == stack.environment);
        Ok(exact.or_else(|| named().next()).map(old))
    }

    fn gone(&self, known: &[StackReport]) -> Result<Vec<(StackReport, OldStack)>, Failure> {
        let is_gone = |stack: &&LoadedStack| known.iter().all(|known| known.name != stack.report.name);
        Ok(self.stacks.iter().filter(is_gone).map(|stack| (stack.report.clone(), old(stack))).collect())
    }
}

impl Before for File {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn stack(&self, _: &StackReport) -> Result<Option<OldStack>, Failure> {
        Ok(Some(OldStack { template: self.template.clone(), parameters: BTreeMap::new() }))
    }

    fn gone(&self, _: &[StackReport]) -> Result<Vec<(StackReport, OldStack)>, Failure> {
        Ok(Vec::new())
    }
}
