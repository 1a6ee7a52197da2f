//! What is read of policies, of IAM's decisions and of trust.

use serde_json::json;

use super::*;
use crate::aws::xml;

const SERVER_ARN: &str = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/team";
const APP_ARN: &str = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app/app-1";

#[test]
fn each_mode_has_its_own_actions() {
    let actions =
        BTreeSet::from(["sagemaker-mlflow:CreateRun", "sagemaker:CallMlflowAppApi", "sagemaker-mlflow:*"]);
    let server = needed(SERVER_ARN, &actions);
    assert!(server.contains("sagemaker-mlflow:CreateRun") && server.contains("sagemaker-mlflow:SearchRuns"));
    assert!(!server.iter().any(|action| action.contains('*') || action.contains("App")), "{server:?}");
    assert_eq!(needed(APP_ARN, &actions), BTreeSet::from([APP[0].to_owned()]));
    assert!(needed("arn:aws:s3:::bucket", &actions).is_empty());
}

#[test]
fn a_denial_says_by_what() {
    let read = |inner: &str| decision(&xml::read(&format!("<member>{inner}</member>")).unwrap());
    assert!(read("<EvalActionName>a:B</EvalActionName><EvalDecision>allowed</EvalDecision>").is_none());
    let denied = read(
        "<EvalActionName>a:B</EvalActionName><EvalDecision>implicitDeny</EvalDecision><OrganizationsDecisionDetail>\
         <AllowedByOrganizations>false</AllowedByOrganizations></OrganizationsDecisionDetail>",
    )
    .unwrap();
    assert!(denied.by_organisation && !denied.is_explicit && !denied.by_boundary);
    let check = refused(MLFLOW, "role".to_owned(), &[denied], 1, "clients get 403");
    assert!(check.hint.unwrap().contains("organisation"));
}

#[test]
fn trust_is_by_arn_by_account_or_lost() {
    let arn = "arn:aws:iam::111122223333:role/proxy";
    let document = |principal: &str| json!({ "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": principal } } });
    let told = |principal: &str| trusts(&document(principal), arn, "111122223333");
    assert_eq!(told(arn), Trust::Yes);
    assert_eq!(told("arn:aws:iam::111122223333:root"), Trust::Yes);
    assert_eq!(told("arn:aws:iam::111122223333:role/other"), Trust::No);
    assert_eq!(told("AROAEXAMPLE"), Trust::Gone("AROAEXAMPLE".to_owned()));
    let service = json!({ "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "Service": "ec2.amazonaws.com" } }] });
    assert_eq!(trusts(&service, arn, "111122223333"), Trust::No);
}

#[test]
fn documents_of_iam_are_decoded() {
    assert_eq!(decoded("%7B%22a%22%3A%20%22100%25%22%7D"), "{\"a\": \"100%\"}");
    assert_eq!(decoded("100%"), "100%");
}
