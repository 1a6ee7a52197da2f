//! What a plan needs of publishing: assets where templates look for them, and templates that are too large for a call.

use std::collections::BTreeMap;

use formwork_assembly::{CloudAssembly, StackArtifact};

use super::model::{PlannedAsset, StackPlan};
use super::request::PlanRequest;
use crate::aws::Session;
use crate::error::EngineError;
use crate::journal::Journal;
use crate::runtime::Runtime;

/// Publishes for one plan.
pub(crate) struct Seam {}

/// What was published for a stack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// The files.
    pub(crate) assets: Vec<PlannedAsset>,
    /// The values of parameters that follow from them.
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Seam {
    pub(crate) fn new(_request: &PlanRequest, _runtime: &Runtime) -> Self {
        Self {}
    }

    /// For templates alone.
    pub(crate) fn of_run(_runtime: &Runtime) -> Self {
        Self {}
    }

    /// Brings the assets of a stack where they have to be.
    pub(crate) async fn assets(
        &self,
        _stack: &StackArtifact,
        _assembly: &CloudAssembly,
        _session: &Session,
        _journal: &Journal,
    ) -> Result<Done, EngineError> {
        Ok(Done::default())
    }

    /// The URL of a template in S3; nothing when it goes with the call.
    pub(crate) async fn template(
        &self,
        _stack: &StackArtifact,
        _text: &str,
        _assembly: &CloudAssembly,
        _session: &Session,
        _journal: &Journal,
    ) -> Result<Option<String>, EngineError> {
        Ok(None)
    }

    /// Makes sure that what the plan found in buckets still lies there.
    pub(crate) async fn verify(&self, _stack: &StackPlan, _session: &Session) -> Result<(), EngineError> {
        Ok(())
    }
}
