//! The forms that AWS gives to names, ids and ARNs.
//!
//! Sources: the API references of the services, and the Amazon S3 User Guide, "General purpose bucket naming rules".

pub(super) use formwork::is_bucket_name;
pub(super) use formwork_library::managed_mlflow::is_mlflow_name;
pub(super) use formwork_library::sagemaker_domain::is_domain_id;

/// The numbers of days for which CloudWatch Logs keeps logs (API reference, `PutRetentionPolicy`).
pub(super) const RETENTION_DAYS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// The longest prefix: the name of the Studio domain, `{prefix}-studio`, has 63 characters at most.
const LONGEST_PREFIX: usize = 63 - "-studio".len();

/// Not empty, and every character is an ASCII letter, a digit or one of some others.
fn is_made_of(text: &str, others: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|character| character.is_ascii_alphanumeric() || others.contains(character))
}

fn is_region(text: &str) -> bool {
    text.contains('-')
        && is_made_of(text, "-")
        && !text.chars().any(|character| character.is_ascii_uppercase())
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a stack name can begin with, short enough for every name that is made of it.
pub(super) fn is_prefix(text: &str) -> bool {
    text.len() <= LONGEST_PREFIX
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && is_made_of(text, "-")
}

/// What every service takes as a tag (AWS Tagging guide, "Tag naming limits and requirements").
pub(super) fn is_tag(key: &str, value: &str) -> bool {
    let is_taken = |text: &str| {
        text.chars().all(|character| character.is_alphanumeric() || " +-=._:/@".contains(character))
    };
    (1..=128).contains(&key.chars().count())
        && value.chars().count() <= 256
        && !key.to_ascii_lowercase().starts_with("aws:")
        && is_taken(key)
        && is_taken(value)
}

/// The region of the ARN of a KMS key; nothing for anything else, such as an alias.
pub(super) fn key_region(arn: &str) -> Option<&str> {
    let [region, account, resource] = arn_of("kms", arn)?;
    let key = resource.strip_prefix("key/")?;
    (is_region(region) && is_account(account) && is_made_of(key, "-")).then_some(region)
}

/// The region of the ARN of an SNS topic that alarms can tell: a FIFO topic is none (Amazon CloudWatch User Guide,
/// "Notifying users on alarm changes").
pub(super) fn topic_region(arn: &str) -> Option<&str> {
    let [region, account, name] = arn_of("sns", arn)?;
    (is_region(region) && is_account(account) && name.len() <= 256 && is_made_of(name, "-_"))
        .then_some(region)
}

/// Where a certificate lies.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Certificate<'a> {
    /// In AWS Certificate Manager, in a region.
    Regional(&'a str),
    /// In IAM, which is the same for all regions.
    Global,
}

/// What the ARN of a certificate says; nothing when it is none.
pub(super) fn certificate(arn: &str) -> Option<Certificate<'_>> {
    if let Some([region, account, resource]) = arn_of("acm", arn) {
        let id = resource.strip_prefix("certificate/")?;
        return (is_region(region) && is_account(account) && is_made_of(id, "-"))
            .then_some(Certificate::Regional(region));
    }
    let [region, account, resource] = arn_of("iam", arn)?;
    let name = resource.strip_prefix("server-certificate/")?;
    (region.is_empty() && is_account(account) && is_made_of(name, "/_+=,.@-")).then_some(Certificate::Global)
}

/// The region of the ARN of a secret. CloudFormation finds a secret by its whole ARN only, with the six characters at its end.
pub(super) fn secret_region(arn: &str) -> Option<&str> {
    let [region, account, resource] = arn_of("secretsmanager", arn)?;
    let name = resource.strip_prefix("secret:")?;
    (is_region(region) && is_account(account) && is_made_of(name, "/_+=.@-")).then_some(region)
}

/// The name of a field of a secret, as a reference to it can have it.
pub(super) fn is_secret_field(text: &str) -> bool {
    is_made_of(text, "_-.")
}

/// A role by its name, by its path and name, or by its ARN.
pub(super) fn is_role(text: &str) -> bool {
    let path_and_name = if text.starts_with("arn:") {
        arn_of("iam", text)
            .filter(|[region, account, _]| region.is_empty() && is_account(account))
            .and_then(|[_, _, resource]| resource.strip_prefix("role/"))
    } else {
        Some(text)
    };
    path_and_name.is_some_and(|text| {
        is_made_of(text, "/_+=,.@-")
            && text.rsplit('/').next().is_some_and(|name| (1..=64).contains(&name.len()))
    })
}

