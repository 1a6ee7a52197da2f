//! One account and region: who calls, whether the clock is right, and what the region, the bootstrap stack and the quotas
//! allow.
//!
//! The questions do not wait for each other. What the caller may not ask is said to be unknown.

mod identity;

use futures_util::future::BoxFuture;
use futures_util::future::join_all;
use serde_json::Value;

use super::Check;
use crate::aws::Session;
use crate::plan::Located;
use crate::runtime::Runtime;

pub use identity::identity;

/// What is looked at in one account and region.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The caller there.
    pub session: Session,
    /// The stacks of the app that go there, with their templates.
    pub stacks: Vec<(Located, Value)>,
    /// The qualifier of the bootstrap stack.
    pub qualifier: String,
    /// The bucket for assets, where one is given instead of a bootstrap stack's.
    pub bucket: Option<String>,
}

impl Looked {
    /// The place, as `aws://ACCOUNT/REGION`.
    pub fn place(&self) -> String {
        format!("aws://{}/{}", self.session.account(), self.session.region())
    }
}

/// The checks of an account and region.
pub async fn environment(looked: &Looked, runtime: &Runtime) -> Vec<Check> {
    let groups: Vec<BoxFuture<'_, Vec<Check>>> = vec![Box::pin(identity::clock(looked))];
    let _ = runtime;
    join_all(groups).await.into_iter().flatten().collect()
}
