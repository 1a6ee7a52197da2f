//! Who exports what, who reads it, and which of that the plan changes.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::environment::Target;
use super::failure::failed;
use super::input::Input;
use super::make::gather;
use super::model::Environment;
use super::names::{OutputRead, Scope, exports, imports, output_reads};
use super::settle::Standing;
use crate::aws::cloudformation::Export;
use crate::error::{Class, EngineError};

/// What one stack of the plan reads of others, and gives to them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ties {
    /// The exports that its new template has: names and outputs.
    pub(crate) exports: BTreeMap<String, String>,
    /// The exports that its new template reads.
    pub(crate) imports: BTreeSet<String>,
    /// The outputs that its new template reads of other stacks.
    pub(crate) reads: BTreeSet<OutputRead>,
    /// The ids of the stacks of the plan that it reads values of.
    pub(crate) producers: BTreeSet<String>,
}

/// The exports of all environments of a plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exports {
    /// What is exported now, by environment and name.
    pub(crate) now: BTreeMap<Environment, BTreeMap<String, Export>>,
    /// By the stack's id.
    pub(crate) ties: BTreeMap<String, Ties>,
    /// Who imports the exports that a stack of the plan has now and drops: by the stack's id and the export's name.
    pub(crate) importers: BTreeMap<(String, String), Vec<String>>,
}

impl Exports {
    /// Reads the exports of all environments, and the importers of those that the plan drops or changes.
    ///
    /// # Errors
    /// When an answer cannot be had, or a stack reads an export that nobody has.
    pub(crate) async fn read(
        inputs: &[&Input],
        all: &[Input],
        targets: &BTreeMap<String, Target>,
        standings: &BTreeMap<String, Standing>,
    ) -> Result<Self, EngineError> {
        let mut found = Self { ties: ties(inputs, targets), ..Self::default() };
        let concerned: BTreeMap<&Environment, &Target> = targets
            .iter()
            .filter(|(id, _)| {
                let tied = found
                    .ties
                    .get(*id)
                    .is_some_and(|ties| !ties.imports.is_empty() || !ties.exports.is_empty());
                let deployed = standings.get(*id).and_then(|standing| standing.deployed.as_ref());
                let has = deployed.is_some_and(|deployed| {
                    deployed.stack.outputs.values().any(|output| output.export_name.is_some())
                });
                tied || has
            })
            .map(|(_, target)| (&target.environment, target))
            .collect();
        let read = join_all(concerned.into_iter().map(|(environment, target)| async move {
            let exports = target.session.cloudformation().exports().await;
            let exports = exports.map_err(|error| failed("cannot list exports", &error))?;
            Ok((environment.clone(), exports))
        }))
        .await;
        found.now = gather(read)?;
        found.check_imports(inputs, all, targets)?;
        found.find_importers(inputs, targets, standings).await?;
        Ok(found)
    }

    /// The stacks of the plan that a stack reads values of.
    pub(crate) fn producers(&self, id: &str) -> impl Iterator<Item = &String> {
        self.ties.get(id).into_iter().flat_map(|ties| &ties.producers)
    }

    /// The value that is exported now.
    pub(crate) fn exported(&self, environment: &Environment, name: &str) -> Option<&Export> {
        self.now.get(environment)?.get(name)
    }

    /// Finds exports that a template reads and that nobody has or will have.
    fn check_imports(
        &self,
        inputs: &[&Input],
        all: &[Input],
        targets: &BTreeMap<String, Target>,
    ) -> Result<(), EngineError> {
        let mut problems = Vec::new();
        for input in inputs {
            let id = &input.artifact.id;
            let (Some(ties), Some(target)) = (self.ties.get(id), targets.get(id)) else { continue };
            for name in &ties.imports {
                let planned = inputs.iter().any(|other| {
                    let other = &other.artifact.id;
                    let same =
                        targets.get(other).is_some_and(|other| other.environment == target.environment);
                    same && self.ties.get(other).is_some_and(|ties| ties.exports.contains_key(name))
                });
                if planned || self.exported(&target.environment, name).is_some() {
                    continue;
                }
                let elsewhere = all.iter().find(|other| {
                    let scope =
                        Scope::new(other.name(), &target.environment, &other.artifact.properties.parameters);
                    exports(&other.template, &scope).contains_key(name)
                });
                let why = match elsewhere {
                    Some(other) => format!("stack {} exports it but is not deployed", other.artifact.id),
                    None => "no stack exports it".to_owned(),
                };
                problems.push(format!("stack {id} imports {name}: {why}"));
            }
        }
        match problems.as_slice() {
            [] => Ok(()),
            problems => Err(EngineError::new(Class::Input, problems.join("\n  "))
                .with_hint("deploy the exporting stack too: leave --exclusively out, or name it")),
        }
    }

