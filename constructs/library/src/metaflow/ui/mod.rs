//! The pages that show flows and runs, behind a load balancer at which people sign in.
//!
//! One program of the service's image has both the pages and what they ask for. It reads the database and the datastore
//! by itself; it knows no users, so nobody gets past the load balancer without one.

mod sign_in;

use formwork::{CertificateArn, Diagnostic, HostedZoneId, IntoValue, RemovalPolicy, Scope, Value};

use super::metadata::{environment, secrets};
use super::{Datastore, Metadata, MetaflowProps, Told};
use crate::container_service::{ContainerService, ContainerServiceProps, ServiceTarget};
use crate::load_balancer::{
    Exposure, LoadBalancer, LoadBalancerProps, OidcSignIn, SignIn, SignInOn, TargetKind, Targets,
};
use crate::networking::{TcpPorts, allow_between};

/// The port of the pages.
const UI_PORT: u16 = 8083;
/// The pages hold a connection open on which they hear of news.
const IDLE_TIMEOUT_SECONDS: u32 = 300;

/// Where people sign in to the pages.
#[derive(Clone, Debug, Default)]
pub enum UiSignIn {
    /// At an Amazon Cognito user pool that is made, in which administrators make users.
    #[default]
    Cognito,
    /// At an OpenID Connect provider of your own.
    Oidc(OidcSignIn),
}

/// What can be said about the user interface.
#[derive(Clone, Debug)]
pub struct UiProps {
    /// Where people sign in.
    pub sign_in: UiSignIn,
    /// Who can reach it.
    pub exposure: Exposure,
    /// The name that browsers use.
    pub domain_name: String,
    /// A certificate of the name that exists; without one, a hosted zone has to be named in which it is proved.
    pub certificate: Option<Value<CertificateArn>>,
    /// The hosted zone that the name lies in: its certificate and record are made.
    pub hosted_zone: Option<Value<HostedZoneId>>,
    /// The address blocks that may connect; of an internal one without any, the VPC's.
    pub allow_cidrs: Vec<String>,
    /// Puts a web application firewall in front.
    pub firewall: bool,
    /// Whether load balancer and user pool refuse to be deleted.
    pub deletion_protection: bool,
    /// The share of processors of a task: 1,024 is one.
    pub cpu: u32,
    /// The memory of a task in MiB. What runs logged is read in many processes beside each other.
    pub memory_mib: u32,
    /// The disk of a task in GiB, for what was read before.
    pub disk_gib: u32,
}

impl UiProps {
    /// An internal one with users of its own.
    pub fn new(domain_name: impl Into<String>) -> Self {
        Self {
            sign_in: UiSignIn::default(),
            exposure: Exposure::default(),
            domain_name: domain_name.into(),
            certificate: None,
            hosted_zone: None,
            allow_cidrs: Vec::new(),
            firewall: false,
            deletion_protection: true,
            cpu: 2_048,
            memory_mib: 16_384,
            disk_gib: 100,
        }
    }
}

/// The user interface.
#[derive(Clone, Debug)]
pub struct Ui {
    /// The URL for browsers.
    pub url: Value<String>,
    /// The load balancer.
    pub balancer: LoadBalancer,
    /// The service behind it.
    pub service: ContainerService,
    /// The user pool, when one is made.
    pub user_pool_id: Option<Value<String>>,
}

