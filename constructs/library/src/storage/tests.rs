//! Buckets and grants as they are synthesised.

use formwork::{App, AppProps, BucketName, KeyArn, RemovalPolicy, Scope, Value};
use serde_json::{Value as Json, json};

use super::{DataBucket, DataBucketProps, ObjectAccess};
use crate::iam::{Role, RoleProps, ServicePrincipal};

fn template(build: impl FnOnce(Scope<'_>)) -> Json {
    let app = App::new(AppProps::default());
    build(app.stack("data"));
    let synthesis = app.synth().expect("no mistakes");
    assert!(synthesis.diagnostics.is_empty(), "{:?}", synthesis.diagnostics);
    synthesis.template("data").expect("a template")
}

fn find<'a>(template: &'a Json, type_name: &str) -> &'a Json {
    let resources = template["Resources"].as_object().expect("resources");
    resources.values().find(|resource| resource["Type"] == type_name).expect("one of the type")
}

fn key() -> Value<KeyArn> {
    KeyArn::literal("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")
}

#[test]
fn a_bucket_is_private_encrypted_versioned_and_kept() {
    let template = template(|scope| {
        DataBucket::new(scope, "Data", DataBucketProps::default());
    });
    let bucket = find(&template, "AWS::S3::Bucket");
    assert_eq!(
        (&bucket["DeletionPolicy"], &bucket["UpdateReplacePolicy"]),
        (&json!("Retain"), &json!("Retain"))
    );
    let properties = &bucket["Properties"];
    assert!(properties.get("BucketName").is_none(), "the name is CloudFormation's choice");
    assert_eq!(
        properties["PublicAccessBlockConfiguration"],
        json!({
            "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
        })
    );
    assert_eq!(properties["VersioningConfiguration"]["Status"], "Enabled");
    assert_eq!(properties["OwnershipControls"]["Rules"][0]["ObjectOwnership"], "BucketOwnerEnforced");
    assert_eq!(
        properties["BucketEncryption"]["ServerSideEncryptionConfiguration"],
        json!([{"BucketKeyEnabled": false, "ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}])
    );
    assert_eq!(
        properties["LifecycleConfiguration"]["Rules"],
        json!([{
            "Id": "clean-up",
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            "ExpiredObjectDeleteMarker": true,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
        }])
    );
    let policy = find(&template, "AWS::S3::BucketPolicy");
    assert_eq!(policy["DeletionPolicy"], "Retain", "a bucket that stays keeps its policy");
    let statement = &policy["Properties"]["PolicyDocument"]["Statement"][0];
    assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Deny"), &json!("*")));
    assert_eq!(statement["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
    assert_eq!(statement["Resource"].as_array().map(Vec::len), Some(2), "the bucket and its objects");
}

#[test]
fn what_an_operator_chooses_is_in_the_bucket() {
    let template = template(|scope| {
        let props = DataBucketProps {
            key: Some(key()),
            abort_incomplete_uploads_after_days: 1,
            noncurrent_versions_kept_for_days: 30,
            intelligent_tiering_after_days: Some(60),
            access_log_bucket: Some(BucketName::literal("all-the-logs")),
            removal_policy: RemovalPolicy::Delete,
        };
        DataBucket::new(scope, "Data", props);
    });
    let bucket = find(&template, "AWS::S3::Bucket");
    assert_eq!(
        (&bucket["DeletionPolicy"], &bucket["UpdateReplacePolicy"]),
        (&json!("Delete"), &json!("Delete"))
    );
    let encryption = &bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    assert_eq!(encryption["BucketKeyEnabled"], true);
    assert_eq!(encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"], "aws:kms");
    let rule = &bucket["Properties"]["LifecycleConfiguration"]["Rules"][0];
    assert_eq!(rule["Transitions"], json!([{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 60}]));
    assert_eq!(rule["NoncurrentVersionExpiration"]["NoncurrentDays"], 30);
    assert_eq!(
        bucket["Properties"]["LoggingConfiguration"],
        json!({"DestinationBucketName": "all-the-logs", "LogFilePrefix": "data/Data/"})
    );
}

fn statements(access: ObjectAccess, prefix: &str, key: Option<Value<KeyArn>>) -> Json {
    let template = template(|scope| {
        let bucket = DataBucket::existing(&BucketName::literal("artifacts"), key);
        let role = Role::for_service(scope, "Role", ServicePrincipal::SageMaker, RoleProps::default());
        bucket.grant(scope, "Grant", &role, prefix, access);
    });
    find(&template, "AWS::IAM::Policy")["Properties"]["PolicyDocument"]["Statement"].clone()
}

#[test]
fn grants_name_exact_actions_and_the_objects_below_the_prefix() {
    let read = statements(ObjectAccess::Read, "", None);
    assert_eq!(
        read,
        json!([
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": {"Fn::Sub": "arn:${AWS::Partition}:s3:::artifacts/*"},
            },
            {
                "Effect": "Allow",
                "Action": ["s3:GetBucketLocation", "s3:ListBucket"],
                "Resource": {"Fn::Sub": "arn:${AWS::Partition}:s3:::artifacts"},
            },
        ])
    );
    let write = statements(ObjectAccess::ReadWrite, "mlflow", Some(key()));
    assert_eq!(
        write[0]["Action"],
        json!(["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"])
    );
    assert_eq!(write[0]["Resource"], json!({"Fn::Sub": "arn:${AWS::Partition}:s3:::artifacts/mlflow/*"}));
    assert_eq!(write[2]["Action"], json!(["kms:Decrypt", "kms:GenerateDataKey"]));
    let all = statements(ObjectAccess::Full, "mlflow", None).to_string();
    assert!(all.contains("s3:DeleteObject") && !all.contains("s3:*"), "{all}");
    assert!(!write.to_string().contains("DeleteObject"), "{write}");
}

#[test]
fn the_uri_of_a_prefix() {
    let bucket = DataBucket::existing(&BucketName::literal("artifacts"), None);
    assert_eq!(bucket.uri("").as_literal(), Some(json!("s3://artifacts")));
    assert_eq!(bucket.uri("mlflow").as_literal(), Some(json!("s3://artifacts/mlflow")));
}
