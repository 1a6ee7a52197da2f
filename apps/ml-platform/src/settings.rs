//! The settings of the platform: every context key, with what it means and what it is without being set.
//!
//! A key that is open (`null`) takes the value of the chosen profile; see [`crate::profile`].

mod metaflow;
mod server;

use std::collections::BTreeMap;

use formwork_library::load_balancer::Exposure;
use formwork_library::managed_mlflow::{Access, MlflowType, Provisioner, TrackingServerSize};
use formwork_library::networking::{AwsService, EndpointPreset, FlowLogs};
use formwork_library::proxy_app::{Architecture, ProxyAuthentication, ProxyCompute};
use formwork_library::sagemaker_domain::{AuthMode, ExecutionPolicy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::Profile;

pub use metaflow::{MetaflowApi, MetaflowPart, MetaflowSettings};
pub use server::ServerSettings;

/// A part of the platform that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// Managed MLflow, with the network and the Studio domain that it shares.
    Mlflow,
    /// The proxy in front of MLflow.
    Proxy,
    /// Metaflow, with the network that it shares.
    Metaflow,
    /// A bucket and a key that reaches it, for an app outside of AWS.
    S3Only,
    /// A self-hosted MLflow server, with the network that it shares.
    MlflowServer,
}

/// What happens to managed MLflow when it leaves its stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MlflowRemoval {
    /// It stays, with its role and all experiments; a tracking server goes on to cost money until it is deleted by hand.
    #[default]
    Keep,
    /// It is deleted, and all experiments, runs and registered models with it. The bucket of the artifacts stays.
    Delete,
}

