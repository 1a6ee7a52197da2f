//! One account and region: who calls, whether the clock is right, and what the region, the bootstrap stack and the quotas
//! allow.
//!
//! The questions do not wait for each other. What the caller may not ask is said to be unknown.

mod bootstrap;
mod identity;
mod quotas;
mod region;
mod roles;
mod usage;
mod versions;

use std::collections::BTreeMap;

use formwork_assembly::{CloudAssembly, StackArtifact};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join_all};
use serde_json::Value;

use super::Check;
use crate::aws::cloudformation::Stack;
use crate::aws::{Error, Patience, RawClient, Session};
use crate::error::EngineError;
use crate::plan::Located;
use crate::runtime::Runtime;

pub use identity::identity;

/// What is looked at in one account and region.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The caller there.
    pub session: Session,
    /// The stacks of the app that go there.
    pub stacks: Vec<LookedStack>,
    /// The qualifier of the bootstrap stack.
    pub qualifier: String,
    /// The bucket for assets, where one is given instead of a bootstrap stack's.
    pub bucket: Option<String>,
}

/// A stack of the app, whether it is deployed or not.
#[derive(Clone, Debug)]
pub struct LookedStack {
    /// Where it is.
    pub located: Located,
    /// What the assembly says of it.
    pub artifact: StackArtifact,
    /// Its template.
    pub template: Value,
    /// The length of the template's text in bytes, as it would be sent.
    pub template_bytes: usize,
}

impl Looked {
    /// An account and region without a stack.
    pub fn new(session: &Session, qualifier: &str, bucket: Option<&str>) -> Self {
        Self {
            session: session.clone(),
            stacks: Vec::new(),
            qualifier: qualifier.to_owned(),
            bucket: bucket.map(str::to_owned),
        }
    }

    /// The accounts and regions that stacks go to, each with its stacks.
    ///
    /// # Errors
    /// When a template of the assembly cannot be read.
    pub fn places(
        assembly: &CloudAssembly,
        located: &[Located],
        qualifier: &str,
        bucket: Option<&str>,
    ) -> Result<Vec<Self>, EngineError> {
        let mut places: BTreeMap<_, Self> = BTreeMap::new();
        for artifact in assembly.stacks().map_err(crate::assets::input)? {
            let Some(located) = located.iter().find(|located| located.id == artifact.id) else { continue };
            let template = assembly.template(&artifact).map_err(crate::assets::input)?;
            let place = places.entry(&located.environment);
            let place = place.or_insert_with(|| Self::new(&located.session, qualifier, bucket));
            let template_bytes = assembly.template_text(&artifact).map_err(crate::assets::input)?.len();
            let located = located.clone();
            place.stacks.push(LookedStack { located, artifact, template, template_bytes });
        }
        Ok(places.into_values().collect())
    }

    /// The place, as `aws://ACCOUNT/REGION`.
    pub fn place(&self) -> String {
        format!("aws://{}/{}", self.session.account(), self.session.region())
    }

    /// Calls that rather fail than seem to hang.
    fn call(&self) -> RawClient {
        self.session.call().with_patience(Patience::SHORT)
    }
}

/// How the stacks stand: what is deployed of each, in their order.
type Standing = Vec<Result<Option<Stack>, Error>>;

/// The checks of an account and region.
pub async fn environment(looked: &Looked, runtime: &Runtime) -> Vec<Check> {
    let cloudformation = looked.session.cloudformation().with_patience(Patience::SHORT);
    let stands = looked.stacks.iter().map(|stack| cloudformation.stack(&stack.located.name));
    let standing: Standing = join_all(stands).await;
    let today = runtime.clock.now();
    let groups: Vec<LocalBoxFuture<'_, Vec<Check>>> = vec![
        identity::clock(looked).boxed_local(),
        region::checks(looked).boxed_local(),
        bootstrap::checks(looked).boxed_local(),
        roles::checks(looked, &standing).boxed_local(),
        quotas::checks(looked, &standing).boxed_local(),
        versions::engines(looked, today).boxed_local(),
    ];
    join_all(groups).await.into_iter().flatten().collect()
}

/// The checks of an app that need no account: what its templates use that AWS no longer keeps up, by today's date.
pub use versions::runtimes;

/// The resources of a template by logical id, each with its type.
fn resources(template: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let section = template.get("Resources").and_then(Value::as_object);
    section
        .into_iter()
        .flatten()
        .filter_map(|(id, resource)| Some((id.as_str(), resource.get("Type")?.as_str()?, resource)))
}

#[cfg(test)]
mod tests;
