//! Names of CloudFormation as names of Rust.
//!
//! AWS writes `DBInstanceClass`, `KMSKeyArn`, `IPv6CidrBlock` and `ARNs`; each is split into the words that a reader sees,
//! and the words are joined again in the case that Rust wants.

/// Spellings that mix cases within one word.
const ONE_WORD: [(&str, &str); 18] = [
    ("OAuth", "Oauth"),
    ("vCPU", "Vcpu"),
    ("VCpu", "Vcpu"),
    ("vCpu", "Vcpu"),
    ("KiB", "Kib"),
    ("MiB", "Mib"),
    ("GiB", "Gib"),
    ("TiB", "Tib"),
    ("KBps", "Kbps"),
    ("MBps", "Mbps"),
    ("GBps", "Gbps"),
    ("FSx", "Fsx"),
    ("IoT", "Iot"),
    ("ETag", "Etag"),
    ("GraphQL", "Graphql"),
    ("MySQL", "Mysql"),
    ("PostgreSQL", "Postgresql"),
    ("MLflow", "Mlflow"),
];

/// The words of a name, in lower case.
pub(crate) fn words(name: &str) -> Vec<String> {
    let name = ONE_WORD.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    name.split(|character: char| !character.is_ascii_alphanumeric())
        .flat_map(words_of_part)
        .map(|word| word.to_ascii_lowercase())
        .collect()
}

fn words_of_part(part: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = part;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(first_word(rest.as_bytes()));
        words.push(word);
        rest = after;
    }
    words
}

/// The length of the first word of a text that is not empty.
fn first_word(text: &[u8]) -> usize {
    let at = |index: usize| text.get(index).copied().unwrap_or(b' ');
    let run = |start: usize, of: fn(&u8) -> bool| text[start..].iter().take_while(|&byte| of(byte)).count();
    let small = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();

    let capitals = run(0, u8::is_ascii_uppercase);
    if capitals < 2 || !at(capitals).is_ascii_lowercase() {
        // `Cidr`, `Ipv6`, `S3`, `cidr`, `EC2`, `VPC` before a border.
        return capitals + run(capitals, small);
    }
    let next = at(capitals + 1);
    match at(capitals) {
        // `IPv6`, `IMDSv2`.
        b'v' if next.is_ascii_digit() => capitals + 1 + run(capitals + 1, u8::is_ascii_digit),
        // `ARNs`, `AZs`.
        b's' if !next.is_ascii_lowercase() => capitals + 1,
        // The last capital of `DBI` in `DBInstance` begins the next word.
        _ => capitals - 1,
    }
}

/// A name such as `DbInstance`.
pub(crate) fn upper_camel_case(name: &str) -> String {
    words(name)
        .iter()
        .flat_map(|word| {
            let (first, rest) = word.split_at(1);
            [first.to_ascii_uppercase(), rest.to_owned()]
        })
        .collect()
}

/// The name of something inside an owner, both in upper camel case. Words that end the one and begin the other stand
/// once: `FlowLog` and `LogFormat` make `FlowLogFormat`.
pub(crate) fn joined(owner: &str, name: &str) -> String {
    let (front, back) = (words(owner), words(name));
    let common =
        (1..=front.len().min(back.len())).rev().find(|&count| front.ends_with(&back[..count])).unwrap_or(0);
    let repeated: usize = back[..common].iter().map(String::len).sum();
    format!("{owner}{}", &name[repeated..])
}

/// A name such as `db_instance_class`, with a `_` behind it where Rust or the builders have taken the name.
pub(crate) fn snake_case(name: &str) -> String {
    let name = words(name).join("_");
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return format!("_{name}");
    }
    if KEYWORDS.contains(&name.as_str()) || METHODS.contains(&name.as_str()) {
        return format!("{name}_");
    }
    name
}

