use super::*;
use crate::aws::fake::{Answer, fake, refused, sts, ticket};
use crate::aws::{ErrorKind, Session};
use std::sync::Arc;

const ARN: &str = "arn:aws:cloudformation:us-east-1:123456789012:stack/net/1";

fn summary(name: &str, status: &str) -> String {
    format!(
        "<member><StackName>{name}</StackName><StackId>{ARN}</StackId><StackStatus>{status}</StackStatus></member>"
    )
}

async fn client(
    script: impl Fn(&crate::aws::fake::Seen, usize) -> Answer + Send + Sync + 'static,
) -> (Arc<crate::aws::fake::Fake>, Client) {
    let service = fake(move |seen, before| sts(seen).unwrap_or_else(|| script(seen, before)));
    let session: Session = service.session().await;
    (service, session.cloudformation().clone())
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_read_whole_with_words_that_are_new() {
    let (_, client) = client(|seen, _| match seen.get("StackName") {
        "gone" => refused("ValidationError", "Stack with id gone does not exist"),
        _ => Answer::Result(format!(
            "<Stacks><member><StackName>net</StackName><StackId>{ARN}</StackId>\
             <StackStatus>UPDATE_HALF_DONE</StackStatus><CreationTime>2026-11-01T01:02:03.456Z</CreationTime>\
             <Parameters><member><ParameterKey>B</ParameterKey><ParameterValue>/p</ParameterValue>\
             <ResolvedValue>v</ResolvedValue></member></Parameters>\
             <Outputs><member><OutputKey>Vpc</OutputKey><OutputValue>vpc-1</OutputValue><ExportName>net:Vpc</ExportName></member></Outputs>\
             <Tags><member><Key>k</Key><Value>v</Value></member></Tags>\
             <EnableTerminationProtection>true</EnableTerminationProtection></member></Stacks>"
        )),
    })
    .await;
    let stack = client.stack("net").await.expect("reads").expect("is there");
    assert_eq!(stack.status, StackStatus::Other("UPDATE_HALF_DONE".to_owned()));
    assert_eq!((stack.id.as_str(), stack.termination_protection), (ARN, true));
    assert_eq!(stack.created.expect("a time").to_string(), "2026-11-01T01:02:03.456Z");
    assert_eq!((stack.parameters["B"].as_str(), stack.resolved_parameters["B"].as_str()), ("/p", "v"));
    assert_eq!(stack.outputs["Vpc"].export_name.as_deref(), Some("net:Vpc"));
    assert_eq!(stack.tags["k"], "v");
    assert_eq!(client.stack("gone").await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn lists_are_read_to_their_last_page() {
    let (service, client) = client(|seen, _| match (seen.action.as_str(), seen.get("NextToken")) {
        ("ListStacks", "") => Answer::Result(format!(
            "<StackSummaries>{}</StackSummaries><NextToken>2</NextToken>",
            summary("a", "CREATE_COMPLETE")
        )),
        ("ListStacks", _) => {
            Answer::Result(format!("<StackSummaries>{}</StackSummaries>", summary("b", "DELETE_FAILED")))
        }
        ("ListExports", "") => Answer::Result(
            "<Exports><member><Name>x</Name><Value>1</Value></member></Exports><NextToken>2</NextToken>"
                .to_owned(),
        ),
        // A service that names the page it just gave.
        ("ListExports", _) => Answer::Result(
            "<Exports><member><Name>y</Name><Value>2</Value></member></Exports><NextToken>2</NextToken>"
                .to_owned(),
        ),
        _ => refused("ValidationError", "Export 'x' is not imported by any stack."),
    })
    .await;
    let stacks =
        client.list_stacks(&[StackStatus::CreateComplete, StackStatus::DeleteFailed]).await.expect("lists");
    assert_eq!(stacks.iter().map(|stack| stack.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(service.seen("ListStacks")[1].get("StackStatusFilter.member.2"), "DELETE_FAILED");
    assert_eq!(client.exports().await.expect("lists").into_keys().collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(client.importers("x").await, Ok(Vec::new()));
}

/// Fault 20: a page whose token is too old makes the list begin again, and nothing is in it twice.
#[tokio::test(start_paused = true)]
async fn a_page_that_expired_makes_the_list_begin_again() {
    let (service, client) = client(|seen, before| match (seen.get("NextToken"), before) {
        ("", _) => Answer::Result(format!(
            "<StackSummaries>{}</StackSummaries><NextToken>2</NextToken>",
            summary("a", "CREATE_COMPLETE")
        )),
        (_, 1) => refused("ValidationError", "Token expired"),
        _ => Answer::Result(format!("<StackSummaries>{}</StackSummaries>", summary("b", "CREATE_COMPLETE"))),
    })
    .await;
    let stacks = client.list_stacks(&[]).await.expect("lists");
    assert_eq!(stacks.iter().map(|stack| stack.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(service.seen("ListStacks").len(), 4);
}

const CHANGE_SET: &str = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/fw-1/1";

fn change_set(reason: &str, changes: &str, next: &str) -> Answer {
    Answer::Result(format!(
        "<ChangeSetName>fw-1</ChangeSetName><ChangeSetId>{CHANGE_SET}</ChangeSetId><StackName>net</StackName>\
         <StackId>{ARN}</StackId><Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus>\
         <StatusReason>{reason}</StatusReason><Changes>{changes}</Changes>{next}"
    ))
}

fn modify(id: &str, after: &str) -> String {
    let value = if after.is_empty() {
        String::new()
    } else {
        format!("<Path>/Properties/P</Path><AfterValue>{after}</AfterValue>")
    };
    format!(
        "<member><Type>Resource</Type><ResourceChange><Action>Modify</Action><LogicalResourceId>{id}</LogicalResourceId>\
         <ResourceType>AWS::S3::Bucket</ResourceType><Replacement>False</Replacement><Details><member><Target>\
         <Attribute>Properties</Attribute><Name>P</Name>{value}</Target></member></Details></ResourceChange></member>"
    )
}

/// Fault 27: a description that is incomplete because of the values is asked for once more without them; no change is
/// lost, none is there twice, and the values stay.
#[tokio::test(start_paused = true)]
async fn a_description_that_values_made_incomplete_is_completed() {
    const WARNING: &str = "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet creation failed for resource [B]";
    let (service, client) =
        client(|seen, _| match (seen.get("IncludePropertyValues"), seen.get("NextToken")) {
            ("true", _) => change_set(WARNING, &modify("A", "new"), ""),
            (_, "") => change_set("", &modify("A", ""), "<NextToken>2</NextToken>"),
            _ => change_set("", &modify("B", ""), ""),
        })
        .await;
    let described = client.change_set("fw-1", Some("net")).await.expect("reads").expect("is there");
    let changes: Vec<_> =
        described.changes.iter().map(|change| (change.logical_id.as_str(), change.details.len())).collect();
    assert_eq!(changes, [("A", 1), ("B", 1)]);
    assert_eq!(described.changes[0].details[0].after.as_deref(), Some("new"));
    assert_eq!(service.seen("DescribeChangeSet").len(), 3);
}

fn new() -> NewChangeSet {
    NewChangeSet {
        stack: "net".to_owned(),
        name: "fw-1".to_owned(),
        kind: crate::aws::cloudformation::ChangeSetType::Create,
        template: TemplateSource::Body("{}".to_owned()),
        parameters: [("P".to_owned(), ParameterValue::Previous)].into(),
        tags: BTreeMap::new(),
        capabilities: vec!["CAPABILITY_NAMED_IAM".to_owned()],
        notification_arns: Vec::new(),
        role_arn: None,
        description: None,
        resources_to_import: Vec::new(),
        import_existing: true,
        include_nested: true,
        revert_drift: false,
        rollback: Some(RollbackConfiguration {
            alarm_arns: vec!["arn:aws:cloudwatch:a".to_owned()],
            monitoring_minutes: 5,
        }),
    }
}

fn made() -> Answer {
    Answer::Result(format!("<Id>{CHANGE_SET}</Id><StackId>{ARN}</StackId>"))
}

/// Fault 15: throttled calls that change something are made again with the same token.
#[tokio::test(start_paused = true)]
async fn throttled_writes_are_repeated_with_the_same_token() {
    let (service, client) = client(|seen, before| match (seen.action.as_str(), before) {
        (_, 0..3) => crate::aws::fake::throttled(),
        ("CreateChangeSet", _) => made(),
        _ => Answer::Result(String::new()),
    })
    .await;
    let (create, execute) = (ticket("CreateChangeSet"), ticket("ExecuteChangeSet"));
    let arns = client.create_change_set(&new(), &create).await.expect("creates");
    assert_eq!(arns, (CHANGE_SET.to_owned(), ARN.to_owned()));
    client.execute_change_set(CHANGE_SET, Execution::default(), &execute).await.expect("executes");
    let created = service.seen("CreateChangeSet");
    assert_eq!(created.len(), 4);
    assert!(created.iter().all(|seen| seen.get("ClientToken") == create.token()));
    assert_eq!(
        (created[0].get("ImportExistingResources"), created[0].get("Parameters.member.1.UsePreviousValue")),
        ("true", "true")
    );
    assert_eq!(created[0].get("RollbackConfiguration.MonitoringTimeInMinutes"), "5");
    let executed = service.seen("ExecuteChangeSet");
    assert_eq!(executed.len(), 4);
    assert!(
        executed.iter().all(|seen| seen.get("ClientRequestToken") == execute.token()
            && seen.get("DisableRollback") == "false")
    );
}

fn event(token: &str) -> Answer {
    Answer::Result(format!(
        "<StackEvents><member><EventId>1</EventId><StackId>{ARN}</StackId><StackName>net</StackName>\
         <LogicalResourceId>net</LogicalResourceId><Timestamp>2026-11-01T01:02:03Z</Timestamp>\
         <ClientRequestToken>{token}</ClientRequestToken></member></StackEvents>"
    ))
}

/// Fault 16: an answer that is lost after `ExecuteChangeSet` was taken. The repeat is refused because the change set is being
/// executed; events with our token, which come late, show that it is our own execution.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_an_execution_is_found_in_the_events() {
    let ours = ticket("ExecuteChangeSet");
    let token = ours.token().to_owned();
    let (service, client) = client(move |seen, before| match (seen.action.as_str(), before) {
        ("ExecuteChangeSet", 0) => Answer::Broken,
        ("ExecuteChangeSet", _) => refused("InvalidChangeSetStatus", "ChangeSet [fw-1] cannot be executed in its current execution status of [EXECUTE_IN_PROGRESS]"),
        ("DescribeChangeSet", _) => Answer::Result(format!(
            "<ChangeSetId>{CHANGE_SET}</ChangeSetId><StackId>{ARN}</StackId><Status>CREATE_COMPLETE</Status><ExecutionStatus>EXECUTE_IN_PROGRESS</ExecutionStatus>"
        )),
        (_, 0..2) => event("somebody-else"),
        _ => event(&token),
    })
    .await;
    assert_eq!(client.execute_change_set(CHANGE_SET, Execution::default(), &ours).await, Ok(()));
    assert_eq!(service.seen("ExecuteChangeSet").len(), 2);
}

/// Fault 16, the other way: somebody else executed the change set.
#[tokio::test(start_paused = true)]
async fn an_execution_by_somebody_else_is_not_taken_for_ours() {
    let (_, client) = client(|seen, _| match seen.action.as_str() {
        "ExecuteChangeSet" => refused("InvalidChangeSetStatus", "ChangeSet [fw-1] cannot be executed"),
        "DescribeChangeSet" => Answer::Result(format!(
            "<ChangeSetId>{CHANGE_SET}</ChangeSetId><StackId>{ARN}</StackId><Status>CREATE_COMPLETE</Status><ExecutionStatus>EXECUTE_COMPLETE</ExecutionStatus>"
        )),
        _ => event("somebody-else"),
    })
    .await;
    let refused =
        client.execute_change_set(CHANGE_SET, Execution::default(), &ticket("ExecuteChangeSet")).await;
    assert_eq!(refused.expect_err("not ours").kind, ErrorKind::WrongState);
}

/// Fault 16 for the other calls: a lost answer to `CreateChangeSet`, `DeleteStack` and `ContinueUpdateRollback`.
#[tokio::test(start_paused = true)]
async fn lost_answers_to_other_writes_are_recognised() {
    let ours = ticket("ContinueUpdateRollback");
    let token = ours.token().to_owned();
    let (service, client) = client(move |seen, before| match (seen.action.as_str(), before) {
        (action, 0) if !action.starts_with("Describe") => Answer::Broken,
        ("CreateChangeSet", _) => refused(
            "AlreadyExistsException",
            "ChangeSet fw-1 cannot be created due to a mismatch with existing attribute",
        ),
        ("DescribeChangeSet", _) => change_set("", "", ""),
        ("ContinueUpdateRollback", _) => refused(
            "ValidationError",
            "Stack [net] is in UPDATE_ROLLBACK_IN_PROGRESS state and can not be updated.",
        ),
        ("DescribeStackEvents", _) => event(&token),
        _ => Answer::Result(String::new()),
    })
    .await;
    assert_eq!(
        client.create_change_set(&new(), &ticket("CreateChangeSet")).await,
        Ok((CHANGE_SET.to_owned(), ARN.to_owned()))
    );
    assert_eq!(client.continue_rollback(ARN, &RollbackContinuation::default(), &ours).await, Ok(()));
    let delete = ticket("DeleteStack");
    assert_eq!(client.delete_stack(ARN, &Deletion::default(), &delete).await, Ok(()));
    let deleted = service.seen("DeleteStack");
    assert_eq!(deleted.len(), 2);
    assert!(deleted.iter().all(|seen| seen.get("ClientRequestToken") == delete.token()));
}

/// Fault 29: a name that is taken without a lost answer is somebody else's.
#[tokio::test(start_paused = true)]
async fn a_name_that_was_taken_before_is_an_error() {
    let (_, client) = client(|_, _| refused("AlreadyExistsException", "ChangeSet fw-1 already exists")).await;
    let failed = client.create_change_set(&new(), &ticket("CreateChangeSet")).await.expect_err("taken");
    assert_eq!(failed.kind, ErrorKind::AlreadyExists);
    assert_eq!(failed.request_id.as_deref(), Some("r-1"));
}

/// Fault 49: cancelling what does not run.
#[tokio::test(start_paused = true)]
async fn refusals_by_state_are_told_as_such() {
    let (_, client) = client(|seen, _| match seen.action.as_str() {
        "CancelUpdateStack" => {
            refused("ValidationError", "CancelUpdateStack cannot be called from current stack status")
        }
        "DetectStackDrift" => {
            refused("ValidationError", "Drift detection is already in progress for stack net")
        }
        "DeleteChangeSet" => refused("ChangeSetNotFound", "ChangeSet [x] does not exist"),
        _ => {
            refused("ValidationError", "Stack [net] cannot be deleted while TerminationProtection is enabled")
        }
    })
    .await;
    let state = ErrorKind::WrongState;
    assert_eq!(
        client.cancel_update(ARN, &ticket("CancelUpdateStack")).await.expect_err("refused").kind,
        state
    );
    assert_eq!(client.detect_drift(ARN, &ticket("DetectStackDrift")).await.expect_err("refused").kind, state);
    let deleted = client.delete_stack(ARN, &Deletion::default(), &ticket("DeleteStack")).await;
    assert_eq!(deleted.expect_err("refused").kind, state);
    assert_eq!(client.delete_change_set(CHANGE_SET, &ticket("DeleteChangeSet")).await, Ok(()));
}