/// The context keys of the platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PlatformSettings {
    /// What the name of each stack begins with: a letter, then letters, digits and hyphens, 56 characters at most, since
    /// `{prefix}-studio` names the Studio domain. A change makes everything anew beside what is there.
    pub prefix: String,
    /// Tags of every resource that takes tags, beside `project`, which is the prefix: `tags=team=data,cost-center=42`.
    pub tags: BTreeMap<String, String>,
    /// The kind of managed MLflow: a tracking server, or a serverless app. Both can stand side by side.
    pub mlflow_type: MlflowType,
    /// The parts to make: mlflow, proxy, metaflow, mlflow-server, s3-only. With mlflowArn the proxy can stand alone.
    pub components: Vec<Component>,
    /// The table of defaults for what is open: dev is small and cheap, production survives the loss of a zone.
    pub profile: Profile,
    /// What makes a serverless app: the native type, the custom resource, or whichever its properties need.
    pub provisioner: Provisioner,

    /// The address block of the VPC that is made.
    pub cidr: String,
    /// The availability zones that the VPC spans.
    pub zones: u8,
    /// The NAT gateways; 0 leaves the private subnets without a way out but endpoints. Open: one in dev, one a zone in production.
    pub nat_gateways: Option<u8>,
    /// The interface endpoints of the VPC. Open: minimal in dev, studio in production.
    pub endpoints: Option<EndpointPreset>,
    /// Services that get an interface endpoint beyond those of `endpoints`.
    pub more_endpoints: Vec<AwsService>,
    /// Services of `endpoints` that get none.
    pub without_endpoints: Vec<AwsService>,
    /// The zones, counted from 1, in which interface endpoints stand. Empty: all.
    pub endpoint_zones: Vec<u8>,
    /// The traffic that flow logs keep.
    pub flow_logs: FlowLogs,
    /// A VPC that exists, in place of one that is made.
    pub vpc_id: Option<String>,
    /// The address block of the existing VPC, for rules that let its members in.
    pub vpc_cidr: Option<String>,
    /// The subnets of the existing VPC in which things run, in two zones or more.
    pub subnet_ids: Vec<String>,
    /// The subnets of the existing VPC with a route to the internet, for a public proxy.
    pub public_subnet_ids: Vec<String>,

    /// A Studio domain that exists, in place of one that is made.
    pub domain_id: Option<String>,
    /// The execution role of the existing Studio domain, by name or ARN, which is let into MLflow.
    pub domain_role: Option<String>,
    /// How users of Studio sign in: by IAM or by IAM Identity Center (sso).
    pub auth_mode: AuthMode,
    /// The user profiles of the Studio domain. Open: default-user with IAM, none with IAM Identity Center.
    pub user_profiles: Option<Vec<String>>,
    /// What users of Studio may do: what the platform needs, or also AWS's managed policy.
    pub execution_policy: ExecutionPolicy,
    /// The minutes without work after which a Studio application stops, 60 or more; 0 lets it run.
    pub idle_shutdown_minutes: i64,
    /// The size in GiB that the storage of a Studio space has at first.
    pub space_storage_gib: i64,
    /// The size in GiB that the storage of a Studio space may grow to.
    pub max_space_storage_gib: i64,
    /// Whether Studio gets a home file system for all users, which outlives the domain and has to be removed by hand.
    pub home_file_system: bool,

    /// The ARN of a tracking server or MLflow app that exists, in place of one that is made. Studio's role is let in.
    pub mlflow_arn: Option<String>,
    /// The name of the tracking server or app: letters, digits and hyphens between them, 256 characters at most. Open: the
    /// prefix and the kind.
    pub mlflow_name: Option<String>,
    /// The size of a tracking server; an app has none. Open: small in dev, medium in production.
    pub mlflow_size: Option<TrackingServerSize>,
    /// The version of MLflow on a tracking server. Open: the newest that SageMaker has when it is made.
    pub mlflow_version: Option<String>,
    /// Whether models registered in MLflow also appear in the SageMaker Model Registry.
    pub auto_model_registration: bool,
    /// When the weekly maintenance starts, in UTC, such as Tue:03:30.
    pub maintenance_window: String,
    /// Whether a serverless app is the account's default; set, it needs the custom resource.
    pub account_default: Option<bool>,
    /// The Studio domains whose default a serverless app is; set, it needs the custom resource.
    pub default_domain_ids: Vec<String>,
    /// What happens to the server or app that is made when it leaves its stack: experiments live in it and nowhere else.
    pub mlflow_removal: MlflowRemoval,
    /// A bucket that exists for the artifacts, in place of one that is made. With mlflowArn: the bucket of its artifacts.
    pub artifact_bucket: Option<String>,
    /// Where in the bucket the artifacts lie, without slashes at the ends. Open: mlflow; the whole bucket with mlflowArn.
    pub artifact_prefix: Option<String>,
    /// The ARN of a KMS key, not of an alias, that encrypts what is stored and logged; its policy has to let the
    /// services use it. With artifactBucket, also the key of that bucket. A serverless app with a key needs the custom resource.
    pub kms_key_arn: Option<String>,
    /// The days after which the buckets that are made throw away uploads that were never finished, 1 or more.
    pub abort_uploads_days: i64,
    /// The days for which the buckets that are made keep what was replaced or deleted, 1 or more.
    pub noncurrent_version_days: i64,
    /// The days after which objects move to the storage class that watches how often they are read. Open: they stay.
    pub intelligent_tiering_days: Option<i64>,
    /// A bucket that exists, in the same region, for the access logs of the buckets that are made. Open: no such logs.
    pub access_log_bucket: Option<String>,

    /// What the proxy runs on: an Auto Scaling group, or a single instance.
    pub proxy_compute: ProxyCompute,
    /// Who can reach the proxy: those inside the VPC, or the internet.
    pub proxy_exposure: Exposure,
    /// How clients show who they are.
    pub proxy_auth: ProxyAuthentication,
    /// What clients of the proxy may do.
    pub proxy_access: Access,
    /// The issuer of the tokens, an https URL, for proxyAuth=jwt.
    pub jwt_issuer: Option<String>,
    /// The audience that the tokens must be for, for proxyAuth=jwt.
    pub jwt_audience: Option<String>,
    /// The claim of the tokens that names a user's groups, for proxyAuth=jwt. Open: groups.
    pub jwt_roles_claim: Option<String>,
    /// The groups whose members are admins, for proxyAuth=jwt. Without any group at all, everybody is a reader.
    pub jwt_admin_groups: Vec<String>,
    /// The groups whose members are writers, for proxyAuth=jwt.
    pub jwt_writer_groups: Vec<String>,
    /// The groups whose members are readers, for proxyAuth=jwt.
    pub jwt_reader_groups: Vec<String>,
    /// The issuer with which people with browsers sign in at the load balancer, an https URL, for proxyAuth=jwt and
    /// serverAuth=oidc; needs HTTPS.
    pub oidc_issuer: Option<String>,
    /// The issuer's page on which people sign in, an https URL.
    pub oidc_authorization_endpoint: Option<String>,
    /// The issuer's URL that gives tokens.
    pub oidc_token_endpoint: Option<String>,
    /// The issuer's URL that says who somebody is.
    pub oidc_user_info_endpoint: Option<String>,
    /// The id of the client that is registered with the issuer; it has https://NAME/oauth2/idpresponse as redirect URI.
    pub oidc_client_id: Option<String>,
    /// The ARN of the secret of AWS Secrets Manager that has the client's secret.
    pub oidc_client_secret_arn: Option<String>,
    /// The field of that secret with the client's secret. Open: the secret is the text itself.
    pub oidc_client_secret_field: Option<String>,
    /// The ARN of a certificate that exists for the name of the proxy or the MLflow server, in the region of the stack.
    pub certificate_arn: Option<String>,
    /// The name that clients reach the proxy or the MLflow server by, such as mlflow.example.com.
    pub domain_name: Option<String>,
    /// The Route 53 hosted zone of the name; with it the certificate and the record are made.
    pub hosted_zone_id: Option<String>,
    /// The address blocks that may connect to the proxy and the MLflow server, each once. Empty: the VPC's own.
    pub allow_cidrs: Vec<String>,
    /// Takes a proxy or an MLflow server without authentication, and a public one without TLS, which has to name its
    /// clients by allowCidrs.
    pub allow_insecure: bool,
    /// Puts a web application firewall in front of the proxy and the MLflow server.
    pub waf: bool,
    /// The processors of the proxy's instances and of the MLflow server's tasks.
    pub arch: Architecture,
    /// The instance type of the proxy, with processors as in `arch`. Open: t3.small or t4g.small by the processors.
    pub instance_type: Option<String>,
    /// The least number of proxy instances, for proxyCompute=asg. Open: 1 in dev, 2 in production.
    pub min_instances: Option<u32>,
    /// The greatest number of proxy instances, for proxyCompute=asg. Open: 2 in dev, 4 in production.
    pub max_instances: Option<u32>,
    /// A prebuilt binary of the proxy; without one it is built when assets are published.
    pub proxy_binary: Option<String>,
    /// The prefix in the bucket of s3-only that its key reaches.
    pub s3_only_prefix: String,
    /// Which key of the user of s3-only is in use, from 1: a greater number makes another key, and the one before is of no
    /// use any more.
    pub s3_only_key_serial: u32,
    /// The ARN of an SNS topic, in the region of the stack, that alarms tell. Open: they tell nobody.
    pub alarm_topic_arn: Option<String>,

    /// The days that logs are kept: a number that CloudWatch Logs offers, such as 7, 30, 90 or 365. Open: 30 in dev, 365 in production.
    pub log_retention_days: Option<i64>,
    /// Whether CloudFormation refuses to delete the stacks. Open: no in dev, yes in production.
    pub termination_protection: Option<bool>,
    /// Whether load balancers and databases refuse to be deleted. Open: no in dev, yes in production.
    pub deletion_protection: Option<bool>,
}

