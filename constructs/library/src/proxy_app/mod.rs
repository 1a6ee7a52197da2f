//! The MLflow proxy: plain MLflow clients in, signed SageMaker requests out.
//!
//! It stands behind a load balancer, internal unless said otherwise. A public one needs a certificate and authentication;
//! anything less is refused at synth unless `allow_insecure` names the risk.

mod alarms;
mod binary;
mod checks;
mod compute;
mod dashboard;
mod environment;
mod identity;
mod outputs;
mod user_data;

use formwork::{
    CertificateArn, HostedZoneId, IntoValue, KeyArn, RemovalPolicy, Resource, Scope, TopicArn, Value,
};
use formwork_resources::logs::CfnLogGroup;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::iam::{KeyUser, note_key_policy};
use crate::load_balancer::{Exposure, LoadBalancer, LoadBalancerProps, SignIn};
use crate::managed_mlflow::{Access, ManagedMlflow};
use crate::networking::{AwsService, Networking, TcpPorts, allow_between, allow_https_out, security_group};

use alarms::Watched;
use compute::ComputeInput;
use outputs::Told;
use user_data::BootSettings;

pub use crate::architecture::Architecture;
pub use user_data::GREATEST_USER_DATA_BYTES;

/// The port that the proxy listens on.
pub const PROXY_PORT: u16 = 5000;

/// A single request may move a large artifact, and a quiet second inside it must not cut it off.
const IDLE_TIMEOUT_SECONDS: u32 = 300;

/// What the proxy runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProxyCompute {
    /// An Auto Scaling group over the private subnets, updated one instance at a time.
    #[default]
    Asg,
    /// A single instance, which is replaced when its settings change.
    Single,
}

/// How clients show who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProxyAuthentication {
    /// Tokens of the proxy's own. At first there is none, and nobody gets in.
    #[default]
    Token,
    /// User names and passwords of the proxy's own.
    Basic,
    /// JSON Web Tokens of an issuer.
    Jwt,
    /// Not at all: whoever reaches the proxy acts with its role.
    None,
}

impl ProxyAuthentication {
    /// The name in the proxy's settings.
    fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Basic => "basic",
            Self::Jwt => "jwt",
            Self::None => "none",
        }
    }
}

impl Architecture {
    /// The smallest instance type that serves a team.
    fn default_instance_type(self) -> &'static str {
        match self {
            Self::Amd64 => "t3.small",
            Self::Arm64 => "t4g.small",
        }
    }
}

/// Where the proxy's binary comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyBinary {
    /// It is built when the stack's assets are published; its digest becomes a parameter of the stack.
    BuiltAtPublish {
        /// The SHA-256 of the sources, 64 hex digits.
        source_hash: String,
    },
    /// A file.
    File(std::path::PathBuf),
}

/// The issuer of the tokens that the proxy accepts, and who is what by them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwtIssuer {
    /// The issuer, an HTTPS URL.
    pub issuer: String,
    /// The audience that tokens must be for.
    pub audience: String,
    /// The claim with a user's groups; without one, the proxy's own default.
    pub roles_claim: Option<String>,
    /// The groups whose members may delete. Without any group at all, everybody whom the issuer names is a reader.
    pub admin_groups: Vec<String>,
    /// The groups whose members may create, log and change.
    pub writer_groups: Vec<String>,
    /// The groups whose members may read.
    pub reader_groups: Vec<String>,
}

/// What can be said about the proxy.
#[derive(Clone, Debug)]
pub struct ProxyAppProps<'a> {
    /// Where it stands.
    pub networking: &'a Networking,
    /// What it stands in front of.
    pub mlflow: &'a ManagedMlflow,
    /// Where its binary comes from.
    pub binary: ProxyBinary,
    /// What it runs on.
    pub compute: ProxyCompute,
    /// The processors.
    pub architecture: Architecture,
    /// The instance type; without one, a small one of the architecture.
    pub instance_type: Option<String>,
    /// The least number of instances of the group.
    pub min_instances: u32,
    /// The greatest number of instances of the group.
    pub max_instances: u32,
    /// Who can reach it.
    pub exposure: Exposure,
    /// How clients show who they are.
    pub authentication: ProxyAuthentication,
    /// The issuer of tokens, for [`ProxyAuthentication::Jwt`].
    pub jwt: Option<JwtIssuer>,
    /// Where people with browsers sign in, for [`ProxyAuthentication::Jwt`]; needs HTTPS.
    pub sign_in: Option<SignIn>,
    /// What clients may do.
    pub access: Access,
    /// A certificate that exists.
    pub certificate: Option<Value<CertificateArn>>,
    /// The name that clients use; with a hosted zone its certificate and record are made.
    pub domain_name: Option<String>,
    /// The hosted zone that the name lies in.
    pub hosted_zone: Option<Value<HostedZoneId>>,
    /// The address blocks that may connect; without any, the VPC's.
    pub allow_cidrs: Vec<String>,
    /// Takes a proxy without authentication, and a public one without TLS, for the named address blocks.
    pub allow_insecure: bool,
    /// Puts a web application firewall in front.
    pub firewall: bool,
    /// The days that logs are kept.
    pub log_retention_days: i64,
    /// The topic that alarms tell; without one they are seen in CloudWatch only.
    pub alarm_topic: Option<Value<TopicArn>>,
    /// Whether the load balancer refuses to be deleted.
    pub deletion_protection: bool,
    /// The key that encrypts the secret and the disks; without one, the keys that AWS manages.
    pub key: Option<Value<KeyArn>>,
}

