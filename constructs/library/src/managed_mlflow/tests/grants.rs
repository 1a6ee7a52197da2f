//! What clients are granted.

use formwork::{Json, RoleArn, Severity, Value};
use serde_json::json;

use super::super::actions::ACTIONS;
use super::super::{Access, ManagedMlflow, MlflowType};
use super::{props, statement, statements, synth_with};
use crate::iam::Role;

fn client() -> Role {
    let name = Value::from_expression("client".into());
    Role::existing(name, RoleArn::literal("arn:aws:iam::111122223333:role/client"))
}

fn granted(mlflow_type: MlflowType, access: Access, artifacts: bool) -> Vec<Json> {
    let (template, _) = synth_with(Some("us-east-1"), |stack| {
        let mlflow = ManagedMlflow::new(stack, "Mlflow", props(mlflow_type));
        mlflow.grant_client(stack, "Client", &client(), access, artifacts);
    });
    statements(&template, "Client").clone()
}

fn actions(statement: &Json) -> Vec<String> {
    serde_json::from_value(statement["Action"].clone()).unwrap()
}

#[test]
fn the_table_of_actions_is_whole_sorted_and_divided() {
    assert!(ACTIONS.is_sorted_by(|(left, _), (right, _)| left < right));
    let count = |access| ACTIONS.iter().filter(|(_, least)| *least == access).count();
    assert_eq!((count(Access::Reader), count(Access::Writer), count(Access::Admin)), (20, 29, 12));
    for (name, access) in ACTIONS {
        let reads = ["Get", "List", "Search", "AccessUI"].iter().any(|start| name.starts_with(start));
        assert_eq!(access == Access::Reader, reads, "{name}");
        assert_eq!(access == Access::Admin, name.starts_with("Delete"), "{name}");
    }
}

#[test]
fn each_access_holds_the_one_below_it() {
    let reader = Access::Reader.actions();
    let writer = Access::Writer.actions();
    let admin = Access::Admin.actions();
    assert_eq!((reader.len(), writer.len(), admin.len()), (19, 48, 60));
    assert!(reader.iter().all(|action| writer.contains(action)));
    assert!(writer.iter().all(|action| admin.contains(action)));
    assert!(writer.iter().all(|action| !action.contains("Delete")));
}

#[test]
fn a_client_of_a_tracking_server_gets_exact_actions_on_that_server() {
    let granted = granted(MlflowType::Tracking, Access::Reader, false);
    assert_eq!(granted.len(), 2);
    let api = statement(&granted, "Mlflow");
    assert!(api["Resource"]["Fn::GetAtt"][1] == "TrackingServerArn", "{api}");
    let actions = actions(api);
    assert!(actions.contains(&"sagemaker-mlflow:SearchRuns".to_owned()));
    assert!(actions.contains(&"sagemaker:CreatePresignedMlflowTrackingServerUrl".to_owned()));
    assert!(
        !actions.iter().any(|action| action.contains('*') || action.contains("MlflowApp")),
        "{actions:?}"
    );
    assert_eq!(
        *statement(&granted, "MlflowUserInterface"),
        json!({
            "Sid": "MlflowUserInterface", "Effect": "Allow",
            "Action": "sagemaker-mlflow:AccessUI", "Resource": "*",
        })
    );
}

#[test]
fn a_client_of_an_app_also_gets_the_one_action_of_apps() {
    let granted = granted(MlflowType::Serverless, Access::Admin, false);
    let actions = actions(statement(&granted, "Mlflow"));
    assert!(actions.contains(&"sagemaker:CallMlflowAppApi".to_owned()));
    assert!(actions.contains(&"sagemaker-mlflow:DeleteRun".to_owned()));
    assert!(!actions.iter().any(|action| action.contains("TrackingServer")), "{actions:?}");
    assert!(statement(&granted, "Mlflow")["Resource"]["Ref"].is_string());
}

#[test]
fn artifacts_follow_the_access() {
    for (access, puts, deletes) in
        [(Access::Reader, false, false), (Access::Writer, true, false), (Access::Admin, true, true)]
    {
        let granted = granted(MlflowType::Tracking, access, true);
        assert_eq!(granted.len(), 4);
        let text = granted[2].to_string();
        assert!(text.contains("s3:GetObject") && text.contains("/mlflow/*"), "{text}");
        assert_eq!(text.contains("s3:PutObject"), puts, "{text}");
        assert_eq!(text.contains("s3:DeleteObject"), deletes, "{text}");
    }
}

#[test]
fn it_is_told_that_iam_cannot_limit_clients_of_an_app() {
    let (_, diagnostics) = synth_with(Some("us-east-1"), |stack| {
        let mlflow = ManagedMlflow::new(stack, "Mlflow", props(MlflowType::Serverless));
        mlflow.grant_client(stack, "Client", &client(), Access::Reader, false);
    });
    let note = diagnostics.iter().find(|found| found.rule == "mlflow-access").unwrap();
    assert_eq!(note.severity, Severity::Note);
    assert!(note.message.contains("cannot keep Client from writing"), "{}", note.message);
}

#[test]
fn artifacts_of_an_unknown_bucket_are_warned_about() {
    let (template, diagnostics) = synth_with(Some("us-east-1"), |stack| {
        let arn = "arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/shared";
        let mlflow = ManagedMlflow::existing(stack, "Mlflow", arn, None);
        mlflow.grant_client(stack, "Client", &client(), Access::Writer, true);
    });
    assert_eq!(statements(&template, "Client").len(), 2);
    let warning = diagnostics.iter().find(|found| found.rule == "mlflow-artifacts").unwrap();
    assert_eq!(warning.severity, Severity::Warning);
    assert!(warning.hint.as_ref().unwrap().contains("artifactBucket"));
}
