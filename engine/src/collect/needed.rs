//! What is needed although no stack names it yet: what an assembly would publish, and what a plan would carry out.

use std::collections::BTreeSet;

use formwork_assembly::CloudAssembly;
use sha2::{Digest, Sha256};

use crate::assets::{TEMPLATE_PREFIX, input, of_stack};
use crate::error::EngineError;
use crate::plan::Plan;

/// What may not go, whatever its age.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needed {
    /// The keys of assets and templates.
    pub keys: BTreeSet<String>,
    /// The ARNs of change sets.
    pub change_sets: BTreeSet<String>,
}

impl Needed {
    /// Adds what an assembly would publish: its files, and its templates, which go to the bucket when they are large.
    ///
    /// # Errors
    /// When a manifest or a template cannot be read.
    pub fn add_assembly(&mut self, assembly: &CloudAssembly) -> Result<(), EngineError> {
        for stack in assembly.stacks().map_err(input)? {
            for manifest in of_stack(assembly, &stack)? {
                let files = manifest.files.values();
                let destinations = files.flat_map(|file| file.destinations.values());
                self.keys.extend(destinations.map(|destination| destination.object_key.clone()));
            }
            let text = assembly.template_text(&stack).map_err(input)?;
            let digest: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
            self.keys.insert(format!("{TEMPLATE_PREFIX}{digest}.json"));
        }
        Ok(())
    }

    /// Adds what a plan would carry out.
    pub fn add_plan(&mut self, plan: &Plan) {
        for stack in &plan.stacks {
            self.keys.extend(stack.assets.iter().map(|asset| asset.key.clone()));
            self.change_sets.extend(stack.change_set.iter().map(|change_set| change_set.arn.clone()));
        }
    }
}
