//! Where each stack goes and as whom: accounts, regions, roles and the bootstrap stack, all checked before anything is
//! sent anywhere.

use std::collections::BTreeMap;

use formwork_assembly::CloudAssembly;
use futures_util::future::join_all;

use super::failure::{combine, failed};
use super::input::{self, Input};
use super::model::{Command, Environment, PlannedEnvironment};
use super::names::partition;
use super::request::PlanRequest;
use crate::aws::{ErrorKind, RoleOptions, Session};
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::runtime::Runtime;

/// The region when nothing names one.
const DEFAULT_REGION: &str = "us-east-1";

/// Where a stack goes, and as whom.
#[derive(Clone)]
pub(crate) struct Target {
    /// The caller after assuming the stack's role.
    pub(crate) session: Session,
    /// Where.
    pub(crate) environment: Environment,
    /// The role that is assumed.
    pub(crate) role: Option<String>,
    /// What `sts:ExternalId` the role wants.
    pub(crate) external_id: Option<String>,
    /// The role that CloudFormation acts with.
    pub(crate) execution_role: Option<String>,
}

/// Finds the target of each stack by its id.
///
/// # Errors
/// When there are no credentials, they are of another account, a role cannot be assumed, or an environment is not
/// bootstrapped as the assembly wants it.
pub(crate) async fn targets(
    inputs: &[&Input],
    request: &PlanRequest,
    runtime: &Runtime,
) -> Result<BTreeMap<String, Target>, EngineError> {
    let targets = reached(inputs, request, runtime).await?;
    for PlannedEnvironment { environment, identity } in environments(&targets) {
        let Environment { account, region } = environment;
        runtime.tell(What::Identified { account, region, identity });
    }
    bootstrapped(inputs, &targets).await?;
    Ok(targets)
}

/// A stack of an assembly in the place that the assembly and the settings give it, whether it is deployed there or not.
#[derive(Clone, Debug)]
pub struct Located {
    /// The id of the stack in the assembly.
    pub id: String,
    /// The name in CloudFormation.
    pub name: String,
    /// Where.
    pub environment: Environment,
    /// The caller there, after assuming the role that the assembly names.
    pub session: Session,
    /// The role that CloudFormation acts with.
    pub execution_role: Option<String>,
}

/// Finds the places of stacks without asking for the stacks themselves: for commands that look at what is deployed, or
/// mend it. `ids` are those of the assembly; all stacks when there is none. `region` and `account` are those of the
/// settings: the region of stacks that do not say theirs, and the account that the caller must be in.
///
/// # Errors
/// When there are no credentials, they are of another account, or a role cannot be assumed.
pub async fn locate(
    assembly: &CloudAssembly,
    ids: &[String],
    region: Option<&str>,
    account: Option<&str>,
    runtime: &Runtime,
) -> Result<Vec<Located>, EngineError> {
    let inputs = input::read(assembly)?;
    let inputs: Vec<&Input> =
        inputs.iter().filter(|input| ids.is_empty() || ids.contains(&input.artifact.id)).collect();
    let request = PlanRequest {
        region: region.map(str::to_owned),
        account: account.map(str::to_owned),
        ..PlanRequest::new(Command::Deploy, "")
    };
    let mut targets = reached(&inputs, &request, runtime).await?;
    let located = |input: &Input| {
        let Target { session, environment, execution_role, .. } = targets.remove(&input.artifact.id)?;
        let (id, name) = (input.artifact.id.clone(), input.name().to_owned());
        Some(Located { id, name, environment, session, execution_role })
    };
    Ok(inputs.into_iter().filter_map(located).collect())
}

