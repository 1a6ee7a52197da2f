//! Roles: those of the bootstrap stack, those that the assembly names, and those that deployed stacks are kept with.
//!
//! CloudFormation acts with the role that a stack was last changed with. When that role is gone, the stack can neither be
//! changed nor deleted, and nothing says so before somebody tries.

use std::collections::BTreeSet;

use futures_util::future::{join, join_all};

use super::super::Check;
use super::bootstrap::Program;
use super::{Looked, Standing};
use crate::aws::{Error, ErrorKind};
use crate::bootstrap::role_name;

const NAME: &str = "role";
/// What callers take on the roles of our bootstrap stack for; a fourth is CloudFormation's.
const PURPOSES: [&str; 3] = ["publish", "plan", "apply"];

/// The roles that the assembly names, and those of deployed stacks.
pub(super) async fn checks(looked: &Looked, standing: &Standing) -> Vec<Check> {
    let mut assumed = BTreeSet::new();
    for stack in &looked.stacks {
        let properties = &stack.artifact.properties;
        assumed.extend(properties.assume_role_arn.as_deref().map(|arn| looked.session.fill_in(arn)));
    }
    let assumed = join_all(assumed.iter().map(|arn| assumable(looked, arn))).await;
    let mut kept: BTreeSet<(String, &str)> = BTreeSet::new();
    for (stack, stands) in looked.stacks.iter().zip(standing) {
        if let Ok(Some(deployed)) = stands
            && let Some(arn) = &deployed.role_arn
        {
            kept.insert((arn.clone(), &stack.located.name));
        } else if let Some(arn) = &stack.located.execution_role {
            kept.insert((arn.clone(), &stack.located.name));
        }
    }
    let kept = join_all(kept.iter().map(|(arn, stack)| execution(looked, arn, stack))).await;
    assumed.into_iter().chain(kept).collect()
}

/// The four roles of our bootstrap stack. The three that callers take on are taken on.
pub(super) async fn of_bootstrap(looked: &Looked) -> Vec<Check> {
    let (account, region) = (looked.session.account(), looked.session.region());
    let arn = |purpose: &str| {
        let name = role_name(&looked.qualifier, purpose, region);
        format!("arn:{}:iam::{account}:role/{name}", looked.session.partition())
    };
    let callers = join_all(PURPOSES.map(|purpose| {
        let arn = arn(purpose);
        async move { assumable(looked, &arn).await }
    }));
    let execution = async {
        let arn = arn("execution");
        let name = name_of(&arn);
        match exists(looked, &arn).await {
            Ok(true) => Check::ok(NAME, name, "is there"),
            Ok(false) => Check::failed(NAME, name, "is gone: CloudFormation cannot act with it").with_hint(
                format!("run `{}`", Program::Formwork.command(&looked.qualifier, &looked.place())),
            ),
            Err(error) => Check::unknown(NAME, name, &error),
        }
    };
    let (mut checks, execution) = join(callers, execution).await;
    checks.push(execution);
    checks
}

/// Whether the caller may take on a role.
async fn assumable(looked: &Looked, arn: &str) -> Check {
    let name = name_of(arn);
    let failed = match looked.session.assuming(arn, None).await {
        Ok(_) => return Check::ok(NAME, name, "can be assumed"),
        Err(error) if error.is_transient() => return Check::unknown(NAME, name, &error),
        Err(error) => error,
    };
    if let Ok(false) = exists(looked, arn).await {
        return Check::failed(NAME, name, "is gone").with_hint(way_back(looked, name));
    }
    let message = format!("{} cannot assume it: {}", looked.session.identity(), failed.message);
    Check::warning(NAME, name, message).with_hint(
        "let the role's trust policy name the caller; until then the caller acts with its own rights",
    )
}

/// How a role that is gone comes back, by the stack that its name belongs to.
fn way_back(looked: &Looked, name: &str) -> String {
    let (qualifier, region) = (looked.qualifier.as_str(), looked.session.region());
    let is_ours = PURPOSES.iter().any(|purpose| name == role_name(qualifier, purpose, region));
    let of_cdk = name.strip_prefix("cdk-").and_then(|rest| rest.split_once('-'));
    match of_cdk {
        _ if is_ours => format!("run `{}`", Program::Formwork.command(qualifier, &looked.place())),
        Some((qualifier, _)) => format!("run `{}`", Program::Cdk.command(qualifier, &looked.place())),
        None => "make the role anew under its old name, or let the app name another one".to_owned(),
    }
}

/// Whether the role is there that CloudFormation acts with on a stack.
async fn execution(looked: &Looked, arn: &str, stack: &str) -> Check {
    let name = name_of(arn);
    match exists(looked, arn).await {
        Ok(true) => Check::ok(NAME, name, format!("is there; CloudFormation acts with it on {stack}")),
        Ok(false) => Check::failed(
            NAME,
            name,
            format!("is gone, and CloudFormation acts with it on {stack}: the stack can be neither changed nor deleted"),
        )
        .with_hint("make the role anew under its old name, or deploy with another one: `formwork deploy --role-arn ARN`"),
        Err(error) => Check::unknown(NAME, name, &error),
    }
}

async fn exists(looked: &Looked, arn: &str) -> Result<bool, Error> {
    let names = [("RoleName".to_owned(), name_of(arn).to_owned())];
    match looked.call().query("iam", "GetRole", "2010-05-08", &names).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The name of a role, without its path.
fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