/// Region, account and resource of an ARN of a service.
fn arn_of<'a>(service: &str, arn: &'a str) -> Option<[&'a str; 3]> {
    match arn.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, found, region, account, resource]
            if *found == service && partition.starts_with("aws") && is_made_of(partition, "-") =>
        {
            Some([region, account, resource])
        }
        _ => None,
    }
}

/// A prefix of objects, without characters that mean something in an IAM policy.
pub(super) fn is_object_prefix(text: &str) -> bool {
    is_made_of(text, "/!-_.'()") && !text.contains("//") && text.len() <= 512
}

/// A name in the DNS as clients write it: lower case, two labels or more, no wildcard, no dot at the end.
pub(super) fn is_dns_name(text: &str) -> bool {
    let is_label = |label: &str| {
        label.len() <= 63
            && is_made_of(label, "-")
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !label.chars().any(|character| character.is_ascii_uppercase())
    };
    let top = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(is_label)
        && !top.bytes().all(|byte| byte.is_ascii_digit())
}

/// `Z` and capital letters and digits, 32 characters at most.
pub(super) fn is_hosted_zone_id(text: &str) -> bool {
    (2..=32).contains(&text.len())
        && text.starts_with('Z')
        && is_made_of(text, "")
        && !text.chars().any(|character| character.is_ascii_lowercase())
}

/// A text on one line that needs no quoting wherever the proxy's settings are written.
pub(super) fn is_plain_line(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && !text.chars().any(|character| character.is_control() || "\"'`\\$".contains(character))
}

/// The URL of an issuer of tokens (OpenID Connect Discovery 1.0, section 3): https, without query and fragment.
pub(super) fn is_issuer(text: &str) -> bool {
    is_plain_line(text)
        && text.strip_prefix("https://").is_some_and(|rest| {
            !rest.is_empty() && !rest.starts_with(['/', ':']) && !rest.contains([' ', '?', '#', '@'])
        })
}

/// Whether an instance type has ARM processors; nothing when it is no instance type.
///
/// Source: Amazon EC2 Instance Types guide, "Naming conventions": behind the number of the generation, the first letter
/// tells the processors, and `g` is Graviton. `a1` is older than that rule.
pub(super) fn is_arm(instance_type: &str) -> Option<bool> {
    let (family, size) = instance_type.split_once('.')?;
    let series = family.trim_start_matches(|character: char| character.is_ascii_lowercase());
    let is_type = series.len() < family.len()
        && is_made_of(size, "-")
        && is_made_of(family, "-")
        && !instance_type.chars().any(|character| character.is_ascii_uppercase())
        && family.contains(|character: char| character.is_ascii_digit());
    let options = series.trim_start_matches(|character: char| character.is_ascii_digit());
    is_type.then(|| family == "a1" || options.starts_with('g'))
}

/// An instance type, or a family of them, as AWS Batch takes both.
pub(super) fn is_instance_type_or_family(text: &str) -> bool {
    is_arm_family(text).is_some() || matches!(text, "optimal" | "default_x86_64" | "default_arm64")
}

/// Whether an instance type or family has ARM processors; nothing when it is neither.
pub(super) fn is_arm_family(text: &str) -> Option<bool> {
    if text.contains('.') { is_arm(text) } else { is_arm(&format!("{text}.large")) }
}

/// The ARN of a managed policy, of AWS or of an account.
pub(super) fn is_managed_policy(arn: &str) -> bool {
    arn_of("iam", arn).is_some_and(|[region, account, resource]| {
        region.is_empty()
            && (account == "aws" || is_account(account))
            && resource.strip_prefix("policy/").is_some_and(|name| is_made_of(name, "/_+=,.@-"))
    })
}

/// The ARN of a role, of a user or of an account's root.
pub(super) fn is_principal(arn: &str) -> bool {
    arn_of("iam", arn).is_some_and(|[region, account, resource]| {
        let name = ["role/", "user/"].into_iter().find_map(|kind| resource.strip_prefix(kind));
        region.is_empty()
            && is_account(account)
            && (resource == "root" || name.is_some_and(|name| is_made_of(name, "/_+=,.@-")))
    })
}

/// The name of a container image, with registry, tag or digest where there are some.
pub(super) fn is_image(text: &str) -> bool {
    is_made_of(text, "/_.:@-")
        && text.len() <= 255
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// The type of a notebook instance of SageMaker.
pub(super) fn is_notebook_type(text: &str) -> bool {
    text.strip_prefix("ml.").is_some_and(|name| is_arm(name).is_some())
}

/// The class of an instance of Amazon RDS.
pub(super) fn is_database_class(text: &str) -> bool {
    text.strip_prefix("db.").is_some_and(|name| is_arm(name).is_some())
}
