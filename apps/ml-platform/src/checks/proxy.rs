//! What AWS or the proxy itself would refuse about the proxy, after the time that it takes to start it.

use std::collections::BTreeSet;

use formwork_library::proxy_app::{Architecture, ProxyAuthentication};

use super::{Review, forms};

/// The longest name that AWS Certificate Manager takes as the first of a certificate.
const LONGEST_CERTIFIED_NAME: usize = 64;

pub(super) fn check(review: &Review<'_>) {
    check_address(review);
    check_tokens(review);
    check_instance_type(review);
    check_topic(review);
}

fn check_address(review: &Review<'_>) {
    let settings = review.settings;
    let mut seen = BTreeSet::new();
    for block in settings.allow_cidrs.iter().filter(|block| !seen.insert(*block)) {
        review.refuse(format!("allowCidrs has `{block}` twice"), "name each address block once");
    }
    if let Some(arn) = &settings.certificate_arn {
        match forms::certificate(arn) {
            Some(forms::Certificate::Regional(region)) => review.refuse_other_region("certificateArn", region),
            Some(forms::Certificate::Global) => {}
            None => review.refuse(
                format!("certificateArn is `{arn}`, which is not the ARN of a certificate"),
                "write it as in arn:aws:acm:us-east-1:111122223333:certificate/12345678-1234-1234-1234-123456789012",
            ),
        }
    }
    if let Some(name) = &settings.domain_name {
        if !forms::is_dns_name(name) {
            review.refuse(
                format!("domainName is `{name}`, which is not a name in the DNS"),
                "write it as in mlflow.example.com: lower case, no wildcard, no dot at the end, no https://",
            );
        } else if name.len() > LONGEST_CERTIFIED_NAME && settings.certificate_arn.is_none() {
            review.refuse(
                format!("domainName has {} characters, too many for a certificate", name.len()),
                "choose a name of 64 characters at most, or set certificateArn to a certificate that covers it",
            );
        }
    }
    if let Some(zone) = &settings.hosted_zone_id
        && !forms::is_hosted_zone_id(zone)
    {
        review.refuse(
            format!("hostedZoneId is `{zone}`, which is not the id of a hosted zone"),
            "the id is Z and capital letters and digits, such as Z0123456789ABCDEFGHIJ, without /hostedzone/",
        );
    }
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

/// An alarm only tells a topic of its own region.
fn check_topic(review: &Review<'_>) {
    let Some(arn) = &review.settings.alarm_topic_arn else { return };
    match forms::topic_region(arn) {
        Some(region) => review.refuse_other_region("alarmTopicArn", region),
        None => review.refuse(
            format!("alarmTopicArn is `{arn}`, which is not the ARN of a topic"),
            "write it as in arn:aws:sns:us-east-1:111122223333:operators",
        ),
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