impl<'a> ProxyAppProps<'a> {
    /// An internal proxy with tokens on a group of one or two instances.
    pub fn new(networking: &'a Networking, mlflow: &'a ManagedMlflow, binary: ProxyBinary) -> Self {
        Self {
            networking,
            mlflow,
            binary,
            compute: ProxyCompute::default(),
            architecture: Architecture::default(),
            instance_type: None,
            min_instances: 1,
            max_instances: 2,
            exposure: Exposure::default(),
            authentication: ProxyAuthentication::default(),
            jwt: None,
            sign_in: None,
            access: Access::Writer,
            certificate: None,
            domain_name: None,
            hosted_zone: None,
            allow_cidrs: Vec::new(),
            allow_insecure: false,
            firewall: false,
            log_retention_days: 30,
            alarm_topic: None,
            deletion_protection: false,
            key: None,
        }
    }
}

/// The proxy.
#[derive(Clone, Debug)]
pub struct ProxyApp {
    /// The URL to give to MLflow clients as `MLFLOW_TRACKING_URI`.
    pub url: Value<String>,
    /// The secret that holds tokens or passwords, when there are any.
    pub secret: Option<Value<formwork::SecretArn>>,
}

impl ProxyApp {
    /// Adds a proxy.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str, props: ProxyAppProps<'_>) -> Self {
        let outside = scope;
        let scope = scope.child(id);
        checks::check(scope, &props);
        check_reach(scope, &props);
        let balancer = LoadBalancer::new(scope, &balancer_props(&props));
        let instances = security_group(
            scope,
            "InstanceGroup",
            &props.networking.vpc_id,
            "The instances of the MLflow proxy",
        );
        allow_between(
            scope,
            "BalancerToInstances",
            &balancer.security_group,
            &instances,
            TcpPorts::one(PROXY_PORT),
            "Requests of MLflow clients",
        );
        let way_out = scope.child("InstancesToAws");
        allow_https_out(way_out, "Https", &instances, "HTTPS to the APIs of AWS");

        let mut log_group = CfnLogGroup::new().retention_in_days(props.log_retention_days);
        if let Some(key) = &props.key {
            log_group = log_group.kms_key_id(key);
            let users: &[KeyUser] = match props.compute {
                ProxyCompute::Asg => &[KeyUser::CloudWatchLogs, KeyUser::AutoScaling],
                ProxyCompute::Single => &[KeyUser::CloudWatchLogs],
            };
            note_key_policy(scope, users);
        }
        // Logs are of no use once the proxy is gone; the retention above limits them until then.
        let log_group = log_group.removal_policy(RemovalPolicy::Delete).define(scope, "Logs");
        let binary = binary::define(scope, &props);
        let identity = identity::Identity::new(scope, &props, &binary.asset, log_group);

        let boot = BootSettings {
            signal_resource: scope.logical_id(compute::signal_resource(props.compute)),
            binary_bucket: binary.asset.bucket.clone(),
            binary_key: binary.asset.key.clone(),
            binary_sha256: binary.sha256,
            log_group: log_group.log_group_name().into_value(),
            port: PROXY_PORT,
            environment: environment::of_service(
                &props,
                &identity,
                &balancer,
                &log_group.log_group_name().into_value(),
            ),
        };
        let running = compute::define(
            scope,
            &props,
            ComputeInput {
                user_data: user_data::user_data(scope, boot),
                instance_profile: identity.instance_profile.clone(),
                security_group: instances,
                balancer: &balancer,
                waits_for: [identity.dependencies.clone(), vec![way_out.into()]].concat(),
            },
        );
        let log_group: Value<String> = log_group.log_group_name().into_value();
        let watched = Watched {
            balancer: balancer.full_name.clone(),
            targets: running.targets.clone(),
            log_group: log_group.clone(),
        };
        crate::alarms::define(scope, props.alarm_topic.as_ref(), alarms::rules(&watched));
        dashboard::define(scope, &watched);

        outputs::define(
            outside,
            &props,
            Told { balancer: &balancer, identity: &identity, running, log_group },
        );
        Self { url: balancer.url, secret: identity.secret }
    }
}

fn balancer_props<'a>(props: &ProxyAppProps<'a>) -> LoadBalancerProps<'a> {
    LoadBalancerProps {
        exposure: props.exposure,
        certificate: props.certificate.clone(),
        domain_name: props.domain_name.clone(),
        hosted_zone: props.hosted_zone.clone(),
        allow_cidrs: props.allow_cidrs.clone(),
        allow_insecure: props.allow_insecure,
        firewall: props.firewall,
        deletion_protection: props.deletion_protection,
        idle_timeout_seconds: IDLE_TIMEOUT_SECONDS,
        sign_in: props.sign_in.clone(),
        ..LoadBalancerProps::new(props.networking, "the MLflow proxy", "MLflow clients")
    }
}

fn check_reach(scope: Scope<'_>, props: &ProxyAppProps<'_>) {
    let mut services = vec![
        AwsService::CloudFormation,
        AwsService::CloudWatchLogs,
        AwsService::S3,
        AwsService::SageMakerApi,
        AwsService::SecurityTokens,
        AwsService::SystemsManager,
        AwsService::SystemsManagerMessages,
    ];
    let data_plane = props.mlflow.mode.data_plane();
    match props.mlflow.other_region(scope) {
        Some(region) => props.networking.require_reach_in(scope, "the proxy", &[data_plane], &region),
        None => services.push(data_plane),
    }
    if matches!(props.authentication, ProxyAuthentication::Token | ProxyAuthentication::Basic) {
        services.push(AwsService::SecretsManager);
    }
    props.networking.require_reach(scope, "the proxy", &services);
}

#[cfg(test)]
mod tests;
