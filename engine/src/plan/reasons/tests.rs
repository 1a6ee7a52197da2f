use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::*;
use crate::aws::InProcess;

const IMPORT: &str = "CloudFormation is attempting to import some resources because they already exist in your account. \
    The resources must have the DeletionPolicy attribute set to 'Retain' or 'RetainExceptOnCreate' in the template for \
    successful import. The affected resources are Bucket ({BucketName=logs, Region=x}), Table ({TableName=users})";

/// Fault 21: both texts that mean that nothing changes, whatever stands around them.
#[test]
fn an_empty_change_set_is_recognised_by_either_text() {
    for reason in [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
        "Transform AWS::LanguageExtensions: No updates are to be performed. (Service: CloudFormation)",
        "FAILED: The submitted information didn't contain changes.",
    ] {
        assert_eq!(classify(reason), Refusal::Empty, "{reason}");
    }
}

/// Fault 22: a template error is told as it is, with the construct that it names.
#[test]
fn a_template_error_is_told_with_its_construct() {
    let refusal = classify("Template error: instance of Fn::GetAtt references undefined resource Queue");
    assert!(matches!(refusal, Refusal::Template(_)));
    let told = error("shop", &refusal, &Places::default());
    assert_eq!(told.class, Class::Input);
    assert!(told.message.starts_with("stack shop: Template error:"), "{}", told.message);
}

/// Fault 23: early validation without permission to ask for details is still a useful message.
#[test]
fn early_validation_without_details_names_the_permission() {
    let reason = "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation].";
    let Refusal::Validation { findings, .. } = classify(reason) else { panic!("{:?}", classify(reason)) };
    assert!(findings.is_empty());
    let denied = Refusal::Validation { findings, reason: reason.to_owned(), denied: true };
    let told = error("shop", &denied, &Places::default());
    assert!(told.message.contains("AWS::EarlyValidation::PropertyValidation"), "{}", told.message);
    assert!(told.hint.unwrap().contains("cloudformation:DescribeEvents"));
}

/// Fault 23: each finding names its resource, place and check.
#[test]
fn findings_of_early_validation_are_shown_per_resource() {
    let finding = OperationFinding {
        kind: "VALIDATION_ERROR".to_owned(),
        logical_id: Some("Logs".to_owned()),
        resource_type: Some("AWS::S3::Bucket".to_owned()),
        validation: Some("NAME_CONFLICT_VALIDATION".to_owned()),
        failure_mode: Some("FAIL".to_owned()),
        path: Some("/Resources/Logs/Properties/BucketName".to_owned()),
        reason: "the bucket exists".to_owned(),
    };
    let refusal = Refusal::Validation { findings: vec![finding], reason: String::new(), denied: false };
    let told = error("shop", &refusal, &Places::default()).message;
    assert!(
        told.contains("Logs (AWS::S3::Bucket) at /Resources/Logs/Properties/BucketName: the bucket exists [NAME_CONFLICT_VALIDATION]"),
        "{told}"
    );
}

/// Fault 24: the nested change set that failed is found in the text.
#[test]
fn a_nested_failure_names_the_child() {
    let arn = "arn:aws:cloudformation:eu-west-1:111122223333:changeSet/shop-Data-1ABC/11111111-2222-3333-4444-555555555555";
    let reason = format!("Nested change set {arn} was not successfully created: Currently in FAILED.");
    assert_eq!(nested_change_set(&reason).as_deref(), Some(arn));
    let Refusal::Nested { path, .. } = classify(&reason) else { panic!("{:?}", classify(&reason)) };
    assert_eq!(path, ["shop-Data-1ABC"]);
}

/// Fault 25: existing resources without Retain are listed.
#[test]
fn resources_that_cannot_be_taken_in_are_listed() {
    let Refusal::Import { resources, .. } = classify(IMPORT) else { panic!("{:?}", classify(IMPORT)) };
    assert_eq!(resources, ["Bucket ({BucketName=logs, Region=x})", "Table ({TableName=users})"]);
    let told = error("shop", &classify(IMPORT), &Places::default());
    assert!(told.hint.unwrap().contains("DeletionPolicy Retain"));
}

/// Fault 26: a hook that refuses is named.
#[test]
fn a_hook_that_refuses_is_named() {
    let refusal = classify("The following hook(s) failed: [Org::Guard::Encryption]");
    let Refusal::Hook { hooks, .. } = &refusal else { panic!("{refusal:?}") };
    assert_eq!(hooks, &["Org::Guard::Encryption"]);
    assert!(
        error("shop", &refusal, &Places::default()).message.contains("hook Org::Guard::Encryption refuses")
    );
}

#[test]
fn a_resource_called_hook_is_no_hook() {
    assert!(matches!(
        classify(
            "Template format error: Unresolved resource dependencies [Webhook] in the Resources block of the template"
        ),
        Refusal::Template(_)
    ));
}

/// Answers in this process: STS, and change sets by the end of their ARN.
#[derive(Debug)]
struct Told;

impl InProcess for Told {
    fn call(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'static, Result<http::Response<Bytes>, String>> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let described = |reason: &str| {
            format!(
                "<DescribeChangeSetResponse><DescribeChangeSetResult><ChangeSetName>x</ChangeSetName>\
                 <ChangeSetId>arn</ChangeSetId><StackId>arn</StackId><StackName>x</StackName><Status>FAILED</Status>\
                 <ExecutionStatus>UNAVAILABLE</ExecutionStatus><StatusReason>{reason}</StatusReason>\
                 </DescribeChangeSetResult></DescribeChangeSetResponse>"
            )
        };
        let text = if body.contains("GetCallerIdentity") {
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/a</Arn>\
             <UserId>A</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
                .to_owned()
        } else if body.contains("shop-Middle") {
            described(&nested_in("shop-Middle-Deep-2DEF"))
        } else {
            described("Template error: instance of Fn::GetAtt references undefined resource Nobody")
        };
        let response = http::Response::builder().status(200).body(Bytes::from(text)).expect("an answer");
        Box::pin(async move { Ok(response) })
    }
}

fn nested_in(name: &str) -> String {
    let arn = format!("arn:aws:cloudformation:eu-west-1:111122223333:changeSet/{name}/11111111-2222");
    let arn = arn.replace("shop-Middle-Deep", "shop-Deep");
    format!("Nested change set {arn} was not successfully created: Currently in FAILED.")
}

/// Fault 24: through two levels of nested stacks, the reason of the deepest is told.
#[tokio::test(start_paused = true)]
async fn the_deepest_nested_failure_is_the_reason() {
    let clock = crate::Clock::real();
    let sessions = crate::aws::Sessions::new(crate::aws::ConnectOptions {
        profile: None,
        region: Some("eu-west-1".to_owned()),
        transport: crate::aws::Transport::InProcess(std::sync::Arc::new(Told)),
        clock,
        listener: std::sync::Arc::new(crate::event::Nobody),
    });
    let session = sessions.base().await.unwrap();
    let mut set = crate::plan::testing::change_set("fw-1");
    set.status_reason = Some(nested_in("shop-Middle-1ABC"));
    let found = refusal(&session, &set).await;
    let told = error("shop", &found, &Places::default()).message;
    assert_eq!(
        told,
        "stack shop: nested stack shop-Middle-1ABC > shop-Deep-2DEF: Template error: instance of Fn::GetAtt references \
         undefined resource Nobody"
    );
}
