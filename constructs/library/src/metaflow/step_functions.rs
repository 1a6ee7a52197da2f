//! What flows need on AWS Step Functions: roles, a table for what branches tell each other, a log group.
//!
//! The state machines themselves are made by Metaflow's client. Their names begin with the name of the stack, by which
//! the roles know them.
//!
//! Sources: AWS Step Functions Developer Guide, "IAM policies for AWS Batch", "IAM policies for using Distributed Map
//! states", "Logging to CloudWatch Logs"; the calls of the state machines that client 2.19.39 makes.

use formwork::{
    Diagnostic, Expression, LogGroupName, RemovalPolicy, Resource, Scope, Value, pseudo, select, split, text,
};
use formwork_resources::dynamodb::{
    AttributeDefinition, AttributeDefinitionAttributeType, CfnTable, SseSpecification,
    SseSpecificationSseType, TableBillingMode, TableKeySchema, TableKeySchemaKeyType,
    TimeToLiveSpecification,
};
use formwork_resources::logs::CfnLogGroup;

use super::compute::{batch, job_definitions};
use super::{Compute, Datastore, MetaflowProps, Told, watching};
use crate::iam::{KeyUser, Role, RoleProps, ServicePrincipal, Statement, note_key_policy};

/// The characters of a rule's name that the client keeps of a name that is too long: all of the prefix has to be in it.
const LONGEST_PREFIX: usize = 46;

/// What Step Functions needs.
#[derive(Clone, Debug)]
pub struct StepFunctions {
    /// The role of the state machines.
    pub role: Role,
    /// The role with which schedules start state machines.
    pub events_role: Role,
    /// The name of the table of the branches.
    pub table_name: Value<String>,
    /// The ARN of that table.
    pub table_arn: Value<String>,
    /// The log group for executions.
    pub log_group: Value<LogGroupName>,
    log_group_arn: Value<String>,
}

impl StepFunctions {
    #[track_caller]
    pub(super) fn new(
        scope: Scope<'_>,
        props: &MetaflowProps<'_>,
        datastore: Option<&Datastore>,
        compute: Option<&Compute>,
    ) -> Self {
        check(scope, compute);
        let (table_name, table_arn) = table(scope, props);
        // The policies for sending logs to a group have little room, unless the group's name begins like this.
        let name = text!(
            "/aws/vendedlogs/states/{}-{}",
            pseudo::stack_name(),
            select::<String>(2, split("/", pseudo::stack_id()))
        );
        let mut log_group = CfnLogGroup::new()
            .log_group_name(name)
            .retention_in_days(props.log_retention_days)
            .removal_policy(RemovalPolicy::Retain);
        if let Some(key) = &props.key {
            log_group = log_group.kms_key_id(key);
            note_key_policy(scope, &[KeyUser::CloudWatchLogs]);
        }
        let log_group = log_group.define(scope, "LogGroup");
        let mut statements = running(compute, &table_arn);
        statements.extend(distributed(datastore));
        if let Some(key) = &props.key {
            statements.push(Statement::allow(["kms:Decrypt"]).sid("UseKeyOfTable").on(key));
        }
        let role = Role::for_service(
            scope,
            "Role",
            ServicePrincipal::StepFunctions,
            RoleProps {
                description: "The state machines of flows".to_owned(),
                statements,
                ..RoleProps::default()
            },
        );
        let start = Statement::allow(["states:StartExecution"]).sid("StartFlows").on(state_machines());
        let events_role = Role::for_service(
            scope,
            "EventsRole",
            ServicePrincipal::EventBridge,
            RoleProps {
                description: "Starts flows on their schedules".to_owned(),
                statements: vec![start],
                ..RoleProps::default()
            },
        );
        if let Some(compute) = compute {
            let mut branches = vec![
                Statement::allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"])
                    .sid("TellBranches")
                    .on(&table_arn),
            ];
            if let Some(key) = &props.key {
                branches.push(
                    Statement::allow(["kms:Decrypt", "kms:GenerateDataKey"]).sid("UseKeyOfTable").on(key),
                );
            }
            compute.job_role.grant(scope, "JobPolicy", branches);
        }
        if let Some(topic) = &props.alarm_topic {
            watching::failed_executions(scope, topic);
        }
        Self {
            role,
            events_role,
            table_name,
            table_arn,
            log_group: log_group.log_group_name(),
            log_group_arn: log_group.arn(),
        }
    }

    pub(super) fn told(&self) -> Vec<Told> {
        vec![
            Told::setting(
                "StepFunctionsRoleArn",
                "METAFLOW_SFN_IAM_ROLE",
                "The role of the state machines of flows",
                self.role.arn.retype(),
            ),
            Told::setting(
                "EventBridgeRoleArn",
                "METAFLOW_EVENTS_SFN_ACCESS_IAM_ROLE",
                "The role with which schedules start flows",
                self.events_role.arn.retype(),
            ),
            Told::setting(
                "DDBTableName",
                "METAFLOW_SFN_DYNAMO_DB_TABLE",
                "The table in which branches of flows tell each other what they found",
                self.table_name.clone(),
            ),
            Told::only_setting("METAFLOW_SFN_STATE_MACHINE_PREFIX", pseudo::stack_name()),
            Told::only_setting("METAFLOW_SFN_EXECUTION_LOG_GROUP_ARN", self.log_group_arn.clone()),
        ]
    }
}

