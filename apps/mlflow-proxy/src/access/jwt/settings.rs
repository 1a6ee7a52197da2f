//! The settings of JSON Web Tokens.

use http::Uri;

use crate::access::Role;
use crate::settings::{Reader, Variable};

pub(in crate::access) const ISSUER: Variable = Variable {
    name: "MLFLOW_PROXY_JWT_ISSUER",
    default: "",
    about: "The OpenID Connect issuer of bearer tokens, an HTTPS URL; its keys are found by discovery.",
};
pub(in crate::access) const AUDIENCE: Variable = Variable {
    name: "MLFLOW_PROXY_JWT_AUDIENCE",
    default: "",
    about: "The audiences, between commas, of which a token must be for one; for tokens without an audience, their client_id.",
};
pub(in crate::access) const ALB_ARN: Variable = Variable {
    name: "MLFLOW_PROXY_ALB_ARN",
    default: "",
    about: "The ARN of the Application Load Balancer that authenticates browsers, whose signed header is then accepted.",
};
pub(in crate::access) const NAME_CLAIM: Variable = Variable {
    name: "MLFLOW_PROXY_JWT_NAME_CLAIM",
    default: "sub",
    about: "The claim that names the user in the audit log and for limits.",
};
pub(in crate::access) const ROLES_CLAIM: Variable = Variable {
    name: "MLFLOW_PROXY_JWT_ROLES_CLAIM",
    default: "groups",
    about: "The claim with the user's groups; dots lead into objects, such as realm_access.roles.",
};
pub(in crate::access) const ADMIN_GROUPS: Variable = Variable {
    name: "MLFLOW_PROXY_JWT_ADMIN_GROUPS",
    default: "",
    about: "The groups, between commas, whose members are admins.",
};
pub(in crate::access) const WRITER_GROUPS: Variable = Variable {
    name: "MLFLOW_PROXY_JWT_WRITER_GROUPS",
    default: "",
    about: "The groups, between commas, whose members are writers.",
};
pub(in crate::access) const READER_GROUPS: Variable = Variable {
    name: "MLFLOW_PROXY_JWT_READER_GROUPS",
    default: "",
    about: "The groups, between commas, whose members are readers.",
};
pub(in crate::access) const ROLE: Variable = Variable {
    name: "MLFLOW_PROXY_JWT_ROLE",
    default: "",
    about: "The role of whoever is in none of the groups: reader, writer, admin or none; without groups in the settings it is reader, else none.",
};

/// What is accepted of JSON Web Tokens.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer of bearer tokens, as in its discovery document.
    pub issuer: Option<String>,
    /// The audiences of which a token must be for one.
    pub audiences: Vec<String>,
    /// The ARN of the load balancer whose word is taken.
    pub balancer: Option<String>,
    /// The claim that names the user.
    pub name_claim: String,
    /// The claim with the groups.
    pub roles_claim: String,
    /// The groups of each role, the greatest role first.
    pub groups: [(Role, Vec<String>); 3],
    /// The role of whoever is in none of the groups.
    pub role: Option<Role>,
}

impl Settings {
    /// Reads the settings; `wanted` is whether JSON Web Tokens are accepted at all.
    pub(in crate::access) fn read(reader: &mut Reader<'_>, wanted: bool) -> Option<Self> {
        let (issuer, balancer) = (reader.given(&ISSUER), reader.given(&ALB_ARN));
        let audiences = reader.list(&AUDIENCE);
        if wanted {
            check(reader, issuer.as_deref(), balancer.as_deref(), &audiences);
        }
        let mut groups =
            [(Role::Admin, &ADMIN_GROUPS), (Role::Writer, &WRITER_GROUPS), (Role::Reader, &READER_GROUPS)]
                .map(|(role, variable)| (role, reader.list(variable)));
        for (_, names) in &mut groups {
            names.sort_unstable();
        }
        let without_groups = groups.iter().all(|(_, names)| names.is_empty());
        let role = match reader.given(&ROLE).as_deref() {
            None => without_groups.then_some(Role::Reader),
            Some("none") => None,
            Some(text) => {
                let role = text.parse().ok();
                if role.is_none() {
                    let wrong = format!("is `{text}`, which is not a role");
                    reader.mistake(&ROLE, wrong, "give reader, writer, admin or none");
                }
                role
            }
        };
        let name_claim = reader.text(&NAME_CLAIM).unwrap_or_default();
        let roles_claim = reader.text(&ROLES_CLAIM).unwrap_or_default();
        wanted.then_some(Self { issuer, audiences, balancer, name_claim, roles_claim, groups, role })
    }
}

fn check(reader: &mut Reader<'_>, issuer: Option<&str>, balancer: Option<&str>, audiences: &[String]) {
    if issuer.is_none() && balancer.is_none() {
        let hint = "give the issuer, an HTTPS URL, or the load balancer by MLFLOW_PROXY_ALB_ARN";
        reader.mistake(&ISSUER, "is not set, so that no token could be accepted", hint);
    }
    if let Some(issuer) = issuer {
        if !is_safe(issuer) {
            let hint = "give an HTTPS URL, such as https://cognito-idp.eu-central-1.amazonaws.com/POOL";
            reader.mistake(&ISSUER, format!("is `{issuer}`, which is not the URL of an issuer"), hint);
        }
        if audiences.is_empty() {
            let hint = "give the id of the client that the issuer knows this proxy by";
            reader.mistake(&AUDIENCE, "is not set, so that tokens for others would be accepted", hint);
        }
    }
    if let Some(arn) = balancer
        && super::balancer::region(arn).is_none()
    {
        let hint = "give arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/NAME/ID";
        reader.mistake(&ALB_ARN, format!("is `{arn}`, which is not the ARN of a load balancer"), hint);
    }
}

/// Whether what is fetched from a URL can be trusted: by TLS, or because it stays on this machine.
pub(super) fn is_safe(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let known = uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && local);
    known && !host.is_empty() && uri.query().is_none()
}