impl Default for PlatformSettings {
    fn default() -> Self {
        Self {
            prefix: "sagemaker-infra".to_owned(),
            tags: BTreeMap::new(),
            mlflow_type: MlflowType::default(),
            components: vec![Component::Mlflow, Component::Proxy],
            profile: Profile::default(),
            provisioner: Provisioner::default(),
            cidr: "10.20.0.0/16".to_owned(),
            zones: 2,
            nat_gateways: None,
            endpoints: None,
            more_endpoints: Vec::new(),
            without_endpoints: Vec::new(),
            endpoint_zones: Vec::new(),
            flow_logs: FlowLogs::default(),
            vpc_id: None,
            vpc_cidr: None,
            subnet_ids: Vec::new(),
            public_subnet_ids: Vec::new(),
            domain_id: None,
            domain_role: None,
            auth_mode: AuthMode::default(),
            user_profiles: None,
            execution_policy: ExecutionPolicy::default(),
            idle_shutdown_minutes: 60,
            space_storage_gib: 5,
            max_space_storage_gib: 100,
            home_file_system: false,
            mlflow_arn: None,
            mlflow_name: None,
            mlflow_size: None,
            mlflow_version: None,
            auto_model_registration: true,
            maintenance_window: "Tue:03:30".to_owned(),
            account_default: None,
            default_domain_ids: Vec::new(),
            mlflow_removal: MlflowRemoval::default(),
            artifact_bucket: None,
            artifact_prefix: None,
            kms_key_arn: None,
            abort_uploads_days: 7,
            noncurrent_version_days: 90,
            intelligent_tiering_days: None,
            access_log_bucket: None,
            proxy_compute: ProxyCompute::default(),
            proxy_exposure: Exposure::default(),
            proxy_auth: ProxyAuthentication::default(),
            proxy_access: Access::default(),
            jwt_issuer: None,
            jwt_audience: None,
            jwt_roles_claim: None,
            jwt_admin_groups: Vec::new(),
            jwt_writer_groups: Vec::new(),
            jwt_reader_groups: Vec::new(),
            oidc_issuer: None,
            oidc_authorization_endpoint: None,
            oidc_token_endpoint: None,
            oidc_user_info_endpoint: None,
            oidc_client_id: None,
            oidc_client_secret_arn: None,
            oidc_client_secret_field: None,
            certificate_arn: None,
            domain_name: None,
            hosted_zone_id: None,
            allow_cidrs: Vec::new(),
            allow_insecure: false,
            waf: false,
            arch: Architecture::default(),
            instance_type: None,
            min_instances: None,
            max_instances: None,
            proxy_binary: None,
            s3_only_prefix: "mlflow".to_owned(),
            s3_only_key_serial: 1,
            alarm_topic_arn: None,
            log_retention_days: None,
            termination_protection: None,
            deletion_protection: None,
        }
    }
}

impl PlatformSettings {
    /// The kind of managed MLflow: what the ARN of an existing one says, else what was chosen.
    pub fn kind(&self) -> MlflowType {
        self.mlflow_arn.as_deref().and_then(MlflowType::from_arn).unwrap_or(self.mlflow_type)
    }

    /// Whether a part is chosen.
    pub fn has(&self, component: Component) -> bool {
        self.components.contains(&component)
    }
}
