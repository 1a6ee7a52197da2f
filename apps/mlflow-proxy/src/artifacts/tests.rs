//! Artifacts against an S3 in this process: what clients get, and what reaches the bucket.

mod failures;
mod links;
mod memory;
mod transfers;

use std::path::PathBuf;

use http::Method;
use http_body_util::BodyExt;
use prometheus_client::metrics::gauge::Gauge;
use serde_json::{Value, json};

use super::fake::{Fake, credentials};
use super::*;
use crate::operate::metrics::UpstreamError;

/// The artifacts of a bucket, over a way that is taken to be safe or not.
async fn start(trusting: bool) -> (Fake, Artifacts) {
    let fake = Fake::start().await;
    let bucket = fake.bucket(CredentialCache::fixed(credentials("FIRST")));
    let bucket = if trusting { bucket.trusting() } else { bucket };
    (fake, serving(bucket))
}

fn disk(directory: PathBuf, limit: u64) -> Disk {
    Disk::new(directory, limit, 64, Gauge::default())
}

fn serving(bucket: Bucket) -> Artifacts {
    Artifacts { bucket: Arc::new(bucket), disk: disk(std::env::temp_dir(), 8 << 30), links: false }
}

const BASE: &str = "/api/2.0/mlflow-artifacts/artifacts";

fn ask(method: &str, rest: &str) -> Request<Body> {
    let uri = format!("{BASE}{rest}");
    Request::builder().method(method).uri(uri).body(crate::body::empty()).unwrap()
}

fn send(rest: &str, body: impl Into<bytes::Bytes>) -> Request<Body> {
    let body = body.into();
    let mut request = ask("PUT", rest);
    request.headers_mut().insert("content-length", body.len().into());
    *request.body_mut() = full(body);
    request
}