    async fn find_importers(
        &mut self,
        inputs: &[&Input],
        targets: &BTreeMap<String, Target>,
        standings: &BTreeMap<String, Standing>,
    ) -> Result<(), EngineError> {
        let mut asked = Vec::new();
        for input in inputs {
            let id = &input.artifact.id;
            let deployed = standings.get(id).and_then(|standing| standing.deployed.as_ref());
            let (Some(deployed), Some(target), Some(ties)) = (deployed, targets.get(id), self.ties.get(id))
            else {
                continue;
            };
            for (name, export) in self.now.get(&target.environment).into_iter().flatten() {
                if export.stack_id != deployed.stack.id {
                    continue;
                }
                let old = deployed
                    .stack
                    .outputs
                    .iter()
                    .find(|(_, output)| output.export_name.as_ref() == Some(name));
                let old = old.and_then(|(output, _)| {
                    deployed.template.as_ref()?.get("Outputs")?.get(output)?.get("Value")
                });
                let new = ties
                    .exports
                    .get(name)
                    .and_then(|output| input.template.get("Outputs")?.get(output)?.get("Value"));
                if new.is_none() || old != new {
                    asked.push((id.clone(), name.clone(), target));
                }
            }
        }
        let found = join_all(asked.into_iter().map(|(id, name, target)| async move {
            let importers = target.session.cloudformation().importers(&name).await;
            let importers =
                importers.map_err(|error| failed(&format!("cannot list who imports {name}"), &error))?;
            Ok(((id, name), importers))
        }))
        .await;
        let all: Vec<((String, String), Vec<String>)> = gather(found)?;
        self.importers = all.into_iter().filter(|(_, importers)| !importers.is_empty()).collect();
        Ok(())
    }
}

fn ties(inputs: &[&Input], targets: &BTreeMap<String, Target>) -> BTreeMap<String, Ties> {
    let mut all: BTreeMap<String, Ties> = BTreeMap::new();
    for input in inputs {
        let Some(target) = targets.get(&input.artifact.id) else { continue };
        let scope = Scope::new(input.name(), &target.environment, &input.artifact.properties.parameters);
        let ties = Ties {
            exports: exports(&input.template, &scope),
            imports: imports(&input.template, &scope),
            reads: output_reads(&input.template, &scope),
            producers: BTreeSet::new(),
        };
        all.insert(input.artifact.id.clone(), ties);
    }
    let mut producers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for reader in inputs {
        let id = &reader.artifact.id;
        let (Some(ties), Some(target)) = (all.get(id), targets.get(id)) else { continue };
        for other in inputs.iter().filter(|other| other.artifact.id != *id) {
            let (Some(gives), Some(there)) = (all.get(&other.artifact.id), targets.get(&other.artifact.id))
            else {
                continue;
            };
            let same = there.environment == target.environment;
            let imports = same && ties.imports.iter().any(|name| gives.exports.contains_key(name));
            let reads = ties.reads.iter().any(|read| {
                let region = read.region.as_deref().unwrap_or(&target.environment.region);
                read.stack == other.name() && region == there.environment.region
            });
            if imports || reads {
                producers.entry(id.clone()).or_default().insert(other.artifact.id.clone());
            }
        }
    }
    for (id, producers) in producers {
        if let Some(ties) = all.get_mut(&id) {
            ties.producers = producers;
        }
    }
    all
}
