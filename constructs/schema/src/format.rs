//! Kinds of text: what a literal must look like where a role ARN, a subnet id or a date is wanted.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use crate::pattern;

/// The kinds that name a resource, with the forms of their texts as cfn-lint states them.
const KINDS: &[(&str, &str)] = &[
    ("AWS::ACM::Certificate.Arn", r"^arn:aws[a-zA-Z-]*:acm:[a-z0-9-]+:\d{12}:certificate/.+$"),
    ("AWS::IAM::Role.Arn", r"^arn:aws[a-zA-Z-]*:iam::\d{12}:role/.+$"),
    ("AWS::EC2::Image.Id", r"^ami-([0-9a-z]{8}|[0-9a-z]{17})$"),
    ("AWS::KMS::Alias.AliasName", r"^alias/[a-zA-Z0-9:/_-]+$"),
    ("AWS::KMS::Key.Arn", r"^arn:aws[a-zA-Z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+$"),
    (
        "AWS::KMS::Key.Id",
        r"^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}|alias/[a-zA-Z0-9/_-]+)$",
    ),
    ("AWS::Lambda::Function.Arn", r"^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:function:.+(:.+)?$"),
    ("AWS::Logs::LogGroup.Name", r"^[\.\-_/#A-Za-z0-9]{1,512}$"),
    ("AWS::EC2::SecurityGroup.Id", r"^sg-([a-fA-F0-9]{8}|[a-fA-F0-9]{17})$"),
    ("AWS::EC2::SecurityGroup.Name", r"^[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+$"),
    ("AWS::SNS::Topic.Arn", r"^arn:aws[a-zA-Z-]*:sns:[a-z0-9-]+:\d{12}:.+$"),
    ("AWS::EC2::Subnet.Id", r"^subnet-(([0-9A-Fa-f]{8})|([0-9A-Fa-f]{17}))$"),
    ("AWS::EC2::VPC.Id", r"^vpc-(([0-9A-Fa-f]{8})|([0-9A-Fa-f]{17}))$"),
    // Empty names are left to CloudFormation, which then makes one.
    ("AWS::S3::Bucket.Name", r"^$|^(?![.\-])(?!.*\.\.)(?!.*\-\.)(?!.*\.\-)[a-z0-9.\-]{3,63}(?<![.\-])$"),
    ("date", r"^\d{4}-(0[1-9]|1[0-2])-\d{2}$"),
    (
        "date-time",
        r"^\d{4}-(0[1-9]|1[0-2])-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]{1,2}([01]\d|2[0-3]):[0-5]\d)$",
    ),
    ("email", "@"),
];

/// What a literal fails to be, for a message; `None` when it is fine or the kind says nothing about literals.
pub(crate) fn mismatch(kind: &str, value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let fits = match kind {
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "ipv4-network" => is_network(text, 32, |address| {
            address.parse::<Ipv4Addr>().ok().map(|ip| u128::from(u32::from(ip)))
        }),
        "ipv6-network" => is_network(text, 128, |address| address.parse::<Ipv6Addr>().ok().map(u128::from)),
        _ => match KINDS.iter().find(|(name, _)| *name == kind) {
            Some((_, form)) => pattern::is_match(form, text),
            None => true,
        },
    };
    (!fits).then(|| described(kind))
}

/// Whether a text is `address/prefix` with no bit set beyond the prefix.
fn is_network(text: &str, bits: u32, parse: impl Fn(&str) -> Option<u128>) -> bool {
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    let prefix = if prefix.is_empty() { Some(bits) } else { prefix.parse().ok() };
    match (parse(address), prefix) {
        (Some(address), Some(prefix)) if prefix <= bits => {
            prefix == bits || address & ((1_u128 << (bits - prefix)) - 1) == 0
        }
        _ => false,
    }
}

/// A kind in words: `AWS::IAM::Role.Arn` as "an ARN of `AWS::IAM::Role`".
pub(crate) fn described(kind: &str) -> String {
    match kind.split_once('.') {
        Some((resource, "Arn")) => format!("an ARN of `{resource}`"),
        Some((resource, "Id")) => format!("an id of `{resource}`"),
        Some((resource, _)) => format!("a name of `{resource}`"),
        None => format!("a text of the form `{kind}`"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn literals_are_judged_by_their_kind() {
        for (kind, text, fits) in [
            ("AWS::IAM::Role.Arn", "arn:aws:iam::123456789012:role/path/name", true),
            ("AWS::IAM::Role.Arn", "name", false),
            ("ipv4-network", "10.0.0.0/16", true),
            ("ipv4-network", "10.0.0.1/16", false),
            ("ipv4-network", "10.0.0.0/33", false),
            ("ipv6-network", "2001:db8::/32", true),
            ("date-time", "2026-10-20T22:11:15Z", true),
            ("date-time", "2026-10-20", false),
            ("something new", "anything", true),
        ] {
            assert_eq!(super::mismatch(kind, &json!(text)).is_none(), fits, "{kind} {text}");
        }
    }
}