/// The targets of stacks, each reached by the credentials and the role that it takes.
async fn reached(
    inputs: &[&Input],
    request: &PlanRequest,
    runtime: &Runtime,
) -> Result<BTreeMap<String, Target>, EngineError> {
    let base = runtime.sessions.base().await.map_err(|error| failed("cannot tell who calls", &error))?;
    if let Some(expected) = request.account.as_deref().filter(|expected| *expected != base.account()) {
        return Err(wrong_account("the run", expected, &base));
    }
    let found = join_all(inputs.iter().map(|input| target(input, request, &base, runtime))).await;
    let (mut targets, mut errors) = (BTreeMap::new(), Vec::new());
    for (input, target) in inputs.iter().zip(found) {
        match target {
            Ok(target) => {
                targets.insert(input.artifact.id.clone(), target);
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(targets) } else { Err(combine(errors)) }
}

/// Who plans where, each once.
pub(crate) fn environments(targets: &BTreeMap<String, Target>) -> Vec<PlannedEnvironment> {
    let by_place: BTreeMap<&Environment, &Session> =
        targets.values().map(|target| (&target.environment, &target.session)).collect();
    by_place
        .into_iter()
        .map(|(environment, session)| PlannedEnvironment {
            environment: environment.clone(),
            identity: session.identity().to_owned(),
        })
        .collect()
}

fn wrong_account(what: &str, expected: &str, session: &Session) -> EngineError {
    let message = format!(
        "{what} belongs to account {expected}, but the credentials are of {} ({})",
        session.account(),
        session.identity()
    );
    EngineError::new(Class::Refused, message).with_hint(format!(
        "choose a profile of account {expected} with --profile, nothing was uploaded or changed"
    ))
}

async fn target(
    input: &Input,
    request: &PlanRequest,
    base: &Session,
    runtime: &Runtime,
) -> Result<Target, EngineError> {
    let (account, region) = input.environment()?;
    let region = match region.or(request.region.as_deref()) {
        Some(region) => region,
        None if base.region().is_empty() => DEFAULT_REGION,
        None => base.region(),
    };
    let account = account.unwrap_or_else(|| base.account());
    let environment = Environment { account: account.to_owned(), region: region.to_owned() };
    let filled = |role: &Option<String>| role.as_deref().map(|role| fill(role, &environment));
    let role = filled(&input.artifact.properties.assume_role_arn);
    let external_id = input.more.assume_role_external_id.clone();
    let execution_role = request
        .options
        .execution_role_arn
        .clone()
        .or_else(|| filled(&input.artifact.properties.cloud_formation_execution_role_arn));
    let stack = format!("stack {}", input.artifact.id);
    let session = session(runtime, region, role.as_deref(), external_id.as_deref())
        .await
        .map_err(|error| failed(&format!("{stack}: no session in {region}"), &error))?;
    if session.account() != account {
        return Err(wrong_account(&stack, account, &session));
    }
    Ok(Target { session, environment, role, external_id, execution_role })
}

/// The caller in a region, after assuming a role if one is named.
pub(crate) async fn session(
    runtime: &Runtime,
    region: &str,
    role: Option<&str>,
    external_id: Option<&str>,
) -> Result<Session, crate::aws::Error> {
    let role =
        role.map(|role| RoleOptions { external_id: external_id.map(str::to_owned), ..RoleOptions::of(role) });
    runtime.sessions.session_with(Some(region), role.as_ref()).await
}

/// A name with CloudFormation's pseudo parameters filled in, as the CDK writes roles and buckets.
pub(crate) fn fill(text: &str, environment: &Environment) -> String {
    text.replace("${AWS::Partition}", partition(&environment.region))
        .replace("${AWS::AccountId}", &environment.account)
        .replace("${AWS::Region}", &environment.region)
}

/// Checks the version of the bootstrap stack that each artifact asks for, once for each environment and parameter.
async fn bootstrapped(inputs: &[&Input], targets: &BTreeMap<String, Target>) -> Result<(), EngineError> {
    let mut wanted: BTreeMap<(&Environment, &str), (u32, &Target)> = BTreeMap::new();
    for input in inputs {
        let properties = &input.artifact.properties;
        let (Some(version), Some(parameter), Some(target)) = (
            properties.requires_bootstrap_stack_version,
            properties.bootstrap_stack_version_ssm_parameter.as_deref(),
            targets.get(&input.artifact.id),
        ) else {
            continue;
        };
        let entry = wanted.entry((&target.environment, parameter)).or_insert((version, target));
        entry.0 = entry.0.max(version);
    }
    let checks = wanted.into_iter().map(|((environment, parameter), (version, target))| async move {
        let Environment { account, region } = environment;
        let bootstrap = format!(
            "run `formwork bootstrap aws://{account}/{region}` or `cdk bootstrap aws://{account}/{region}`"
        );
        let refuse =
            |message: String| Err(EngineError::new(Class::Refused, message).with_hint(bootstrap.clone()));
        match target.session.parameter(parameter).await {
            Ok(None) => refuse(format!(
                "aws://{account}/{region} is not bootstrapped: SSM parameter {parameter} is missing"
            )),
            Ok(Some(text)) => match text.trim().parse::<u32>() {
                Ok(found) if found >= version => Ok(()),
                _ => refuse(format!(
                    "aws://{account}/{region} has bootstrap version {text}, the assembly needs {version}"
                )),
            },
            // Whoever may not read the parameter may still deploy; CDK templates check the version once more by a rule.
            Err(error) if error.kind == ErrorKind::Denied => Ok(()),
            Err(error) => Err(failed(&format!("cannot read SSM parameter {parameter}"), &error)),
        }
    });
    let errors: Vec<EngineError> = join_all(checks).await.into_iter().filter_map(Result::err).collect();
    if errors.is_empty() { Ok(()) } else { Err(combine(errors)) }
}
