//! Where people sign in at the load balancers of the platform.

use formwork::SecretArn;
use formwork_library::load_balancer::{OidcSignIn, SignIn};

use super::Platform;

impl Platform<'_, '_> {
    /// Where people sign in at a load balancer. That a key of it is missing has been reported.
    pub(super) fn sign_in(&self) -> Option<SignIn> {
        self.provider().map(SignIn::Oidc)
    }

    /// The identity provider that the settings name.
    pub(super) fn provider(&self) -> Option<OidcSignIn> {
        let settings = self.settings;
        Some(OidcSignIn {
            issuer: settings.oidc_issuer.clone()?,
            authorization_endpoint: settings.oidc_authorization_endpoint.clone()?,
            token_endpoint: settings.oidc_token_endpoint.clone()?,
            user_info_endpoint: settings.oidc_user_info_endpoint.clone()?,
            client_id: settings.oidc_client_id.clone()?,
            client_secret: settings.oidc_client_secret_arn.clone().map(SecretArn::literal)?,
            client_secret_field: settings.oidc_client_secret_field.clone(),
            // The proxy checks tokens by itself.
            bearer_tokens: None,
        })
    }
}
