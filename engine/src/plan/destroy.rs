//! The plan of a destruction: reverse order, with everything that would stand in its way found first.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::CloudAssembly;

use super::environment::{self, Target};
use super::file::seal;
use super::input::Input;
use super::model::{FORMAT, Plan, StackPlan};
use super::request::PlanRequest;
use super::settle::{Look, Standing, standing};
use crate::error::EngineError;
use crate::journal::Journal;
use crate::runtime::Runtime;

/// What a destruction removes besides the stacks; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removals {
    /// Objects in buckets and images in repositories that would stop the deletion.
    pub content: bool,
    /// Apps and spaces of SageMaker Studio domains.
    pub studio: bool,
    /// Protection from deletion, of stacks and of resources.
    pub protection: bool,
}

/// Makes the plan of a destruction.
pub(crate) async fn make(
    request: &PlanRequest,
    assembly: &CloudAssembly,
    all: &[Input],
    selected: &BTreeSet<String>,
    runtime: &Runtime,
    _journal: &Journal,
) -> Result<Plan, EngineError> {
    let inputs: Vec<&Input> = all.iter().filter(|input| selected.contains(&input.artifact.id)).collect();
    let targets = environment::targets(&inputs, request, runtime).await?;
    let look = Look {
        command: request.command,
        busy: request.busy,
        adopt: request.options.adopt,
        rollback: request.options.rollback,
        runtime,
    };
    let mut stacks = Vec::new();
    for input in inputs.iter().rev() {
        let target = &targets[&input.artifact.id];
        let standing = standing(&target.session, &input.artifact.id, input.name(), look).await?;
        stacks.push(planned(input, target, &standing, &inputs));
    }
    let mut plan = Plan {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        run: request.run.clone(),
        command: request.command,
        created: runtime.clock.now(),
        assembly: assembly.directory().display().to_string(),
        environments: environment::environments(&targets),
        options: request.options.clone(),
        stacks,
        digest: String::new(),
    };
    seal(&mut plan);
    Ok(plan)
}

fn planned(input: &Input, target: &Target, standing: &Standing, inputs: &[&Input]) -> StackPlan {
    let id = &input.artifact.id;
    let needs = inputs.iter().filter(|other| other.artifact.dependencies.contains(id));
    StackPlan {
        id: id.clone(),
        name: input.name().to_owned(),
        environment: target.environment.clone(),
        operation: standing.operation,
        adopted: standing.adopted,
        needs: needs.map(|other| other.artifact.id.clone()).collect(),
        provisional: None,
        template: None,
        first_phase: None,
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        assume_role_arn: target.role.clone(),
        external_id: target.external_id.clone(),
        execution_role_arn: target.execution_role.clone(),
        notification_arns: Vec::new(),
        termination_protection: None,
        assets: Vec::new(),
        change_set: None,
        base: standing.base(),
        changes: Vec::new(),
        losses: Vec::new(),
        broadenings: Vec::new(),
        notes: standing.notes.clone(),
    }
}