/// A name such as `DELETE_ON_TERMINATION`.
pub(crate) fn screaming_case(text: &str) -> String {
    let name = words(text).join("_").to_ascii_uppercase();
    match (name.as_bytes().first(), text) {
        (None, "*") => "ANY".to_owned(),
        (None, _) => "VALUE".to_owned(),
        (Some(first), _) if first.is_ascii_digit() && text.starts_with('-') => format!("MINUS_{name}"),
        (Some(first), _) if first.is_ascii_digit() => format!("VALUE_{name}"),
        _ => name,
    }
}

const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "union", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// The methods that builders, nested properties and attributes have besides those of their properties.
const METHODS: [&str; 20] = [
    "clone",
    "clone_from",
    "creation_policy",
    "declaration",
    "define",
    "deletion_policy",
    "depends_on",
    "eq",
    "fmt",
    "from",
    "into",
    "into_value",
    "ne",
    "new",
    "raw",
    "removal_policy",
    "resource",
    "template_metadata",
    "update_policy",
    "update_replace_policy",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_methods() {
        for (name, method) in [
            ("CidrBlock", "cidr_block"),
            ("VPCId", "vpc_id"),
            ("VpcId", "vpc_id"),
            ("EnableDnsSupport", "enable_dns_support"),
            ("IPv6CidrBlock", "ipv6_cidr_block"),
            ("AssignIpv6AddressOnCreation", "assign_ipv6_address_on_creation"),
            ("SSESpecification", "sse_specification"),
            ("DBInstanceClass", "db_instance_class"),
            ("KMSKeyArn", "kms_key_arn"),
            ("SubnetIds", "subnet_ids"),
            ("IOPS", "iops"),
            ("Iops", "iops"),
            ("TargetGroupARNs", "target_group_arns"),
            ("AZs", "azs"),
            ("MaxvCpus", "max_vcpus"),
            ("S3BucketName", "s3_bucket_name"),
            ("EC2SecurityGroupId", "ec2_security_group_id"),
            ("ThroughputMBps", "throughput_mbps"),
            ("MemoryGiBPerVCpu", "memory_gib_per_vcpu"),
            ("EnableHTTPSOnly", "enable_https_only"),
            ("OAuthScopes", "oauth_scopes"),
            ("MasterUserSecret.SecretArn", "master_user_secret_secret_arn"),
            ("Type", "type_"),
            ("Raw", "raw_"),
            ("4xxErrors", "_4xx_errors"),
        ] {
            assert_eq!(snake_case(name), method);
        }
    }

    #[test]
    fn names_become_types() {
        for (name, kind) in [
            ("VPC", "Vpc"),
            ("WebACL", "WebAcl"),
            ("DBSubnetGroup", "DbSubnetGroup"),
            ("MlflowApp", "MlflowApp"),
            ("IPv6Address", "Ipv6Address"),
        ] {
            assert_eq!(upper_camel_case(name), kind);
        }
    }

    #[test]
    fn values_become_constants() {
        for (text, constant) in [
            ("ENABLED", "ENABLED"),
            ("BucketOwnerFullControl", "BUCKET_OWNER_FULL_CONTROL"),
            ("aws:kms", "AWS_KMS"),
            ("t3.micro", "T3_MICRO"),
            ("python3.13", "PYTHON3_13"),
            ("provided.al2023", "PROVIDED_AL2023"),
            ("2012-10-17", "VALUE_2012_10_17"),
            ("-1", "MINUS_1"),
            ("*", "ANY"),
        ] {
            assert_eq!(screaming_case(text), constant);
        }
    }

    #[test]
    fn words_at_a_seam_stand_once() {
        assert_eq!(joined("FlowLog", "LogDestinationType"), "FlowLogDestinationType");
        assert_eq!(joined("Bucket", "BucketNamespace"), "BucketNamespace");
        assert_eq!(joined("Vpc", "InstanceTenancy"), "VpcInstanceTenancy");
    }
}
