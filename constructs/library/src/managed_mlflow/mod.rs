//! Managed MLflow: a tracking server or a serverless app, the bucket of its artifacts, and who may use it.
//!
//! An app is the native type by default. The custom resource beside it exists for what the native type lacks: a KMS
//! key, the account's default and the default of Studio domains.

mod access;
mod actions;
mod app;
mod checks;
mod custom_app;
mod kind;
mod props;
mod service_role;
mod tracking_server;

use formwork::{Diagnostic, IntoValue, MlflowArn, Output, ResourceId, Scope, Severity, Value, pseudo, text};

use crate::iam::Role;
use crate::storage::DataBucket;

pub use access::Access;
pub use checks::is_mlflow_name;
pub(crate) use checks::is_name;
pub use kind::{MlflowType, has_known_endpoint};
pub use props::{ManagedMlflowProps, Provisioner, TrackingServerSize};

/// Managed MLflow, made here or taken in.
#[derive(Clone, Debug)]
pub struct ManagedMlflow {
    /// The ARN of the tracking server or app.
    pub arn: Value<MlflowArn>,
    /// The kind.
    pub mode: MlflowType,
    /// The name in SageMaker; of an app that was taken in, the id in its ARN.
    pub name: String,
    /// The URL of the MLflow API.
    pub endpoint: Value<String>,
    /// The bucket that holds the artifacts; nothing when that of an existing server or app was not named.
    pub artifact_bucket: Option<DataBucket>,
    /// Where in the bucket the artifacts lie; empty for the whole bucket.
    pub artifact_prefix: String,
    /// The role with which the service reaches the artifacts; nothing for an existing server or app.
    pub role: Option<Role>,
}

