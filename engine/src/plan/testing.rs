//! Stacks and change sets for tests.

use std::collections::BTreeMap;

use crate::aws::cloudformation::{ChangeSet, ChangeSetStatus, ExecutionStatus, Stack, StackStatus};

/// A stack with nothing in it.
pub(crate) fn stack(name: &str, status: StackStatus) -> Stack {
    Stack {
        id: format!("arn:aws:cloudformation:eu-west-1:111122223333:stack/{name}/1"),
        name: name.to_owned(),
        status,
        status_reason: None,
        created: None,
        updated: None,
        outputs: BTreeMap::new(),
        parameters: BTreeMap::new(),
        resolved_parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        notification_arns: Vec::new(),
        role_arn: None,
        termination_protection: false,
        parent_id: None,
        change_set_id: None,
        rollback: None,
    }
}

/// A change set that is ready and changes nothing.
pub(crate) fn change_set(name: &str) -> ChangeSet {
    ChangeSet {
        arn: format!("arn:aws:cloudformation:eu-west-1:111122223333:changeSet/{name}/1"),
        name: name.to_owned(),
        stack_id: "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/1".to_owned(),
        stack_name: "shop".to_owned(),
        status: ChangeSetStatus::CreateComplete,
        execution_status: ExecutionStatus::Available,
        status_reason: None,
        changes: Vec::new(),
        parameters: BTreeMap::new(),
        resolved_parameters: BTreeMap::new(),
        created: None,
    }
}

/// A stack of an assembly with a template; its environment is not known.
pub(crate) fn input(id: &str, template: serde_json::Value) -> super::input::Input {
    let text = formwork_assembly::json::to_text(&template);
    super::input::Input {
        artifact: formwork_assembly::StackArtifact {
            id: id.to_owned(),
            environment: "aws://unknown-account/unknown-region".to_owned(),
            properties: formwork_assembly::manifest::StackProperties {
                template_file: format!("{id}.template.json"),
                stack_name: Some(id.to_owned()),
                ..Default::default()
            },
            dependencies: Vec::new(),
        },
        sha256: super::input::sha256(&text),
        text,
        template,
        more: super::input::MoreProperties::default(),
    }
}

/// A plan that makes one stack.
pub(crate) fn plan() -> super::Plan {
    use super::model::*;
    let environment = Environment { account: "111122223333".to_owned(), region: "eu-west-1".to_owned() };
    let parameter = PlannedParameter {
        source: ParameterSource::Given,
        value: Some("dev".to_owned()),
        sha256: Some(super::input::sha256("dev")),
        resolved: None,
    };
    let change = crate::plan::changes::between(
        None,
        &serde_json::json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
    );
    let mut plan = Plan {
        format: FORMAT,
        program: "0.1.0".to_owned(),
        run: "20260101-120000-0001".to_owned(),
        command: Command::Deploy,
        created: "2026-01-01T12:00:00Z".parse().expect("a time"),
        assembly: "cfn-out".to_owned(),
        environments: vec![PlannedEnvironment {
            environment: environment.clone(),
            identity: "arn:aws:iam::111122223333:user/somebody".to_owned(),
        }],
        options: PlanOptions::default(),
        stacks: vec![StackPlan {
            id: "shop".to_owned(),
            name: "shop".to_owned(),
            environment,
            operation: Operation::Create,
            adopted: false,
            needs: Vec::new(),
            provisional: None,
            template: Some(PlannedTemplate { sha256: "a".repeat(64), bytes: 10, url: None }),
            first_phase: None,
            parameters: [("Stage".to_owned(), parameter)].into(),
            tags: super::owner::marked(BTreeMap::new(), "shop"),
            assume_role_arn: None,
            external_id: None,
            execution_role_arn: None,
            notification_arns: Vec::new(),
            termination_protection: Some(false),
            assets: Vec::new(),
            change_set: Some(PlannedChangeSet {
                arn: "arn:aws:cloudformation:eu-west-1:111122223333:changeSet/fw-20260101-120000-0001-aaaaaaaa/1".to_owned(),
                name: "fw-20260101-120000-0001-aaaaaaaa".to_owned(),
                stack_id: "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/1".to_owned(),
            }),
            base: None,
            changes: change,
            losses: Vec::new(),
            broadenings: Vec::new(),
            removals: Vec::new(),
            left: Vec::new(),
            notes: Vec::new(),
        }],
        digest: String::new(),
    };
    super::file::seal(&mut plan);
    plan
}
