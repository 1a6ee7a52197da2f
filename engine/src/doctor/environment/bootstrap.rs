//! The bootstrap stack: whether it is there where the app needs it, recent enough, and whose its bucket and roles are.

use std::collections::BTreeMap;

use super::super::{Check, Outcome};
use super::{Looked, LookedStack, roles};
use crate::assets::GREATEST_INLINE_BYTES;
use crate::aws::storage::explain;
use crate::aws::{Error, ErrorKind};
use crate::bootstrap::{self, Found, VERSION};
use crate::error::EngineError;

const NAME: &str = "bootstrap";

/// Which program's bootstrap stack is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// This one.
    Formwork,
    /// The CDK's command line.
    Cdk,
}

impl Program {
    /// The command line that makes or renews the bootstrap stack of a qualifier.
    pub(super) fn command(self, qualifier: &str, place: &str) -> String {
        let (program, usual) = match self {
            Self::Formwork => ("formwork", "formwork"),
            Self::Cdk => ("cdk", "hnb659fds"),
        };
        let option = if qualifier == usual { String::new() } else { format!(" --qualifier {qualifier}") };
        format!("{program} bootstrap {place}{option}")
    }

    /// The program and the qualifier that a parameter with the version of a bootstrap stack tells of.
    fn of_parameter(parameter: &str) -> Option<(Self, &str)> {
        let (program, rest) = match parameter.strip_prefix("/cdk-bootstrap/") {
            Some(rest) => (Self::Cdk, rest),
            None => (Self::Formwork, parameter.strip_prefix("/formwork/bootstrap/")?),
        };
        rest.split_once('/').map(|(qualifier, _)| (program, qualifier))
    }
}

pub(super) async fn checks(looked: &Looked) -> Vec<Check> {
    let mut checks = asked_for(looked).await;
    if let Some(given) = &looked.bucket {
        checks.push(bucket(looked, given).await);
        return checks;
    }
    match bootstrap::look(&looked.session, &looked.qualifier).await {
        Err(error) => checks.push(unreadable(looked, error)),
        Ok(found) => {
            checks.push(version(looked, &found));
            if let Some(name) = &found.bucket {
                checks.push(bucket(looked, name).await);
            }
            if found.version.is_some() {
                checks.extend(roles::of_bootstrap(looked).await);
            }
        }
    }
    checks
}

fn unreadable(looked: &Looked, error: EngineError) -> Check {
    match error.source {
        Some(source) => Check::unknown(NAME, looked.place(), &source),
        None => Check::new(NAME, looked.place(), Outcome::Unknown, error.message),
    }
}

fn version(looked: &Looked, found: &Found) -> Check {
    let place = looked.place();
    let command = format!("run `{}`", Program::Formwork.command(&looked.qualifier, &place));
    let users: Vec<&str> = looked.stacks.iter().filter_map(|stack| needs(stack, &looked.qualifier)).collect();
    match found.version {
        Some(version) if version < VERSION => {
            let detail = format!("version {version}; this program makes version {VERSION}");
            Check::warning(NAME, place, detail).with_hint(command)
        }
        Some(version) => Check::ok(NAME, place, format!("version {version}")),
        None if users.is_empty() => {
            let detail = match found.cdk_version {
                Some(version) => {
                    format!("none of Formwork, and none is needed; the CDK's has version {version}")
                }
                None => "none, and none is needed".to_owned(),
            };
            Check::skipped(NAME, place, detail)
        }
        None => {
            let detail = format!("not bootstrapped, and {} needs the bucket for assets", users.join(", "));
            let hint = format!("{command}, or name a bucket of yours with --bucket");
            Check::failed(NAME, place, detail).with_hint(hint)
        }
    }
}

/// The name of a stack that cannot be deployed without our bootstrap stack's bucket.
fn needs<'s>(stack: &'s LookedStack, qualifier: &str) -> Option<&'s str> {
    let parameter = bootstrap::bucket_parameter(qualifier);
    let named = stack.template["Parameters"].as_object().into_iter().flatten();
    let reads = named.map(|(_, it)| it).any(|it| it["Default"].as_str() == Some(parameter.as_str()));
    let of_cdk = stack.artifact.properties.bootstrap_stack_version_ssm_parameter.is_some();
    let large = !of_cdk && stack.template_bytes > GREATEST_INLINE_BYTES;
    (reads || large).then_some(stack.located.name.as_str())
}

/// That a bucket is there, here and ours. Every call on it says whose it has to be.
async fn bucket(looked: &Looked, name: &str) -> Check {
    const NAME: &str = "asset-bucket";
    let (account, region) = (looked.session.account(), looked.session.region());
    match looked.session.storage().bucket(name).await {
        Ok(facts) => {
            let versions = if facts.versioned { ", keeps versions" } else { "" };
            Check::ok(NAME, name, format!("belongs to account {account}, in {region}{versions}"))
        }
        Err(error) if error.is_transient() => Check::unknown(NAME, name, &error),
        Err(error) => {
            let EngineError { message, hint, .. } = explain(error, name, account, region);
            Check { hint, ..Check::failed(NAME, name, message) }
        }
    }
}

/// The bootstrap stacks that the assembly itself asks for, as those of the CDK do, once for each parameter.
async fn asked_for(looked: &Looked) -> Vec<Check> {
    let mut wanted: BTreeMap<&str, (u32, &str)> = BTreeMap::new();
    for stack in &looked.stacks {
        let properties = &stack.artifact.properties;
        if let (Some(version), Some(parameter)) = (
            properties.requires_bootstrap_stack_version,
            properties.bootstrap_stack_version_ssm_parameter.as_deref(),
        ) {
            let entry = wanted.entry(parameter).or_insert((version, &stack.located.name));
            if version > entry.0 {
                *entry = (version, &stack.located.name);
            }
        }
    }
    let mut checks = Vec::new();
    for (parameter, (version, stack)) in wanted {
        checks.push(judge(looked, parameter, version, stack, looked.session.parameter(parameter).await));
    }
    checks
}

fn judge(
    looked: &Looked,
    parameter: &str,
    needed: u32,
    stack: &str,
    answer: Result<Option<String>, Error>,
) -> Check {
    let command = match Program::of_parameter(parameter) {
        Some((program, qualifier)) => format!("run `{}`", program.command(qualifier, &looked.place())),
        None => format!("set up {} with what writes this parameter", looked.place()),
    };
    let failed = |detail: String| Check::failed(NAME, parameter, detail).with_hint(command.clone());
    match answer {
        Ok(Some(text)) => match text.trim().parse::<u32>() {
            Ok(version) if version >= needed => {
                Check::ok(NAME, parameter, format!("version {version}, {needed} is needed"))
            }
            Ok(version) => failed(format!("version {version}, and {stack} needs {needed}")),
            Err(_) => failed(format!("says {text:?}, which is no version")),
        },
        Ok(None) => failed(format!("missing: the place is not bootstrapped, and {stack} asks for it")),
        Err(error) if error.kind == ErrorKind::Denied => Check::unknown(NAME, parameter, &error)
            .with_hint("whoever may not read it may still deploy by the roles of the bootstrap stack"),
        Err(error) => Check::unknown(NAME, parameter, &error),
    }
}