impl ManagedMlflow {
    /// Adds a tracking server or an app with its service role and, unless one is given, its artifact bucket, and shows
    /// what clients and operators need as outputs beside it. Directly in a stack, they are exported under the names
    /// `<stack>:MlflowResourceArn`, `<stack>:MlflowName` and so on.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str, props: ManagedMlflowProps) -> Self {
        let outside = scope;
        let scope = scope.child(id);
        let props = checks::checked(scope, props);
        let artifacts = props.artifact_bucket.clone().unwrap_or_else(|| {
            DataBucket::new(scope, "Artifacts", props.bucket.clone().or_key(props.artifact_key.as_ref()))
        });
        // What is kept is kept with all that it needs: a server whose role is gone can no longer reach its artifacts.
        let service = scope.child("Service");
        service.default_removal_policy(props.removal_policy);
        let role = service_role::ServiceRole::new(service, &props, &artifacts);
        let made = match props.mlflow_type {
            MlflowType::Serverless if checks::is_custom(&props) => {
                custom_app::define(scope, service, &props, &artifacts, &role)
            }
            // That there is no such type in the region has been reported with the ways out.
            _ if !checks::has_native_type(scope, &props) => Made::stand_in(props.mlflow_type),
            MlflowType::Tracking => tracking_server::define(service, &props, &artifacts, &role),
            MlflowType::Serverless => app::define(service, &props, &artifacts, &role),
        };
        let this = Self {
            arn: made.arn,
            mode: props.mlflow_type,
            name: props.name,
            endpoint: made.endpoint,
            artifact_bucket: Some(artifacts),
            artifact_prefix: props.artifact_prefix,
            role: Some(role.role),
        };
        this.show(outside);
        this
    }

    /// Takes in a tracking server or an app by its ARN, with the bucket of its artifacts when clients shall reach them.
    #[track_caller]
    pub fn existing(scope: Scope<'_>, id: &str, arn: &str, artifact_bucket: Option<DataBucket>) -> Self {
        let scope = scope.child(id);
        let mode = MlflowType::from_arn(arn);
        let parts: Vec<&str> = arn.split(':').collect();
        let name = parts.get(5).and_then(|resource| resource.split_once('/')).map(|(_, name)| name);
        if mode.is_none() || parts[0] != "arn" || parts.len() != 6 || name.is_none_or(str::is_empty) {
            let message = format!("`{arn}` is not the ARN of a tracking server or an MLflow app");
            let hint = "give an ARN such as arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/name, or \
                        one with mlflow-app/ and the app's id";
            scope.report(Diagnostic::error("mlflow-arn", message).with_hint(hint));
        }
        let mode = mode.unwrap_or_default();
        let region = parts.get(3).copied().unwrap_or_default();
        checks::check_endpoint(scope, region);
        Self {
            arn: MlflowArn::literal(arn),
            mode,
            name: name.unwrap_or_default().to_owned(),
            endpoint: mode.endpoint(region),
            artifact_bucket,
            artifact_prefix: String::new(),
            role: None,
        }
    }

    /// Lets a role use this server or app: its MLflow API by the level of access and, when wanted, the artifacts below
    /// its prefix. The policy is a resource of the caller's scope, so the role's own stack stays as it is.
    ///
    /// IAM knows one action for the whole API of an app: there, only the artifacts and the proxy tell a reader from an
    /// administrator.
    #[track_caller]
    pub fn grant_client(
        &self,
        scope: Scope<'_>,
        id: &str,
        role: &Role,
        access: Access,
        artifacts: bool,
    ) -> ResourceId {
        let mut statements = access.statements(self.mode, &self.arn);
        match &self.artifact_bucket {
            Some(bucket) if artifacts => {
                statements.extend(bucket.confined_statements(&self.artifact_prefix, access.to_artifacts()));
            }
            None if artifacts => {
                let message = format!(
                    "the artifact bucket of MLflow `{}` is not known, so {id} gives no access to it",
                    self.name
                );
                let hint = "name the bucket (artifactBucket), or leave the artifacts out of the grant";
                scope.report(Diagnostic::new(Severity::Warning, "mlflow-artifacts", message).with_hint(hint));
            }
            _ => {}
        }
        if self.mode == MlflowType::Serverless && access == Access::Reader {
            let message = format!(
                "IAM cannot keep {id} from writing: sagemaker:CallMlflowAppApi is the whole API of an MLflow app"
            );
            let hint = "use a tracking server, or let clients come through the proxy, which limits by route";
            scope.report(Diagnostic::new(Severity::Note, "mlflow-access", message).with_hint(hint));
        }
        role.grant(scope, id, statements)
    }

    /// The region of a server or app that was taken in, when it is known to be another than that of a place's stack. Its
    /// API is then reached by no endpoint of the VPC, see [`crate::networking::Networking::require_reach_in`].
    pub fn other_region(&self, scope: Scope<'_>) -> Option<String> {
        let arn = self.arn.as_literal()?;
        let region = arn.as_str()?.split(':').nth(3)?.to_owned();
        scope.environment().region.is_some_and(|own| own != region).then_some(region)
    }

    #[track_caller]
    fn show(&self, scope: Scope<'_>) {
        // Exports have to be unique in the account and region: below a stack, the ids of outputs are not.
        let is_stack = scope.stack().is_some_and(|stack| stack.path() == scope.path());
        let show = |id: &str, value: Value<String>, description: &str| {
            let mut output = Output::new(value).description(description);
            if is_stack {
                output = output.export_name(text!("{}:{}", pseudo::stack_name(), id));
            }
            output.define(scope, id);
        };
        show("MlflowResourceArn", self.arn.retype(), "The ARN of the tracking server or MLflow app");
        show("MlflowName", self.name.as_str().into_value(), "Its name in SageMaker");
        show(
            "Endpoint",
            self.endpoint.clone(),
            "The URL of the MLflow API, which takes requests with SigV4 signatures",
        );
        if let Some(bucket) = &self.artifact_bucket {
            show("ArtifactBucketName", bucket.name.retype(), "The bucket that holds the artifacts");
        }
        if let Some(role) = &self.role {
            show("RoleArn", role.arn.retype(), "The role with which the service reaches the artifacts");
        }
    }
}

/// What each way of making managed MLflow gives.
struct Made {
    arn: Value<MlflowArn>,
    endpoint: Value<String>,
}

impl Made {
    /// For what is not made because of a mistake.
    fn stand_in(mlflow_type: MlflowType) -> Self {
        let arn =
            MlflowArn::literal("arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/mlflow");
        Self { arn, endpoint: mlflow_type.endpoint(pseudo::region()) }
    }
}

#[cfg(test)]
mod tests;