async fn read(response: Response<Body>) -> (u16, String) {
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn said(response: Response<Body>) -> (u16, Value) {
    let (status, text) = read(response).await;
    (status, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down() {
    for trusting in [true, false] {
        let (fake, artifacts) = start(trusting).await;
        for (rest, key) in [
            ("/1/abc/artifacts/a%20b%2B+%25.txt", "pre/1/abc/artifacts/a b++%.txt"),
            ("/1/%C3%BC/%E6%97%A5.bin", "pre/1/ü/日.bin"),
            ("/x&y='z!(1)*;,=@:$~[]", "pre/x&y='z!(1)*;,=@:$~[]"),
        ] {
            assert_eq!(read(artifacts.answer(send(rest, "content")).await).await, (200, "{}".to_owned()));
            assert_eq!(fake.state().objects[key].bytes, "content", "{key}");
            assert_eq!(read(artifacts.answer(ask("GET", rest)).await).await, (200, "content".to_owned()));
        }
        assert_eq!(read(artifacts.answer(send("/empty", "")).await).await.0, 200);
        assert_eq!(fake.state().objects["pre/empty"].length, 0);
    }
}

#[tokio::test]
async fn the_type_is_the_clients_or_follows_from_the_name() {
    let (fake, artifacts) = start(true).await;
    artifacts.answer(send("/a.json", "{}")).await;
    let mut request = send("/b", "{}");
    request.headers_mut().insert("content-type", HeaderValue::from_static("image/png"));
    artifacts.answer(request).await;
    assert_eq!(fake.state().objects["pre/a.json"].kind, "text/plain");
    assert_eq!(fake.state().objects["pre/b"].kind, "image/png");
}

#[tokio::test]
async fn a_download_runs_nothing_in_a_browser() {
    let (fake, artifacts) = start(true).await;
    fake.put("pre/page.html", b"<script>");
    let response = artifacts.answer(ask("GET", "/page.html")).await;
    let header = |name: &str| response.headers()[name].to_str().unwrap();
    assert_eq!(header("content-disposition"), "attachment; filename=\"page.html\"");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(header("content-type"), "text/html");
    assert_eq!(header("content-length"), "8");
    assert!(!response.headers().contains_key("content-encoding"), "what is stored comes as it is");
    assert!(!response.headers().contains_key("x-amz-server-side-encryption"));
}

#[tokio::test]
async fn ranges_and_conditions_are_s3s_to_answer() {
    let (fake, artifacts) = start(true).await;
    fake.put("pre/x", b"0123456789");
    let with = |name: &'static str, value: &'static str| {
        let mut request = ask("GET", "/x");
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        request
    };
    let response = artifacts.answer(with("range", "bytes=2-4")).await;
    assert_eq!(response.headers()["content-range"], "bytes 2-4/10");
    assert_eq!(read(response).await, (206, "234".to_owned()));
    let response = artifacts.answer(with("range", "bytes=10-")).await;
    assert_eq!(response.headers()["content-range"], "bytes */10");
    assert_eq!(response.status(), 416);
    let response = artifacts.answer(with("if-none-match", "\"10\"")).await;
    assert_eq!(read(response).await, (304, String::new()));
    assert_eq!(artifacts.answer(with("if-match", "\"11\"")).await.status(), 412);
    let mut request = with("range", "bytes=2-4");
    request.headers_mut().insert("if-range", HeaderValue::from_static("\"old\""));
    assert_eq!(read(artifacts.answer(request).await).await, (200, "0123456789".to_owned()));
    let response = artifacts.answer(ask("HEAD", "/x")).await;
    assert_eq!(response.headers()["content-length"], "10");
    assert_eq!(read(response).await, (200, String::new()));
}

#[tokio::test]
async fn what_is_missing_is_told_in_mlflows_words() {
    let (_fake, artifacts) = start(true).await;
    let (status, body) = said(artifacts.answer(ask("GET", "/1/none.txt")).await).await;
    assert_eq!(status, 404);
    assert_eq!(
        body,
        json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "there is no artifact at `1/none.txt`"})
    );
    assert_eq!(artifacts.answer(ask("HEAD", "/1/none.txt")).await.status(), 404);
    let (status, body) = said(artifacts.answer(ask("GET", "/%2e%2e/secret")).await).await;
    assert_eq!((status, &body["error_code"]), (400, &json!("INVALID_PARAMETER_VALUE")));
}

#[tokio::test]
async fn a_list_has_files_and_directories_of_one_level() {
    let (fake, artifacts) = start(true).await;
    assert_eq!(read(artifacts.answer(ask("GET", "?path=1")).await).await, (200, "{}".to_owned()));
    for key in [
        "pre/1/b.txt",
        "pre/1/a/x",
        "pre/1/a/y",
        "pre/1/a.txt",
        "pre/1/ü &<>.txt",
        "pre/1/",
        "pre/1/dir/",
        "pre/10/z",
        "other/1/q",
    ] {
        fake.put(key, if key.ends_with('/') { b"" } else { b"12345" });
    }
    fake.put("pre/1/empty", b"");
    let expected = json!({"files": [
        {"path": "a", "is_dir": true},
        {"path": "a.txt", "is_dir": false, "file_size": 5},
        {"path": "b.txt", "is_dir": false, "file_size": 5},
        {"path": "dir", "is_dir": true},
        {"path": "empty", "is_dir": false},
        {"path": "ü &<>.txt", "is_dir": false, "file_size": 5},
    ]});
    assert_eq!(said(artifacts.answer(ask("GET", "?path=1")).await).await, (200, expected));
    let root = json!({"files": [{"path": "1", "is_dir": true}, {"path": "10", "is_dir": true}]});
    assert_eq!(said(artifacts.answer(ask("GET", "")).await).await, (200, root));
    assert_eq!(
        said(artifacts.answer(ask("GET", "?path=1/b.txt")).await).await,
        (200, json!({})),
        "a file has none"
    );
}

#[tokio::test]
async fn a_list_of_many_pages_is_one_list() {
    let (fake, artifacts) = start(true).await;
    fake.state().page = 7;
    for number in 0..50 {
        fake.put(&format!("pre/m/{number:03}"), b"x");
    }
    let (_, body) = said(artifacts.answer(ask("GET", "?path=m")).await).await;
    let names: Vec<&str> =
        body["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 50);
    assert!(names.is_sorted());
    fake.fail(
        Method::GET,
        "encoding-type=url&list-type=2&prefix=pre%2Fm%2F&delimiter=%2F&continuation",
        403,
        "AccessDenied",
    );
    fake.fail(Method::GET, "delimiter", 403, "AccessDenied");
    let response = artifacts.answer(ask("GET", "?path=m")).await;
    assert!(
        response.status() == 403 || response.into_body().collect().await.is_err(),
        "a cut list never looks whole"
    );
}

#[tokio::test]
async fn a_deletion_takes_the_path_and_all_below_it() {
    let (fake, artifacts) = start(true).await;
    fake.state().page = 3;
    for number in 0..8 {
        fake.put(&format!("pre/1/dir/{number} <&>"), b"x");
    }
    for key in ["pre/1/dir", "pre/1/directory", "pre/1/dir.txt", "pre/2/dir/x", "other"] {
        fake.put(key, b"x");
    }
    assert_eq!(read(artifacts.answer(ask("DELETE", "/1/dir/")).await).await, (200, "{}".to_owned()));
    assert_eq!(fake.keys(), ["other", "pre/1/dir.txt", "pre/1/directory", "pre/2/dir/x"]);
    assert_eq!(artifacts.answer(ask("DELETE", "/1/dir")).await.status(), 200, "gone is gone");
    for root in ["", "/", "//", "/."] {
        let status = artifacts.answer(ask("DELETE", root)).await.status().as_u16();
        assert!(status == 400 || status == 405, "{root}: {status}");
    }
    assert_eq!(fake.keys().len(), 4);
}

#[tokio::test]
async fn a_refused_deletion_is_told() {
    let (fake, artifacts) = start(true).await;
    fake.put("pre/1/x", b"x");
    let document = "<DeleteResult><Error><Key>pre/1/x</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>";
    fake.state().faults.push_back(super::fake::Fault {
        method: Method::POST,
        query: "delete",
        status: 200,
        document: document.to_owned(),
        early: false,
    });
    let (status, body) = said(artifacts.answer(ask("DELETE", "/1")).await).await;
    assert_eq!((status, &body["error_code"]), (403, &json!("PERMISSION_DENIED")));
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("hint: whoever runs the proxy lets its role do s3:DeleteObject")
    );
}

#[tokio::test]
async fn links_are_refused_so_that_clients_go_on_through_the_proxy() {
    let (fake, artifacts) = start(true).await;
    for (method, uri, begin) in [
        (
            "POST",
            "/api/2.0/mlflow-artifacts/mpu/create/1/x",
            "Multipart upload is not supported for the current artifact repository",
        ),
        ("GET", "/api/2.0/mlflow-artifacts/presigned/1/x", "Multipart download is not supported"),
        ("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url", "Presigned upload is not supported"),
    ] {
        assert!(Artifacts::serves(uri));
        let request = Request::builder().method(method).uri(uri).body(crate::body::empty()).unwrap();
        let (status, body) = said(artifacts.answer(request).await).await;
        assert_eq!((status, &body["error_code"]), (501, &json!("NOT_IMPLEMENTED")));
        assert!(body["message"].as_str().unwrap().starts_with(begin), "{body}");
    }
    assert!(fake.state().seen.is_empty());
}
