use std::time::Duration;

use http::header::{CONNECTION, USER_AGENT};
use http::{HeaderMap, Method, Request as HttpRequest, Uri};
use proptest::prelude::*;

use super::*;

/// The credentials of AWS's published examples.
fn example() -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: None,
        expires: None,
    }
}

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

/// 2015-08-30 12:36:00 UTC, the moment of AWS's published examples.
const MOMENT: u64 = 1_440_938_160;

fn parts(uri: &str, headers: &[(&'static str, &str)]) -> Parts {
    let (mut parts, ()) = HttpRequest::get(uri).body(()).unwrap().into_parts();
    for (name, value) in headers {
        parts.headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    parts
}

fn signed_names(parts: &Parts) -> String {
    let value = parts.headers[AUTHORIZATION].to_str().unwrap();
    value.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap().to_owned()
}

fn mlflow() -> Signer {
    Signer::new("us-east-1", "sagemaker-mlflow", PathEncoding::Twice)
}

/// Source: AWS's Signature Version 4 test suite, `get-vanilla`; it has no header for the hash of the body.
#[test]
fn the_published_example_gives_the_published_signature() {
    let signer = Signer::new("us-east-1", "service", PathEncoding::Twice);
    let stamp = Stamp::at(at(MOMENT));
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("example.amazonaws.com"));
    headers.insert(AMZ_DATE, stamp.header());
    let uri = Uri::from_static("https://example.amazonaws.com/");
    let request = Request { method: &Method::GET, uri: &uri, paths: PathEncoding::Twice };
    let canonical = request.with_headers(&headers, Payload::EMPTY.header().as_bytes());
    let key = signer.keys.get(stamp.day(), &example());
    let signature = signer.signature(&stamp, key.hmac(), &canonical.bytes);
    let expected = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    assert_eq!(std::str::from_utf8(&signature).unwrap(), expected);
}

/// Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
#[test]
fn the_published_link_has_the_published_signature() {
    let signer = Signer::new("us-east-1", "s3", PathEncoding::Once);
    let uri = Uri::from_static("https://examplebucket.s3.amazonaws.com/test.txt");
    let credentials = Credentials { access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(), ..example() };
    let credentials = Credentials {
        secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        ..credentials
    };
    let link =
        signer.presign(&Method::GET, &uri, Duration::from_secs(86_400), &credentials, at(1_369_353_600));
    let signature = "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    assert!(link.to_string().ends_with(signature), "{link}");
    assert_eq!(link.path(), "/test.txt");
}

#[test]
fn what_a_client_claims_is_replaced() {
    let mut request = parts(
        "https://mlflow.example.com:443/x",
        &[
            ("host", "evil.example.com"),
            ("host", "other.example.com"),
            ("authorization", "Bearer secret"),
            ("x-amz-date", "20200101T000000Z"),
            ("x-amz-security-token", "theirs"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ],
    );
    mlflow().sign(&mut request, Payload::of(b"hello"), &example(), at(MOMENT));
    let all = |name: &str| request.headers.get_all(name).iter().cloned().collect::<Vec<_>>();
    assert_eq!(all("host"), ["mlflow.example.com"]);
    assert_eq!(all("x-amz-date"), ["20150830T123600Z"]);
    assert_eq!(
        all("x-amz-content-sha256"),
        ["2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"]
    );
    assert!(all("x-amz-security-token").is_empty());
    assert_eq!(all("authorization").len(), 1);
    let start = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/sagemaker-mlflow/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=";
    assert!(all("authorization")[0].to_str().unwrap().starts_with(start));
}

#[test]
fn the_host_has_no_port_that_the_scheme_has_anyway() {
    for (uri, host) in [
        ("https://a.example:443/", "a.example"),
        ("http://a.example:80/", "a.example"),
        ("http://a.example:443/", "a.example:443"),
        ("https://a.example:8443/", "a.example:8443"),
        ("http://[::1]:80/", "[::1]"),
        ("http://[::1]:15010/", "[::1]:15010"),
        ("http://127.0.0.1:15010/", "127.0.0.1:15010"),
    ] {
        let mut request = parts(uri, &[]);
        mlflow().sign(&mut request, Payload::EMPTY, &example(), at(MOMENT));
        assert_eq!(request.headers[HOST], host, "{uri}");
    }
}

#[test]
fn headers_of_the_connection_and_of_unclear_bytes_are_kept_and_not_signed() {
    let given = [
        ("connection", "keep-alive"),
        ("te", "trailers"),
        ("expect", "100-continue"),
        ("user-agent", "mlflow"),
        ("x-amzn-trace-id", "Root=1"),
        ("x-name", "caf\u{e9}"),
        ("x-plain", "cafe"),
    ];
    let mut request = parts("https://mlflow.example.com/", &given);
    mlflow().sign(&mut request, Payload::EMPTY, &example(), at(MOMENT));
    assert_eq!(signed_names(&request), "host;x-amz-content-sha256;x-amz-date;x-plain");
    assert!(request.headers.contains_key(CONNECTION) && request.headers.contains_key(USER_AGENT));
    assert_eq!(request.headers["x-name"].as_bytes(), "caf\u{e9}".as_bytes());
}

#[test]
fn the_kept_key_is_that_of_the_day_and_of_the_secret() {
    let sign = |signer: &Signer, credentials: &Credentials, second| {
        let mut request = parts("https://mlflow.example.com/", &[]);
        signer.sign(&mut request, Payload::EMPTY, credentials, at(second));
        request.headers[AUTHORIZATION].clone()
    };
    let kept = mlflow();
    let other = Credentials { secret_access_key: "another".to_owned(), ..example() };
    let session = Credentials { session_token: Some("token".to_owned()), ..example() };
    for credentials in [&example(), &other, &session, &example()] {
        for second in [MOMENT, MOMENT, MOMENT + 86_400, MOMENT - 86_400, MOMENT] {
            assert_eq!(sign(&kept, credentials, second), sign(&mlflow(), credentials, second));
        }
    }
    assert_ne!(sign(&kept, &example(), MOMENT), sign(&kept, &other, MOMENT));
}

#[test]
fn a_token_is_sent_signed_and_never_shown() {
    let credentials = Credentials { session_token: Some("to/ken+==".to_owned()), ..example() };
    let mut request = parts("https://mlflow.example.com/", &[]);
    mlflow().sign(&mut request, Payload::EMPTY, &credentials, at(MOMENT));
    assert_eq!(request.headers["x-amz-security-token"], "to/ken+==");
    assert!(signed_names(&request).ends_with(";x-amz-security-token"));
    let shown = format!("{credentials:?} {:?} {:?}", mlflow(), request.headers["x-amz-security-token"]);
    assert!(!shown.contains("ken+") && !shown.contains("wJalr"), "{shown}");
}

#[test]
fn stamps_are_of_utc() {
    for (second, stamp) in [
        (0, "19700101T000000Z"),
        (MOMENT, "20150830T123600Z"),
        (1_709_251_199, "20240229T235959Z"),
        (1_767_225_599, "20251231T235959Z"),
    ] {
        assert_eq!(Stamp::at(at(second)).header(), stamp);
    }
}

#[test]
fn the_wire_query_changes_only_what_has_two_readings() {
    for (given, wire) in [
        ("", ""),
        ("a=b", "a=b"),
        ("a=1+1&b=%2B", "a=1%201&b=%2B"),
        ("+=+", "%20=%20"),
        ("k=2&k=1&a=%c3%bc&A=!*'()", "k=2&k=1&a=%c3%bc&A=!*'()"),
        ("&a=1&&b=2&", "a=1&b=2"),
        ("&&", ""),
        ("a=%ff%FE", "a=%ff%FE"),
    ] {
        assert_eq!(wire_query(given), wire);
        assert_eq!(matches!(wire_query(given), std::borrow::Cow::Borrowed(_)), given == wire, "{given}");
    }
}

/// The canonical request up to its headers.
fn start_of(uri: &Uri, paths: PathEncoding) -> String {
    let request = Request { method: &Method::GET, uri, paths };
    let canonical = request.with_host("h", b"");
    String::from_utf8(canonical.bytes).unwrap().split("\nhost:").next().unwrap().to_owned()
}

#[test]
fn a_link_that_would_be_too_long_stays_unsigned() {
    let uri: Uri = format!("https://bucket.example.com/{}", "a".repeat(65_000)).parse().unwrap();
    let credentials = Credentials { session_token: Some("t".repeat(1000)), ..example() };
    let link = mlflow().presign(&Method::GET, &uri, Duration::from_secs(1), &credentials, at(MOMENT));
    assert_eq!(link, uri);
}

proptest! {
    #![proptest_config(crate::fuzzing::inputs())]

    #[test]
    fn a_wire_query_reads_as_what_it_was(query in "([ab=&+%/]|%2B|%26|%[0-9A-Fa-f]{2}){0,40}") {
        let wire = wire_query(&query).into_owned();
        prop_assert!(!wire.contains('+') && !wire.contains("&&") && !wire.starts_with('&') && !wire.ends_with('&'));
        prop_assert!(wire_query(&wire) == wire);
        let before: Uri = format!("http://h/?{query}").parse().unwrap();
        let after: Uri = format!("http://h/?{wire}").parse().unwrap();
        prop_assert_eq!(start_of(&before, PathEncoding::Twice), start_of(&after, PathEncoding::Twice));
    }

    #[test]
    fn whatever_can_be_a_uri_can_be_signed(target in "/[!-~]{0,60}") {
        let Ok(uri) = format!("http://h{target}").parse::<Uri>() else { return Ok(()) };
        for paths in [PathEncoding::Twice, PathEncoding::Once] {
            let start = start_of(&uri, paths);
            let lines = start.split('\n').collect::<Vec<_>>();
            prop_assert_eq!(lines.len(), 3);
            prop_assert!(lines[1].starts_with('/'));
            prop_assert!(start.bytes().all(|byte| byte == b'\n' || byte.is_ascii_graphic()));
            let segments = lines[1].split('/').collect::<Vec<_>>();
            prop_assert!(paths == PathEncoding::Once || !segments.iter().any(|segment| matches!(*segment, "." | "..")));
        }
    }
}
