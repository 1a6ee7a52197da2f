//! Sign-in at the load balancer: people with browsers are sent to an identity provider and come back with a session.
//!
//! The load balancer does the whole of OpenID Connect and hands the service a signed token that says who it is
//! (`x-amzn-oidc-data`). It does so on an HTTPS listener only, and needs a way to the provider.

use formwork::{SecretArn, Value, resolve_secret};
use formwork_resources::elasticloadbalancingv2::{
    ActionType, JwtValidationActionAdditionalClaim, JwtValidationActionAdditionalClaimFormat,
    JwtValidationConfig, ListenerRuleAction, ListenerRuleAuthenticateCognitoConfig,
    ListenerRuleAuthenticateOidcConfig,
};

/// How long a session lasts, in seconds: a working day. Then the provider is asked again.
const SESSION_SECONDS: i64 = 12 * 60 * 60;
/// What is asked for: who somebody is, and the claims that go with it.
const CLAIMS: &str = "openid profile email";

/// Where people sign in.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// At an OpenID Connect provider.
    Oidc(OidcSignIn),
    /// At an Amazon Cognito user pool.
    Cognito(CognitoSignIn),
}

/// An OpenID Connect provider, and this service's registration with it.
///
/// The provider has to take `https://NAME/oauth2/idpresponse` as a redirect URI, where NAME is what browsers call the
/// load balancer by.
#[derive(Clone, Debug)]
pub struct OidcSignIn {
    /// The issuer, an HTTPS URL, exactly as it stands in the provider's metadata.
    pub issuer: String,
    /// The URL of the page that people sign in on.
    pub authorization_endpoint: String,
    /// The URL that gives tokens.
    pub token_endpoint: String,
    /// The URL that says who somebody is.
    pub user_info_endpoint: String,
    /// The id of the client.
    pub client_id: String,
    /// The secret with the client's secret.
    pub client_secret: Value<SecretArn>,
    /// The field of the secret when it is a JSON object; without one, the secret is the text itself.
    pub client_secret_field: Option<String>,
    /// Lets programs in by tokens where every path is behind the sign-in: they cannot follow it.
    pub bearer_tokens: Option<Box<BearerTokens>>,
}

/// The tokens of the issuer that the load balancer takes from programs, signed by RS256.
#[derive(Clone, Debug)]
pub struct BearerTokens {
    /// The URL of the issuer's keys.
    pub jwks_endpoint: String,
    /// What a token has as its audience (`aud`), which is one text.
    pub audience: String,
}

/// A user pool of Amazon Cognito, and this service's registration with it.
#[derive(Clone, Debug)]
pub struct CognitoSignIn {
    /// The ARN of the user pool.
    pub user_pool_arn: Value<String>,
    /// The id of the pool's client, which has a secret.
    pub client_id: Value<String>,
    /// The domain of the pool: its prefix, or the whole name of one of your own.
    pub domain: Value<String>,
}

impl SignIn {
    /// The action that comes before the one that forwards.
    pub(super) fn action(&self) -> ListenerRuleAction {
        match self {
            Self::Oidc(oidc) => {
                let config = ListenerRuleAuthenticateOidcConfig::new()
                    .issuer(&oidc.issuer)
                    .authorization_endpoint(&oidc.authorization_endpoint)
                    .token_endpoint(&oidc.token_endpoint)
                    .user_info_endpoint(&oidc.user_info_endpoint)
                    .client_id(&oidc.client_id)
                    .client_secret(resolve_secret(&oidc.client_secret, oidc.client_secret_field.as_deref()))
                    .scope(CLAIMS)
                    .session_timeout(SESSION_SECONDS);
                ListenerRuleAction::new(ActionType::AUTHENTICATE_OIDC).authenticate_oidc_config(config)
            }
            Self::Cognito(cognito) => {
                let config = ListenerRuleAuthenticateCognitoConfig::new(
                    &cognito.client_id,
                    &cognito.domain,
                    &cognito.user_pool_arn,
                )
                .scope(CLAIMS)
                .session_timeout(SESSION_SECONDS);
                ListenerRuleAction::new(ActionType::AUTHENTICATE_COGNITO).authenticate_cognito_config(config)
            }
        }
    }
}

impl SignIn {
    /// The action that checks a token in place of a session, if tokens are taken.
    pub(super) fn token_action(&self) -> Option<ListenerRuleAction> {
        let Self::Oidc(oidc) = self else { return None };
        let tokens = oidc.bearer_tokens.as_ref()?;
        let audience = JwtValidationActionAdditionalClaim::new(
            JwtValidationActionAdditionalClaimFormat::SINGLE_STRING,
            "aud",
            [tokens.audience.as_str()],
        );
        let config =
            JwtValidationConfig::new(&tokens.jwks_endpoint, &oidc.issuer).additional_claims([audience]);
        Some(ListenerRuleAction::new(ActionType::JWT_VALIDATION).jwt_validation_config(config))
    }
}
