//! What can be known to be wrong before the service is asked: a tracking server that is refused costs half an hour.

use formwork::{Diagnostic, Scope, Severity, available_in};

use super::props::DEFAULT_MAINTENANCE_WINDOW;
use super::{ManagedMlflowProps, MlflowType, Provisioner, has_known_endpoint};

/// The longest name of a tracking server or app.
const LONGEST_NAME: usize = 256;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Whether the custom resource makes the app.
pub(super) fn is_custom(props: &ManagedMlflowProps) -> bool {
    match props.provisioner {
        Provisioner::Custom => true,
        Provisioner::Auto => !props.beyond_native().is_empty(),
        Provisioner::Native => false,
    }
}

/// The props with stand-ins for what is wrong about them, which is reported at the construct: so the schema, which knows
/// less of the way out, does not tell the same again.
pub(super) fn checked(scope: Scope<'_>, mut props: ManagedMlflowProps) -> ManagedMlflowProps {
    check_provisioner(scope, &props);
    check_region(scope, &props);
    let error = |rule: &str, message: String, hint: &str| {
        scope.report(Diagnostic::error(rule, message).with_hint(hint));
    };
    if !is_mlflow_name(&props.name) {
        let message = format!("`{}` is not a name that SageMaker takes for MLflow", props.name);
        let hint = "use letters, digits and hyphens between them, 256 characters at most";
        error("mlflow-name", message, hint);
        props.name = "mlflow".to_owned();
    }
    if !is_maintenance_window(&props.maintenance_window) {
        let message =
            format!("maintenance window `{}` is not a weekday and a time", props.maintenance_window);
        error(
            "mlflow-maintenance-window",
            message,
            "write it as in Tue:03:30, with the case of letters as it is there",
        );
        props.maintenance_window = DEFAULT_MAINTENANCE_WINDOW.to_owned();
    }
    let mlflow_type = props.mlflow_type;
    props.mlflow_version =
        props.mlflow_version.filter(|version| is_possible_version(scope, version, mlflow_type));
    if props.artifact_prefix.starts_with('/') || props.artifact_prefix.ends_with('/') {
        let message = format!("artifact prefix `{}` starts or ends with a slash", props.artifact_prefix);
        error("mlflow-artifact-prefix", message, "leave the slashes at both ends out");
        props.artifact_prefix = props.artifact_prefix.trim_matches('/').to_owned();
    }
    let has_key = props.artifact_key.is_some() || props.bucket.key.is_some();
    if props.artifact_bucket.is_some() && has_key {
        let message = "a key is given for the artifact bucket, which exists already".to_owned();
        error("mlflow-artifact-key", message, "say with the existing bucket which key encrypts it");
    }
    props
}

/// Whether SageMaker takes a text as the name of a tracking server or app: letters and digits with hyphens between them,
/// 256 characters at most.
pub fn is_mlflow_name(name: &str) -> bool {
    is_name(name, LONGEST_NAME)
}

/// Letters and digits with hyphens between them: `[a-zA-Z0-9](-*[a-zA-Z0-9])*`.
pub(crate) fn is_name(name: &str, longest: usize) -> bool {
    name.len() <= longest
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.ends_with(|last: char| last.is_ascii_alphanumeric())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
}

/// `Tue:03:30`. The service's own reference writes `TUE:03:30`, which its pattern refuses.
fn is_maintenance_window(window: &str) -> bool {
    let in_range = |text: &str, end: u8| {
        text.len() == 2
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse::<u8>().is_ok_and(|number| number < end)
    };
    match window.split(':').collect::<Vec<_>>().as_slice() {
        [day, hour, minute] => WEEKDAYS.contains(day) && in_range(hour, 24) && in_range(minute, 60),
        _ => false,
    }
}

/// Reports a version that cannot be.
fn is_possible_version(scope: Scope<'_>, version: &str, mlflow_type: MlflowType) -> bool {
    if mlflow_type == MlflowType::Serverless {
        let message = format!(
            "MLflow version {version} is set for a serverless app, whose version the service chooses"
        );
        let hint = "leave the version out, or use a tracking server";
        scope.report(Diagnostic::error("mlflow-version", message).with_hint(hint));
        return false;
    }
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = version.contains('.') && version.split('.').all(is_number);
    if !is_version {
        let message = format!("`{version}` is not a version of MLflow");
        scope.report(Diagnostic::error("mlflow-version", message).with_hint("write it as in 3.0 or 2.16"));
    }
    is_version
}

fn check_provisioner(scope: Scope<'_>, props: &ManagedMlflowProps) {
    let set = props.beyond_native().join(", ");
    if set.is_empty() {
        return;
    }
    let (message, hint) = match (props.mlflow_type, props.provisioner) {
        (MlflowType::Tracking, _) => (
            format!("a tracking server has no {set}"),
            "leave it out, or use a serverless app (mlflowType=serverless)",
        ),
        (MlflowType::Serverless, Provisioner::Native) => (
            format!("the native type {} has no {set}", props.mlflow_type.resource_type()),
            "leave it out, or let the custom resource make the app (provisioner=custom, or auto)",
        ),
        _ => return,
    };
    scope.report(Diagnostic::error("mlflow-provisioner", message).with_hint(hint));
}

fn check_region(scope: Scope<'_>, props: &ManagedMlflowProps) {
    let type_name = props.mlflow_type.resource_type();
    let region = scope.environment().region;
    if let Some(region) = &region {
        check_endpoint(scope, region);
    }
    if props.mlflow_type == MlflowType::Serverless && is_custom(props) {
        return;
    }
    let Some(region) = region else {
        let message = format!("no region is given, so it is not checked that {type_name} is available there");
        scope.report(Diagnostic::new(Severity::Note, "mlflow-region", message));
        return;
    };
    if !has_native_type(scope, props) {
        let message = format!("{type_name} is not available in {region}");
        let hint = match props.mlflow_type {
            MlflowType::Tracking => {
                "choose another region, such as us-east-1, or take in a server of another region by its ARN (mlflowArn)"
            }
            MlflowType::Serverless => {
                "choose another region, such as us-east-1, or let the custom resource make the app (provisioner=custom)"
            }
        };
        scope.report(Diagnostic::error("mlflow-region", message).with_hint(hint));
    }
}

/// Whether the region, as far as it is known, has the native type.
pub(super) fn has_native_type(scope: Scope<'_>, props: &ManagedMlflowProps) -> bool {
    let region = scope.environment().region;
    region.is_none_or(|region| available_in(props.mlflow_type.resource_type(), &region) != Some(false))
}

/// Warns where no endpoint of the MLflow API is publicly known.
pub(super) fn check_endpoint(scope: Scope<'_>, region: &str) {
    if !has_known_endpoint(region) {
        let message = format!("no endpoint of managed MLflow is publicly known in {region}");
        let hint =
            "choose a region of the partitions aws or aws-us-gov, or give clients the endpoint by hand";
        scope.report(Diagnostic::new(Severity::Warning, "mlflow-endpoint", message).with_hint(hint));
    }
}
