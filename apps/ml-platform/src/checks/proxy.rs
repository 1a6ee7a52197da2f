//! What AWS or the proxy itself would refuse about the proxy, after the time that it takes to start it.

use formwork_library::proxy_app::{Architecture, ProxyAuthentication};

use super::{Review, forms};

pub(super) fn check(review: &Review<'_>) {
    check_tokens(review);
    check_instance_type(review);
}

fn check_tokens(review: &Review<'_>) {
    let settings = review.settings;
    if settings.proxy_auth != ProxyAuthentication::Jwt {
        return;
    }
    check_groups(review);
    if settings.jwt_issuer.is_some() != settings.jwt_audience.is_some() {
        review.refuse("jwtIssuer and jwtAudience go together, and one is missing", "set both");
    }
    if let Some(issuer) = &settings.jwt_issuer
        && !forms::is_issuer(issuer)
    {
        review.refuse(
            format!("jwtIssuer is {issuer:?}, which is not the https URL of an issuer"),
            "write it as in https://login.example.com/tenant: one line, no quotes, no query",
        );
    }
    if let Some(audience) = &settings.jwt_audience
        && !forms::is_plain_line(audience)
    {
        review.refuse(
            format!("jwtAudience is {audience:?}, which the proxy does not take"),
            "write what the issuer puts into `aud`: one line, not empty, no quotes",
        );
    }
}

fn check_groups(review: &Review<'_>) {
    let settings = review.settings;
    let groups = [
        ("jwtAdminGroups", &settings.jwt_admin_groups),
        ("jwtWriterGroups", &settings.jwt_writer_groups),
        ("jwtReaderGroups", &settings.jwt_reader_groups),
    ];
    for (key, groups) in groups {
        for group in groups.iter().filter(|group| !forms::is_plain_line(group)) {
            review.refuse(
                format!("{key} has {group:?}, which the proxy does not take"),
                "write what the issuer puts into the claim: one line, not empty, no quotes",
            );
        }
    }
    if let Some(claim) = &settings.jwt_roles_claim
        && !forms::is_plain_line(claim)
    {
        review.refuse(
            format!("jwtRolesClaim is {claim:?}, which the proxy does not take"),
            "write the name of a claim, such as groups or realm_access.roles",
        );
    }
}

fn check_instance_type(review: &Review<'_>) {
    let settings = review.settings;
    let Some(instance_type) = &settings.instance_type else { return };
    let wants_arm = settings.arch == Architecture::Arm64;
    match forms::is_arm(instance_type) {
        None => review.refuse(
            format!("instanceType is `{instance_type}`, which is not an instance type"),
            "write it as in t3.small",
        ),
        Some(true) if !wants_arm => review.refuse(
            format!("instanceType is {instance_type}, which has ARM processors, but arch is amd64"),
            "set arch=arm64, or choose an instance type with x86 processors, such as t3.small",
        ),
        Some(false) if wants_arm => review.refuse(
            format!("instanceType is {instance_type}, which has x86 processors, but arch is arm64"),
            "set arch=amd64, or choose an instance type with ARM processors, such as t4g.small",
        ),
        Some(_) => {}
    }
}
