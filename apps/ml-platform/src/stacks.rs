//! The stacks of the platform, in the order in which each uses the one before.

mod metaflow;
mod server;
mod sign_in;

use std::path::PathBuf;

use formwork::{
    App, BucketName, CertificateArn, DomainId, HostedZoneId, KeyArn, Parameter, RemovalPolicy, Scope, Stack,
    StackProps, TopicArn, Value,
};
use formwork_library::iam::Role;
use formwork_library::managed_mlflow::{Access, ManagedMlflow, ManagedMlflowProps, MlflowType};
use formwork_library::networking::{ExistingNetwork, FlowLogs, Networking, NetworkingProps};
use formwork_library::proxy_app::{JwtIssuer, ProxyApp, ProxyAppProps, ProxyAuthentication, ProxyBinary};
use formwork_library::s3_only::{S3Only, S3OnlyProps};
use formwork_library::sagemaker_domain::{SageMakerDomain, SageMakerDomainProps, SpaceStorage};
use formwork_library::storage::{DataBucket, DataBucketProps};

use crate::profile::ProfileDefaults;
use crate::settings::{Component, MetaflowSettings, MlflowRemoval, PlatformSettings, ServerSettings};

/// The SHA-256 of the proxy's sources and of the versions that they are built with. `cargo xtask generate` writes it.
const PROXY_SOURCE_HASH: &str = include_str!("proxy_sources.sha256");

struct Platform<'app, 's> {
    app: &'app App,
    settings: &'s PlatformSettings,
    metaflow: &'s MetaflowSettings,
    server: &'s ServerSettings,
    defaults: ProfileDefaults,
}

/// Grows the stacks that the settings choose.
pub(crate) fn grow(
    app: &App,
    settings: &PlatformSettings,
    metaflow: &MetaflowSettings,
    server: &ServerSettings,
) {
    let platform = Platform { app, settings, metaflow, server, defaults: settings.profile.defaults() };
    // Nothing that is made stands in a network when the domain exists and nothing else does.
    let makes_domain = settings.has(Component::Mlflow) && settings.domain_id.is_none();
    let in_network = [Component::Proxy, Component::Metaflow, Component::MlflowServer]
        .into_iter()
        .any(|it| settings.has(it));
    let networking = (makes_domain || in_network).then(|| platform.networking());
    let around_domain = networking.as_ref().filter(|_| makes_domain);
    let domain = platform.domain(around_domain);
    let made = platform.mlflow(around_domain, domain.as_ref());
    if let Some(networking) = networking.as_ref().filter(|_| settings.has(Component::Proxy)) {
        platform.proxy(networking, made);
    }
    if let Some(networking) = networking.as_ref().filter(|_| settings.has(Component::Metaflow)) {
        platform.metaflow(networking);
    }
    if let Some(networking) = networking.as_ref().filter(|_| settings.has(Component::MlflowServer)) {
        platform.mlflow_server(networking);
    }
    if settings.has(Component::S3Only) {
        platform.s3_only();
    }
}

