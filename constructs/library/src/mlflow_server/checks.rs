//! What a server cannot be made of.

use formwork::{Diagnostic, Scope};

use super::program::CONNECTIONS_OF_A_POOL;
use super::{MlflowServerProps, ServerAuthentication};
use crate::database::InstanceClass;

/// What the first process of a task takes, and each that answers requests, in MiB. Measured with MLflow 3.17.2 right after
/// the start: 255 and 262 to 293.
const PARENT_MIB: u32 = 256;
const WORKER_MIB: u32 = 320;
/// The connections that RDS keeps for itself, and one for a person who looks.
const CONNECTIONS_OF_OTHERS: u64 = 5;

pub(super) fn check(scope: Scope<'_>, props: &MlflowServerProps<'_>) {
    let refuse = |rule: &str, message: String, hint: String| {
        scope.report(Diagnostic::error(rule, message).with_hint(hint));
    };
    let has_sign_in = props.load_balancer.sign_in.is_some();
    match props.authentication {
        ServerAuthentication::Oidc if !has_sign_in => refuse(
            "sign-in",
            "people are to sign in to the MLflow server, and no identity provider is named".to_owned(),
            "set oidcIssuer and the other keys of the provider".to_owned(),
        ),
        ServerAuthentication::Basic | ServerAuthentication::None if has_sign_in => refuse(
            "sign-in",
            "an identity provider is named, and nobody signs in with it at the MLflow server".to_owned(),
            "set serverAuth=oidc, or leave the provider out".to_owned(),
        ),
        ServerAuthentication::None if !props.allow_insecure => refuse(
            "insecure-server",
            "an MLflow server without authentication lets everybody who reaches it read and delete everything"
                .to_owned(),
            "set serverAuth to basic or oidc; allowInsecure=true takes the risk".to_owned(),
        ),
        _ => {}
    }
    let needed = PARENT_MIB + props.workers.saturating_mul(WORKER_MIB);
    if props.workers == 0 {
        refuse(
            "workers",
            "the MLflow server has no process that answers requests".to_owned(),
            "set serverWorkers to 1 or more".to_owned(),
        );
    } else if needed > props.memory_mib {
        refuse(
            "server-memory",
            format!(
                "{} processes take {needed} MiB right after their start, and a task has {} MiB",
                props.workers, props.memory_mib
            ),
            format!(
                "set serverMemoryMib to {} or more, or fewer serverWorkers",
                needed.next_multiple_of(1_024)
            ),
        );
    }
    check_connections(scope, props);
}

/// All pools of all tasks together: who finds no connection waits, and then fails.
fn check_connections(scope: Scope<'_>, props: &MlflowServerProps<'_>) {
    let class = InstanceClass::parse(&props.database.instance_class);
    let Some(most) = class.and_then(InstanceClass::max_connections) else { return };
    let most = most.saturating_sub(CONNECTIONS_OF_OTHERS);
    let stores = if props.authentication == ServerAuthentication::Basic { 2 } else { 1 };
    let tasks = u64::from(props.tasks.1);
    let needed = tasks * u64::from(props.workers) * stores * u64::from(CONNECTIONS_OF_A_POOL);
    if needed > most {
        let message = format!(
            "{tasks} tasks of {} processes may take {needed} connections, and {} has {most} for them",
            props.workers, props.database.instance_class
        );
        let hint = "choose a larger class of the database, or fewer serverMaxTasks or serverWorkers";
        scope.report(Diagnostic::error("database-connections", message).with_hint(hint));
    }
}
