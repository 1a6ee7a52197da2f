//! What is found in an account and region.

use serde_json::json;

use crate::assets::stage::Stage;
use crate::bootstrap::{check, look};
use crate::error::Class;

#[tokio::test(start_paused = true)]
async fn both_kinds_of_bootstrap_stacks_are_recognised() {
    let stage = Stage::new("").await;
    assert_eq!(look(&stage.session, "formwork").await.expect("an answer"), super::Found::default());
    stage.script(
        "parameter /formwork/bootstrap/formwork/version 1; parameter /formwork/bootstrap/formwork/bucket b\n\
         parameter /cdk-bootstrap/hnb659fds/version 30",
    );
    let found = look(&stage.session, "formwork").await.expect("an answer");
    assert_eq!((found.version, found.cdk_version), (Some(1), Some(30)));
    assert_eq!(found.bucket.as_deref(), Some("b"));
    assert_eq!(found.cdk_bucket.as_deref(), Some("cdk-hnb659fds-assets-123456789012-us-east-1"));
}

#[tokio::test(start_paused = true)]
async fn stack_that_asks_for_a_newer_bootstrap_stack_is_refused() {
    let stage = Stage::new("parameter /cdk-bootstrap/hnb659fds/version 5").await;
    let (_, mut stack) = stage.assembly(json!({}), json!({}));
    check(&stack, &stage.session).await.expect("it asks for none");
    stack.properties.bootstrap_stack_version_ssm_parameter =
        Some("/cdk-bootstrap/hnb659fds/version".to_owned());
    stack.properties.requires_bootstrap_stack_version = Some(5);
    check(&stack, &stage.session).await.expect("recent enough");
    stack.properties.requires_bootstrap_stack_version = Some(6);
    let error = check(&stack, &stage.session).await.expect_err("too old");
    assert_eq!(error.class, Class::Refused);
    assert!(error.message.contains("needs version 6") && error.message.contains("has version 5"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("run `cdk bootstrap aws://123456789012/us-east-1`"));
    stack.properties.bootstrap_stack_version_ssm_parameter = Some("/cdk-bootstrap/other/version".to_owned());
    let error = check(&stack, &stage.session).await.expect_err("none");
    assert!(error.message.starts_with("account 123456789012 is not bootstrapped"), "{error}");
}

/// Our own roles may read our parameters only; that the CDK's cannot be read is no reason to stop.
#[tokio::test(start_paused = true)]
async fn parameter_of_the_cdk_that_may_not_be_read_counts_as_missing() {
    let stage = Stage::new(
        "parameter /formwork/bootstrap/formwork/bucket b\non GetParameter#3 error 400 AccessDeniedException",
    )
    .await;
    let found = look(&stage.session, "formwork").await.expect("an answer");
    assert_eq!((found.bucket.as_deref(), found.cdk_version), (Some("b"), None));
}
