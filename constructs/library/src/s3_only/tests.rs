//! The bucket and its key in the template.

use formwork::{App, AppProps, Json, KeyArn, Severity};

use super::{S3Only, S3OnlyProps};
use crate::testing::one;

fn template(props: S3OnlyProps) -> Json {
    let app = App::new(AppProps::default());
    S3Only::new(app.stack("files"), "Files", props);
    let synthesis = app.synth().unwrap_or_else(|error| panic!("{:?}", error.diagnostics));
    for found in &synthesis.diagnostics {
        assert!(found.severity < Severity::Warning, "{found}");
    }
    synthesis.template("files").expect("the stack")
}

#[test]
fn the_key_is_in_the_secret_and_in_no_output() {
    let template = template(S3OnlyProps::default());
    let text = one(&template, "AWS::SecretsManager::Secret")["Properties"]["SecretString"].to_string();
    assert!(text.contains("SecretAccessKey") && text.contains("AccessKey"), "{text}");
    let outputs = template["Outputs"].to_string();
    assert!(!outputs.contains("SecretAccessKey") && !outputs.contains("FilesKey\""), "{outputs}");
    for name in ["ArtifactLocation", "BucketName", "SecretArn", "UserName"] {
        assert!(template["Outputs"][name]["Value"].is_object(), "{name}");
    }
}

#[test]
fn the_user_may_use_its_prefix_and_nothing_else() {
    let template = template(S3OnlyProps::default());
    let user = &one(&template, "AWS::IAM::User")["Properties"];
    assert!(user["ManagedPolicyArns"].is_null() && user["LoginProfile"].is_null(), "{user}");
    let policy = &one(&template, "AWS::IAM::Policy")["Properties"];
    let statements = policy["PolicyDocument"]["Statement"].as_array().expect("statements");
    for statement in statements {
        let (actions, resource) = (statement["Action"].to_string(), statement["Resource"].to_string());
        assert!(!actions.contains("s3:*") && !resource.contains("\"*\""), "{statement}");
        if actions.contains("s3:GetObject") {
            assert!(actions.contains("s3:PutObject") && actions.contains("s3:DeleteObject"), "{actions}");
            assert!(resource.contains("/mlflow/*"), "{resource}");
        } else {
            assert!(actions.contains("s3:ListBucket"), "{actions}");
            let prefixes = &statement["Condition"]["StringLikeIfExists"]["s3:prefix"];
            assert_eq!(prefixes, &Json::from(vec!["mlflow", "mlflow/*"]));
        }
    }
}

#[test]
fn the_bucket_is_private_and_stays() {
    let template = template(S3OnlyProps::default());
    let bucket = one(&template, "AWS::S3::Bucket");
    assert_eq!(bucket["DeletionPolicy"], "Retain");
    assert_eq!(bucket["Properties"]["PublicAccessBlockConfiguration"]["BlockPublicPolicy"], true);
}

#[test]
fn another_serial_is_another_key() {
    let key = |serial| {
        let template = template(S3OnlyProps { key_serial: serial, ..S3OnlyProps::default() });
        one(&template, "AWS::IAM::AccessKey")["Properties"].clone()
    };
    assert_ne!(key(1), key(2));
}

#[test]
fn a_key_of_the_customer_encrypts_both_and_the_user_may_use_it() {
    let arn = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012";
    let template = template(S3OnlyProps { key: Some(KeyArn::literal(arn)), ..S3OnlyProps::default() });
    assert_eq!(one(&template, "AWS::SecretsManager::Secret")["Properties"]["KmsKeyId"], arn);
    assert!(one(&template, "AWS::S3::Bucket").to_string().contains(arn));
    assert!(one(&template, "AWS::IAM::Policy").to_string().contains("kms:GenerateDataKey"));
}
