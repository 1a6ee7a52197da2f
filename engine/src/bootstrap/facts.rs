//! Which bootstrap stack an account and region have: ours, the CDK's, or none.

use formwork_assembly::cloud_assembly::StackArtifact;

use super::names;
use crate::aws::{ErrorKind, Session};
use crate::error::{Class, EngineError, Moment};

/// The qualifier of the CDK's bootstrap stack, unless somebody chose another.
const CDK_QUALIFIER: &str = "hnb659fds";

/// What was found in an account and region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The version of our bootstrap stack.
    pub version: Option<u32>,
    /// The bucket of our bootstrap stack.
    pub bucket: Option<String>,
    /// The version of the CDK's bootstrap stack.
    pub cdk_version: Option<u32>,
    /// The bucket of the CDK's bootstrap stack, by the rule of its name.
    pub cdk_bucket: Option<String>,
}

/// Looks for bootstrap stacks. `qualifier` is that of ours.
///
/// # Errors
/// When the parameters cannot be read.
pub async fn look(session: &Session, qualifier: &str) -> Result<Found, EngineError> {
    let version = read(session, &names::version_parameter(qualifier)).await?;
    let bucket = read(session, &names::bucket_parameter(qualifier)).await?;
    let cdk = match session.parameter(&format!("/cdk-bootstrap/{CDK_QUALIFIER}/version")).await {
        Ok(version) => version,
        // Our roles may not read it, and do not have to.
        Err(error) if error.kind == ErrorKind::Denied => None,
        Err(error) => return Err(unreadable("of the CDK's version", error)),
    };
    let number = |text: Option<String>| text.and_then(|text| text.trim().parse().ok());
    let cdk_version: Option<u32> = number(cdk);
    let cdk_bucket =
        cdk_version.map(|_| format!("cdk-{CDK_QUALIFIER}-assets-{}-{}", session.account(), session.region()));
    Ok(Found { version: number(version), bucket, cdk_version, cdk_bucket })
}

/// Whether the bootstrap stack that a stack asks for is there, and recent enough.
///
/// # Errors
/// When it is not, or cannot be asked for.
pub async fn check(stack: &StackArtifact, session: &Session) -> Result<(), EngineError> {
    let properties = &stack.properties;
    let (Some(needed), Some(parameter)) =
        (properties.requires_bootstrap_stack_version, &properties.bootstrap_stack_version_ssm_parameter)
    else {
        return Ok(());
    };
    let (account, region) = (session.account(), session.region());
    let program = if parameter.starts_with("/cdk-bootstrap/") { "cdk" } else { "formwork" };
    let hint = format!("run `{program} bootstrap aws://{account}/{region}`");
    let refuse = |message: String| Err(EngineError::new(Class::Refused, message).with_hint(hint.clone()));
    match session.parameter(parameter).await {
        Ok(Some(text)) => match text.trim().parse::<u32>() {
            Ok(version) if version >= needed => Ok(()),
            Ok(version) => refuse(format!(
                "stack {} needs version {needed} of the bootstrap stack, and account {account} has version {version} in {region}",
                stack.stack_name()
            )),
            Err(_) => refuse(format!("the SSM parameter {parameter} says {text:?}, which is no version")),
        },
        Ok(None) => refuse(format!(
            "account {account} is not bootstrapped in {region}: there is no SSM parameter {parameter}, which stack {} asks for",
            stack.stack_name()
        )),
        // Whoever may not read the parameter may still deploy; the roles and the bucket say no by themselves.
        Err(error) if error.kind == ErrorKind::Denied => Ok(()),
        Err(error) => Err(unreadable(parameter, error)),
    }
}

async fn read(session: &Session, parameter: &str) -> Result<Option<String>, EngineError> {
    let value = session.parameter(parameter).await.map_err(|error| unreadable(parameter, error))?;
    Ok(value.filter(|value| !value.is_empty()))
}

fn unreadable(parameter: &str, error: crate::aws::Error) -> EngineError {
    let message = format!("cannot read the SSM parameter {parameter}: {}", error.message);
    EngineError::of_call(message, &error, Moment::Before)
}
