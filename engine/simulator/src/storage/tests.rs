//! S3 through whole requests: who may, what is checked, what is kept.

use bytes::Bytes;
use jiff::Timestamp;

use crate::api::{Reply, Request};
use crate::simulator::{Simulator, SimulatorOptions};

const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/s3/aws4_request, \
                      SignedHeaders=host, Signature=00";

struct Client(Simulator);

struct Got {
    status: u16,
    headers: http::HeaderMap,
    text: String,
}

fn client(script: &str) -> Client {
    let script = script.parse().unwrap();
    Client(Simulator::new(SimulatorOptions {
        script,
        region: "eu-west-1".to_owned(),
        ..SimulatorOptions::default()
    }))
}

impl Client {
    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Got {
        let mut request = Request::new(Bytes::copy_from_slice(body));
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = path.parse().unwrap();
        for (name, value) in [("authorization", SIGNED), ("host", "127.0.0.1:4566")].iter().chain(headers) {
            request.headers_mut().insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        match self.0.respond("2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap(), &request) {
            Reply::Answer { response, .. } => Got {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                text: String::from_utf8_lossy(response.body()).into_owned(),
            },
            other => panic!("{other:?}"),
        }
    }

    fn code(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let got = self.ask(method, path, headers, body);
        let rest = got.text.split_once("<Code>").map(|(_, rest)| rest).unwrap_or(&got.text);
        format!("{} {}", got.status, rest.split('<').next().unwrap_or_default())
    }
}

/// For fault 57: a bucket that is not there.
#[test]
fn a_missing_bucket_is_told() {
    let mut client = client("");
    assert_eq!(client.code("PUT", "/none/key", &[], b"x"), "404 NoSuchBucket");
    assert_eq!(client.ask("HEAD", "/none", &[], b"").status, 404);
}

/// For fault 58: a bucket that somebody else took takes everything, unless its owner is said.
#[test]
fn a_squatted_bucket_is_noticed_by_its_owner_alone() {
    let mut client = client("bucket assets owner 999999999999");
    let said = [("x-amz-expected-bucket-owner", "123456789012")];
    for (method, path) in [
        ("PUT", "/assets/key"),
        ("GET", "/assets?list-type=2"),
        ("GET", "/assets?location"),
        ("POST", "/assets/key?uploads"),
    ] {
        assert_eq!(client.code(method, path, &said, b""), "403 AccessDenied", "{method} {path}");
    }
    assert_eq!(client.ask("HEAD", "/assets", &said, b"").status, 403);
    assert_eq!(client.ask("PUT", "/assets/key", &[], b"secret").status, 200);
    assert_eq!(client.0.log().without_expected_owner().count(), 1);
}

/// For fault 59: a bucket in another region says where it is.
#[test]
fn a_bucket_elsewhere_redirects() {
    let mut client = client("bucket far region ap-south-1");
    let got = client.ask("PUT", "/far/key", &[], b"x");
    assert_eq!((got.status, got.headers["x-amz-bucket-region"].to_str().unwrap()), (301, "ap-south-1"));
    assert!(got.text.contains("<Code>PermanentRedirect</Code>"));
    assert!(client.ask("GET", "/far?location", &[], b"").text.contains("ap-south-1"));
}

/// For fault 60: a key that nobody may use, and a policy that wants an encryption header.
#[test]
fn encryption_is_refused_or_wanted() {
    let mut client =
        client("bucket locked kms-key arn:k; bucket locked kms-denied; bucket strict requires-encryption");
    assert_eq!(client.code("PUT", "/locked/key", &[], b"x"), "403 AccessDenied");
    assert_eq!(
        client.ask("PUT", "/locked/key", &[("x-amz-server-side-encryption", "AES256")], b"x").status,
        200
    );
    assert_eq!(client.code("PUT", "/strict/key", &[], b"x"), "403 AccessDenied");
    assert!(client.ask("GET", "/locked?encryption", &[], b"").text.contains("<KMSMasterKeyID>arn:k<"));
}

/// For fault 63: a body that is not what its checksum says.
#[test]
fn a_wrong_checksum_is_refused_in_header_and_trailer() {
    let mut client = client("bucket b exists");
    let wrong = [("x-amz-checksum-sha256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")];
    assert_eq!(client.code("PUT", "/b/k", &wrong, b"hello"), "400 BadDigest");
    let hashed =
        [("x-amz-content-sha256", "0000000000000000000000000000000000000000000000000000000000000000")];
    assert_eq!(client.code("PUT", "/b/k", &hashed, b"hello"), "400 XAmzContentSHA256Mismatch");
    let streamed =
        [("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), ("content-encoding", "aws-chunked")];
    let body =
        |checksum: &str| format!("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n").into_bytes();
    assert_eq!(client.code("PUT", "/b/k", &streamed, &body("AAAAAA==")), "400 BadDigest");
    assert_eq!(client.code("PUT", "/b/k", &streamed, b"9\r\nhello"), "400 IncompleteBody");
    let got = client.ask("PUT", "/b/k", &streamed, &body("NhCmhg=="));
    assert_eq!((got.status, got.headers["x-amz-checksum-crc32"].to_str().unwrap()), (200, "NhCmhg=="));
    let got = client.ask("GET", "/b/k", &[("x-amz-checksum-mode", "ENABLED")], b"");
    assert_eq!((got.text.as_str(), got.headers.get("content-encoding")), ("hello", None));
}

/// For fault 61: an empty zip file is 22 bytes long, and a list tells.
#[test]
fn sizes_are_listed() {
    let mut client = client("bucket b exists");
    client.0.services_mut().storage.put("b", "assets/empty.zip", vec![0_u8; 22]);
    let text = client.ask("GET", "/b?list-type=2&prefix=assets%2Fempty.zip&max-keys=1", &[], b"").text;
    assert!(text.contains("<Key>assets/empty.zip</Key>") && text.contains("<Size>22</Size>"), "{text}");
}

/// For fault 62: parts that were sent stay until somebody finishes or gives up.
#[test]
fn an_upload_in_parts_can_be_taken_up_again() {
    let mut client = client("bucket b exists");
    let text = client.ask("POST", "/b/k?uploads", &[], b"").text;
    let id = text.split_once("<UploadId>").unwrap().1.split_once('<').unwrap().0.to_owned();
    let part = vec![b'p'; 5 * 1024 * 1024];
    let first = client.ask("PUT", &format!("/b/k?partNumber=1&uploadId={id}"), &[], &part);
    let listed = client.ask("GET", &format!("/b/k?uploadId={id}"), &[], b"").text;
    assert!(listed.contains("<PartNumber>1</PartNumber>"), "{listed}");
    client.ask("PUT", &format!("/b/k?partNumber=2&uploadId={id}"), &[], b"end");
    let etag = first.headers["etag"].to_str().unwrap();
    let second = "\"7f021a1415b86f2d013b2618fb31ae53\"";
    let complete = |first: &str, second: &str| {
        format!(
            "<CompleteMultipartUpload><Part><ETag>{first}</ETag><PartNumber>1</PartNumber></Part>\
             <Part><ETag>{second}</ETag><PartNumber>2</PartNumber></Part></CompleteMultipartUpload>"
        )
        .into_bytes()
    };
    let path = format!("/b/k?uploadId={id}");
    assert_eq!(client.code("POST", &path, &[], &complete(etag, etag)), "400 InvalidPart");
    let done = client.ask("POST", &path, &[], &complete(etag, second));
    assert!(done.status == 200 && done.text.contains("-2&quot;"), "{}", done.text);
    assert_eq!(client.code("POST", &path, &[], &complete(etag, second)), "404 NoSuchUpload");
}

#[test]
fn a_bucket_is_found_by_its_host_too() {
    let mut client = client("bucket b exists");
    let host = [("host", "b.s3.eu-west-1.amazonaws.com")];
    assert_eq!(client.ask("PUT", "/k", &host, b"x").status, 200);
    assert_eq!(client.ask("GET", "/b/k", &[], b"").text, "x");
}

#[test]
fn a_template_is_read_from_where_its_address_says() {
    let mut client = client("bucket b exists\nbucket other owner 999999999999\nbucket other denied");
    client.0.services_mut().storage.put("b", "t/a b.json", "{}");
    let storage = &client.0.services_mut().storage;
    let read = |url: &str| storage.template("123456789012", "eu-west-1", url);
    for url in [
        "https://s3.eu-west-1.amazonaws.com/b/t/a%20b.json",
        "https://b.s3.eu-west-1.amazonaws.com/t/a%20b.json",
        "http://127.0.0.1:4566/b/t/a%20b.json",
    ] {
        assert_eq!(read(url), Ok("{}".to_owned()), "{url}");
    }
    assert_eq!(read("https://s3.eu-west-1.amazonaws.com/b/none"), Err("Access Denied".to_owned()));
    assert_eq!(read("https://s3.eu-west-1.amazonaws.com/other/k"), Err("Access Denied".to_owned()));
    assert!(storage.template("123456789012", "us-east-1", "https://b.s3.amazonaws.com/t").is_err());
}
