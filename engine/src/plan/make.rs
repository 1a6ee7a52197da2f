//! Makes the plan: everything that can be known is checked before the first call, everything that can be read before the
//! first write.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::{CloudAssembly, Graph};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use super::change_set::Maker;
use super::environment::{self, Target};
use super::exports::Exports;
use super::failure::combine;
use super::file::seal;
use super::input::{self, Input};
use super::limits;
use super::model::{Command, FORMAT, Operation, Plan, PlanOptions, StackPlan};
use super::names::Scope;
use super::offered;
use super::owner;
use super::parameters;
use super::publish::Publishing;
use super::request::{Depth, PlanRequest};
use super::seen::{AllSeen, place};
use super::settle::{Look, Standing, standing};
use super::{stack, waiting};
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::journal::Journal;
use crate::runtime::Runtime;

/// What all stacks of a plan share while it is made.
pub(crate) struct Making<'a> {
    pub(crate) request: &'a PlanRequest,
    pub(crate) assembly: &'a CloudAssembly,
    pub(crate) runtime: &'a Runtime,
    pub(crate) journal: &'a Journal,
    pub(crate) maker: Maker<'a>,
    pub(crate) publisher: Publishing,
    pub(crate) inputs: BTreeMap<String, Input>,
    pub(crate) targets: BTreeMap<String, Target>,
    pub(crate) standings: BTreeMap<String, Standing>,
    pub(crate) exports: Exports,
}

/// Makes the plan of a deployment or a destruction.
///
/// # Errors
/// When the assembly is wrong, the caller is of another account, a stack is not ours or in a state that lets nothing be
/// done, or CloudFormation refuses a change set. Change sets that were made until then are deleted again.
pub async fn make(
    request: &PlanRequest,
    assembly: &CloudAssembly,
    runtime: &Runtime,
    journal: &Journal,
) -> Result<Plan, EngineError> {
    let all = input::read(assembly)?;
    let selected = select(&all, request)?;
    if request.command == Command::Destroy {
        return super::destroy::make(request, assembly, &all, &selected, runtime).await;
    }
    let inputs: Vec<&Input> = all.iter().filter(|input| selected.contains(&input.artifact.id)).collect();
    check_locally(&inputs, request, runtime)?;
    let targets = environment::targets(&inputs, request, runtime).await?;
    check_exports(&inputs, &targets)?;
    let standings = standings(&inputs, &targets, request, runtime).await?;
    offered::check(&inputs, assembly, &targets, &standings, runtime).await?;
    let exports = Exports::read(&inputs, &all, &targets, &standings).await?;
    let making = Making {
        request,
        assembly,
        runtime,
        journal,
        maker: Maker::new(runtime, journal, request.change_set_deadline),
        publisher: Publishing::new(request.publishing(), runtime),
        inputs: inputs.iter().map(|input| (input.artifact.id.clone(), (*input).clone())).collect(),
        targets,
        standings,
        exports,
    };
    let order: Vec<&str> = inputs.iter().map(|input| input.artifact.id.as_str()).collect();
    match plan_stacks(&making, &order).await {
        Ok(stacks) => {
            let Making { request, assembly, targets, runtime, .. } = &making;
            Ok(assemble(request, assembly, targets, runtime, stacks))
        }
        Err(error) => {
            making.maker.forget_all().await;
            Err(error)
        }
    }
}

/// Puts the plans of stacks together, with the digest over all of it.
pub(crate) fn assemble(
    request: &PlanRequest,
    assembly: &CloudAssembly,
    targets: &BTreeMap<String, Target>,
    runtime: &Runtime,
    stacks: Vec<StackPlan>,
) -> Plan {
    let mut plan = Plan {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        run: request.run.clone(),
        command: request.command,
        created: runtime.clock.now(),
        assembly: assembly.directory().display().to_string(),
        environments: environment::environments(targets),
        options: PlanOptions { templates_only: request.depth == Depth::Templates, ..request.options.clone() },
        stacks,
        digest: String::new(),
    };
    seal(&mut plan);
    plan
}

/// The ids of the stacks that are meant: the selected ones with what they need, or with who needs them on destroy.
pub(crate) fn select(all: &[Input], request: &PlanRequest) -> Result<BTreeSet<String>, EngineError> {
    if all.is_empty() {
        return Err(EngineError::new(Class::Input, "the assembly has no stack"));
    }
    let ids = || all.iter().map(|input| input.artifact.id.as_str());
    if request.stacks.is_empty() {
        return Ok(ids().map(str::to_owned).collect());
    }
    let mut graph: Graph<&str, ()> = Graph::new();
    for input in all {
        graph.add_node(&input.artifact.id);
        input.artifact.dependencies.iter().for_each(|before| graph.add_edge(&input.artifact.id, before, ()));
    }
    let mut selected = BTreeSet::new();
    for wanted in &request.stacks {
        let found = all.iter().find(|input| input.artifact.id == *wanted || input.name() == wanted);
        let Some(found) = found else {
            let near = formwork_schema::spelling::closest(wanted, ids());
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            let message = format!("the assembly has no stack `{wanted}`{near}");
            return Err(EngineError::new(Class::Input, message)
                .with_hint(format!("stacks: {}", ids().collect::<Vec<_>>().join(", "))));
        };
        selected.insert(found.artifact.id.as_str());
    }
    if !request.exclusively {
        let graph = if request.command == Command::Destroy { graph.reversed() } else { graph };
        let more: Vec<&str> = graph.closure(selected.iter()).into_iter().copied().collect();
        selected.extend(more);
    }
    Ok(selected.into_iter().map(str::to_owned).collect())
}

