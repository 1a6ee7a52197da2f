//! Words for what S3 refuses.

use super::{dns_suffix, explain};
use crate::aws::fake::{Answer, fake, sts, ticket};
use crate::aws::{Error, ErrorKind};
use crate::error::Class;

fn refused(kind: ErrorKind, code: &str, message: &str) -> Error {
    Error { code: Some(code.to_owned()), ..Error::new("PutObject", kind, message) }
}

#[test]
fn what_can_be_tried_again_says_so() {
    for kind in [ErrorKind::Unreachable, ErrorKind::Protocol, ErrorKind::Throttled { retry_after: None }] {
        let error = explain(refused(kind, "x", "no"), "b", "123456789012", "eu-west-1");
        assert_eq!(error.class, Class::NeedsAction);
        assert!(error.hint.is_some_and(|hint| hint.contains("not sent twice")));
    }
}

/// Fault 3: expired credentials are no matter of the bucket.
#[test]
fn expired_credentials_are_told_as_such() {
    let error =
        explain(refused(ErrorKind::ExpiredCredentials, "ExpiredToken", "expired"), "b", "1", "eu-west-1");
    assert_eq!(error.class, Class::Usage);
}

/// Fault 60: a key that is disabled is refused with codes of its own.
#[test]
fn disabled_key_is_told_from_a_denied_bucket() {
    let error =
        explain(refused(ErrorKind::Invalid, "KMS.DisabledException", "is disabled"), "b", "1", "eu-west-1");
    assert!(error.message.starts_with("the key that encrypts bucket b refuses"), "{error}");
}

/// Fault 57: a bucket of the CDK is made by the CDK.
#[test]
fn missing_bucket_of_the_cdk_names_its_own_command() {
    let missing = refused(ErrorKind::NotFound, "NoSuchBucket", "no");
    let error = explain(missing, "cdk-hnb659fds-assets-1-eu-west-1", "1", "eu-west-1");
    assert!(error.hint.is_some_and(|hint| hint.contains("cdk bootstrap aws://1/eu-west-1")));
}

/// A bucket can have more broken uploads than one listing tells.
#[tokio::test(start_paused = true)]
async fn broken_uploads_of_all_pages_are_aborted() {
    let service = fake(|seen, _| {
        let query = seen.uri.query().unwrap_or_default();
        let page = |inner: &str| {
            Answer::Raw(
                200,
                format!("<ListMultipartUploadsResult>{inner}</ListMultipartUploadsResult>"),
                None,
            )
        };
        let upload = |key: &str| format!("<Upload><Key>{key}</Key><UploadId>id-{key}</UploadId></Upload>");
        sts(seen).unwrap_or_else(|| match query {
            _ if query.contains("versions") => {
                Answer::Raw(200, "<ListVersionsResult></ListVersionsResult>".to_owned(), None)
            }
            _ if query.contains("uploadId") => Answer::Raw(204, String::new(), None),
            _ if query.contains("key-marker=a") => page(&upload("b")),
            _ => page(&format!(
                "<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>{}",
                upload("a")
            )),
        })
    });
    let session = service.session().await;
    session.storage().remove_all("data", &ticket("DeleteObjects")).await.expect("is emptied");
    let aborted =
        service.seen("").into_iter().filter(|seen| seen.uri.to_string().contains("uploadId=id-")).count();
    assert_eq!(aborted, 2);
}

#[test]
fn regions_of_other_partitions_have_other_names() {
    assert_eq!(dns_suffix("eu-central-1"), "amazonaws.com");
    assert_eq!(dns_suffix("us-gov-west-1"), "amazonaws.com");
    assert_eq!(dns_suffix("cn-north-1"), "amazonaws.com.cn");
}
