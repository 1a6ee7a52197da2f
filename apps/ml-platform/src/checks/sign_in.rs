//! The identity provider that people sign in with at a load balancer.

use super::{Review, forms};

pub(super) fn check(review: &Review<'_>) {
    let settings = review.settings;
    let texts = [
        ("oidcIssuer", &settings.oidc_issuer),
        ("oidcAuthorizationEndpoint", &settings.oidc_authorization_endpoint),
        ("oidcTokenEndpoint", &settings.oidc_token_endpoint),
        ("oidcUserInfoEndpoint", &settings.oidc_user_info_endpoint),
    ];
    for (key, url) in texts {
        if let Some(url) = url
            && !forms::is_issuer(url)
        {
            review.refuse(
                format!("{key} is {url:?}, which is not an https URL"),
                "write it as the provider's /.well-known/openid-configuration has it",
            );
        }
    }
    let others = [
        ("oidcClientId", &settings.oidc_client_id),
        ("oidcClientSecretArn", &settings.oidc_client_secret_arn),
    ];
    let all = texts.iter().chain(&others);
    let missing: Vec<&str> = all.filter(|(_, value)| value.is_none()).map(|(key, _)| *key).collect();
    let is_any = missing.len() < texts.len() + others.len() || settings.oidc_client_secret_field.is_some();
    if is_any && !missing.is_empty() {
        review.refuse(
            format!("the keys of a sign-in go together, and of them are missing: {}", missing.join(", ")),
            "set all of them; the provider's /.well-known/openid-configuration has the issuer and the endpoints",
        );
    }
    if let Some(id) = &settings.oidc_client_id
        && !forms::is_plain_line(id)
    {
        review.refuse(
            format!("oidcClientId is {id:?}, which is not the id of a client"),
            "write the id that the provider gave at the registration",
        );
    }
    if let Some(arn) = &settings.oidc_client_secret_arn {
        match forms::secret_region(arn) {
            Some(region) => review.refuse_other_region("oidcClientSecretArn", region),
            None => review.refuse(
                format!("oidcClientSecretArn is `{arn}`, which is not the ARN of a secret"),
                "write it as in arn:aws:secretsmanager:us-east-1:111122223333:secret:sign-in-AbCdEf",
            ),
        }
    }
    if let Some(field) = &settings.oidc_client_secret_field
        && !forms::is_secret_field(field)
    {
        review.refuse(
            format!("oidcClientSecretField is {field:?}, which is not the name of a field"),
            "write the name of the secret's field, such as client_secret; leave it out when the secret is plain text",
        );
    }
}
