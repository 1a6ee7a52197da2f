//! Lambda functions with a role of their own, which may write to their own log and nothing more until it is granted.

use std::collections::BTreeMap;

use formwork::{
    ArchiveEntry, Asset, FunctionArn, KeyArn, LogGroupName, RemovalPolicy, Resource, ResourceId, Scope,
    SecurityGroupId, SubnetId, Value,
};
use formwork_lambda_layers::EmbeddedFile;
use formwork_lambda_layers::boto3_layer::Architecture;
use formwork_resources::lambda::{
    CfnFunction, Code, Environment, FunctionArchitectures, FunctionLoggingConfig, FunctionRuntime, VpcConfig,
};
use formwork_resources::logs::CfnLogGroup;

use crate::iam::{KeyUser, Role, RoleProps, ServicePrincipal, Statement, note_key_policy};

/// What can be said about a function.
#[derive(Clone, Debug)]
pub struct FunctionProps {
    /// What the function is for, 256 characters at most.
    pub description: String,
    /// The archive of its code.
    pub code: Asset,
    /// The runtime, such as `python3.13`.
    pub runtime: String,
    /// Where the code starts, in the runtime's own form: for Python `module.function`.
    pub handler: String,
    /// What it runs on.
    pub architecture: Architecture,
    /// How long one run may take, in seconds: 1 to 900.
    pub timeout_seconds: i64,
    /// The memory in MiB, which also decides the share of a processor: 128 to 10,240.
    pub memory_mib: i64,
    /// The ARNs of layers, at most 5; later ones lie over earlier ones.
    pub layers: Vec<Value<String>>,
    /// Environment variables. They can be read by everyone who can see the function: no place for secrets.
    pub environment: BTreeMap<String, Value<String>>,
    /// How many runs may happen at once; without a number, as many as the account has left.
    pub reserved_concurrency: Option<i64>,
    /// The days for which its log is kept: one of the numbers that CloudWatch Logs knows.
    pub log_retention_days: i64,
    /// The key that encrypts its log; its policy has to let CloudWatch Logs use it. Without one, AWS's own.
    pub log_key: Option<Value<KeyArn>>,
    /// Where it stands, for a function that calls what is inside of a network. Then it reaches nothing else without a way
    /// out of that.
    pub network: Option<FunctionNetwork>,
}

/// Where a function stands in a network.
#[derive(Clone, Debug)]
pub struct FunctionNetwork {
    /// The subnets, in two zones or more.
    pub subnets: Vec<Value<SubnetId>>,
    /// The group of the function.
    pub security_group: Value<SecurityGroupId>,
}

impl FunctionProps {
    /// Code with its runtime and start, and defaults for all else.
    pub fn new(code: Asset, runtime: &str, handler: &str) -> Self {
        Self {
            description: String::new(),
            code,
            runtime: runtime.to_owned(),
            handler: handler.to_owned(),
            architecture: Architecture::Arm64,
            timeout_seconds: 30,
            memory_mib: 256,
            layers: Vec::new(),
            environment: BTreeMap::new(),
            reserved_concurrency: None,
            log_retention_days: 30,
            log_key: None,
            network: None,
        }
    }
}

/// A Lambda function.
#[derive(Clone, Debug)]
pub struct Function {
    /// The ARN.
    pub arn: Value<FunctionArn>,
    /// The name, which CloudFormation chooses.
    pub name: Value<String>,
    /// The role that it runs with.
    pub role: Role,
    /// The log group that it writes to.
    pub log_group: Value<LogGroupName>,
    /// The policy without which it cannot log: what has to be there before it is called.
    pub ready: ResourceId,
}

impl Function {
    /// Adds a function with its role and log group.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str, props: FunctionProps) -> Self {
        let scope = scope.child(id);
        // A log outlives its function: when a stack is rolled back, it is the only one left to say why.
        let mut log_group = CfnLogGroup::new()
            .retention_in_days(props.log_retention_days)
            .removal_policy(RemovalPolicy::Retain);
        if let Some(key) = &props.log_key {
            log_group = log_group.kms_key_id(key);
            note_key_policy(scope, &[KeyUser::CloudWatchLogs]);
        }
        let log_group = log_group.define(scope, "LogGroup");
        let role = Role::for_service(scope, "Role", ServicePrincipal::Lambda, RoleProps::default());
        // The ARN that the log group gives ends with `:*`, which stands for its streams.
        let logging =
            Statement::allow(["logs:CreateLogStream", "logs:PutLogEvents"]).sid("Log").on(log_group.arn());
        let ready = match &props.network {
            None => role.grant(scope, "LogPolicy", [logging]),
            Some(_) => role.grant(scope, "LogPolicy", [logging, interfaces()]),
        };
        let code = Code::new().s3_bucket(&props.code.bucket).s3_key(&props.code.key);
        let mut function = CfnFunction::new(code, &role.arn)
            .runtime(FunctionRuntime::other(props.runtime))
            .handler(props.handler)
            .architectures([FunctionArchitectures::other(props.architecture.lambda_name())])
            .timeout(props.timeout_seconds)
            .memory_size(props.memory_mib)
            .logging_config(FunctionLoggingConfig::new().log_group(log_group.log_group_name()));
        if !props.description.is_empty() {
            function = function.description(props.description);
        }
        if !props.layers.is_empty() {
            function = function.layers(props.layers);
        }
        if !props.environment.is_empty() {
            let variables: BTreeMap<String, _> =
                props.environment.iter().map(|(name, value)| (name.clone(), value.any())).collect();
            function = function.environment(Environment::new().variables(variables));
        }
        if let Some(runs) = props.reserved_concurrency {
            function = function.reserved_concurrent_executions(runs);
        }
        if let Some(network) = props.network {
            let place =
                VpcConfig::new().subnet_ids(network.subnets).security_group_ids([network.security_group]);
            // Lambda asks for the network interfaces when the function is made, and gives them back when it goes.
            function = function.vpc_config(place).depends_on(ready);
        }
        let function = function.define(scope, "Function");
        Self {
            arn: function.arn(),
            name: function.function_name(),
            role,
            log_group: log_group.log_group_name(),
            ready,
        }
    }
}

/// The archive of a handler whose files are part of this library.
#[track_caller]
pub fn embedded(scope: Scope<'_>, id: &str, files: &[EmbeddedFile]) -> Asset {
    let files: Vec<ArchiveEntry> = files
        .iter()
        .map(|file| ArchiveEntry {
            path: file.path.to_owned(),
            bytes: file.bytes.to_vec(),
            executable: false,
        })
        .collect();
    Asset::archive(scope, id, &files)
}

/// What Lambda does with the role of a function in a network.
///
/// Source: AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC".
fn interfaces() -> Statement {
    let actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ];
    Statement::allow(actions)
        .sid("NetworkInterfaces")
        .on_any_resource("Lambda checks the right on every resource before it makes an interface")
}

#[cfg(test)]
mod tests;
