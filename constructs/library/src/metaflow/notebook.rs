//! A SageMaker notebook instance with Metaflow's client configured.
//!
//! Nothing connects to it: it is opened by a link that SageMaker signs. It stands in a private subnet and has the rights
//! of those who run flows. What it starts with is written at each start, so that a change of the stack reaches it.

use formwork::{RemovalPolicy, Resource, Scope, Value, base64, pseudo, text};
use formwork_resources::sagemaker::{
    CfnNotebookInstance, CfnNotebookInstanceLifecycleConfig, InstanceMetadataServiceConfiguration,
    NotebookInstanceDirectInternetAccess, NotebookInstanceLifecycleHook, NotebookInstanceRootAccess,
};

use super::{Metaflow, MetaflowProps, Told, outputs, user_role};
use crate::iam::{Role, RoleProps, ServicePrincipal, Statement};
use crate::networking::{allow_https_out, security_group};

/// The newest system of notebook instances.
///
/// Source: the pattern of `PlatformIdentifier` in SageMaker's API model, and Amazon SageMaker AI Developer Guide,
/// "Amazon Linux 2023 notebook instances", read in November 2026.
const PLATFORM: &str = "notebook-al2023-v1";

/// What can be said about the notebook instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotebookProps {
    /// The type of the instance, such as `ml.t3.medium`.
    pub instance_type: String,
    /// The size of its disk in GiB, 5 or more.
    pub volume_gib: u32,
}

impl Default for NotebookProps {
    fn default() -> Self {
        Self { instance_type: "ml.t3.medium".to_owned(), volume_gib: 20 }
    }
}

/// The notebook instance.
#[derive(Clone, Debug)]
pub struct Notebook {
    /// The role that notebooks act with.
    pub role: Role,
    /// The name of the instance.
    pub name: Value<String>,
}

impl Notebook {
    /// `made` has all parts but the notebook.
    #[track_caller]
    pub(super) fn new(
        scope: Scope<'_>,
        props: &MetaflowProps<'_>,
        own: &NotebookProps,
        made: &Metaflow,
    ) -> Self {
        let role = Role::for_service(
            scope,
            "Role",
            ServicePrincipal::SageMaker,
            RoleProps { description: "The notebook instance of Metaflow".to_owned(), ..RoleProps::default() },
        );
        let mut statements = user_role::statements(made);
        statements.push(logs());
        let policy = role.grant(scope, "Policy", statements);
        let group = security_group(scope, "SecurityGroup", &props.networking.vpc_id, "The notebook instance");
        let reach = scope.child("Reach");
        allow_https_out(reach, "Https", &group, "HTTPS to AWS and to registries of packages");
        props.networking.allow_endpoints(reach, "Endpoints", &group);
        if let Some(metadata) = &made.metadata {
            metadata.allow_from(reach, "Metadata", &group);
        }
        let start = NotebookInstanceLifecycleHook::new().content(base64(on_start(made)));
        let lifecycle =
            CfnNotebookInstanceLifecycleConfig::new().on_start([start]).define(scope, "Lifecycle");
        let mut notebook = CfnNotebookInstance::new(own.instance_type.as_str(), &role.arn)
            .platform_identifier(PLATFORM)
            .direct_internet_access(NotebookInstanceDirectInternetAccess::DISABLED)
            .root_access(NotebookInstanceRootAccess::DISABLED)
            .instance_metadata_service_configuration(InstanceMetadataServiceConfiguration::new("2"))
            .security_group_ids([&group])
            .lifecycle_config_name(lifecycle.notebook_instance_lifecycle_config_name())
            .volume_size_in_gb(i64::from(own.volume_gib))
            .depends_on(policy)
            .depends_on(reach)
            // Notebooks lie on its disk.
            .removal_policy(RemovalPolicy::RetainExceptOnCreate);
        if let Some(subnet) = props.networking.private_subnets.first() {
            notebook = notebook.subnet_id(subnet);
        }
        if let Some(key) = &props.key {
            notebook = notebook.kms_key_id(key);
        }
        let notebook = notebook.define(scope, "Instance");
        Self { role, name: notebook.notebook_instance_name() }
    }

    pub(super) fn told(&self) -> Vec<Told> {
        let url = text!(
            "https://{}.console.aws.amazon.com/sagemaker/home?region={}#/notebook-instances/openNotebook/{}?view=lab",
            pseudo::region(),
            pseudo::region(),
            &self.name
        );
        vec![Told::output("SageMakerNoteBookURL", "Opens the notebook instance", url)]
    }
}

/// What an instance does as root at each start: the client's configuration for the user of the notebooks.
///
/// It has no secret in it: inside of the network the service takes no key.
fn on_start(made: &Metaflow) -> Value<String> {
    let told: Vec<Told> = made
        .told()
        .into_iter()
        .filter(|told| told.setting != Some("METAFLOW_SERVICE_URL"))
        .map(|told| match told.setting {
            Some("METAFLOW_SERVICE_INTERNAL_URL") => Told { setting: Some("METAFLOW_SERVICE_URL"), ..told },
            _ => told,
        })
        .collect();
    text!(
        "#!/bin/bash
set -euo pipefail
home=/home/ec2-user
install -d -o ec2-user -g ec2-user -m 700 $home/.metaflowconfig
cat > $home/.metaflowconfig/config.json <<'END_OF_CONFIGURATION'
{}
END_OF_CONFIGURATION
chown ec2-user:ec2-user $home/.metaflowconfig/config.json
chmod 600 $home/.metaflowconfig/config.json
",
        outputs::profile(&told)
    )
}

/// What SageMaker writes of the instance.
fn logs() -> Statement {
    let group = text!(
        "arn:{}:logs:{}:{}:log-group:/aws/sagemaker/NotebookInstances",
        pseudo::partition(),
        pseudo::region(),
        pseudo::account_id()
    );
    Statement::allow([
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    ])
    .sid("WriteLogs")
    .on(&group)
    .on(text!("{}:*", &group))
}
