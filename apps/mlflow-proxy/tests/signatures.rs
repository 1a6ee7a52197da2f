//! Our signatures beside those of AWS's own plugin and of botocore: the same request gives the same `authorization`.
//!
//! Left out by name, because there the plugin is wrong or clients and services disagree: a plus sign in a path (the plugin
//! sends it as a space), header values that are not ASCII (we do not sign them), pairs of a query without a byte (we do
//! not send them), and a query that no client would write for a GET (botocore signs it as it is given, services
//! decode it first; here the judge gets it in its canonical encoding).

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use mlflow_proxy::credentials::Credentials;
use mlflow_proxy::sign::{PathEncoding, Payload, Signer, wire_query};
use mlflow_proxy::target::Target;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::{Deserialize, Serialize};

const SERVER: &str = "arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/demo";
const APP: &str = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app/app-ABCDEF";
const GOV_SERVER: &str = "arn:aws-us-gov:sagemaker:us-gov-west-1:111122223333:mlflow-tracking-server/gov";
const GOV_APP: &str = "arn:aws-us-gov:sagemaker:us-gov-east-1:111122223333:mlflow-app/app-1";

#[derive(Clone, Debug, Serialize)]
struct Case {
    way: &'static str,
    service: String,
    region: String,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    second: u64,
    access_key: String,
    secret: String,
    token: Option<String>,
    expires: u64,
}

#[derive(Debug, Deserialize)]
struct Signed {
    url: String,
    headers: BTreeMap<String, String>,
}

impl Case {
    fn new(way: &'static str, service: &str, region: &str, method: &str, url: String) -> Self {
        Self {
            way,
            service: service.to_owned(),
            region: region.to_owned(),
            method: method.to_owned(),
            url,
            headers: Vec::new(),
            body: String::new(),
            second: 1_790_000_000,
            access_key: "ASIAEXAMPLE0000000".to_owned(),
            secret: "not/a+secret0000000000000000000000000000".to_owned(),
            token: Some("token/+==".repeat(12)),
            expires: 300,
        }
    }

    /// A request to MLflow with the header that routes it.
    fn mlflow(way: &'static str, arn: &str, method: &str, path: &str) -> Self {
        let target = Target::from_arn(arn, None).unwrap();
        let url = format!("{}{}", target.endpoint.to_string().trim_end_matches('/'), path);
        Self::new(way, target.service, &target.region, method, url).header(target.header.as_str(), arn)
    }

