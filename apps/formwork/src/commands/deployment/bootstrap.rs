//! `formwork bootstrap`: the bucket and the roles that deployments of an account and region need.
//!
//! The bootstrap stack is planned, approved and applied by the engine like every other stack.

use formwork_assembly::{AssemblyFiles, CloudAssembly, json};
use formwork_engine::bootstrap::{
    self, BootstrapOptions, BucketKey, DeployerMode, Execution, Needs, PolicyOptions,
};
use formwork_engine::plan::{Command, PlanRequest};
use formwork_engine::{Class, EngineError};

use crate::application::{self, Outcome};
use crate::arguments::{BootstrapArguments, DeployerWay};
use crate::console::Console;
use crate::deployment::request::apply_options;
use crate::deployment::{Undertaking, Workplace};
use crate::failure::Failure;
use crate::interruption::WorkDirectory;
use crate::settings::Settings;

/// An account and a region.
struct Target {
    account: String,
    region: String,
}

pub(crate) fn run(
    arguments: &BootstrapArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let app = application::run(settings, &std::env::temp_dir())?;
    console.diagnostics(&app.diagnostics);
    app.verdict()?;
    let workplace = Workplace::in_account(settings, &arguments.run.progress, console)?;
    let targets = targets(arguments, settings, &workplace)?;
    if let Some(way) = arguments.show_policy {
        return targets.iter().try_for_each(|target| {
            let policy = bootstrap::show_policy(&policy_options(arguments, way, &app, target)?);
            console.data(&json::to_text(&policy))
        });
    }
    for target in &targets {
        let files = bootstrap::assembly(&options(arguments, &app, target)?)?;
        if arguments.show_template {
            console.data(&template_of(&files))?;
            continue;
        }
        deploy(&files, target, arguments, &workplace, console)?;
    }
    Ok(())
}

fn deploy(
    files: &AssemblyFiles,
    target: &Target,
    arguments: &BootstrapArguments,
    workplace: &Workplace,
    console: &Console,
) -> Result<(), Failure> {
    let failed = |source| Failure::File {
        action: "make a directory in",
        what: "the temporary directory".to_owned(),
        source,
    };
    let directory = WorkDirectory::new_in(&std::env::temp_dir(), "formwork-bootstrap-").map_err(failed)?;
    files.write(directory.path())?;
    let assembly = CloudAssembly::open(directory.path())?;
    let journal = workplace.journal()?;
    let request = PlanRequest {
        account: Some(target.account.clone()),
        region: Some(target.region.clone()),
        ..PlanRequest::new(Command::Deploy, journal.run())
    };
    let undertaking = Undertaking { workplace, journal: &journal, assembly: &assembly, console };
    undertaking.deploy(&request, &arguments.approval, apply_options(&arguments.run), None)
}

/// The environments that are named, else the one of the credentials.
fn targets(
    arguments: &BootstrapArguments,
    settings: &Settings,
    workplace: &Workplace,
) -> Result<Vec<Target>, Failure> {
    if !arguments.environments.is_empty() {
        return arguments.environments.iter().map(|text| target(text)).collect();
    }
    let region = settings.region.as_ref().map(|region| region.value.as_str());
    let session = workplace.read(workplace.engine.sessions.session(region, None))?;
    Ok(vec![Target { account: session.account().to_owned(), region: session.region().to_owned() }])
}

fn target(text: &str) -> Result<Target, Failure> {
    let parts = text.strip_prefix("aws://").and_then(|rest| rest.split_once('/'));
    match parts {
        Some((account, region))
            if account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && !region.is_empty()
                && !region.contains('/') =>
        {
            Ok(Target { account: account.to_owned(), region: region.to_owned() })
        }
        _ => {
            let error = EngineError::new(Class::Usage, format!("`{text}` is no environment"));
            Err(error.with_hint("write aws://ACCOUNT/REGION, such as aws://123456789012/us-east-1").into())
        }
    }
}

