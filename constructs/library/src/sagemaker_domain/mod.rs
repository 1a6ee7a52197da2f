//! A SageMaker Studio domain in the private subnets of a network: its users, what they may do, and where they work.
//!
//! Domain and user profiles are deleted with their stack. Nothing is lost by that: SageMaker refuses to delete a user
//! profile or a domain while spaces, which hold the users' files, or apps are in it, and it keeps a home file system
//! when the domain goes. A domain that was kept would be left without its role, its security group and its subnets.

mod checks;
mod execution_role;
mod settings;

use formwork::{
    Diagnostic, DomainId, IntoValue, KeyArn, Output, RemovalPolicy, Resource, RoleArn, Scope,
    SecurityGroupId, Value, pseudo, text,
};
use formwork_resources::sagemaker::{
    CfnDomain, CfnUserProfile, DomainAppNetworkAccessType, DomainAuthMode, DomainHomeEfsFileSystemCreation,
    DomainTagPropagation,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::iam::{Role, RoleProps, ServicePrincipal};
use crate::networking::{AwsService, Networking, TcpPorts, allow_between, allow_https_out, security_group};
use crate::storage::{DataBucket, DataBucketProps};

pub use checks::is_domain_id;

/// How users sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// With an IAM identity that may open a user profile.
    #[default]
    Iam,
    /// Through IAM Identity Center.
    Sso,
}

/// What the execution role may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionPolicy {
    /// Work in the own spaces of this domain, run jobs, host models, and use the domain's bucket.
    #[default]
    Scoped,
    /// The same and AWS's policy AmazonSageMakerFullAccess, which reaches every bucket with `sagemaker` in its name.
    Managed,
}

/// How big the volume of a space is, in GiB: 5 to 16,384.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpaceStorage {
    /// At first.
    pub default_gib: i64,
    /// At most.
    pub maximum_gib: i64,
}

impl Default for SpaceStorage {
    fn default() -> Self {
        Self { default_gib: 5, maximum_gib: 100 }
    }
}

/// What can be said about a domain.
#[derive(Clone, Debug)]
pub struct SageMakerDomainProps<'a> {
    /// The network in whose private subnets Studio runs.
    pub networking: &'a Networking,
    /// The name: letters, digits and hyphens between them, 63 characters at most.
    pub name: String,
    /// How users sign in. A change replaces the domain.
    pub auth_mode: AuthMode,
    /// The user profiles. Without a list there is a `default-user` with IAM, and none with IAM Identity Center, where
    /// the names are those of its users and a profile also appears when somebody who is assigned signs in.
    pub user_profiles: Option<Vec<String>>,
    /// Whether users get home directories in one file system of the domain. Spaces have volumes of their own, so that is
    /// for shared data only. SageMaker makes the file system, its security groups and network interfaces and leaves
    /// them when the domain goes: the VPC cannot be deleted until they are removed by hand.
    pub home_file_system: bool,
    /// What the execution role may do.
    pub execution_policy: ExecutionPolicy,
    /// After how many minutes without work an app is stopped: 60 to 525,600; nothing to let apps run.
    pub idle_shutdown_minutes: Option<i64>,
    /// How big the volume of a space is.
    pub space_storage: SpaceStorage,
    /// The key that encrypts the bucket and the domain's volumes; without one, the keys that AWS manages. A change
    /// replaces the domain.
    pub key: Option<Value<KeyArn>>,
    /// All else about the bucket. Its key is that of the domain unless it names one of its own.
    pub bucket: DataBucketProps,
}

impl<'a> SageMakerDomainProps<'a> {
    /// A domain in a network under a name, with defaults for all else.
    pub fn new(networking: &'a Networking, name: impl Into<String>) -> Self {
        Self {
            networking,
            name: name.into(),
            auth_mode: AuthMode::default(),
            user_profiles: None,
            home_file_system: false,
            execution_policy: ExecutionPolicy::default(),
            idle_shutdown_minutes: Some(60),
            space_storage: SpaceStorage::default(),
            key: None,
            bucket: DataBucketProps::default(),
        }
    }

