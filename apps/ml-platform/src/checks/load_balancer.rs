//! What AWS would refuse about a load balancer: who may connect, by which name, with which certificate, and whom its alarms
//! tell.

use std::collections::BTreeSet;

use super::{Review, forms};

/// The longest name that AWS Certificate Manager takes as the first of a certificate.
const LONGEST_CERTIFIED_NAME: usize = 64;

pub(super) fn check(review: &Review<'_>) {
    check_address(review);
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
