//! What the roles of Metaflow may do: all that its client, jobs, state machines and schedules call, and nothing beside it.
//!
//! The calls stand in `tests/metaflow/actions.json`; the run with the real client fails when it sees one that is not
//! there.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::{BTreeMap, BTreeSet};

use formwork_tests::iam::{ACCOUNT, Request, Role, Verdict, value};
use formwork_tests::repository_root;
use formwork_tests::variants::VARIANTS;
use serde::Deserialize;
use serde_json::Value as Json;

const STACK: &str = "sagemaker-infra-metaflow";

/// Something that is called.
#[derive(Deserialize)]
struct Row {
    who: String,
    actions: Vec<String>,
    on: String,
    #[serde(default)]
    with: BTreeMap<String, String>,
}

fn template() -> Json {
    let variant = VARIANTS.iter().find(|variant| variant.name == "metaflow-everything").unwrap();
    serde_json::from_str(&variant.templates(None).unwrap()[STACK]).unwrap()
}

struct Stack {
    template: Json,
    roles: BTreeMap<&'static str, Role>,
}

impl Stack {
    fn new() -> Self {
        let template = template();
        let named = |beginning| Role::named(&template, STACK, beginning);
        let roles = BTreeMap::from([
            ("client", named("MetaflowUserRole")),
            ("notebook", named("MetaflowNotebookRole")),
            ("job", named("MetaflowComputeJobRole")),
            ("execution", named("MetaflowComputeExecutionRole")),
            ("machine", named("MetaflowStepFunctionsRole")),
            ("schedule", named("MetaflowStepFunctionsEventsRole")),
        ]);
        Self { template, roles }
    }

    fn output(&self, name: &str) -> String {
        value(&self.template["Outputs"][name]["Value"], STACK)
    }

    /// What a row names, as the evaluator does.
    fn filled(&self, text: &str) -> String {
        let attribute = |reference: String| reference.replace('}', ".Arn}");
        let url = self.output("MetaflowDataStoreS3Url");
        let bucket = url.trim_start_matches("s3://").split('/').next().unwrap_or_default().to_owned();
        text.replace("{bucket}", &attribute(bucket))
            .replace("{queue}", &self.output("BatchJobQueueArn"))
            .replace("{table}", &attribute(self.output("DDBTableName")))
            .replace("{jobRole}", &self.output("ECSJobRoleForBatchJobs"))
            .replace("{executionRole}", &self.output("ECSFargateExecutionRole"))
            .replace("{machineRole}", &self.output("StepFunctionsRoleArn"))
            .replace("{scheduleRole}", &self.output("EventBridgeRoleArn"))
            .replace("{stack}", STACK)
    }

    #[track_caller]
    fn says(&self, who: &str, action: &str, on: &str, with: &[(&str, &str)], wanted: Verdict) {
        let resource = self.filled(on);
        let mut context = vec![("s3:authType", "REST-HEADER")];
        context.extend(with);
        let found = self.roles[who].verdict(&Request { action, resource: &resource, context: &context });
        assert_eq!(found, wanted, "{who}: {action} on {resource} with {context:?}");
    }
}

#[test]
fn all_that_is_called_is_allowed() {
    let stack = Stack::new();
    let text = std::fs::read_to_string(repository_root().join("tests/metaflow/actions.json")).unwrap();
    let rows: Vec<Row> = serde_json::from_str(&text).unwrap();
    assert!(rows.len() > 30);
    for row in &rows {
        let with: Vec<(&str, &str)> =
            row.with.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        for action in &row.actions {
            stack.says(&row.who, action, &row.on, &with, Verdict::Allowed);
            if row.who == "client" {
                // Whoever opens the notebook runs flows too.
                stack.says("notebook", action, &row.on, &with, Verdict::Allowed);
            }
        }
    }
}

