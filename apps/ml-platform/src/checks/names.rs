//! Names, ids and ARNs that AWS would refuse, and texts that would mean something else where they are written.

use super::{Review, forms};

pub(super) fn check(review: &Review<'_>) {
    let settings = review.settings;
    if !forms::is_prefix(&settings.prefix) {
        review.refuse(
            format!("prefix `{}` cannot begin the names of stacks and of the Studio domain", settings.prefix),
            "use a letter, then letters, digits and hyphens, 56 characters at most",
        );
    }
    check_tags(review);
    for (key, value, is_right, hint) in [
        (
            "domainId",
            &settings.domain_id,
            forms::is_domain_id as fn(&str) -> bool,
            "the id of a Studio domain is d- and lower-case letters and digits, such as d-abcdefghijkl",
        ),
        (
            "domainRole",
            &settings.domain_role,
            forms::is_role,
            "name the execution role of the Studio domain, such as StudioUsers, or give its ARN",
        ),
        (
            "mlflowName",
            &settings.mlflow_name,
            forms::is_mlflow_name,
            "use letters, digits and hyphens between them, 256 characters at most",
        ),
        (
            "artifactBucket",
            &settings.artifact_bucket,
            forms::is_bucket_name,
            "give the name alone, without s3://: 3 to 63 lower-case letters, digits, dots and hyphens",
        ),
        (
            "accessLogBucket",
            &settings.access_log_bucket,
            forms::is_bucket_name,
            "give the name alone, without s3://: 3 to 63 lower-case letters, digits, dots and hyphens",
        ),
        (
            "artifactPrefix",
            &settings.artifact_prefix,
            forms::is_object_prefix,
            "use letters, digits and !-_.'() with single slashes between them",
        ),
    ] {
        if let Some(value) = value
            && !is_right(value)
        {
            review.refuse(format!("{key} is `{value}`, which AWS does not take"), hint);
        }
    }
    if !settings.s3_only_prefix.is_empty() && !forms::is_object_prefix(&settings.s3_only_prefix) {
        review.refuse(
            format!("s3OnlyPrefix is `{}`, which AWS does not take", settings.s3_only_prefix),
            "use letters, digits and !-_.'() with single slashes between them, or nothing for all of the bucket",
        );
    }
    if settings.s3_only_key_serial == 0 {
        review.refuse("s3OnlyKeySerial is 0", "count the keys from 1");
    }
    for (key, days, least) in [
        ("abortUploadsDays", Some(settings.abort_uploads_days), 1),
        ("noncurrentVersionDays", Some(settings.noncurrent_version_days), 1),
        ("intelligentTieringDays", settings.intelligent_tiering_days, 0),
    ] {
        if let Some(days) = days.filter(|days| *days < least) {
            review.refuse(
                format!("{key} is {days}, which S3 does not take"),
                &format!("set a number of days from {least} on"),
            );
        }
    }
    for id in settings.default_domain_ids.iter().filter(|id| !forms::is_domain_id(id)) {
        review.refuse(
            format!("defaultDomainIds has `{id}`, which is not the id of a Studio domain"),
            "the id of a Studio domain is d- and lower-case letters and digits, such as d-abcdefghijkl",
        );
    }
    if let Some(arn) = &settings.kms_key_arn {
        match forms::key_region(arn) {
            Some(region) => review.refuse_other_region("kmsKeyArn", region),
            None => review.refuse(
                format!("kmsKeyArn is `{arn}`, which is not the ARN of a KMS key"),
                "write it as in arn:aws:kms:us-east-1:111122223333:key/12345678-1234-1234-1234-123456789012; an alias \
                 is not taken",
            ),
        }
    }
    if let Some(days) = settings.log_retention_days
        && !forms::RETENTION_DAYS.contains(&days)
    {
        let offered = forms::RETENTION_DAYS.map(|days| days.to_string()).join(", ");
        review.refuse(
            format!("logRetentionDays is {days}, which CloudWatch Logs does not offer"),
            &format!("choose one of {offered}"),
        );
    }
}

/// The most tags of a resource, of which the platform sets `project` itself.
const MOST_TAGS: usize = 50;

fn check_tags(review: &Review<'_>) {
    let tags = &review.settings.tags;
    if tags.len() + usize::from(!tags.contains_key("project")) > MOST_TAGS {
        review.refuse(
            format!("tags has {} tags, and one is the platform's own", tags.len()),
            "AWS takes 50 tags on a resource",
        );
    }
    for (key, value) in tags {
        if !forms::is_tag(key, value) {
            review.refuse(
                format!("tags has `{key}={value}`, which AWS does not take"),
                "use letters, digits, spaces and +-=._:/@, 128 of them for the key and 256 for the value; aws: is taken",
            );
        }
    }
}