impl<'app> Platform<'app, '_> {
    #[track_caller]
    fn stack(&self, name: &str, description: &str) -> Scope<'app> {
        let mut tags = self.settings.tags.clone();
        tags.entry("project".to_owned()).or_insert_with(|| self.settings.prefix.clone());
        let protected = self.settings.termination_protection.unwrap_or(self.defaults.termination_protection);
        let stack = Stack::define(
            self.app.root(),
            &format!("{}-{name}", self.settings.prefix),
            StackProps {
                description: Some(description.to_owned()),
                termination_protection: protected,
                tags: tags.clone(),
                ..StackProps::default()
            },
        );
        for (key, value) in &tags {
            stack.tag(key, value);
        }
        stack
    }

    /// The key that the settings name, as a parameter of a stack: an ARN in a template's resources would tie them to the
    /// key's account.
    fn key(&self, stack: Scope<'_>) -> Option<Value<KeyArn>> {
        let arn = self.settings.kms_key_arn.as_deref()?;
        let parameter = Parameter::of_type("String")
            .default(arn)
            .allowed_pattern("^arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$")
            .constraint_description("the ARN of a KMS key; an alias is not taken")
            .description("The KMS key that encrypts what this stack stores");
        Some(parameter.define(stack, "KmsKeyArn"))
    }

    fn networking(&self) -> Networking {
        let settings = self.settings;
        if let Some(vpc_id) = &settings.vpc_id {
            let network = ExistingNetwork {
                vpc_id: vpc_id.clone(),
                subnet_ids: settings.subnet_ids.clone(),
                public_subnet_ids: settings.public_subnet_ids.clone(),
                vpc_cidr: settings.vpc_cidr.clone(),
            };
            return Networking::existing(self.app.root(), "ExistingNetwork", network);
        }
        let in_each_zone = if self.defaults.nat_gateway_in_each_zone { settings.zones } else { 1 };
        let stack = self.stack("networking", "The network of the ML platform: VPC, subnets, endpoints");
        let props = NetworkingProps {
            cidr: settings.cidr.clone(),
            zones: settings.zones,
            nat_gateways: settings.nat_gateways.unwrap_or(in_each_zone),
            endpoints: settings.endpoints.unwrap_or(self.defaults.endpoints),
            more_endpoints: settings.more_endpoints.clone(),
            without_endpoints: settings.without_endpoints.clone(),
            endpoint_zones: settings.endpoint_zones.clone(),
            flow_logs: settings.flow_logs,
            flow_logs_kept_for_days: self.log_retention_days(),
            log_key: if settings.flow_logs == FlowLogs::Off { None } else { self.key(stack) },
        };
        Networking::new(stack, "Networking", props)
    }

    /// What the settings say about every bucket that is made.
    fn buckets(&self) -> DataBucketProps {
        let settings = self.settings;
        DataBucketProps {
            abort_incomplete_uploads_after_days: settings.abort_uploads_days,
            noncurrent_versions_kept_for_days: settings.noncurrent_version_days,
            intelligent_tiering_after_days: settings.intelligent_tiering_days,
            access_log_bucket: settings.access_log_bucket.clone().map(BucketName::literal),
            ..DataBucketProps::default()
        }
    }

    fn log_retention_days(&self) -> i64 {
        self.settings.log_retention_days.unwrap_or(self.defaults.log_retention_days)
    }

    fn deletion_protection(&self) -> bool {
        self.settings.deletion_protection.unwrap_or(self.defaults.deletion_protection)
    }

    /// The domain that is made in a network, or the one that the settings name.
    fn domain(&self, networking: Option<&Networking>) -> Option<SageMakerDomain> {
        let settings = self.settings;
        if !settings.has(Component::Mlflow) {
            return None;
        }
        if let Some(id) = &settings.domain_id {
            let role = settings.domain_role.as_deref();
            return Some(SageMakerDomain::existing(self.app.root(), "ExistingDomain", id, role));
        }
        let networking = networking?;
        let stack = self.stack("sagemaker-domain", "The SageMaker Studio domain of the ML platform");
        let props = SageMakerDomainProps {
            auth_mode: settings.auth_mode,
            user_profiles: settings.user_profiles.clone(),
            home_file_system: settings.home_file_system,
            execution_policy: settings.execution_policy,
            idle_shutdown_minutes: (settings.idle_shutdown_minutes != 0)
                .then_some(settings.idle_shutdown_minutes),
            space_storage: SpaceStorage {
                default_gib: settings.space_storage_gib,
                maximum_gib: settings.max_space_storage_gib,
            },
            key: self.key(stack),
            bucket: self.buckets(),
            ..SageMakerDomainProps::new(networking, format!("{}-studio", settings.prefix))
        };
        Some(SageMakerDomain::new(stack, "Domain", props))
    }

    /// The bucket that the settings name for artifacts, with the key as a stack knows it.
    fn existing_bucket(&self, key: Option<Value<KeyArn>>) -> Option<DataBucket> {
        let name = self.settings.artifact_bucket.clone().map(BucketName::literal)?;
        Some(DataBucket::existing(&name, key))
    }

    /// The tracking server or app that the settings name, as one stack knows it: the key is a parameter of that stack.
    fn existing_mlflow(
        &self,
        stack: Scope<'_>,
        key: impl FnOnce() -> Option<Value<KeyArn>>,
    ) -> Option<ManagedMlflow> {
        let arn = self.settings.mlflow_arn.as_deref()?;
        let bucket = self.settings.artifact_bucket.as_ref().and_then(|_| self.existing_bucket(key()));
        let mut mlflow = ManagedMlflow::existing(stack, "ExistingMlflow", arn, bucket);
        mlflow.artifact_prefix = self.settings.artifact_prefix.clone().unwrap_or_default();
        Some(mlflow)
    }

    /// Lets the users of Studio into MLflow. In the stack of MLflow, so that the shared stack of the domain does not
    /// depend on the kind of MLflow.
    fn let_studio_in(
        &self,
        stack: Scope<'_>,
        networking: Option<&Networking>,
        mlflow: &ManagedMlflow,
        role: &Role,
    ) {
        mlflow.grant_client(stack, "StudioClient", role, Access::Writer, true);
        // The network of a domain that exists is not known here.
        let Some(networking) = networking else { return };
        let data_plane = [mlflow.mode.data_plane()];
        match mlflow.other_region(stack) {
            Some(region) => networking.require_reach_in(stack, "SageMaker Studio", &data_plane, &region),
            None => networking.require_reach(stack, "SageMaker Studio", &data_plane),
        }
    }

    /// A bucket and the key that reaches it, for an app outside of AWS.
    fn s3_only(&self) {
        let stack =
            self.stack("s3-only", "A bucket for an app outside of AWS, and the one key that reaches it");
        let props = S3OnlyProps {
            prefix: self.settings.s3_only_prefix.clone(),
            key_serial: self.settings.s3_only_key_serial,
            bucket: self.buckets(),
            key: self.key(stack),
        };
        S3Only::new(stack, "Files", props);
    }

    /// The tracking server or app that is made, if one is. One that exists is only opened to Studio.
    fn mlflow(
        &self,
        networking: Option<&Networking>,
        domain: Option<&SageMakerDomain>,
    ) -> Option<ManagedMlflow> {
        let settings = self.settings;
        if !settings.has(Component::Mlflow) {
            return None;
        }
        let kind = settings.kind();
        let stack_name = format!("mlflow-{}", kind.as_str());
        let studio_role = domain.and_then(|domain| domain.execution_role.as_ref());
        if settings.mlflow_arn.is_some() {
            let role = studio_role?;
            let stack =
                self.stack(&stack_name, "The access of SageMaker Studio to managed MLflow that exists");
            let mlflow = self.existing_mlflow(stack, || self.key(stack))?;
            self.let_studio_in(stack, networking, &mlflow, role);
            return None;
        }
        let stack = self.stack(&stack_name, "Managed MLflow, its artifact bucket and its role");
        let key = self.key(stack);
        let name = settings.mlflow_name.clone();
        let is_app = kind == MlflowType::Serverless;
        let mut props = ManagedMlflowProps {
            size: settings.mlflow_size.unwrap_or(self.defaults.tracking_server_size),
            mlflow_version: settings.mlflow_version.clone(),
            automatic_model_registration: settings.auto_model_registration,
            maintenance_window: settings.maintenance_window.clone(),
            provisioner: settings.provisioner,
            app_key: if is_app { key.clone() } else { None },
            account_default: settings.account_default,
            default_domains: settings.default_domain_ids.iter().map(DomainId::literal).collect(),
            artifact_bucket: self.existing_bucket(key.clone()),
            bucket: self.buckets(),
            // A bucket that exists knows its key.
            artifact_key: key.clone().filter(|_| settings.artifact_bucket.is_none()),
            log_retention_days: self.log_retention_days(),
            log_key: key,
            removal_policy: match settings.mlflow_removal {
                MlflowRemoval::Keep => RemovalPolicy::RetainExceptOnCreate,
                MlflowRemoval::Delete => RemovalPolicy::Delete,
            },
            ..ManagedMlflowProps::new(
                kind,
                name.unwrap_or_else(|| format!("{}-{}", settings.prefix, kind.as_str())),
            )
        };
        if let Some(prefix) = &settings.artifact_prefix {
            props.artifact_prefix.clone_from(prefix);
        }
        let mlflow = ManagedMlflow::new(stack, "Mlflow", props);
        if let Some(role) = studio_role {
            self.let_studio_in(stack, networking, &mlflow, role);
        }
        Some(mlflow)
    }

    /// The proxy in front of what was made, or of what the settings name.
    fn proxy(&self, networking: &Networking, made: Option<ManagedMlflow>) {
        let settings = self.settings;
        if made.is_none() && settings.mlflow_arn.is_none() {
            // That there is nothing to stand in front of has been reported; an empty stack would be a second report.
            return;
        }
        let stack = self.stack(
            &format!("proxyapp-{}", settings.kind().as_str()),
            "The proxy that signs the requests of plain MLflow clients",
        );
        let key = self.key(stack);
        let Some(mlflow) = made.or_else(|| self.existing_mlflow(stack, || key.clone())) else { return };
        let jwt = settings.jwt_issuer.clone().zip(settings.jwt_audience.clone());
        let binary = match &settings.proxy_binary {
            Some(path) => ProxyBinary::File(PathBuf::from(path)),
            None => ProxyBinary::BuiltAtPublish { source_hash: PROXY_SOURCE_HASH.trim().to_owned() },
        };
        let props = ProxyAppProps {
            compute: settings.proxy_compute,
            architecture: settings.arch,
            instance_type: settings.instance_type.clone(),
            min_instances: settings.min_instances.unwrap_or(self.defaults.min_instances),
            max_instances: settings.max_instances.unwrap_or(self.defaults.max_instances),
            exposure: settings.proxy_exposure,
            authentication: settings.proxy_auth,
            jwt: jwt.map(|(issuer, audience)| JwtIssuer {
                issuer,
                audience,
                roles_claim: settings.jwt_roles_claim.clone(),
                admin_groups: settings.jwt_admin_groups.clone(),
                writer_groups: settings.jwt_writer_groups.clone(),
                reader_groups: settings.jwt_reader_groups.clone(),
            }),
            sign_in: self.sign_in().filter(|_| settings.proxy_auth == ProxyAuthentication::Jwt),
            access: settings.proxy_access,
            certificate: settings.certificate_arn.clone().map(CertificateArn::literal),
            domain_name: settings.domain_name.clone(),
            hosted_zone: settings.hosted_zone_id.clone().map(HostedZoneId::literal),
            allow_cidrs: settings.allow_cidrs.clone(),
            allow_insecure: settings.allow_insecure,
            firewall: settings.waf,
            log_retention_days: self.log_retention_days(),
            alarm_topic: settings.alarm_topic_arn.clone().map(TopicArn::literal),
            deletion_protection: self.deletion_protection(),
            key,
            ..ProxyAppProps::new(networking, &mlflow, binary)
        };
        ProxyApp::new(stack, "Proxy", props);
    }
}