#[test]
fn what_is_of_others_is_not_allowed() {
    let stack = Stack::new();
    let account = |rest: &str| format!("arn:aws:{}", rest.replace("ACCOUNT", ACCOUNT));
    let refused = |who: &str, action: &str, on: &str| stack.says(who, action, on, &[], Verdict::NotAllowed);
    for who in ["client", "notebook", "job", "machine", "schedule", "execution"] {
        refused(who, "s3:GetObject", "arn:aws:s3:::another-bucket/key");
        refused(who, "s3:DeleteBucket", "{bucket}");
        refused(who, "s3:PutBucketPolicy", "{bucket}");
        refused(who, "iam:CreateRole", &account("iam::ACCOUNT:role/admin"));
        refused(who, "dynamodb:DeleteTable", "{table}");
        refused(who, "states:StartExecution", &account("states:us-east-1:ACCOUNT:stateMachine:of-others"));
        refused(who, "batch:SubmitJob", &account("batch:us-east-1:ACCOUNT:job-queue/of-others"));
        refused(who, "secretsmanager:GetSecretValue", &account("secretsmanager:us-east-1:ACCOUNT:secret:x"));
    }
    refused("client", "dynamodb:GetItem", "{table}");
    refused(
        "client",
        "batch:RegisterJobDefinition",
        &account("batch:us-east-1:ACCOUNT:job-definition/of-others"),
    );
    refused("client", "events:PutRule", &account("events:us-east-1:ACCOUNT:rule/of-others"));
    refused(
        "client",
        "states:CreateStateMachine",
        &account("states:us-east-1:ACCOUNT:stateMachine:of-others"),
    );
    refused("job", "batch:SubmitJob", "{queue}");
    refused("job", "states:StartExecution", &account("states:us-east-1:ACCOUNT:stateMachine:{stack}_Flow"));
    refused("machine", "s3:DeleteObject", "{bucket}/metaflow/x");
    refused("machine", "events:PutRule", &account("events:us-east-1:ACCOUNT:rule/of-others"));
    refused(
        "schedule",
        "states:StopExecution",
        &account("states:us-east-1:ACCOUNT:execution:{stack}_Flow:0a"),
    );
    // A role is given to what it is for, and to nothing else.
    let to = |service| vec![("iam:PassedToService", service)];
    stack.says("client", "iam:PassRole", "{jobRole}", &to("lambda.amazonaws.com"), Verdict::NotAllowed);
    stack.says(
        "client",
        "iam:PassRole",
        "{machineRole}",
        &to("ecs-tasks.amazonaws.com"),
        Verdict::NotAllowed,
    );
    let admin = account("iam::ACCOUNT:role/admin");
    stack.says("client", "iam:PassRole", &admin, &to("ecs-tasks.amazonaws.com"), Verdict::NotAllowed);
}

#[test]
fn a_link_that_somebody_signed_opens_nothing() {
    let stack = Stack::new();
    for who in ["client", "notebook", "job"] {
        let with = [("s3:authType", "REST-QUERY-STRING")];
        let resource = stack.filled("{bucket}/metaflow/x");
        let request = Request { action: "s3:GetObject", resource: &resource, context: &with };
        assert_eq!(stack.roles[who].verdict(&request), Verdict::Denied, "{who}");
    }
}

#[test]
fn jobs_have_the_four_actions_of_the_datastore_and_no_more() {
    let stack = Stack::new();
    for action in ["s3:GetObjectAcl", "s3:PutObjectAcl", "s3:GetObjectVersion", "s3:DeleteObjectVersion"] {
        stack.says("job", action, "{bucket}/metaflow/x", &[], Verdict::NotAllowed);
    }
    stack.says("job", "s3:ListBucketVersions", "{bucket}", &[], Verdict::NotAllowed);
}

#[test]
fn roles_trust_whom_they_are_for() {
    let stack = Stack::new();
    let own = [("aws:SourceAccount", ACCOUNT)];
    let other = [("aws:SourceAccount", "999999999999")];
    for (who, service) in [
        ("job", "ecs-tasks.amazonaws.com"),
        ("execution", "ecs-tasks.amazonaws.com"),
        ("machine", "states.amazonaws.com"),
        ("schedule", "events.amazonaws.com"),
        ("notebook", "sagemaker.amazonaws.com"),
    ] {
        assert!(stack.roles[who].trusts(service, &own), "{who}");
        assert!(!stack.roles[who].trusts(service, &other), "{who}");
        assert!(!stack.roles[who].trusts("lambda.amazonaws.com", &own), "{who}");
    }
    let scientists = "arn:aws:iam::123456789012:role/Scientists";
    assert!(stack.roles["client"].trusts(scientists, &[]));
    assert!(!stack.roles["client"].trusts("ecs-tasks.amazonaws.com", &own));
    assert!(!stack.roles["client"].trusts("arn:aws:iam::123456789012:root", &[]));
}

/// Actions without a resource, and only those, are on everything.
#[test]
fn only_actions_without_a_resource_are_on_everything() {
    let stack = Stack::new();
    let wide: BTreeSet<(&str, &str)> = stack
        .roles
        .iter()
        .flat_map(|(who, role)| role.on_everything().into_iter().map(move |action| (*who, action)))
        .collect();
    let describe = [
        "batch:DescribeComputeEnvironments",
        "batch:DescribeJobDefinitions",
        "batch:DescribeJobQueues",
        "batch:DescribeJobs",
        "batch:ListJobs",
        "states:ListStateMachines",
    ];
    let deliveries = [
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    ];
    let mut wanted: BTreeSet<(&str, &str)> =
        BTreeSet::from([("execution", "ecr:GetAuthorizationToken"), ("machine", "batch:DescribeJobs")]);
    wanted.extend(describe.iter().flat_map(|action| [("client", *action), ("notebook", *action)]));
    wanted.extend(deliveries.iter().map(|action| ("machine", *action)));
    assert_eq!(wide, wanted);
}
