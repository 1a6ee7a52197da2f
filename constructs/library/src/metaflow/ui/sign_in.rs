//! A user pool for the pages: administrators make users, and whoever has no account gets none.

use formwork::{Resource, Scope, Value, pseudo, select, split, text};
use formwork_resources::cognito::{
    AccountRecoverySetting, AdminCreateUserConfig, CfnUserPool, CfnUserPoolClient, CfnUserPoolDomain,
    PasswordPolicy, Policies, RecoveryOption, RecoveryOptionName, UserPoolAutoVerifiedAttributes,
    UserPoolClientAllowedOauthFlows, UserPoolClientPreventUserExistenceErrors, UserPoolDeletionProtection,
    UserPoolMfaConfiguration, UserPoolUsernameAttributes,
};

use super::{POOL_REMOVAL, UiProps};
use crate::load_balancer::CognitoSignIn;

/// The pool's registration of the load balancer, and the pool's id.
#[track_caller]
pub(super) fn user_pool(scope: Scope<'_>, own: &UiProps) -> (CognitoSignIn, Value<String>) {
    let scope = scope.child("Users");
    let passwords = PasswordPolicy::new()
        .minimum_length(16)
        .require_lowercase(true)
        .require_numbers(true)
        .require_uppercase(true)
        .temporary_password_validity_days(7);
    let by_email = RecoveryOption::new().name(RecoveryOptionName::VERIFIED_EMAIL).priority(1);
    let protection = if own.deletion_protection {
        UserPoolDeletionProtection::ACTIVE
    } else {
        UserPoolDeletionProtection::INACTIVE
    };
    let pool = CfnUserPool::new()
        .admin_create_user_config(AdminCreateUserConfig::new().allow_admin_create_user_only(true))
        .username_attributes([UserPoolUsernameAttributes::EMAIL])
        .auto_verified_attributes([UserPoolAutoVerifiedAttributes::EMAIL])
        .account_recovery_setting(AccountRecoverySetting::new().recovery_mechanisms([by_email]))
        .policies(Policies::new().password_policy(passwords))
        .mfa_configuration(UserPoolMfaConfiguration::OPTIONAL)
        .enabled_mfas(["SOFTWARE_TOKEN_MFA"])
        .deletion_protection(protection)
        .removal_policy(POOL_REMOVAL)
        .define(scope, "Pool");
    let id = pool.user_pool_id();
    // Unique in the region, and the same as long as the stack lives: the last part of the stack's ARN.
    let domain = text!("metaflow-{}", select::<String>(2, split("/", pseudo::stack_id())));
    let domain = CfnUserPoolDomain::new(&id, domain).define(scope, "Domain");
    let client = CfnUserPoolClient::new(&id)
        .generate_secret(true)
        .allowed_oauth_flows_user_pool_client(true)
        .allowed_oauth_flows([UserPoolClientAllowedOauthFlows::CODE])
        .allowed_oauth_scopes(["openid", "profile", "email"])
        .supported_identity_providers(["COGNITO"])
        .prevent_user_existence_errors(UserPoolClientPreventUserExistenceErrors::ENABLED)
        .callback_urls([format!("https://{}/oauth2/idpresponse", own.domain_name)])
        .define(scope, "Client");
    let sign_in =
        CognitoSignIn { user_pool_arn: pool.arn(), client_id: client.client_id(), domain: domain.domain() };
    (sign_in, id)
}
