//! The stack of a self-hosted MLflow server.

use formwork::{CertificateArn, HostedZoneId, RemovalPolicy, TopicArn};
use formwork_library::container_service::ContainerImage;
use formwork_library::database::PostgresProps;
use formwork_library::load_balancer::{BearerTokens, LoadBalancerProps, SignIn};
use formwork_library::mlflow_server::{MlflowServer, MlflowServerProps, ServerAuthentication};
use formwork_library::networking::Networking;

use super::Platform;

/// A disk grows to so many times its size by itself.
const GROWTH: u32 = 5;

impl Platform<'_, '_> {
    pub(super) fn mlflow_server(&self, networking: &Networking) {
        let (settings, server, defaults) = (self.settings, self.server, &self.defaults);
        let stack = self.stack("mlflow-server", "A self-hosted MLflow server, its database and its bucket");
        let key = self.key(stack);
        let alarm_topic = settings.alarm_topic_arn.clone().map(TopicArn::literal);
        let props = MlflowServerProps::new(networking);
        let protected = settings.deletion_protection.unwrap_or(defaults.deletion_protection);
        let storage_gib = server.server_database_gib.unwrap_or(props.database.storage_gib);
        let database = PostgresProps {
            version: server.server_database_version,
            instance_class: server
                .server_database_class
                .clone()
                .unwrap_or_else(|| defaults.database_class.to_owned()),
            storage_gib,
            max_storage_gib: storage_gib.saturating_mul(GROWTH),
            multi_az: defaults.database_in_two_zones,
            deletion_protection: protected,
            removal: RemovalPolicy::Snapshot,
            key: key.clone(),
            alarm_topic: alarm_topic.clone(),
            ..props.database
        };
        let load_balancer = LoadBalancerProps {
            exposure: server.server_exposure,
            certificate: settings.certificate_arn.clone().map(CertificateArn::literal),
            domain_name: settings.domain_name.clone(),
            hosted_zone: settings.hosted_zone_id.clone().map(HostedZoneId::literal),
            allow_cidrs: settings.allow_cidrs.clone(),
            allow_insecure: settings.allow_insecure,
            firewall: settings.waf,
            deletion_protection: protected,
            sign_in: self.sign_in_at_server(),
            ..props.load_balancer
        };
        let props = MlflowServerProps {
            image: server.server_image.clone().map_or(props.image, ContainerImage::Pinned),
            architecture: settings.arch,
            cpu: server.server_cpu.unwrap_or(props.cpu),
            memory_mib: server.server_memory_mib.unwrap_or(props.memory_mib),
            workers: server.server_workers.unwrap_or(props.workers),
            tasks: (
                server.server_min_tasks.unwrap_or(defaults.min_instances),
                server.server_max_tasks.unwrap_or(defaults.max_instances),
            ),
            authentication: server.server_auth,
            allow_insecure: settings.allow_insecure,
            artifacts: server.server_artifacts,
            bucket: self.buckets(),
            database,
            load_balancer,
            log_retention_days: self.log_retention_days(),
            key,
            alarm_topic,
            ..props
        };
        MlflowServer::new(stack, "Server", &props);
    }

    /// Where people sign in at the load balancer of the server, and how programs get past that.
    fn sign_in_at_server(&self) -> Option<SignIn> {
        if self.server.server_auth != ServerAuthentication::Oidc {
            return None;
        }
        let mut sign_in = self.sign_in()?;
        let tokens = self.server.oidc_jwks_endpoint.clone().zip(self.server.oidc_audience.clone());
        if let (SignIn::Oidc(oidc), Some((jwks_endpoint, audience))) = (&mut sign_in, tokens) {
            oidc.bearer_tokens = Some(Box::new(BearerTokens { jwks_endpoint, audience }));
        }
        Some(sign_in)
    }
}
