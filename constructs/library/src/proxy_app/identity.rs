//! Who the proxy is: the role of its instances, the one role that may call MLflow, and the secret with its users.
//!
//! The MLflow role trusts the instance role by ARN, and the instance role may assume it by a policy of its own, so that
//! neither names the other in its definition.

use formwork::{Asset, Dependency, RemovalPolicy, Resource, Scope, SecretArn, Value, pseudo, text};
use formwork_resources::iam::CfnInstanceProfile;
use formwork_resources::logs::LogGroupAttributes;
use formwork_resources::secretsmanager::CfnSecret;

use super::{ProxyAppProps, ProxyAuthentication};
use crate::iam::{Role, RoleProps, ServicePrincipal, Statement};

pub(crate) struct Identity {
    pub(crate) instance_role: Role,
    pub(crate) mlflow_role: Role,
    pub(crate) instance_profile: Value<String>,
    pub(crate) secret: Option<Value<SecretArn>>,
    /// What an instance needs from its first call on.
    pub(crate) dependencies: Vec<Dependency>,
}

impl Identity {
    pub(crate) fn new(
        scope: Scope<'_>,
        props: &ProxyAppProps<'_>,
        binary: &Asset,
        log_group: LogGroupAttributes,
    ) -> Self {
        let instance_role = Role::for_service(
            scope,
            "InstanceRole",
            ServicePrincipal::Ec2,
            RoleProps { description: "The instances of the MLflow proxy".to_owned(), ..RoleProps::default() },
        );
        let mlflow_role = Role::for_role(
            scope,
            "MlflowRole",
            &instance_role,
            RoleProps {
                description: "Assumed by the MLflow proxy; the one role that may call MLflow".to_owned(),
                ..RoleProps::default()
            },
        );
        let secret = secret(scope, props);
        let mut statements = vec![
            Statement::allow(["sts:AssumeRole"]).sid("ActAsMlflowClient").on(&mlflow_role.arn),
            Statement::allow(["s3:GetObject"]).sid("FetchBinary").on(text!(
                "arn:{}:s3:::{}/{}",
                pseudo::partition(),
                &binary.bucket,
                &binary.key
            )),
            Statement::allow(["logs:CreateLogStream", "logs:PutLogEvents"])
                .sid("WriteLogs")
                .on(log_group.arn()),
            Statement::allow(["cloudformation:SignalResource"]).sid("SignalStack").on(pseudo::stack_id()),
            Statement::allow([
                "ssm:UpdateInstanceInformation",
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ])
            .sid("SessionManager")
            .on_any_resource("Session Manager's actions for the agent name no resource"),
        ];
        if let Some(secret) = &secret {
            statements.push(Statement::allow(["secretsmanager:GetSecretValue"]).sid("ReadUsers").on(secret));
        }
        if let (Some(_), Some(key)) = (&secret, &props.key) {
            let through = text!("secretsmanager.{}.{}", pseudo::region(), pseudo::url_suffix());
            statements.push(Statement::allow(["kms:Decrypt"]).sid("DecryptUsers").on(key).when(
                "StringEquals",
                "kms:ViaService",
                through,
            ));
        }
        let policy = instance_role.grant(scope, "InstancePolicy", statements);
        let artifacts = props.mlflow.artifact_bucket.is_some();
        props.mlflow.grant_client(scope, "ClientPolicy", &mlflow_role, props.access, artifacts);
        let profile = CfnInstanceProfile::new([&instance_role.name]).define(scope, "InstanceProfile");
        Self {
            instance_profile: profile.arn(),
            secret,
            dependencies: vec![policy.into()],
            instance_role,
            mlflow_role,
        }
    }
}

/// The secret with the users. It is made without a value, which means nobody: a value in the template would come back,
/// and lock everybody out, with each update of the secret.
fn secret(scope: Scope<'_>, props: &ProxyAppProps<'_>) -> Option<Value<SecretArn>> {
    if !matches!(props.authentication, ProxyAuthentication::Token | ProxyAuthentication::Basic) {
        return None;
    }
    let mut secret = CfnSecret::new().description(
        "Who may use the MLflow proxy: hashes of tokens and passwords, added with `formwork proxy user add`",
    );
    if let Some(key) = &props.key {
        secret = secret.kms_key_id(key);
    }
    // Losing it would lock every client out, so it stays when the stack goes.
    Some(secret.removal_policy(RemovalPolicy::RetainExceptOnCreate).define(scope, "Users").id())
}