fn check(scope: Scope<'_>, compute: Option<&Compute>) {
    if compute.is_none() {
        let message = "Step Functions runs steps of flows on AWS Batch, but there is no environment of Batch";
        scope.report(
            Diagnostic::error("metaflow-parts", message).with_hint("choose compute too, or leave it out"),
        );
    }
    let name = scope.stack_name();
    if name.chars().count() > LONGEST_PREFIX {
        let message = format!(
            "the stack's name `{name}` has {} characters, but the rules of Metaflow's schedules keep {LONGEST_PREFIX}",
            name.chars().count()
        );
        scope.report(Diagnostic::error("metaflow-prefix", message).with_hint("choose a shorter prefix"));
    }
}

/// Name and ARN of the table. What is in it is of use while a flow runs, and goes by itself.
fn table(scope: Scope<'_>, props: &MetaflowProps<'_>) -> (Value<String>, Value<String>) {
    let hash = TableKeySchema::new()
        .attribute_name(serde_json::Value::from("pathspec"))
        .key_type(TableKeySchemaKeyType::HASH);
    let hash: Value<TableKeySchema> = formwork::IntoValue::into_value(hash);
    let schema = Value::from_expression(Expression::List(vec![hash.into_expression()]));
    let mut table = CfnTable::new(schema)
        .attribute_definitions([AttributeDefinition::new("pathspec", AttributeDefinitionAttributeType::S)])
        .billing_mode(TableBillingMode::PAY_PER_REQUEST)
        .time_to_live_specification(TimeToLiveSpecification::new(true).attribute_name("ttl"))
        .removal_policy(RemovalPolicy::Delete);
    if let Some(key) = &props.key {
        table = table.sse_specification(
            SseSpecification::new(true).sse_type(SseSpecificationSseType::KMS).kms_master_key_id(key),
        );
    }
    let table = table.define(scope, "Branches");
    (table.table_name(), table.arn())
}

fn states(resource: &str) -> Value<String> {
    text!(
        "arn:{}:states:{}:{}:{}:{}_*",
        pseudo::partition(),
        pseudo::region(),
        pseudo::account_id(),
        resource,
        pseudo::stack_name()
    )
}

/// The state machines of flows.
pub(super) fn state_machines() -> Value<String> {
    states("stateMachine")
}

/// The executions of flows.
pub(super) fn executions() -> Value<String> {
    text!("{}:*", states("execution"))
}

/// The rules that start flows on their schedules.
pub(super) fn schedules() -> Value<String> {
    rules(text!("{}_*", pseudo::stack_name()))
}

fn rules(name: impl formwork::IntoValue<String>) -> Value<String> {
    text!("arn:{}:events:{}:{}:rule/{}", pseudo::partition(), pseudo::region(), pseudo::account_id(), name)
}

/// What a state machine does: start jobs, wait for them, read what branches told.
fn running(compute: Option<&Compute>, table: &Value<String>) -> Vec<Statement> {
    let mut statements = vec![
        Statement::allow(["batch:DescribeJobs"])
            .sid("FollowJobs")
            .on_any_resource("the action has no resource type"),
        Statement::allow(["batch:TerminateJob"]).sid("EndJobs").on(batch("job/*")),
        Statement::allow(["batch:TagResource"]).sid("TagJobs").on(batch("job/*")).on(job_definitions()),
        // Step Functions hears by this rule of its own that a job has ended.
        Statement::allow(["events:DescribeRule", "events:PutRule", "events:PutTargets"])
            .sid("HearOfJobs")
            .on(rules("StepFunctionsGetEventsForBatchJobsRule")),
        Statement::allow(["dynamodb:GetItem"]).sid("ReadBranches").on(table),
        Statement::allow([
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ])
        .sid("SendLogs")
        .on_any_resource("deliveries of logs have no resource type"),
    ];
    if let Some(compute) = compute {
        statements.push(compute.submitting());
    }
    statements
}

/// What a state machine does for `@step_functions` with distributed branches: start its own children, and keep their
/// input and output in the datastore.
fn distributed(datastore: Option<&Datastore>) -> Vec<Statement> {
    let Some(datastore) = datastore else { return Vec::new() };
    let mut statements = vec![
        Statement::allow(["states:StartExecution"]).sid("StartBranches").on(state_machines()),
        Statement::allow(["states:DescribeExecution", "states:RedriveExecution", "states:StopExecution"])
            .sid("FollowBranches")
            .on(executions()),
    ];
    statements.extend(datastore.reading_and_writing());
    statements
}
