//! What must not be of a proxy, besides what its load balancer refuses.

use formwork::{Diagnostic, Scope};

use super::{ProxyAppProps, ProxyAuthentication};

/// Reports everything about a proxy that must not be.
pub(super) fn check(scope: Scope<'_>, props: &ProxyAppProps<'_>) {
    let refuse = |rule: &str, message: String, hint: &str| {
        scope.report(Diagnostic::error(rule, message).with_hint(hint));
    };
    if props.authentication == ProxyAuthentication::None && !props.allow_insecure {
        refuse(
            "insecure-proxy",
            "a proxy without authentication lets everybody who reaches it act with its role".to_owned(),
            "set proxyAuth to token, basic or jwt; allowInsecure=true takes the risk",
        );
    }
    if props.authentication == ProxyAuthentication::Jwt && props.jwt.is_none() {
        refuse(
            "jwt-issuer",
            "proxyAuth is jwt, but no issuer is named".to_owned(),
            "set jwtIssuer and jwtAudience",
        );
    }
    if props.sign_in.is_some() && props.authentication != ProxyAuthentication::Jwt {
        refuse(
            "sign-in",
            "people are to sign in at the load balancer, but the proxy does not take its word for who they are"
                .to_owned(),
            "set proxyAuth=jwt, or leave the sign-in out",
        );
    }
    if props.min_instances == 0 || props.min_instances > props.max_instances {
        refuse(
            "instances",
            format!("the proxy has {} to {} instances", props.min_instances, props.max_instances),
            "set minInstances to at least 1 and maxInstances to at least minInstances",
        );
    }
}
