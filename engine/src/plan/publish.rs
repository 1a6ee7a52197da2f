//! What a plan needs of publishing: assets where templates look for them, and templates that are too large for a call.

use std::collections::BTreeMap;

use formwork_assembly::{CloudAssembly, StackArtifact};

use super::input::sha256;
use super::model::{PlannedAsset, StackPlan};
use crate::assets::{PublishOptions, Publisher};
use crate::aws::Session;
use crate::error::EngineError;
use crate::journal::Journal;
use crate::runtime::Runtime;

/// The id under which a template in S3 stands among a stack's assets, so that it is checked like them.
pub(crate) const TEMPLATE: &str = "template";

/// Publishes for one plan.
pub(crate) struct Publishing(Publisher);

/// What was published for a stack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// The files.
    pub(crate) assets: Vec<PlannedAsset>,
    /// The values of parameters that follow from them.
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Publishing {
    pub(crate) fn new(options: PublishOptions, runtime: &Runtime) -> Self {
        Self(Publisher::new(options, runtime))
    }

    /// Brings the assets of a stack where they have to be.
    pub(crate) async fn assets(
        &self,
        stack: &StackArtifact,
        assembly: &CloudAssembly,
        session: &Session,
        journal: &Journal,
    ) -> Result<Done, EngineError> {
        let published = self.0.publish(stack, assembly, session, journal).await?;
        Ok(Done { assets: published.planned(), parameters: published.parameters })
    }

    /// Puts a template into S3 where it is too large to go with the call: its URL, and the object for the plan.
    pub(crate) async fn template(
        &self,
        stack: &StackArtifact,
        text: &str,
        assembly: &CloudAssembly,
        session: &Session,
        journal: &Journal,
    ) -> Result<Option<(String, PlannedAsset)>, EngineError> {
        let published = self.0.template(text, stack, assembly, session, journal, false).await?;
        Ok(published.map(|published| {
            let object = PlannedAsset {
                id: TEMPLATE.to_owned(),
                bucket: published.bucket,
                key: published.key,
                sha256: Some(sha256(text)),
                bytes: Some(text.len() as u64),
            };
            (published.url, object)
        }))
    }

    /// Makes sure that what the plan found in buckets still lies there.
    pub(crate) async fn verify(&self, stack: &StackPlan, session: &Session) -> Result<(), EngineError> {
        self.0.verify(&stack.assets, session).await
    }
}
