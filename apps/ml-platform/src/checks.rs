//! Settings that contradict each other: all of them are reported, each with the way out.

use formwork::{Diagnostic, Scope};
use formwork_library::managed_mlflow::MlflowType;

use crate::settings::{Component, PlatformSettings};

/// Reports what cannot be meant.
pub(crate) fn check(scope: Scope<'_>, settings: &PlatformSettings) {
    let refuse = |message: String, hint: &str| {
        scope.report(Diagnostic::error("settings", message).with_hint(hint));
    };
    if settings.components.is_empty() {
        refuse(
            "components is empty, so there is nothing to make".to_owned(),
            "set components to mlflow, proxy or both",
        );
    }
    if settings.has(Component::Proxy) && !settings.has(Component::Mlflow) && settings.mlflow_arn.is_none() {
        refuse(
            "components has the proxy alone, but nothing says what it stands in front of".to_owned(),
            "set mlflowArn to the ARN of a tracking server or MLflow app, or add mlflow to components",
        );
    }
    if settings.vpc_id.is_none() {
        for (key, given) in [
            ("subnetIds", !settings.subnet_ids.is_empty()),
            ("publicSubnetIds", !settings.public_subnet_ids.is_empty()),
            ("vpcCidr", settings.vpc_cidr.is_some()),
        ] {
            if given {
                refuse(
                    format!("{key} is set, but there is no vpcId that it belongs to"),
                    "set vpcId to the VPC of the subnets; the block of a VPC that is made is set with cidr",
                );
            }
        }
    } else {
        for (key, given) in
            [("natGateways", settings.nat_gateways.is_some()), ("endpoints", settings.endpoints.is_some())]
        {
            if given {
                refuse(
                    format!("{key} is set, but the VPC exists already and stays as it is"),
                    "leave it out, or leave vpcId out to have a VPC made",
                );
            }
        }
    }
    if let Some(arn) = &settings.mlflow_arn
        && let Some(kind) = MlflowType::from_arn(arn)
        && settings.mlflow_type != MlflowType::default()
        && settings.mlflow_type != kind
    {
        refuse(
            format!(
                "mlflowType is {}, but mlflowArn names a {} one",
                settings.mlflow_type.as_str(),
                kind.as_str()
            ),
            "leave mlflowType out: the ARN says what it is",
        );
    }
    if settings.jwt_issuer.is_some() != settings.jwt_audience.is_some() {
        refuse("jwtIssuer and jwtAudience go together, and one is missing".to_owned(), "set both or neither");
    }
}