/// The tags that a stack gets, our mark among them.
pub(crate) fn tags(input: &Input, request: &PlanRequest) -> BTreeMap<String, String> {
    let mut tags = input.artifact.properties.tags.clone();
    tags.extend(request.options.tags.clone());
    owner::marked(tags, &input.artifact.id)
}

/// Everything that can be found without a call, all at once.
fn check_locally(inputs: &[&Input], request: &PlanRequest, runtime: &Runtime) -> Result<(), EngineError> {
    let mut problems = parameters::problems(inputs, &request.parameters);
    for input in inputs {
        let verdict = limits::check(input, &tags(input, request));
        problems.extend(verdict.errors);
        problems.extend(limits::circles(input));
        for message in verdict.warnings {
            runtime.tell(What::Warning { message, hint: None });
        }
    }
    let mut names: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for input in inputs {
        let id = input.artifact.id.as_str();
        if let Some(first) = names.insert((&input.artifact.environment, input.name()), id) {
            problems.push(format!("{id}: the stack's name {} is that of {first} too", input.name()));
        }
    }
    limits::refuse(&problems, "problems")
}

fn check_exports(inputs: &[&Input], targets: &BTreeMap<String, Target>) -> Result<(), EngineError> {
    let mut places: BTreeMap<_, Vec<(&Input, Scope)>> = BTreeMap::new();
    for input in inputs {
        let Some(target) = targets.get(&input.artifact.id) else { continue };
        let scope = Scope::new(input.name(), &target.environment, &input.artifact.properties.parameters);
        places.entry(&target.environment).or_default().push((input, scope));
    }
    let problems: Vec<String> = places.into_values().flat_map(limits::duplicate_exports).collect();
    limits::refuse(&problems, "problems")
}

async fn standings(
    inputs: &[&Input],
    targets: &BTreeMap<String, Target>,
    request: &PlanRequest,
    runtime: &Runtime,
) -> Result<BTreeMap<String, Standing>, EngineError> {
    let look = Look {
        command: request.command,
        busy: request.busy,
        adopt: request.options.adopt,
        rollback: request.options.rollback,
        runtime,
    };
    let seen = &AllSeen::of(targets.values().map(|target| (place(target), &target.session))).await;
    let found = join_all(inputs.iter().map(|input| async move {
        let id = input.artifact.id.as_str();
        let target = targets.get(id).ok_or_else(|| unplanned(id))?;
        let known = seen.stack(&place(target), input.name());
        let standing = standing(&target.session, id, input.name(), known, look).await?;
        Ok((id.to_owned(), standing))
    }))
    .await;
    gather(found)
}

/// All values, or all errors as one.
pub(crate) fn gather<T, C: FromIterator<T>>(
    results: impl IntoIterator<Item = Result<T, EngineError>>,
) -> Result<C, EngineError> {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(values.into_iter().collect()) } else { Err(combine(errors)) }
}

pub(crate) fn unplanned(id: &str) -> EngineError {
    EngineError::new(Class::Input, format!("stack {id} is not part of the plan"))
}

/// Plans the stacks, each as soon as those whose values it reads are planned, so that it is known which of them change.
async fn plan_stacks(making: &Making<'_>, order: &[&str]) -> Result<Vec<StackPlan>, EngineError> {
    let mut done: BTreeMap<String, StackPlan> = BTreeMap::new();
    let mut waiting: Vec<&str> = order.to_vec();
    let mut running = FuturesUnordered::new();
    let mut errors = Vec::new();
    loop {
        if errors.is_empty() {
            let (ready, later): (Vec<&str>, Vec<&str>) = waiting
                .into_iter()
                .partition(|id| making.exports.producers(id).all(|producer| done.contains_key(producer)));
            waiting = later;
            for id in ready {
                let late = waiting::late_reason(making, id, &done);
                making
                    .runtime
                    .tell_of((making.inputs[id].name(), &making.targets[id].session), What::StackPlanning);
                running.push(async move { stack::plan(making, id, late?).await });
            }
        }
        match running.next().await {
            Some(Ok(plan)) => {
                let told = What::StackPlanned {
                    changes: plan.changes.len(),
                    provisional: plan.provisional.is_some(),
                };
                making.runtime.tell_of(&plan, told);
                done.insert(plan.id.clone(), plan);
            }
            Some(Err(error)) => errors.push(error),
            None => break,
        }
    }
    if !errors.is_empty() {
        return Err(combine(errors));
    }
    if !waiting.is_empty() {
        let message = format!("the stacks {} read each other's values in a circle", waiting.join(", "));
        return Err(EngineError::new(Class::Input, message));
    }
    if done.values().all(|plan| plan.operation == Operation::Nothing) {
        making.runtime.tell(What::Note { message: "nothing changes".to_owned() });
    }
    Ok(order.iter().filter_map(|id| done.remove(*id)).collect())
}
