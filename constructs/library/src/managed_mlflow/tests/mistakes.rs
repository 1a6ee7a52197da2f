//! Mistakes that are told at synth, before the service is asked.

use formwork::{BucketName, DomainId, KeyArn, Severity, Stack, StackProps};

use super::super::{ManagedMlflow, ManagedMlflowProps, MlflowType, Provisioner};
use super::{app_in, props, synth_in};
use crate::storage::DataBucket;

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0f9e8d7c-6b5a-4958-8776-655443322110";

/// All errors, as rule, message and hint: what a construct reports the schema does not tell again.
fn errors(region: &str, props: ManagedMlflowProps) -> Vec<(String, String, String)> {
    let app = app_in(Some(region));
    let stack = Stack::define(app.root(), "mlflow", StackProps::default());
    ManagedMlflow::new(stack, "Mlflow", props);
    let found = app.synth().expect_err("there is a mistake").diagnostics.into_iter();
    found
        .filter(|found| found.severity == Severity::Error)
        .map(|found| (found.rule, found.message, found.hint.unwrap_or_default()))
        .collect()
}

fn only_error(region: &str, props: ManagedMlflowProps) -> (String, String, String) {
    let mut errors = errors(region, props);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

#[test]
fn names_windows_versions_and_prefixes_are_checked() {
    let tracking = || props(MlflowType::Tracking);
    for name in ["", "-platform", "platform-", "plat_form", "plat form", &"a".repeat(257)] {
        let (rule, message, _) =
            only_error("us-east-1", ManagedMlflowProps { name: name.to_owned(), ..tracking() });
        assert_eq!(rule, "mlflow-name");
        assert!(message.contains(name), "{message}");
    }
    for window in ["TUE:03:30", "Tue:3:30", "Tue:24:00", "Tue:03:60", "Tue", "Tue:03:30:00", "Tue:+3:30"] {
        let props = ManagedMlflowProps { maintenance_window: window.to_owned(), ..tracking() };
        let (rule, _, hint) = only_error("us-east-1", props);
        assert_eq!(rule, "mlflow-maintenance-window");
        assert!(hint.contains("Tue:03:30"));
    }
    for version in ["3", "v3.0", "3.", "latest"] {
        let props = ManagedMlflowProps { mlflow_version: Some(version.to_owned()), ..tracking() };
        assert_eq!(only_error("us-east-1", props).0, "mlflow-version");
    }
    let props = ManagedMlflowProps { artifact_prefix: "mlflow/".to_owned(), ..tracking() };
    assert_eq!(only_error("us-east-1", props).0, "mlflow-artifact-prefix");
}

#[test]
fn a_serverless_app_takes_no_version() {
    let props =
        ManagedMlflowProps { mlflow_version: Some("3.0".to_owned()), ..props(MlflowType::Serverless) };
    assert_eq!(only_error("us-east-1", props).0, "mlflow-version");
}

#[test]
fn what_the_native_type_lacks_names_both_ways_out() {
    let props = ManagedMlflowProps {
        provisioner: Provisioner::Native,
        app_key: Some(KeyArn::literal(KEY)),
        account_default: Some(true),
        default_domains: DomainId::literals(["d-abcdefghijkl"]),
        ..props(MlflowType::Serverless)
    };
    let (rule, message, hint) = only_error("us-east-1", props);
    assert_eq!(rule, "mlflow-provisioner");
    for name in ["KmsKeyId", "AccountDefaultStatus", "DefaultDomainIdList", "AWS::SageMaker::MlflowApp"] {
        assert!(message.contains(name), "{message}");
    }
    assert!(hint.contains("leave it out") && hint.contains("provisioner=custom"), "{hint}");
}

#[test]
fn a_tracking_server_has_no_settings_of_apps() {
    let props = ManagedMlflowProps { account_default: Some(true), ..props(MlflowType::Tracking) };
    let (_, message, hint) = only_error("us-east-1", props);
    assert!(message.contains("tracking server has no account default"), "{message}");
    assert!(hint.contains("mlflowType=serverless"));
}

#[test]
fn a_region_without_the_type_names_both_ways_out() {
    for provisioner in [Provisioner::Auto, Provisioner::Native] {
        let props = ManagedMlflowProps { provisioner, ..props(MlflowType::Serverless) };
        let (rule, message, hint) = only_error("af-south-1", props);
        assert_eq!(rule, "mlflow-region");
        assert!(message.contains("AWS::SageMaker::MlflowApp is not available in af-south-1"), "{message}");
        assert!(hint.contains("another region") && hint.contains("provisioner=custom"), "{hint}");
    }
}

#[test]
fn without_a_region_it_is_noted_that_nothing_was_checked() {
    let (_, diagnostics) = synth_in(None, props(MlflowType::Serverless));
    let note = diagnostics.iter().find(|found| found.rule == "mlflow-region").unwrap();
    assert_eq!(note.severity, Severity::Note);
}

#[test]
fn a_key_does_not_encrypt_a_bucket_that_exists() {
    let props = ManagedMlflowProps {
        artifact_bucket: Some(DataBucket::existing(&BucketName::literal("team-artifacts"), None)),
        artifact_key: Some(KeyArn::literal(KEY)),
        ..props(MlflowType::Tracking)
    };
    assert_eq!(only_error("us-east-1", props).0, "mlflow-artifact-key");
}

#[test]
fn an_arn_of_something_else_is_refused() {
    for arn in [
        "",
        "platform",
        "arn:aws:sagemaker:us-east-1:111122223333:domain/d-abc",
        "arn:aws:sagemaker:us-east-1:111122223333:mlflow-app/",
        "arn:aws:sagemaker:us-east-1:mlflow-app/app-1",
    ] {
        let app = app_in(Some("us-east-1"));
        let stack = Stack::define(app.root(), "mlflow", StackProps::default());
        ManagedMlflow::existing(stack, "Mlflow", arn, None);
        let error = app.synth().expect_err(arn);
        assert!(error.diagnostics.iter().any(|found| found.rule == "mlflow-arn"), "{arn}: {error}");
    }
}
