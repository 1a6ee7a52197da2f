//! One stack by its name, its id in the app or its ARN: where it is and as whom it is looked at.
//!
//! A stack of the app is where the assembly says, and is looked at as the role that the assembly names. Any other is
//! where its ARN or the settings say. An app with errors has no say: what is deployed can be looked at all the same.

use std::sync::Arc;

use formwork_assembly::CloudAssembly;
use formwork_engine::aws::Session;
use formwork_engine::follow::Places;
use formwork_engine::plan;

use super::Workplace;
use crate::application;
use crate::failure::Failure;
use crate::report::StackReport;
use crate::selection::select_one;
use crate::settings::Settings;

/// A stack that was named.
pub(crate) struct Named {
    /// Its name in CloudFormation, or its ARN when that was given.
    pub(crate) name: String,
    /// The caller there.
    pub(crate) session: Session,
    /// What made its resources, as far as the app tells.
    pub(crate) places: Arc<Places>,
}

/// What the ARN of a stack tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arn<'a> {
    region: &'a str,
    account: &'a str,
    name: &'a str,
}

impl<'a> Arn<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (Some("arn"), Some(_), Some("cloudformation")) = (parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let (region, account) = (parts.next()?, parts.next()?);
        let name = parts.next()?.strip_prefix("stack/")?.split('/').next()?;
        Some(Self { region, account, name })
    }

    /// Whether a stack of the app may be the one: an app need not say its account and region.
    fn may_be(&self, stack: &StackReport) -> bool {
        let says = |known: Option<&str>, wanted: &str| known.is_none_or(|known| known == wanted);
        stack.name == self.name && says(stack.region(), self.region) && says(stack.account(), self.account)
    }
}

/// Finds the stack that a word names.
///
/// # Errors
/// When the word names several stacks of the app, there are no credentials, or a role cannot be assumed.
pub(crate) fn named(word: &str, settings: &Settings, workplace: &Workplace) -> Result<Named, Failure> {
    let outcome = application::run(settings, &std::env::temp_dir()).ok();
    let assembly = outcome.as_ref().and_then(|outcome| outcome.assembly());
    let arn = Arn::of(word);
    if let Some(assembly) = assembly
        && let Some(stack) = of_app(word, arn, &stacks_of(assembly))?
        && let Some(named) = located(word, arn, &stack, assembly, settings, workplace)?
    {
        return Ok(named);
    }
    let region = arn.map(|arn| arn.region);
    let session = workplace.read(workplace.engine.sessions.session(region, None))?;
    Ok(Named { name: word.to_owned(), session, places: Arc::default() })
}

fn stacks_of(assembly: &CloudAssembly) -> Vec<StackReport> {
    let loaded = crate::report::load(assembly).unwrap_or_default();
    loaded.into_iter().map(|stack| stack.report).collect()
}

/// The stack of the app that is meant; nothing when it is none of the app.
fn of_app(word: &str, arn: Option<Arn<'_>>, stacks: &[StackReport]) -> Result<Option<StackReport>, Failure> {
    if let Some(arn) = arn {
        return Ok(stacks.iter().find(|stack| arn.may_be(stack)).cloned());
    }
    // Names may repeat in several places, ids do not.
    if let Some(stack) = stacks.iter().find(|stack| stack.id == word) {
        return Ok(Some(stack.clone()));
    }
    if !stacks.iter().any(|stack| stack.name == word) {
        return Ok(None);
    }
    Ok(Some(select_one(stacks, word)?.clone()))
}

fn located(
    word: &str,
    arn: Option<Arn<'_>>,
    stack: &StackReport,
    assembly: &CloudAssembly,
    settings: &Settings,
    workplace: &Workplace,
) -> Result<Option<Named>, Failure> {
    let region = match arn {
        Some(arn) => Some(arn.region),
        None => settings.region.as_ref().map(|region| region.value.as_str()),
    };
    let account = settings.account.as_ref().map(|account| account.value.as_str());
    let ids = [stack.id.clone()];
    let found = workplace.read(plan::locate(assembly, &ids, region, account, &workplace.engine))?;
    let artifacts = assembly.stacks()?;
    let artifact = artifacts.iter().find(|artifact| artifact.id == stack.id);
    let places = artifact.map(|artifact| Places::of(assembly, artifact)).unwrap_or_default();
    Ok(found.into_iter().next().map(|found| Named {
        name: if arn.is_some() { word.to_owned() } else { found.name },
        session: found.session,
        places: Arc::new(places),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(id: &str, name: &str, environment: &str) -> StackReport {
        StackReport {
            id: id.to_owned(),
            name: name.to_owned(),
            environment: environment.to_owned(),
            template_file: String::new(),
            template_bytes: 0,
            resources: 0,
            dependencies: Vec::new(),
        }
    }

    #[test]
    fn a_stack_is_named_by_id_by_name_or_by_arn() {
        let stacks = [
            stack("net-eu", "net", "aws://123456789012/eu-west-1"),
            stack("net-us", "net", "aws://123456789012/us-east-1"),
            stack("web", "web", "aws://unknown-account/unknown-region"),
        ];
        let found = |word: &str| of_app(word, Arn::of(word), &stacks).unwrap().map(|stack| stack.id);
        assert_eq!(found("net-us").as_deref(), Some("net-us"));
        assert_eq!(found("web").as_deref(), Some("web"));
        assert_eq!(found("other"), None);
        let arn = |region, name| format!("arn:aws:cloudformation:{region}:123456789012:stack/{name}/1-2-3");
        assert_eq!(found(&arn("us-east-1", "net")).as_deref(), Some("net-us"));
        assert_eq!(found(&arn("ap-south-1", "web")).as_deref(), Some("web"));
        assert_eq!(found(&arn("ap-south-1", "net")), None);
        let several = of_app("net", None, &stacks).unwrap_err().to_string();
        assert!(several.contains("net-eu, net-us"), "{several}");
    }

    #[test]
    fn only_the_arn_of_a_stack_is_one() {
        assert_eq!(Arn::of("arn:aws:s3:::bucket"), None);
        assert_eq!(Arn::of("arn:aws:cloudformation:eu-west-1:1:changeSet/a/b"), None);
        assert_eq!(Arn::of("net"), None);
        let expected = Arn { region: "cn-north-1", account: "1", name: "net" };
        assert_eq!(Arn::of("arn:aws-cn:cloudformation:cn-north-1:1:stack/net/2"), Some(expected));
    }
}