impl Ui {
    #[track_caller]
    pub(super) fn new(
        scope: Scope<'_>,
        props: &MetaflowProps<'_>,
        own: &UiProps,
        metadata: &Metadata,
        datastore: &Datastore,
    ) -> Self {
        check(scope, own);
        let (sign_in, user_pool_id) = match &own.sign_in {
            UiSignIn::Oidc(provider) => (SignIn::Oidc(provider.clone()), None),
            UiSignIn::Cognito => {
                let (sign_in, pool) = sign_in::user_pool(scope, own);
                (SignIn::Cognito(sign_in), Some(pool))
            }
        };
        let balancer = LoadBalancer::new(
            scope,
            &LoadBalancerProps {
                exposure: own.exposure,
                certificate: own.certificate.clone(),
                domain_name: Some(own.domain_name.clone()),
                hosted_zone: own.hosted_zone.clone(),
                allow_cidrs: own.allow_cidrs.clone(),
                firewall: own.firewall,
                deletion_protection: own.deletion_protection,
                idle_timeout_seconds: IDLE_TIMEOUT_SECONDS,
                sign_in: Some(sign_in),
                ..LoadBalancerProps::new(props.networking, "the user interface of Metaflow", "Browsers")
            },
        );
        let forwarding = balancer.forward(
            scope,
            Targets {
                port: UI_PORT,
                kind: TargetKind::Addresses,
                health_path: "/ping",
                drain_seconds: 30,
                sign_in: SignInOn::Everything,
            },
        );
        let service = ContainerService::new(
            scope,
            "Service",
            &ContainerServiceProps {
                cluster: Some(&metadata.cluster),
                cpu: own.cpu,
                memory_mib: own.memory_mib,
                ephemeral_gib: Some(own.disk_gib),
                // The image begins the metadata service unless it is told otherwise.
                command: ["/opt/latest/bin/python3", "-m", "services.ui_backend_service.ui_server"]
                    .map(IntoValue::into_value)
                    .to_vec(),
                environment: variables(metadata, datastore),
                secrets: secrets(&metadata.database),
                ports: vec![UI_PORT],
                targets: vec![ServiceTarget {
                    target_group: forwarding.target_group.clone(),
                    port: UI_PORT,
                    listener: forwarding.listener,
                }],
                grace_seconds: 180,
                // It hears the signal to stop and does nothing about it.
                stop_timeout_seconds: 10,
                waits_for: vec![metadata.service.service.into()],
                log_retention_days: props.log_retention_days,
                key: props.key.clone(),
                alarm_topic: props.alarm_topic.clone(),
                ..ContainerServiceProps::new(
                    props.networking,
                    "the user interface of Metaflow",
                    metadata.image.clone(),
                )
            },
        );
        let way = scope.child("Ways");
        metadata.database.allow_from(way, "UiToDatabase", &service.security_group);
        let (from, to) = (&balancer.security_group, &service.security_group);
        allow_between(way, "BalancerToUi", from, to, TcpPorts::one(UI_PORT), "Requests of browsers");
        scope.at(service.service).depends_on(way);
        service.task_role.grant(scope, "ReadRuns", datastore.reading());
        Self { url: balancer.url.clone(), balancer, service, user_pool_id }
    }

    pub(super) fn told(&self) -> Vec<Told> {
        let mut told = vec![
            Told::output("UiUrl", "Opens the pages of flows and runs in a browser", self.url.clone()),
            Told::output(
                "LoadBalancerUIDNSName",
                "The name of the load balancer of the pages, for a record of your own",
                self.balancer.dns_name.clone(),
            ),
            Told::output(
                "LoadBalancerUIZoneID",
                "The hosted zone of that name, for an alias record",
                self.balancer.hosted_zone_id.clone(),
            ),
        ];
        if let Some(pool) = &self.user_pool_id {
            told.push(Told::output(
                "UiUserPoolId",
                "The user pool; `aws cognito-idp admin-create-user` invites somebody by e-mail",
                pool.clone(),
            ));
        }
        told
    }
}

/// What the program is told. It reads runs by Metaflow's own client, over the part of itself that answers it.
fn variables(metadata: &Metadata, datastore: &Datastore) -> Vec<(&'static str, Value<String>)> {
    let mut variables = environment(&metadata.database);
    variables.extend([
        ("UI_ENABLED", "1".into_value()),
        ("MF_DATASTORE_ROOT", datastore.sysroot()),
        ("METAFLOW_DATASTORE_SYSROOT_S3", datastore.sysroot()),
        ("METAFLOW_DEFAULT_DATASTORE", "s3".into_value()),
        ("METAFLOW_DEFAULT_METADATA", "service".into_value()),
        ("METAFLOW_SERVICE_URL", format!("http://localhost:{UI_PORT}/metadata").into_value()),
        ("LOGLEVEL", "INFO".into_value()),
    ]);
    variables
}

/// People sign in over TLS only, and a certificate needs a name.
fn check(scope: Scope<'_>, own: &UiProps) {
    let is_name = own.domain_name.contains('.')
        && own.domain_name.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        });
    if !is_name {
        let message =
            format!("`{}` is not the name of a host for Metaflow's user interface", own.domain_name);
        let hint = "write a name in lower case such as metaflow.example.com; people sign in over TLS, and its certificate needs a name";
        scope.report(Diagnostic::error("ui-name", message).with_hint(hint));
    }
}

/// What a user pool becomes when its stack goes: its users are people, whose passwords nobody can make again.
const POOL_REMOVAL: RemovalPolicy = RemovalPolicy::RetainExceptOnCreate;

#[cfg(test)]
mod tests;
