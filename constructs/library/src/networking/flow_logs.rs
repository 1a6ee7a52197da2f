//! The log of a network's traffic.

use formwork::{RemovalPolicy, Resource, Scope, Value, VpcId, pseudo, text};
use formwork_resources::ec2::{CfnFlowLog, FlowLogDestinationType, FlowLogResourceType, FlowLogTrafficType};
use formwork_resources::logs::CfnLogGroup;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NetworkingProps;
use crate::iam::{KeyUser, Role, RoleProps, ServicePrincipal, Statement, note_key_policy};

/// Which traffic of a network is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FlowLogs {
    /// What a security group or network ACL turned away.
    #[default]
    Reject,
    /// Everything.
    All,
    /// Nothing.
    Off,
}

/// Adds the log of a VPC's traffic, with its group and the role that writes it.
#[track_caller]
pub(super) fn define(scope: Scope<'_>, vpc_id: &Value<VpcId>, props: &NetworkingProps) {
    let traffic = match props.flow_logs {
        FlowLogs::Off => return,
        FlowLogs::Reject => FlowLogTrafficType::REJECT,
        FlowLogs::All => FlowLogTrafficType::ALL,
    };
    let scope = scope.child("FlowLogs");
    let mut group = CfnLogGroup::new()
        .retention_in_days(props.flow_logs_kept_for_days)
        // Logs are what is left to look at when a network is gone.
        .removal_policy(RemovalPolicy::Retain);
    if let Some(key) = &props.log_key {
        group = group.kms_key_id(key);
        note_key_policy(scope, &[KeyUser::CloudWatchLogs]);
    }
    let group = group.define(scope, "Group");
    let flow_logs_of_this_region =
        text!("arn:{}:ec2:{}:{}:vpc-flow-log/*", pseudo::partition(), pseudo::region(), pseudo::account_id());
    let role = Role::for_service(
        scope,
        "Role",
        ServicePrincipal::VpcFlowLogs,
        RoleProps {
            description: "Writes the flow logs of a VPC".to_owned(),
            source_arn: Some(flow_logs_of_this_region),
            ..RoleProps::default()
        },
    );
    let may_write = role.grant(
        scope,
        "RolePolicy",
        [Statement::allow(["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"])
            .on(group.arn())],
    );
    CfnFlowLog::new(FlowLogResourceType::VPC, vpc_id)
        .traffic_type(traffic)
        .log_destination_type(FlowLogDestinationType::CLOUD_WATCH_LOGS)
        .log_group_name(group.log_group_name())
        .deliver_logs_permission_arn(&role.arn)
        .depends_on(may_write)
        .define(scope, "Log");
}