    fn user_profiles(&self) -> Vec<String> {
        self.user_profiles.clone().unwrap_or_else(|| match self.auth_mode {
            AuthMode::Iam => vec!["default-user".to_owned()],
            AuthMode::Sso => Vec::new(),
        })
    }
}

/// A SageMaker Studio domain, made here or taken in.
#[derive(Clone, Debug)]
pub struct SageMakerDomain {
    /// The id.
    pub domain_id: Value<DomainId>,
    /// The role with which users work; nothing when that of an existing domain was not named.
    pub execution_role: Option<Role>,
    /// The security group of Studio's apps; nothing for an existing domain.
    pub security_group: Option<Value<SecurityGroupId>>,
    /// The bucket in which users keep data; nothing for an existing domain.
    pub bucket: Option<DataBucket>,
}

impl SageMakerDomain {
    /// Adds a domain with its execution role, security group, bucket and user profiles, and shows their names as outputs
    /// beside it. What other stacks may want of it is exported whether or not one of them does, so that a shared domain
    /// has the same template for all.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str, props: SageMakerDomainProps<'_>) -> Self {
        let outside = scope;
        let scope = scope.child(id);
        let props = checks::checked(scope, props);
        let bucket = DataBucket::new(scope, "Bucket", props.bucket.clone().or_key(props.key.as_ref()));
        let role = execution_role(scope, &props);
        let security_group = studio_security_group(scope, props.networking);
        let settings = settings::Settings::new(&props, &role, &security_group);
        let home_file_system = match props.home_file_system {
            true => DomainHomeEfsFileSystemCreation::ENABLED,
            false => DomainHomeEfsFileSystemCreation::DISABLED,
        };
        let auth_mode = match props.auth_mode {
            AuthMode::Iam => DomainAuthMode::IAM,
            AuthMode::Sso => DomainAuthMode::SSO,
        };
        let mut domain = CfnDomain::new(auth_mode, settings.of_users(), &props.name)
            .app_network_access_type(DomainAppNetworkAccessType::VPC_ONLY)
            .default_space_settings(settings.of_shared_spaces())
            .home_efs_file_system_creation(home_file_system)
            .subnet_ids(&props.networking.private_subnets)
            .tag_propagation(DomainTagPropagation::ENABLED)
            .vpc_id(&props.networking.vpc_id)
            .removal_policy(RemovalPolicy::Delete);
        if let Some(key) = &props.key {
            domain = domain.kms_key_id(key);
        }
        let domain = domain.define(scope, "Domain");
        let domain_id = domain.domain_id();
        execution_role::grant(scope, &role, &domain_id, &props, &bucket, &security_group);
        user_profiles(scope.child("Users"), &domain_id, &props);
        for (id, value, description) in [
            ("DomainId", domain_id.retype(), "The id of the Studio domain"),
            ("DomainArn", domain.domain_arn(), "The ARN of the Studio domain"),
            ("DomainUrl", domain.url(), "Where users of IAM Identity Center open Studio"),
            ("ExecutionRoleArn", role.arn.retype(), "The role with which users work"),
            ("BucketName", bucket.name.retype(), "The bucket in which users keep data"),
        ] {
            let value: Value<String> = value;
            Output::new(value).description(description).define(outside, id);
        }
        let this = Self {
            domain_id,
            execution_role: Some(role),
            security_group: Some(security_group),
            bucket: Some(bucket),
        };
        this.export(scope);
        this
    }

    /// Takes in a domain by its id, with its execution role by name or ARN when that shall be granted something.
    #[track_caller]
    pub fn existing(scope: Scope<'_>, id: &str, domain_id: &str, execution_role: Option<&str>) -> Self {
        let scope = scope.child(id);
        if !checks::is_domain_id(domain_id) {
            let message = format!("`{domain_id}` is not the id of a Studio domain");
            let hint = "the id of a domain is d- and lower-case letters and digits, such as d-abcdefghijkl";
            scope.report(Diagnostic::error("domain-id", message).with_hint(hint));
        }
        if execution_role.is_none() {
            let message =
                format!("the execution role of domain {domain_id} is not known, so it is granted nothing");
            let hint = "name the role, or let its users reach MLflow by a policy of your own";
            scope.report(Diagnostic::new(formwork::Severity::Note, "domain-role", message).with_hint(hint));
        }
        Self {
            domain_id: DomainId::literal(domain_id),
            execution_role: execution_role.map(existing_role),
            security_group: None,
            bucket: None,
        }
    }

    fn export(&self, scope: Scope<'_>) {
        scope.export(&self.domain_id);
        if let Some(role) = &self.execution_role {
            scope.export(&role.arn);
            scope.export(&role.name);
        }
        if let Some(group) = &self.security_group {
            scope.export(group);
        }
        if let Some(bucket) = &self.bucket {
            scope.export(&bucket.name);
            scope.export(&bucket.arn);
        }
    }
}

