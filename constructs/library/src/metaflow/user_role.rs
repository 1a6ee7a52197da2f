//! The role of those who run flows.
//!
//! It may do what Metaflow's client does, on what this stack has made and on what the client makes by its names; who may
//! take it on is said by whoever deploys. The notebook has the same rights.
//!
//! Source: the calls of client 2.19.39 and of the code around them, and the Service Authorization Reference for which
//! actions have a resource.

use formwork::{IntoValue, RoleArn, Scope, Value, pseudo, text};

use super::compute::{batch, job_definitions};
use super::step_functions::{executions, schedules, state_machines};
use super::{Metaflow, MetaflowProps, Told};
use crate::iam::{Role, RoleProps, Statement};

/// What can be said about the role.
#[derive(Clone, Debug, Default)]
pub struct UserRoleProps {
    /// The ARNs of the roles, users or accounts (`arn:aws:iam::111122223333:root`) that may take it on.
    pub principals: Vec<String>,
    /// The ARNs of managed policies that it has beyond what Metaflow's client needs.
    pub managed_policies: Vec<Value<String>>,
}

/// The role.
#[derive(Clone, Debug)]
pub struct UserRole {
    /// The role.
    pub role: Role,
}

impl UserRole {
    /// `made` has all parts but the role and the notebook.
    #[track_caller]
    pub(super) fn new(
        scope: Scope<'_>,
        _props: &MetaflowProps<'_>,
        own: &UserRoleProps,
        made: &Metaflow,
    ) -> Self {
        let role = Role::for_principals(
            scope,
            "Role",
            own.principals.iter().cloned().map(IntoValue::into_value),
            RoleProps {
                description: "Runs flows of Metaflow".to_owned(),
                managed_policies: own.managed_policies.clone(),
                statements: statements(made),
                ..RoleProps::default()
            },
        );
        Self { role }
    }

    pub(super) fn told(&self) -> Vec<Told> {
        vec![Told::output("MetaflowUserRoleArn", "The role of those who run flows", self.role.arn.retype())]
    }
}

/// What Metaflow's client does with the parts that were made.
pub(super) fn statements(made: &Metaflow) -> Vec<Statement> {
    let mut statements = Vec::new();
    if let Some(datastore) = &made.datastore {
        statements.extend(datastore.statements());
        statements.push(datastore.deny_presigned());
    }
    if let Some(compute) = &made.compute {
        statements.extend([
            Statement::allow([
                "batch:DescribeComputeEnvironments",
                "batch:DescribeJobDefinitions",
                "batch:DescribeJobQueues",
                "batch:DescribeJobs",
                "batch:ListJobs",
            ])
            .sid("FollowJobs")
            .on_any_resource("the actions have no resource type"),
            Statement::allow(["batch:RegisterJobDefinition"]).sid("DefineJobs").on(job_definitions()),
            compute.submitting(),
            Statement::allow(["batch:TerminateJob"]).sid("EndJobs").on(batch("job/*")),
            Statement::allow(["batch:TagResource"]).sid("TagJobs").on(batch("job/*")).on(job_definitions()),
            passing("GiveRolesToJobs", &compute.roles_of_jobs(), "ecs-tasks.amazonaws.com"),
        ]);
    }
    if let Some(step_functions) = &made.step_functions {
        statements.extend([
            Statement::allow(["states:ListStateMachines"])
                .sid("FindFlows")
                .on_any_resource("the action has no resource type"),
            Statement::allow([
                "states:CreateStateMachine",
                "states:DeleteStateMachine",
                "states:DescribeStateMachine",
                "states:ListExecutions",
                "states:StartExecution",
                "states:UpdateStateMachine",
            ])
            .sid("DeployFlows")
            .on(state_machines()),
            Statement::allow([
                "states:DescribeExecution",
                "states:GetExecutionHistory",
                "states:StopExecution",
            ])
            .sid("FollowFlows")
            .on(executions()),
            Statement::allow([
                "events:DeleteRule",
                "events:DescribeRule",
                "events:DisableRule",
                "events:PutRule",
                "events:PutTargets",
                "events:RemoveTargets",
            ])
            .sid("ScheduleFlows")
            .on(schedules()),
            passing("GiveRoleToFlows", &[&step_functions.role.arn], "states.amazonaws.com"),
            passing("GiveRoleToSchedules", &[&step_functions.events_role.arn], "events.amazonaws.com"),
        ]);
    }
    // For `formwork metaflow config`: the outputs of the stack, and the value of the key that the API takes.
    statements.push(
        Statement::allow(["cloudformation:DescribeStacks"]).sid("ReadConfiguration").on(pseudo::stack_id()),
    );
    if let Some(api) = &made.api {
        let key =
            text!("arn:{}:apigateway:{}::/apikeys/{}", pseudo::partition(), pseudo::region(), &api.key_id);
        statements.push(Statement::allow(["apigateway:GET"]).sid("ReadKeyOfService").on(key));
    }
    statements
}

fn passing(sid: &str, roles: &[&Value<RoleArn>], service: &str) -> Statement {
    let pass =
        Statement::allow(["iam:PassRole"]).sid(sid).when("StringEquals", "iam:PassedToService", service);
    roles.iter().fold(pass, |statement, role| statement.on(*role))
}