    fn s3(way: &'static str, method: &str, path: &str) -> Self {
        Self::new(way, "s3", "eu-west-1", method, format!("https://bucket.s3.eu-west-1.amazonaws.com{path}"))
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn body(mut self, body: &[u8]) -> Self {
        self.body = STANDARD.encode(body);
        if body.is_empty() { self } else { self.header("Content-Length", &body.len().to_string()) }
    }

    /// The same request signed by us: its URI as it goes out, and the headers that signing set.
    fn sign(&self) -> Signed {
        let once = self.way.starts_with("s3");
        let signer = Signer::new(
            &self.region,
            &self.service,
            if once { PathEncoding::Once } else { PathEncoding::Twice },
        );
        let credentials = Credentials {
            access_key_id: self.access_key.clone(),
            secret_access_key: self.secret.clone(),
            session_token: self.token.clone(),
            expires: None,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(self.second);
        let uri = match self.url.split_once('?') {
            Some((path, query)) => format!("{path}?{}", wire_query(query)),
            None => self.url.clone(),
        };
        let uri: Uri = uri.parse().unwrap_or_else(|error| panic!("{uri}: {error}"));
        let method: Method = self.method.parse().unwrap();
        if self.way.ends_with("link") {
            let expires = Duration::from_secs(self.expires);
            let url = signer.presign(&method, &uri, expires, &credentials, now).to_string();
            return Signed { url, headers: BTreeMap::new() };
        }
        let (mut parts, ()) = Request::builder().method(method).uri(uri).body(()).unwrap().into_parts();
        for (name, value) in &self.headers {
            parts.headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let payload = match self.way {
            "s3-unsigned" => Payload::Unsigned,
            _ => Payload::of(&STANDARD.decode(&self.body).unwrap()),
        };
        signer.sign(&mut parts, payload, &credentials, now);
        let set = ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"];
        let headers = set.iter().filter_map(|name| {
            Some(((*name).to_owned(), parts.headers.get(*name)?.to_str().unwrap().to_owned()))
        });
        Signed { url: parts.uri.to_string(), headers: headers.collect() }
    }
}

/// What the judge makes of the cases; `None` without a judge.
fn judge(cases: &[Case]) -> Option<Vec<Signed>> {
    let Some(python) = std::env::var_os("FORMWORK_MLFLOW_PYTHON") else {
        assert!(
            std::env::var_os("FORMWORK_REQUIRE_ORACLES").is_none(),
            "FORMWORK_MLFLOW_PYTHON has to name a Python with `sagemaker-mlflow`"
        );
        eprintln!("skipped: FORMWORK_MLFLOW_PYTHON names no Python with `sagemaker-mlflow`");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/proxy/signatures.py");
    let mut command = Command::new(python);
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = serde_json::to_vec(cases).unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&text));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn compare(cases: &[Case]) {
    let Some(judged) = judge(cases) else { return };
    assert_eq!(judged.len(), cases.len());
    for (case, judged) in cases.iter().zip(judged) {
        let ours = case.sign();
        if case.way.ends_with("link") || case.way == "plugin" {
            assert_eq!(ours.url, judged.url, "{case:#?}");
        }
        if !case.way.ends_with("link") {
            assert_eq!(ours.headers, judged.headers, "{case:#?}");
        }
    }
}

/// Paths and queries as MLflow's clients write them: the plugin signs and sends them as they are.
const PLAIN: &[&str] = &[
    "/api/2.0/mlflow/experiments/search?max_results=10",
    "/api/2.0/mlflow/experiments/get-by-name?experiment_name=a+b%26c",
    "/api/2.0/mlflow/experiments/get-by-name?experiment_name=%C3%BC%E6%97%A5",
    "/api/2.0/mlflow/metrics/get-history?run_id=1&metric_key=a%2Fb+c&page_token=",
    "/api/2.0/mlflow/artifacts/list?path=model%2Fdata&run_id=x",
    "/api/3.0/mlflow/traces/tr-1",
    "/?B=1&a=2&A=3&%C3%A9=4&Z=5",
    "/x?k=2&k=1&k=10&a=3&k-1=0&k.=1&k%3D=2",
    "/x?a=&b=&a=1",
    "/",
];

/// Paths that have to be kept and signed byte for byte.
const PATHS: &[&str] = &[
    "/a%2Fb/c",
    "/a%20b",
    "/%C3%BC%E6%97%A5",
    "/%c3%bc",
    "/a%2fb",
    "/a;b,c=d@e:f!g$h&i'j(k)*l~",
    "/a%3Fb%23c",
    "/a%2Bb",
    "/a/",
    "/a/%2e%2e/b",
    "/a/./b",
    "/a/../b/",
    "/../../a",
    "/a//b///c//",
    "/a/b/..",
    "/a/b/../",
    "/a/b/.",
    "//",
    "/...",
    "/%25",
    "/100%",
    "/a[1]{2}|3^\"",
    "/ab%ff%FE",
];

/// Queries that no client of MLflow writes, but that have to pass.
const QUERIES: &[&str] = &[
    "a=b=c/d:e?f",
    "a=%c3%bc&A=%C3%BC",
    "%E6%97%A5=1&Z=2&a=3&A=4",
    "a=!*'()",
    "a=%ff%FE",
    "a=1+1&a=1%2B1",
    "a",
    "a&b&a=",
    "=1",
    "a=100%&b=%zz",
    "%61=1&a=0",
    "a-b=1&a=2&a.b=3&a%2Cb=4",
];

/// What the plugin signs: all that MLflow's clients send.
fn for_the_plugin() -> Vec<Case> {
    let mut cases = Vec::new();
    for arn in [SERVER, APP, GOV_SERVER, GOV_APP] {
        for method in ["GET", "DELETE"] {
            cases.extend(PLAIN.iter().map(|path| Case::mlflow("plugin", arn, method, path)));
        }
        cases.extend(PATHS.iter().map(|path| Case::mlflow("plugin", arn, "GET", path)));
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET"] {
            for body in [&b""[..], b"{\"a\":1}", &[0xff; 70_000]] {
                let case = Case::mlflow("plugin", arn, method, "/api/2.0/mlflow/runs/create").body(body);
                cases.push(case.header("Content-Type", "application/json; charset=utf-8"));
            }
        }
        cases.push(Case::mlflow("plugin", arn, "HEAD", "/health"));
        let long = format!("/x?a={}", "x".repeat(8000));
        cases.push(Case::mlflow("plugin", arn, "GET", &long));
    }
    let headers = Case::mlflow("plugin", SERVER, "GET", "/x")
        .header("User-Agent", "mlflow-python-client/3.17.2")
        .header("Accept-Encoding", "gzip, deflate")
        .header("Accept", "*/*")
        .header("X-MLFLOW-WORKSPACE", "  a   b\tc  ")
        .header("x-mlflow-experiment-id", "7")
        .header("Range", "bytes=0-5")
        .header("X-Amzn-Trace-Id", "Root=1-2-3")
        .header("X-Quoted", "\"a  b\"   c")
        .header("Expect", "100-continue")
        .header("X-Empty", "")
        .header("TE", "trailers");
    cases.push(headers);
    cases.push(Case { token: None, ..Case::mlflow("plugin", SERVER, "GET", "/x") });
    cases.push(Case { token: Some("t".repeat(3000)), ..Case::mlflow("plugin", SERVER, "GET", "/x") });
    cases.push(Case { secret: "x".repeat(80), ..Case::mlflow("plugin", SERVER, "GET", "/x") });
    // The last second of a year, and a leap day.
    for second in [1_767_225_599, 1_835_395_200, 0] {
        cases.push(Case { second, ..Case::mlflow("plugin", SERVER, "GET", "/x") });
    }
    for url in ["http://127.0.0.1:15010/x?a=1", "http://[::1]:80/x", "https://LOCALHOST.example:443/"] {
        let url = url.replace("LOCALHOST", "localhost");
        cases.push(Case { url, ..Case::mlflow("plugin", SERVER, "GET", "/") });
    }
    cases
}

/// What the plugin does not sign: repeated headers, hard queries, S3, links.
fn for_botocore() -> Vec<Case> {
    let mut cases = Vec::new();
    for arn in [SERVER, APP] {
        for query in QUERIES {
            cases.push(Case::mlflow("sigv4", arn, "GET", &format!("/x?{query}")));
            cases.push(Case::mlflow("sigv4", arn, "POST", &format!("/x?{query}")).body(b"{}"));
        }
        let repeated = Case::mlflow("sigv4", arn, "GET", "/x").header("Accept-Language", "b  c");
        cases.push(repeated.header("Accept-Language", "a").header("X-B", "1").header("X-A", "2"));
        for path in PATHS.iter().chain(&["/x?b=1&a=%20"]) {
            // A link carries no header, and so none is signed.
            cases.push(Case { headers: Vec::new(), ..Case::mlflow("link", arn, "GET", path) });
        }
    }
    for way in ["s3", "s3-unsigned", "s3-link"] {
        for path in [
            "/",
            "/a/b.txt",
            "/a%20b%2B%25%23%3F",
            "/%C3%BC/%E6%97%A5",
            "/a//b",
            "/a/../b/./c",
            "/a%2Fb",
            "/~-._",
            "/x?list-type=2&prefix=a%2Fb&delimiter=%2F&continuation-token=1%2B%2F%3D",
            "/x?uploads=",
            "/x?uploadId=abc.-_&partNumber=1",
        ] {
            cases.push(Case::s3(way, "GET", path));
            let put = Case::s3(way, "PUT", path);
            cases.push(if way == "s3-link" { put } else { put.header("x-amz-expected-bucket-owner", "1") });
        }
    }
    for path in ["/a(b)!*'", "/a:b@c,d;e=f&g$"] {
        cases.push(Case::s3("s3", "GET", path));
    }
    cases.push(Case::s3("s3", "PUT", "/x").body(b"hello"));
    cases.push(Case { expires: 604_800, ..Case::s3("s3-link", "PUT", "/x") });
    cases.push(Case { token: None, ..Case::s3("s3-link", "GET", "/x?a=1") });
    cases
}

/// Requests by chance, the same in every run.
fn by_chance(runner: &mut TestRunner, count: usize) -> Vec<Case> {
    let path = "(/[a-zA-Z0-9._~!$&'()*,;=:@-]{0,6}|/%[0-9A-F]{2}|/%[0-9a-f]{2}|/[.]{1,3}|//){1,6}/?";
    // What is not plain text in a query is encoded as clients encode it, but for the pairs' order.
    let query = "([a-zA-Z0-9._~-]|%[0-7][0-9A-F]|%C3%BC|=|&|[+]|%FF){0,30}";
    let value = "[ -~]{0,30}";
    let case = (
        prop::sample::select(vec![SERVER, APP, GOV_SERVER, GOV_APP]),
        prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
        (path, query),
        prop::collection::vec(("x-[a-z]{1,8}(-[a-z0-9]{1,4})?", value), 0..4),
        prop::collection::vec(any::<u8>(), 0..300),
        (0u64..4_000_000_000, "[!-~]{16,128}", "[!-~]{16,80}", prop::option::of("[!-~]{10,2000}")),
    );
    let case = case.prop_map(|(arn, method, (path, query), headers, body, (second, key, secret, token))| {
        let case = Case::mlflow("sigv4", arn, method, &format!("{path}?{query}")).body(&body);
        let access_key = key.replace(['/', ','], "0");
        let case = Case { second, access_key, secret, token, ..case };
        headers
            .iter()
            .filter(|(name, _)| !name.starts_with("x-amz"))
            .fold(case, |case, (name, value)| case.header(name, value.trim()))
    });
    (0..count).map(|_| case.new_tree(runner).unwrap().current()).collect()
}

#[test]
fn the_same_request_gives_the_same_authorization() {
    // One run of the judge: importing the plugin takes longer than signing thousands of requests.
    let mut cases = for_the_plugin();
    cases.extend(for_botocore());
    cases.extend(by_chance(&mut TestRunner::deterministic(), 2000));
    compare(&cases);
}
