//! Parts that do not go together: what is chosen, what exists, and what is left to make.

use formwork_library::managed_mlflow::MlflowType;

use super::Review;
use crate::settings::Component;

pub(super) fn check(review: &Review<'_>) {
    let settings = review.settings;
    let (has_mlflow, has_proxy) = (settings.has(Component::Mlflow), settings.has(Component::Proxy));
    if settings.components.is_empty() {
        review.refuse(
            "components is empty, so there is nothing to make",
            "set components to one or several of mlflow, proxy, metaflow, mlflow-server and s3-only",
        );
    }
    if has_proxy && !has_mlflow && settings.mlflow_arn.is_none() {
        review.refuse(
            "components has the proxy alone, but nothing says what it stands in front of",
            "set mlflowArn to the ARN of a tracking server or MLflow app, or add mlflow to components",
        );
    }
    if has_mlflow
        && !has_proxy
        && settings.mlflow_arn.is_some()
        && settings.domain_id.is_some()
        && settings.domain_role.is_none()
    {
        review.refuse(
            "mlflowArn and domainId both name what exists, and there is no domainRole to let in, so nothing is left to \
             make",
            "set domainRole to the execution role of the Studio domain, or add proxy to components",
        );
    }
    if let Some(arn) = &settings.mlflow_arn
        && let Some(kind) = MlflowType::from_arn(arn)
        && review.is_set("mlflowType")
        && settings.mlflow_type != kind
    {
        review.refuse(
            format!(
                "mlflowType is {}, but mlflowArn names a {} one",
                settings.mlflow_type.as_str(),
                kind.as_str()
            ),
            "leave mlflowType out: the ARN says what it is",
        );
    }
}
