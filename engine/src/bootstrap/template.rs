//! The template of the bootstrap stack.

use formwork_assembly::json::to_compact_text;
use serde_json::{Map, Value, json};

use super::derive::Statement;
use super::policies::{Scope, document};
use super::{BootstrapOptions, BucketKey, Execution, VERSION, names};
use crate::error::{Class, EngineError};

/// The most characters of a managed policy, white space left out. Source: AWS IAM User Guide, "IAM and AWS STS quotas".
const POLICY_CHARACTERS: usize = 6_144;
/// The most managed policies of a role, unless the account has more by request. Source: the same.
const POLICIES: usize = 10;
/// How many days replaced and deleted objects can be brought back.
const NONCURRENT_DAYS: u32 = 30;
/// How many days a broken upload is kept for the next attempt.
const BROKEN_UPLOAD_DAYS: u32 = 1;

/// The template.
///
/// # Errors
/// When the derived policies are more than a role can have.
pub fn template(options: &BootstrapOptions) -> Result<Value, EngineError> {
    let mut resources = Map::new();
    let key = key(options, &mut resources);
    bucket(key.as_ref(), &mut resources);
    parameters(options, &mut resources);
    let execution_role = json!({ "Fn::GetAtt": ["ExecutionRole", "Arn"] });
    let bucket_arn = json!({ "Fn::GetAtt": ["AssetBucket", "Arn"] });
    let scope = Scope {
        prefix: &options.prefix,
        qualifier: &options.qualifier,
        execution_role: Some(execution_role),
        bucket: Some(("${AssetBucket}", bucket_arn)),
        key: key.clone(),
        dns_suffix: "${AWS::URLSuffix}",
    };
    let trust = trust_of_callers(options);
    for (id, purpose, description, statements) in [
        ("PublishRole", "publish", "Puts assets into the bucket of the bootstrap stack", scope.publish()),
        ("PlanRole", "plan", "Makes and reads change sets, and executes none", scope.plan()),
        ("ApplyRole", "apply", "Executes change sets, rolls back and deletes stacks", scope.apply()),
    ] {
        let policy = json!({ "PolicyName": purpose, "PolicyDocument": document(&statements) });
        let role = role(options, purpose, description, &trust, vec![policy], Vec::new());
        resources.insert(id.to_owned(), role);
    }
    execution(options, &scope, &mut resources)?;
    let arn = |id: &str| json!({ "Fn::GetAtt": [id, "Arn"] });
    let output = |description: &str, value: Value| json!({ "Description": description, "Value": value });
    let mut outputs = json!({
        "ApplyRoleArn": output("The role that executes change sets", arn("ApplyRole")),
        "BucketName": output("The bucket for assets and large templates", json!({ "Ref": "AssetBucket" })),
        "ExecutionRoleArn": output("The role that CloudFormation acts with", arn("ExecutionRole")),
        "PlanRoleArn": output("The role that makes change sets", arn("PlanRole")),
        "PublishRoleArn": output("The role that publishes assets", arn("PublishRole")),
        "Version": output("The version of this stack", json!(VERSION.to_string())),
    });
    if let Some(key) = key {
        outputs["KeyArn"] = output("The key of the bucket", key);
    }
    Ok(json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What Formwork needs in an account and region: a bucket for assets, and roles that may each do one thing",
        "Outputs": outputs,
        "Resources": resources,
    }))
}

fn sub(text: impl Into<String>) -> Value {
    json!({ "Fn::Sub": text.into() })
}

/// The ARN of the bucket's key, which is made if that was asked for.
fn key(options: &BootstrapOptions, resources: &mut Map<String, Value>) -> Option<Value> {
    match &options.key {
        BucketKey::Aes256 => None,
        BucketKey::Existing(arn) => Some(json!(arn)),
        BucketKey::New => {
            let account = sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root");
            let policy = json!({
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "AccountDecides", "Effect": "Allow", "Principal": { "AWS": account },
                        "Action": "kms:*", "Resource": "*",
                    },
                ],
            });
            resources.insert(
                "AssetKey".to_owned(),
                json!({
                    "Type": "AWS::KMS::Key",
                    "DeletionPolicy": "Retain",
                    "UpdateReplacePolicy": "Retain",
                    "Properties": {
                        "Description": sub("Encrypts the assets of ${AWS::StackName}"),
                        "EnableKeyRotation": true,
                        "KeyPolicy": policy,
                    },
                }),
            );
            Some(json!({ "Fn::GetAtt": ["AssetKey", "Arn"] }))
        }
    }
}

/// The bucket. It has no name of ours: CloudFormation ends the name with letters that nobody can guess, so that nobody can
/// have it before us.
fn bucket(key: Option<&Value>, resources: &mut Map<String, Value>) {
    let encryption = match key {
        Some(key) => json!({
            "BucketKeyEnabled": true,
            "ServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key },
        }),
        None => json!({ "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } }),
    };
    resources.insert(
        "AssetBucket".to_owned(),
        json!({
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketEncryption": { "ServerSideEncryptionConfiguration": [encryption] },
                "LifecycleConfiguration": { "Rules": [
                    {
                        "Id": "ForgetReplacedObjects", "Status": "Enabled",
                        "NoncurrentVersionExpiration": { "NoncurrentDays": NONCURRENT_DAYS },
                    },
                    {
                        "Id": "ForgetBrokenUploads", "Status": "Enabled",
                        "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": BROKEN_UPLOAD_DAYS },
                    },
                ] },
                "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": true, "BlockPublicPolicy": true,
                    "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
                },
                "VersioningConfiguration": { "Status": "Enabled" },
            },
        }),
    );
    let both = json!([
        { "Fn::GetAtt": ["AssetBucket", "Arn"] },
        { "Fn::Join": ["", [{ "Fn::GetAtt": ["AssetBucket", "Arn"] }, "/*"]] },
    ]);
    let deny = |sid: &str, condition: Value| {
        json!({
            "Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": both.clone(), "Condition": condition,
        })
    };
    resources.insert(
        "AssetBucketPolicy".to_owned(),
        json!({
            "Type": "AWS::S3::BucketPolicy",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "Bucket": { "Ref": "AssetBucket" },
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        deny("OnlyByTls", json!({ "Bool": { "aws:SecureTransport": "false" } })),
                        deny("OnlyByRecentTls", json!({ "NumericLessThan": { "s3:TlsVersion": "1.2" } })),
                    ],
                },
            },
        }),
    );
}

