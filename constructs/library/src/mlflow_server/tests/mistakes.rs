//! What a server cannot be made of.

use super::rules;
use crate::container_service::ContainerImage;
use crate::database::PostgresProps;
use crate::load_balancer::{Exposure, LoadBalancerProps};
use crate::mlflow_server::{MlflowServerProps, ServerAuthentication};

/// E5: what is called `latest` is another image tomorrow.
#[test]
fn an_image_without_a_version_is_refused() {
    let image = |name: &str| ContainerImage::Pinned(name.to_owned());
    let found =
        rules(|props| MlflowServerProps { image: image("ghcr.io/mlflow/mlflow:latest-full"), ..props });
    assert_eq!(found, ["image"]);
}

#[test]
fn who_may_do_everything_is_said_aloud() {
    let found = rules(|props| MlflowServerProps { authentication: ServerAuthentication::None, ..props });
    assert_eq!(found, ["insecure-server"]);
    let found = rules(|props| MlflowServerProps { authentication: ServerAuthentication::Oidc, ..props });
    assert_eq!(found, ["sign-in"]);
}

/// E13: passwords in the clear over the internet.
#[test]
fn a_public_server_needs_tls_and_clients() {
    let found = rules(|props| MlflowServerProps {
        load_balancer: LoadBalancerProps { exposure: Exposure::Public, ..props.load_balancer.clone() },
        ..props
    });
    assert_eq!(found, ["insecure-exposure", "unknown-clients"]);
}

#[test]
fn more_processes_than_memory_are_refused() {
    assert_eq!(rules(|props| MlflowServerProps { workers: 8, tasks: (1, 1), ..props }), ["server-memory"]);
    assert_eq!(rules(|props| MlflowServerProps { workers: 0, ..props }), ["workers"]);
    assert_eq!(rules(|props| MlflowServerProps { memory_mib: 3_000, ..props }), ["fargate-size"]);
}

#[test]
fn more_connections_than_the_database_has_are_refused() {
    let found = rules(|props| MlflowServerProps { tasks: (1, 12), ..props });
    assert_eq!(found, ["database-connections"]);
    let found = rules(|props| MlflowServerProps {
        tasks: (1, 4),
        database: PostgresProps { instance_class: "db.t4g.micro".into(), ..props.database.clone() },
        ..props
    });
    assert_eq!(found, ["database-connections"]);
}
