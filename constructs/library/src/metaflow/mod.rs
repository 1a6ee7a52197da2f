//! Metaflow on AWS: where flows keep their data, the service that knows of their runs, and what runs their steps.
//!
//! Every part can be there or not, as a team needs it; what cannot work without another is a mistake at synth. Each part
//! tells its own settings of Metaflow's client, and all of them together are the client's configuration.

mod api;
mod compute;
mod datastore;
mod metadata;
mod notebook;
mod outputs;
mod step_functions;
#[cfg(test)]
mod testing;
mod ui;
mod user_role;
mod watching;

use formwork::{Diagnostic, KeyArn, Scope, TopicArn, Value};

use crate::networking::Networking;

pub use api::{Api, ServiceApi};
pub use compute::{Compute, ComputeEnvironment, ComputeKind, ComputeProps, Queue};
pub use datastore::{Datastore, DatastoreProps};
pub use metadata::{Metadata, MetadataProps, SERVICE_IMAGE};
pub use notebook::{Notebook, NotebookProps};
pub use outputs::Told;
pub use step_functions::StepFunctions;
pub use ui::{Ui, UiProps, UiSignIn};
pub use user_role::{UserRole, UserRoleProps};

/// What can be said about Metaflow.
#[derive(Clone, Debug)]
pub struct MetaflowProps<'a> {
    /// Where it stands.
    pub networking: &'a Networking,
    /// The bucket in which flows keep their data.
    pub datastore: Option<DatastoreProps>,
    /// The service that knows of flows, runs and tasks, with its database.
    pub metadata: Option<MetadataProps>,
    /// How the service is reached from outside of the network.
    pub api: Api,
    /// What runs the steps of flows: AWS Batch. It needs the datastore.
    pub compute: Option<ComputeProps>,
    /// Whether flows can be put on AWS Step Functions: its roles, its table and its log group.
    pub step_functions: bool,
    /// The pages that show flows and runs. They need the service and the datastore.
    pub ui: Option<UiProps>,
    /// A SageMaker notebook instance with Metaflow's client configured.
    pub notebook: Option<NotebookProps>,
    /// A role for those who run flows.
    pub user_role: Option<UserRoleProps>,
    /// The key that encrypts what is stored; without one, the keys that AWS manages.
    pub key: Option<Value<KeyArn>>,
    /// The days that logs are kept.
    pub log_retention_days: i64,
    /// The topic that alarms tell; without one they are seen in CloudWatch only.
    pub alarm_topic: Option<Value<TopicArn>>,
}

impl<'a> MetaflowProps<'a> {
    /// The datastore and the service, and nothing that runs steps: what a team needs to share runs.
    pub fn new(networking: &'a Networking) -> Self {
        Self {
            networking,
            datastore: Some(DatastoreProps::default()),
            metadata: Some(MetadataProps::default()),
            api: Api::default(),
            compute: None,
            step_functions: false,
            ui: None,
            notebook: None,
            user_role: None,
            key: None,
            log_retention_days: 30,
            alarm_topic: None,
        }
    }

    /// Reports each part that was chosen without another that it cannot work without.
    fn check(&self, scope: Scope<'_>) {
        let refuse = |message: &str, hint: &str| {
            scope.report(Diagnostic::error("metaflow-parts", message).with_hint(hint));
        };
        let is_something = self.datastore.is_some()
            || self.metadata.is_some()
            || self.compute.is_some()
            || self.step_functions
            || self.ui.is_some()
            || self.notebook.is_some()
            || self.user_role.is_some();
        if !is_something {
            refuse(
                "no part of Metaflow is chosen",
                "choose the datastore, the metadata service or both to begin with",
            );
        }
        if self.compute.is_some() && self.datastore.is_none() {
            refuse(
                "AWS Batch runs steps of flows, but there is no datastore from which they get their code and data",
                "choose the datastore too, or leave compute out",
            );
        }
        if self.ui.is_some() && (self.metadata.is_none() || self.datastore.is_none()) {
            refuse(
                "the user interface shows what the metadata service and the datastore know, and one of them is not chosen",
                "choose both, or leave the user interface out",
            );
        }
        if self.api != Api::None && self.metadata.is_none() {
            refuse(
                "an API leads to the metadata service, but the service is not chosen",
                "choose the metadata service too, or set the API to none",
            );
        }
    }
}

/// Metaflow.
#[derive(Clone, Debug)]
pub struct Metaflow {
    /// Where flows keep their data.
    pub datastore: Option<Datastore>,
    /// The service that knows of runs.
    pub metadata: Option<Metadata>,
    /// How the service is reached from outside.
    pub api: Option<ServiceApi>,
    /// What runs steps.
    pub compute: Option<Compute>,
    /// What Step Functions needs.
    pub step_functions: Option<StepFunctions>,
    /// The pages that show runs.
    pub ui: Option<Ui>,
    /// The role of those who run flows.
    pub user_role: Option<UserRole>,
    /// The notebook instance.
    pub notebook: Option<Notebook>,
}

impl Metaflow {
    /// Adds Metaflow, and tells the settings of its client as outputs beside it.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str, props: &MetaflowProps<'_>) -> Self {
        let outside = scope;
        let scope = scope.child(id);
        props.check(scope);
        let datastore = props
            .datastore
            .as_ref()
            .map(|datastore| Datastore::new(scope.child("Datastore"), props, datastore));
        let metadata =
            props.metadata.as_ref().map(|metadata| Metadata::new(scope.child("Metadata"), props, metadata));
        let api = metadata.as_ref().and_then(|metadata| ServiceApi::new(scope.child("Api"), props, metadata));
        let compute = props.compute.as_ref().zip(datastore.as_ref()).map(|(compute, datastore)| {
            Compute::new(scope.child("Compute"), props, compute, datastore, metadata.as_ref())
        });
        let step_functions = props.step_functions.then(|| {
            StepFunctions::new(scope.child("StepFunctions"), props, datastore.as_ref(), compute.as_ref())
        });
        let ui =
            props.ui.as_ref().zip(metadata.as_ref()).zip(datastore.as_ref()).map(
                |((ui, metadata), datastore)| Ui::new(scope.child("Ui"), props, ui, metadata, datastore),
            );
        let mut this =
            Self { datastore, metadata, api, compute, step_functions, ui, user_role: None, notebook: None };
        this.user_role = props
            .user_role
            .as_ref()
            .map(|user_role| UserRole::new(scope.child("UserRole"), props, user_role, &this));
        this.notebook = props
            .notebook
            .as_ref()
            .map(|notebook| Notebook::new(scope.child("Notebook"), props, notebook, &this));
        outputs::define(outside, &this.told());
        this
    }

    /// What the parts tell, in the order in which the client's configuration has it.
    pub fn told(&self) -> Vec<Told> {
        let parts = [
            self.datastore.as_ref().map(Datastore::told),
            self.metadata.as_ref().map(Metadata::told),
            self.metadata.as_ref().map(|metadata| api::told(metadata, self.api.as_ref())),
            self.compute.as_ref().map(Compute::told),
            self.step_functions.as_ref().map(StepFunctions::told),
            self.ui.as_ref().map(Ui::told),
            self.user_role.as_ref().map(UserRole::told),
            self.notebook.as_ref().map(Notebook::told),
        ];
        parts.into_iter().flatten().flatten().collect()
    }
}