#[track_caller]
fn execution_role(scope: Scope<'_>, props: &SageMakerDomainProps<'_>) -> Role {
    let managed_policies = match props.execution_policy {
        ExecutionPolicy::Scoped => Vec::new(),
        ExecutionPolicy::Managed => {
            vec![text!("arn:{}:iam::aws:policy/AmazonSageMakerFullAccess", pseudo::partition())]
        }
    };
    let description = format!("The users of Studio domain {} work with it", props.name);
    let props = RoleProps { description, managed_policies, ..RoleProps::default() };
    Role::for_service(scope, "ExecutionRole", ServicePrincipal::SageMaker, props)
}

/// The ports that apps of a domain use among themselves: home directories, and kernels.
///
/// Source: Amazon SageMaker AI Developer Guide, "Connect Amazon SageMaker Studio in a VPC to External Resources".
const NFS: TcpPorts = TcpPorts::one(2049);
const KERNELS: TcpPorts = TcpPorts::range(8192, 65535);

#[track_caller]
fn studio_security_group(scope: Scope<'_>, networking: &Networking) -> Value<SecurityGroupId> {
    let group = security_group(scope, "SecurityGroup", &networking.vpc_id, "The apps of SageMaker Studio");
    allow_between(scope, "HomeDirectories", &group, &group, NFS, "Home directories of Studio");
    allow_between(scope, "Kernels", &group, &group, KERNELS, "Between notebooks and kernels of Studio");
    allow_https_out(scope, "HttpsOut", &group, "HTTPS to AWS and to package indexes");
    let services = [
        AwsService::CloudWatchLogs,
        AwsService::S3,
        AwsService::SageMakerApi,
        AwsService::SageMakerRuntime,
        AwsService::SageMakerStudio,
        AwsService::SecurityTokens,
    ];
    networking.require_reach(scope, "SageMaker Studio", &services);
    group
}

#[track_caller]
fn user_profiles(scope: Scope<'_>, domain_id: &Value<DomainId>, props: &SageMakerDomainProps<'_>) {
    for user in props.user_profiles() {
        let mut profile =
            CfnUserProfile::new(domain_id, checks::profile_name(&user)).removal_policy(RemovalPolicy::Delete);
        if props.auth_mode == AuthMode::Sso {
            profile =
                profile.single_sign_on_user_identifier("UserName").single_sign_on_user_value(user.as_str());
        }
        profile.define(scope, &user);
    }
}

/// A role by its name, its path and name, or its ARN.
fn existing_role(role: &str) -> Role {
    let name = role.rsplit('/').next().unwrap_or_default().into_value();
    let arn = match role.starts_with("arn:") {
        true => RoleArn::literal(role),
        false => text!("arn:{}:iam::{}:role/{}", pseudo::partition(), pseudo::account_id(), role).retype(),
    };
    Role::existing(name, arn)
}

#[cfg(test)]
mod tests;
