//! Who may do what: the statements of the roles, and the same for a caller who does without them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::derive::{Needs, Statement};
use super::names;
use crate::aws::storage::dns_suffix;

/// Calls that only ask about stacks. Listing knows no single stacks, so that all of them are on everything.
const READS: [&str; 21] = [
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeChangeSetHooks",
    "cloudformation:DescribeEvents",
    "cloudformation:DescribeStackDriftDetectionStatus",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStackResource",
    "cloudformation:DescribeStackResourceDrifts",
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStacks",
    "cloudformation:DetectStackDrift",
    "cloudformation:DetectStackResourceDrift",
    "cloudformation:GetHookResult",
    "cloudformation:GetTemplate",
    "cloudformation:GetTemplateSummary",
    "cloudformation:ListChangeSets",
    "cloudformation:ListExports",
    "cloudformation:ListHookResults",
    "cloudformation:ListImports",
    "cloudformation:ListStackResources",
    "cloudformation:ListStacks",
    "cloudformation:ValidateTemplate",
];

/// Where the statements apply. The values are texts or intrinsic functions.
#[derive(Clone, Debug)]
pub(super) struct Scope<'a> {
    /// What the names of the stacks begin with.
    pub(super) prefix: &'a str,
    /// The qualifier of the bootstrap stack.
    pub(super) qualifier: &'a str,
    /// The role of CloudFormation; none when it acts with the caller's rights.
    pub(super) execution_role: Option<Value>,
    /// The bucket's name as it stands in `Fn::Sub`, and its ARN.
    pub(super) bucket: Option<(&'a str, Value)>,
    /// The ARN of the bucket's key.
    pub(super) key: Option<Value>,
    /// The end of the names of the region's services as it stands in `Fn::Sub`.
    pub(super) dns_suffix: &'a str,
}

fn sub(text: impl Into<String>) -> Value {
    json!({ "Fn::Sub": text.into() })
}

fn allow(sid: &'static str, actions: &[&str], resources: Vec<Value>, condition: Value) -> Statement {
    Statement {
        sid,
        actions: actions.iter().map(|&action| action.to_owned()).collect(),
        resources,
        condition,
    }
}

impl Scope<'_> {
    /// What planning takes: change sets are made, described and deleted, nothing is executed.
    pub(super) fn plan(&self) -> Vec<Statement> {
        let mut statements = vec![
            allow("ReadStacks", &READS, vec![json!("*")], Value::Null),
            self.create_change_sets(),
            allow(
                "DeleteOwnChangeSets",
                &["cloudformation:DeleteChangeSet"],
                vec![self.stacks()],
                json!({ "StringLike": own_change_sets() }),
            ),
            allow(
                "TagStacks",
                &["cloudformation:TagResource", "cloudformation:UntagResource"],
                vec![self.stacks()],
                Value::Null,
            ),
            self.read_parameters(),
        ];
        if let Some(role) = &self.execution_role {
            statements.push(allow(
                "HandExecutionRoleOn",
                &["iam:PassRole"],
                vec![role.clone()],
                json!({ "StringEquals": { "iam:PassedToService": "cloudformation.amazonaws.com" } }),
            ));
        }
        statements.extend(self.read_assets());
        statements
    }

    /// What applying takes besides: executing change sets, and ending or taking back what was begun.
    pub(super) fn apply(&self) -> Vec<Statement> {
        let mut statements = self.plan();
        statements.push(allow(
            "ExecuteOwnChangeSets",
            &["cloudformation:ExecuteChangeSet"],
            vec![self.stacks()],
            json!({ "StringLike": own_change_sets() }),
        ));
        statements.push(allow(
            "EndOperations",
            &[
                "cloudformation:CancelUpdateStack",
                "cloudformation:ContinueUpdateRollback",
                "cloudformation:DeleteStack",
                "cloudformation:RollbackStack",
                "cloudformation:UpdateTerminationProtection",
            ],
            vec![self.stacks()],
            match &self.execution_role {
                Some(role) => json!({ "StringEqualsIfExists": { "cloudformation:RoleArn": role } }),
                None => Value::Null,
            },
        ));
        statements.push(allow(
            "ReadRefusals",
            &["sts:DecodeAuthorizationMessage"],
            vec![json!("*")],
            Value::Null,
        ));
        statements
    }

    /// What publishing takes: objects are put, none is deleted.
    pub(super) fn publish(&self) -> Vec<Statement> {
        let mut statements = vec![self.read_parameters()];
        statements.extend(self.read_assets());
        if let Some((_, arn)) = &self.bucket {
            statements.push(allow(
                "PutAssets",
                &["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"],
                vec![objects_of(arn)],
                our_account(),
            ));
            statements.push(allow(
                "FindBrokenUploads",
                &["s3:ListBucketMultipartUploads"],
                vec![arn.clone()],
                our_account(),
            ));
        }
        if let Some(key) = &self.key {
            let actions = ["kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"];
            statements.push(allow("EncryptAssets", &actions, vec![key.clone()], Value::Null));
        }
        statements
    }

    /// What CloudFormation takes to read the assets that templates name.
    pub(super) fn read_assets(&self) -> Vec<Statement> {
        let mut statements = Vec::new();
        if let Some((_, arn)) = &self.bucket {
            statements.push(allow(
                "ReadAssets",
                &["s3:GetObject", "s3:GetObjectVersion"],
                vec![objects_of(arn)],
                our_account(),
            ));
            statements.push(allow(
                "LookAtBucket",
                &[
                    "s3:GetBucketLocation",
                    "s3:GetBucketVersioning",
                    "s3:GetEncryptionConfiguration",
                    "s3:ListBucket",
                ],
                vec![arn.clone()],
                our_account(),
            ));
        }
        if let Some(key) = &self.key {
            statements.push(allow("DecryptAssets", &["kms:Decrypt"], vec![key.clone()], Value::Null));
        }
        statements
    }

    fn create_change_sets(&self) -> Statement {
        let mut condition = json!({ "StringLike": own_change_sets() });
        if let Some(role) = &self.execution_role {
            condition["StringEquals"] = json!({ "cloudformation:RoleArn": role });
        }
        if let Some((name, _)) = &self.bucket {
            let url = sub(format!("https://s3.${{AWS::Region}}.{}/{name}/*", self.dns_suffix));
            condition["StringLikeIfExists"] = json!({ "cloudformation:TemplateUrl": url });
        }
        allow("CreateOwnChangeSets", &["cloudformation:CreateChangeSet"], vec![self.stacks()], condition)
    }

    fn read_parameters(&self) -> Statement {
        let own = sub(format!(
            "arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter/formwork/bootstrap/{}/*",
            self.qualifier
        ));
        // The names of machine images and such, which AWS and others publish for everybody.
        let public = sub("arn:${AWS::Partition}:ssm:${AWS::Region}::parameter/aws/service/*");
        allow("ReadParameters", &["ssm:GetParameter", "ssm:GetParameters"], vec![own, public], Value::Null)
    }

    fn stacks(&self) -> Value {
        sub(format!(
            "arn:${{AWS::Partition}}:cloudformation:${{AWS::Region}}:${{AWS::AccountId}}:stack/{}*",
            self.prefix
        ))
    }
}