fn parameters(options: &BootstrapOptions, resources: &mut Map<String, Value>) {
    for (id, name, description, value) in [
        (
            "BucketParameter",
            names::bucket_parameter(&options.qualifier),
            "The bucket for assets, which templates and the command line look up here",
            json!({ "Ref": "AssetBucket" }),
        ),
        (
            "VersionParameter",
            names::version_parameter(&options.qualifier),
            "The version of the bootstrap stack",
            json!(VERSION.to_string()),
        ),
    ] {
        resources.insert(
            id.to_owned(),
            json!({
                "Type": "AWS::SSM::Parameter",
                "Properties": { "Description": description, "Name": name, "Type": "String", "Value": value },
            }),
        );
    }
}

/// Callers of the account and of those that are trusted may take on a role, as far as their own policies allow it. Somebody
/// who acts for others names them by an external id; such a call is refused, so that nobody is tricked into acting here.
fn trust_of_callers(options: &BootstrapOptions) -> Value {
    let mut principals = vec![sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")];
    principals.extend(
        options
            .trusted_accounts
            .iter()
            .map(|account| sub(format!("arn:${{AWS::Partition}}:iam::{account}:root"))),
    );
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow", "Principal": { "AWS": principals }, "Action": "sts:AssumeRole",
                "Condition": { "Null": { "sts:ExternalId": "true" } },
            },
            { "Effect": "Allow", "Principal": { "AWS": principals }, "Action": "sts:TagSession" },
        ],
    })
}

fn role(
    options: &BootstrapOptions,
    purpose: &str,
    description: &str,
    trust: &Value,
    policies: Vec<Value>,
    managed: Vec<Value>,
) -> Value {
    let name = names::role(&options.qualifier, purpose, "${AWS::Region}");
    let mut properties = json!({
        "AssumeRolePolicyDocument": trust,
        "Description": description,
        "RoleName": sub(name),
    });
    if !policies.is_empty() {
        properties["Policies"] = Value::Array(policies);
    }
    if !managed.is_empty() {
        properties["ManagedPolicyArns"] = Value::Array(managed);
    }
    if let Some(boundary) = &options.permissions_boundary {
        properties["PermissionsBoundary"] = json!(boundary);
    }
    json!({ "Type": "AWS::IAM::Role", "Properties": properties })
}

fn execution(
    options: &BootstrapOptions,
    scope: &Scope<'_>,
    resources: &mut Map<String, Value>,
) -> Result<(), EngineError> {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": { "Service": "cloudformation.amazonaws.com" },
        }],
    });
    let assets = json!({ "PolicyName": "assets", "PolicyDocument": document(&scope.read_assets()) });
    let managed = match &options.execution {
        Execution::Policies(arns) => arns.iter().map(|arn| json!(arn)).collect(),
        Execution::Derived(needs) => {
            let statements = needs.statements(&options.prefix, options.permissions_boundary.as_deref());
            let documents = packed(statements);
            if documents.len() > POLICIES {
                let message = format!(
                    "the templates need {} managed policies for the execution role, and a role has {POLICIES} at most",
                    documents.len()
                );
                return Err(EngineError::new(Class::Input, message)
                    .with_hint("name broader managed policies instead of deriving them"));
            }
            for (index, document) in documents.iter().enumerate() {
                resources.insert(
                    format!("ExecutionPolicy{}", index + 1),
                    json!({
                        "Type": "AWS::IAM::ManagedPolicy",
                        "Properties": {
                            "Description": "What the types of the deployed templates need",
                            "PolicyDocument": document,
                            "Roles": [{ "Ref": "ExecutionRole" }],
                        },
                    }),
                );
            }
            Vec::new()
        }
    };
    let description = "CloudFormation acts with this role when it changes stacks";
    let role = role(options, "execution", description, &trust, vec![assets], managed);
    resources.insert("ExecutionRole".to_owned(), role);
    Ok(())
}

/// Policy documents of the statements, none longer than a managed policy may be.
fn packed(statements: Vec<Statement>) -> Vec<Value> {
    let characters = |statements: &[Statement]| to_compact_text(&document(statements)).chars().count();
    let mut documents: Vec<Vec<Statement>> = Vec::new();
    for statement in statements {
        for action in &statement.actions {
            let one = Statement { actions: vec![action.clone()], ..statement.clone() };
            let open = documents.last_mut().filter(|open| {
                // Room for the action, or for the whole statement where it is the first of its kind.
                let more = if open.last().is_some_and(|last| last.sid == one.sid) {
                    action.len() + 3
                } else {
                    to_compact_text(&one.to_json()).len() + 1
                };
                characters(open) + more <= POLICY_CHARACTERS
            });
            match open {
                Some(open) => match open.last_mut().filter(|last| last.sid == one.sid) {
                    Some(last) => last.actions.push(action.clone()),
                    None => open.push(one),
                },
                None => documents.push(vec![one]),
            }
        }
    }
    documents.iter().map(|statements| document(statements)).collect()
}
