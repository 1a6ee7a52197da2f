//! The names that the bootstrap stack gives to things, so that they can be found again.

/// The stack.
pub(super) fn stack(qualifier: &str) -> String {
    if qualifier == "formwork" {
        "formwork-bootstrap".to_owned()
    } else {
        format!("formwork-bootstrap-{qualifier}")
    }
}

/// The SSM parameter that holds the name of the bucket.
pub(crate) fn bucket_parameter(qualifier: &str) -> String {
    format!("/formwork/bootstrap/{qualifier}/bucket")
}

/// The SSM parameter that holds the version of the bootstrap stack.
pub(super) fn version_parameter(qualifier: &str) -> String {
    format!("/formwork/bootstrap/{qualifier}/version")
}

/// A role: `publish`, `plan`, `apply` or `execution`. The region is part of it because roles have none.
pub(crate) fn role(qualifier: &str, purpose: &str, region: &str) -> String {
    format!("formwork-{qualifier}-{purpose}-{region}")
}