fn options(
    arguments: &BootstrapArguments,
    app: &Outcome,
    target: &Target,
) -> Result<BootstrapOptions, Failure> {
    let execution = if arguments.execution_policy.is_empty() {
        Execution::Derived(needs(app)?)
    } else {
        Execution::Policies(arguments.execution_policy.clone())
    };
    let prefix = prefix(arguments, app)?;
    Ok(BootstrapOptions {
        qualifier: arguments.qualifier.clone(),
        trusted_accounts: arguments.trust.clone(),
        permissions_boundary: arguments.permissions_boundary.clone(),
        key: match arguments.kms_key.as_deref() {
            None => BucketKey::Aes256,
            Some("new") => BucketKey::New,
            Some(arn) => BucketKey::Existing(arn.to_owned()),
        },
        ..BootstrapOptions::new(&target.account, &target.region, &prefix, execution)
    })
}

fn policy_options(
    arguments: &BootstrapArguments,
    way: DeployerWay,
    app: &Outcome,
    target: &Target,
) -> Result<PolicyOptions, Failure> {
    Ok(PolicyOptions {
        account: target.account.clone(),
        region: target.region.clone(),
        partition: partition(&target.region).to_owned(),
        qualifier: arguments.qualifier.clone(),
        prefix: prefix(arguments, app)?,
        mode: match way {
            DeployerWay::Roles => DeployerMode::Roles,
            DeployerWay::OwnRights => DeployerMode::OwnRights { bucket: None, needs: needs(app)? },
        },
    })
}

fn needs(app: &Outcome) -> Result<Needs, Failure> {
    match app.assembly() {
        Some(assembly) => Ok(Needs::of_assembly(assembly)?),
        None => Ok(Needs::default()),
    }
}

/// What is said, or what the names of the app's stacks have in common up to a hyphen.
fn prefix(arguments: &BootstrapArguments, app: &Outcome) -> Result<String, Failure> {
    if let Some(prefix) = &arguments.stack_prefix {
        return Ok(prefix.clone());
    }
    let names: Vec<String> = app.stacks()?.into_iter().map(|stack| stack.report.name).collect();
    match common_prefix(&names) {
        Some(prefix) => Ok(prefix),
        None => {
            let message = "the names of the app's stacks have no beginning in common";
            let error = EngineError::new(Class::Usage, message);
            Err(error.with_hint("say with --stack-prefix which stacks the roles may touch").into())
        }
    }
}

fn common_prefix(names: &[String]) -> Option<String> {
    let (first, rest) = names.split_first()?;
    let mut words: Vec<&str> = first.split('-').collect();
    // The last word tells stacks apart, also where there is only one.
    words.pop();
    while !words.is_empty() {
        let prefix = format!("{}-", words.join("-"));
        if rest.iter().all(|name| name.starts_with(&prefix)) {
            return Some(prefix.trim_end_matches('-').to_owned());
        }
        words.pop();
    }
    None
}

/// The partition of a region.
fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

fn template_of(files: &AssemblyFiles) -> String {
    let template = files.iter().find(|(path, _)| path.ends_with(".template.json"));
    template.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_have_a_beginning_in_common_or_not() {
        let common =
            |names: &[&str]| common_prefix(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(common(&["ml-team-network", "ml-team-proxy"]).as_deref(), Some("ml-team"));
        assert_eq!(common(&["ml-network", "ml-team-proxy"]).as_deref(), Some("ml"));
        assert_eq!(common(&["ml-network"]).as_deref(), Some("ml"));
        assert_eq!(common(&["network", "proxy"]), None);
        assert_eq!(common(&[]), None);
    }

    #[test]
    fn an_environment_has_an_account_and_a_region() {
        assert!(target("aws://123456789012/us-east-1").is_ok());
        for wrong in
            ["123456789012/us-east-1", "aws://1/us-east-1", "aws://123456789012/", "aws://123456789012/a/b"]
        {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }
}
