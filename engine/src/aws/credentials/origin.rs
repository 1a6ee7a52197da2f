//! Where credentials were found, in words.
//!
//! The SDK leaves a mark on credentials for its statistics. The last mark is the provider that they came from in the end.

use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature as Feature;

/// Where credentials were found.
pub(crate) fn origin(credentials: &Credentials) -> &'static str {
    let marks = credentials.get_property::<Vec<Feature>>();
    let mark = marks.and_then(|marks| marks.iter().rfind(|mark| **mark != Feature::ResolvedAccountId));
    match mark {
        Some(Feature::CredentialsEnvVars) => "the environment",
        Some(Feature::CredentialsEnvVarsStsWebIdToken | Feature::CredentialsStsAssumeRoleWebId) => {
            "a web identity token"
        }
        Some(Feature::CredentialsProfile) => "keys in a profile of the AWS configuration files",
        Some(Feature::CredentialsProfileSourceProfile | Feature::CredentialsProfileNamedProvider) => {
            "a profile of the AWS configuration files"
        }
        Some(Feature::CredentialsProfileStsWebIdToken) => "a profile with a web identity token",
        Some(Feature::CredentialsProfileSso | Feature::CredentialsSso) => "single sign-on",
        Some(Feature::CredentialsProfileProcess | Feature::CredentialsProcess) => "a credential process",
        Some(Feature::CredentialsProfileLogin | Feature::CredentialsLogin) => "a login of the AWS CLI",
        Some(Feature::CredentialsHttp) => "the container",
        Some(Feature::CredentialsImds) => "the instance",
        Some(Feature::CredentialsStsAssumeRole) => "a role that was assumed",
        _ => "the usual places",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_mark_names_the_provider() {
        let mut credentials = Credentials::new("AKIDEXAMPLE", "an example", None, None, "test");
        assert_eq!(origin(&credentials), "the usual places");
        let marks = credentials.get_property_mut_or_default::<Vec<Feature>>();
        marks.extend([Feature::CredentialsProfileSourceProfile, Feature::CredentialsProfileSso]);
        assert_eq!(origin(&credentials), "single sign-on");
    }
}
