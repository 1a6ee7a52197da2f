//! The two roles of a task: the one with which ECS starts it, and the one that the program in it has.

use std::collections::BTreeMap;

use formwork::{ResourceId, Scope, pseudo, text};
use formwork_resources::logs::LogGroupAttributes;

use super::ContainerServiceProps;
use crate::iam::{Role, RoleProps, ServicePrincipal, Statement, pull_images};

pub(super) struct Roles {
    pub(super) execution: Role,
    pub(super) task: Role,
    /// The policy without which no task starts.
    pub(super) ready: ResourceId,
}

#[track_caller]
pub(super) fn define(
    scope: Scope<'_>,
    props: &ContainerServiceProps<'_>,
    log_group: LogGroupAttributes,
) -> Roles {
    let described = |text: String| RoleProps { description: text, ..RoleProps::default() };
    let service = ServicePrincipal::EcsTasks;
    let about = format!("Starts the tasks of {}: image, log and secrets", props.name);
    let execution = Role::for_service(scope, "ExecutionRole", service, described(about));
    let about = format!("What {} may do", props.name);
    let task = Role::for_service(scope, "TaskRole", service, described(about));
    let ready = execution.grant(scope, "ExecutionPolicy", statements(props, log_group));
    Roles { execution, task, ready }
}

fn statements(props: &ContainerServiceProps<'_>, log_group: LogGroupAttributes) -> Vec<Statement> {
    let mut statements = vec![
        Statement::allow(["logs:CreateLogStream", "logs:PutLogEvents"]).sid("WriteLog").on(log_group.arn()),
    ];
    if let Some(repository) = props.image.repository() {
        statements.extend(pull_images(repository));
    }
    // A secret may be named for several variables.
    let mut secrets = BTreeMap::new();
    let mut keys = BTreeMap::new();
    for secret in &props.secrets {
        secrets.insert(format!("{:?}", secret.secret.expression()), &secret.secret);
        if let Some(key) = &secret.key {
            keys.insert(format!("{:?}", key.expression()), key);
        }
    }
    if !secrets.is_empty() {
        let mut read = Statement::allow(["secretsmanager:GetSecretValue"]).sid("ReadSecrets");
        for secret in secrets.into_values() {
            read = read.on(secret);
        }
        statements.push(read);
    }
    if !keys.is_empty() {
        let through = text!("secretsmanager.{}.{}", pseudo::region(), pseudo::url_suffix());
        let mut decrypt = Statement::allow(["kms:Decrypt"]).sid("DecryptSecrets").when(
            "StringEquals",
            "kms:ViaService",
            through,
        );
        for key in keys.into_values() {
            decrypt = decrypt.on(key);
        }
        statements.push(decrypt);
    }
    statements
}