/// The names of our change sets, as a name and as an ARN: calls may give either.
fn own_change_sets() -> Value {
    let arn = sub("arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:changeSet/fw-*");
    json!({ "cloudformation:ChangeSetName": ["fw-*", arn] })
}

/// A bucket of somebody else who guessed the name is out of reach.
fn our_account() -> Value {
    json!({ "StringEquals": { "aws:ResourceAccount": { "Ref": "AWS::AccountId" } } })
}

fn objects_of(arn: &Value) -> Value {
    match arn.as_str() {
        Some(arn) => json!(format!("{arn}/*")),
        None => json!({ "Fn::Join": ["", [arn, "/*"]] }),
    }
}

/// A policy document.
pub(super) fn document(statements: &[Statement]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements.iter().map(Statement::to_json).collect::<Vec<_>>() })
}

/// Whose policy is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyOptions {
    /// The account, 12 digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// The partition: `aws`, `aws-cn` ...
    pub partition: String,
    /// The qualifier of the bootstrap stack.
    pub qualifier: String,
    /// What the names of the stacks begin with.
    pub prefix: String,
    /// How the deployer goes about it.
    pub mode: DeployerMode,
}

/// How a deployer goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeployerMode {
    /// It takes on the roles of the bootstrap stack.
    Roles,
    /// It acts with its own rights, and so does CloudFormation.
    OwnRights {
        /// The bucket for assets and large templates, if there is one.
        bucket: Option<String>,
        /// What the stacks' resources need.
        needs: Needs,
    },
}

/// The policy that a deployer needs, as IAM takes it: no intrinsic functions, everything filled in.
pub fn show_policy(options: &PolicyOptions) -> Value {
    let PolicyOptions { account, region, partition, qualifier, prefix, .. } = options;
    let statements = match &options.mode {
        DeployerMode::Roles => {
            let arns = ["publish", "plan", "apply"].map(|purpose| {
                let name = names::role(qualifier, purpose, region);
                json!(format!("arn:{partition}:iam::{account}:role/{name}"))
            });
            vec![allow("TakeOnRoles", &["sts:AssumeRole", "sts:TagSession"], arns.to_vec(), Value::Null)]
        }
        DeployerMode::OwnRights { bucket, needs } => {
            let bucket = bucket.as_deref().map(|name| (name, json!(format!("arn:{partition}:s3:::{name}"))));
            let suffix = dns_suffix(region);
            let scope =
                Scope { prefix, qualifier, execution_role: None, bucket, key: None, dns_suffix: suffix };
            let mut statements = scope.apply();
            for statement in scope.publish().into_iter().chain(needs.statements(prefix, None)) {
                if !statements.contains(&statement) {
                    statements.push(statement);
                }
            }
            statements
        }
    };
    let values = BTreeMap::from([
        ("AWS::AccountId", account.as_str()),
        ("AWS::Region", region.as_str()),
        ("AWS::Partition", partition.as_str()),
    ]);
    filled(document(&statements), &values)
}

/// A document with `Ref` and `Fn::Sub` of pseudo parameters replaced by their values.
fn filled(value: Value, values: &BTreeMap<&str, &str>) -> Value {
    match value {
        Value::Object(object) => {
            if object.len() == 1 {
                if let Some(name) = object.get("Ref").and_then(Value::as_str) {
                    return json!(values.get(name).copied().unwrap_or(name));
                }
                if let Some(text) = object.get("Fn::Sub").and_then(Value::as_str) {
                    let fill = |text: String, (name, value): (&&str, &&str)| {
                        text.replace(&format!("${{{name}}}"), value)
                    };
                    return json!(values.iter().fold(text.to_owned(), fill));
                }
            }
            Value::Object(object.into_iter().map(|(key, value)| (key, filled(value, values))).collect())
        }
        Value::Array(items) => items.into_iter().map(|item| filled(item, values)).collect(),
        scalar => scalar,
    }
}
