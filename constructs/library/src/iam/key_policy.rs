//! What the policy of a customer's key has to allow.
//!
//! A key that is named belongs to somebody else: its policy cannot be read or changed from here, and that it lacks a
//! service is found out only in the deployment, as a log group that is refused or an instance that never starts.

use formwork::{Diagnostic, Scope, Severity};

/// Who uses a key by the key's own policy, and not by the policy of a role of this app.
///
/// Sources: Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service";
/// Amazon EC2 Auto Scaling User Guide, "Required AWS KMS key policy for use with encrypted volumes".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyUser {
    /// Auto Scaling, which starts instances with encrypted disks.
    AutoScaling,
    /// CloudWatch Logs, for an encrypted log group.
    CloudWatchLogs,
}

impl KeyUser {
    /// The principal in the key's policy; a region that is not known is written `REGION`.
    fn principal(self, region: &str) -> String {
        match self {
            Self::AutoScaling => "the role AWSServiceRoleForAutoScaling".to_owned(),
            Self::CloudWatchLogs => format!("logs.{region}.amazonaws.com"),
        }
    }

    fn actions(self) -> &'static [&'static str] {
        match self {
            Self::AutoScaling => &[
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            Self::CloudWatchLogs => {
                &["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
            }
        }
    }
}

/// Notes at a construct whom the policy of the key that it was given has to allow what. Once for a construct, however
/// many of its resources the key encrypts.
pub fn note_key_policy(scope: Scope<'_>, users: &[KeyUser]) {
    let region = scope.environment().region;
    let region = region.as_deref().unwrap_or("REGION");
    let principals: Vec<String> = users.iter().map(|user| user.principal(region)).collect();
    if principals.is_empty() {
        return;
    }
    let message = format!("the policy of the key has to let {} use it", principals.join(" and "));
    let allowed = |user: &KeyUser| format!("allow {} {}", user.principal(region), user.actions().join(", "));
    let hint = format!("in the key's policy, {}", users.iter().map(allowed).collect::<Vec<_>>().join("; "));
    scope.report(Diagnostic::new(Severity::Note, "key-policy", message).with_hint(hint));
}
