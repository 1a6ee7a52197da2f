//! The roles of AWS Batch: the one that steps act with, the one that starts their containers on Fargate, and that of
//! instances.

use formwork::{Scope, Value, pseudo, text};
use formwork_resources::iam::CfnInstanceProfile;

use super::Datastore;
use crate::iam::{Role, RoleProps, ServicePrincipal, Statement, pull_images};

/// The log group that AWS Batch makes for the output of all containers.
const LOG_GROUP: &str = "/aws/batch/job";

/// The role that steps act with. Metaflow needs the datastore; all else is what the operator adds.
pub(super) fn job_role(scope: Scope<'_>, datastore: &Datastore, more: &[Value<String>]) -> Role {
    let mut statements = datastore.statements();
    statements.push(datastore.deny_presigned());
    Role::for_service(
        scope,
        "JobRole",
        ServicePrincipal::EcsTasks,
        RoleProps {
            description: "What the steps of flows act with".to_owned(),
            managed_policies: more.to_vec(),
            statements,
            ..RoleProps::default()
        },
    )
}

/// The role that pulls images and writes what containers say, on Fargate.
pub(super) fn execution_role(scope: Scope<'_>) -> Role {
    let images = text!("arn:{}:ecr:{}:*:repository/*", pseudo::partition(), pseudo::region());
    let streams = text!(
        "arn:{}:logs:{}:{}:log-group:{}:*",
        pseudo::partition(),
        pseudo::region(),
        pseudo::account_id(),
        LOG_GROUP
    );
    // A step names its image, which may lie in an account that shares it.
    let mut statements = Vec::from(pull_images(images));
    statements
        .push(Statement::allow(["logs:CreateLogStream", "logs:PutLogEvents"]).sid("WriteLogs").on(streams));
    Role::for_service(
        scope,
        "ExecutionRole",
        ServicePrincipal::EcsTasks,
        RoleProps {
            description: "Starts the containers of steps on Fargate".to_owned(),
            statements,
            ..RoleProps::default()
        },
    )
}

/// The profile of instances: what AWS says that its agent on them needs, which changes with the agent.
pub(super) fn instance_profile(scope: Scope<'_>) -> Value<String> {
    let policy =
        text!("arn:{}:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role", pseudo::partition());
    let role = Role::for_service(
        scope,
        "InstanceRole",
        ServicePrincipal::Ec2,
        RoleProps {
            description: "The instances that run the steps of flows".to_owned(),
            managed_policies: vec![policy],
            ..RoleProps::default()
        },
    );
    CfnInstanceProfile::new([&role.name]).define(scope, "InstanceProfile").arn()
}
