//! How long a policy is as IAM counts it, so that one that is too long is a mistake at synth and not in the deployment.
//!
//! IAM counts no white space. What CloudFormation puts in is not known yet, so it is counted as long as it can well
//! become; a policy near the quota is better divided than deployed to see.
//!
//! Source: IAM User Guide, "IAM and AWS STS quotas" (sizes of policies) and "IAM identifiers" (lengths of names).

use formwork::{Attribute, Diagnostic, Expression, Json};

/// The most characters of one managed policy.
pub(super) const MANAGED_POLICY: usize = 6_144;

/// The most characters of all inline policies of a role together.
pub(super) const INLINE_POLICIES: usize = 10_240;

/// An id, such as `subnet-0a1b2c3d4e5f67890`.
const IDENTIFIER: usize = 24;

/// An ARN of a role with the longest name: `arn:aws-us-gov:iam::111122223333:role/` and 64 characters.
const ARN: usize = 102;

/// A name or id of another stack or of a parameter's choice: those of buckets have 63 characters, those of roles 64.
const NAME: usize = 64;

/// The characters of an expression as JSON without white space.
pub(super) fn characters(expression: &Expression) -> usize {
    match expression {
        Expression::Text(_) => 2 + inside_text(expression),
        Expression::Literal(json) => json_characters(json),
        Expression::List(items) => 2 + separated(items.iter().map(characters)),
        Expression::Object(fields) => {
            2 + separated(fields.iter().map(|(name, field)| name.len() + 3 + characters(field)))
        }
        Expression::If { then, otherwise, .. } => characters(then).max(characters(otherwise)),
        other => 2 + inside_text(other),
    }
}

/// The characters that an expression adds to the text around it.
fn inside_text(expression: &Expression) -> usize {
    match expression {
        Expression::Literal(Json::String(text)) => text.chars().count(),
        Expression::Text(parts) => parts.iter().map(inside_text).sum(),
        Expression::If { then, otherwise, .. } => inside_text(then).max(inside_text(otherwise)),
        Expression::Attribute { attribute: Attribute::Named(name), .. } => named(name),
        Expression::Pseudo(name) => pseudo(name),
        Expression::Literal(json) => json_characters(json),
        _ => NAME,
    }
}

fn named(attribute: &str) -> usize {
    if attribute.ends_with("Arn") {
        ARN
    } else if attribute.ends_with("Id") {
        IDENTIFIER
    } else {
        NAME
    }
}

fn pseudo(name: &str) -> usize {
    match name {
        "AWS::AccountId" => "111122223333".len(),
        "AWS::Partition" => "aws-us-gov".len(),
        "AWS::Region" => "ap-northeast-1".len(),
        "AWS::StackId" => ARN + 128,
        "AWS::StackName" => 128,
        "AWS::URLSuffix" => "amazonaws.com.cn".len(),
        _ => NAME,
    }
}

fn json_characters(json: &Json) -> usize {
    // Serde writes no white space between the parts; white space inside a text counts.
    json.to_string().chars().count()
}

fn separated(lengths: impl Iterator<Item = usize>) -> usize {
    let (count, sum) = lengths.fold((0_usize, 0), |(count, sum), length| (count + 1, sum + length));
    sum + count.saturating_sub(1)
}

/// What to say of a managed policy that is too long.
pub(super) fn managed_policy_mistake(characters: usize) -> Option<Diagnostic> {
    (characters > MANAGED_POLICY).then(|| {
        let message = format!(
            "the managed policy has about {characters} characters, but IAM takes {MANAGED_POLICY} of one"
        );
        let hint = "divide its statements among several managed policies, or name fewer resources";
        Diagnostic::error("policy-size", message).with_hint(hint)
    })
}

/// What to say of a role whose inline policies are too long together.
pub(super) fn inline_policies_mistake(characters: usize) -> Option<Diagnostic> {
    (characters > INLINE_POLICIES).then(|| {
        let message = format!(
            "with this policy the inline policies of its role have about {characters} characters together, but IAM \
             takes {INLINE_POLICIES} of a role"
        );
        let hint = "grant less, name fewer resources, or attach a managed policy by `Role::attach`";
        Diagnostic::error("policy-size", message).with_hint(hint)
    })
}
