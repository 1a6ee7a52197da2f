//! AWS and MLflow in the test's process, at one address: it keeps what it was asked and answers what the test wants.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The resource that the tests' proxies stand in front of.
pub const ARN: &str = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/team";
/// The role that they assume.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/mlflow";

/// STS's answer to a role that may be assumed.
pub const ASSUMED: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"#;

/// S3's answer where nothing lies.
const LISTED: &str = r#"<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>
<Prefix>prefix/</Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>"#;

/// STS's answer to one that may not.
pub const DENIED: &str = r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>"#;

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    /// The operation of a JSON call, such as `Logs_20140328.PutLogEvents`.
    pub fn operation(&self) -> &str {
        self.headers.get("x-amz-target").map_or("", |target| target.to_str().unwrap())
    }

    /// Whether it is a call to STS, which has a form for a body.
    pub fn is_sts(&self) -> bool {
        self.path == "/" && self.operation().is_empty()
    }
}

/// The running fake.
#[derive(Clone)]
pub struct FakeAws {
    pub endpoint: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakeAws {
    /// Starts it in the runtime of the test, which needs more than one thread.
    pub async fn start(answer: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let fake = Self { endpoint, asked: asked.clone() };
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, asked) = (answer.clone(), asked.clone());
                let service = service_fn(move |request: http::Request<Incoming>| {
                    let (answer, asked) = (answer.clone(), asked.clone());
                    async move {
                        let (parts, body) = request.into_parts();
                        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                        let question = Asked {
                            method: parts.method.to_string(),
                            path: parts.uri.path().to_owned(),
                            headers: parts.headers,
                            body: String::from_utf8_lossy(&body).into_owned(),
                        };
                        let (status, text) = answer(&question);
                        asked.lock().unwrap().push(question);
                        let response = Response::builder()
                            .status(status)
                            .header("content-type", "application/json")
                            // What the metadata service of an instance says beside its token.
                            .header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
                            .body(Full::new(Bytes::from(text)));
                        Ok::<_, Infallible>(response.unwrap())
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        fake
    }

    /// One where everything works and MLflow is empty.
    pub async fn working() -> Self {
        Self::start(works).await
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Variables of a proxy that this is AWS for.
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("SM_MLFLOW_RESOURCE_ARN", ARN),
            ("SM_MLFLOW_ROLE_ARN", ROLE),
            ("SM_MLFLOW_ENDPOINT", &self.endpoint),
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret-access-key"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("MLFLOW_PROXY_AUTH", "none"),
            ("MLFLOW_PROXY_LISTEN", "127.0.0.1:0"),
            ("MLFLOW_PROXY_METRICS_LISTEN", "127.0.0.1:0"),
            ("MLFLOW_PROXY_DRAIN_DELAY", "0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}

/// Answers as AWS and MLflow do when nothing is wrong.
pub fn works(asked: &Asked) -> (u16, String) {
    match asked.operation() {
        "SageMaker.CreatePresignedMlflowTrackingServerUrl" => (
            200,
            r#"{"AuthorizedUrl":"https://team.experiments.sagemaker.aws/auth?authToken=eyJ"}"#.to_owned(),
        ),
        "SageMaker.DescribeMlflowTrackingServer" => {
            (200, r#"{"ArtifactStoreUri":"s3://bucket/prefix"}"#.to_owned())
        }
        "" if asked.is_sts() => (200, ASSUMED.to_owned()),
        "" if asked.path.starts_with("/bucket") => (200, LISTED.to_owned()),
        "" => (200, r#"{"experiments":[]}"#.to_owned()),
        _ => (200, "{}".to_owned()),
    }
}

/// The running proxy and what it says on its standard error, line by line.
pub struct Proxy {
    pub child: Child,
    /// Where clients connect.
    pub address: String,
    /// Where metrics are told, if they are.
    pub metrics: String,
    said: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts the program and waits until it says where it listens.
    pub fn start(arguments: &[&str], variables: &[(String, String)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mlflow-proxy"))
            .args(arguments)
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let keep = said.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                keep.lock().unwrap().push(line);
            }
        });
        let mut proxy = Self { child, address: String::new(), metrics: String::new(), said };
        proxy.address = proxy.wait_for("listening on http://");
        let tells = variables.iter().any(|(name, value)| name.ends_with("METRICS_LISTEN") && value != "off");
        if tells {
            proxy.metrics = proxy.wait_for("metrics at http://").trim_end_matches("/metrics").to_owned();
        }
        proxy
    }

    /// What follows a text in a message, once there is one.
    fn wait_for(&mut self, text: &str) -> String {
        let message = self.wait_until(text, |line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(line["message"].as_str()?.split_once(text)?.1.to_owned())
        });
        message.trim().to_owned()
    }

    /// Waits for a line of which something can be read.
    pub fn wait_until<T>(&mut self, what: &str, read: impl Fn(&str) -> Option<T>) -> T {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let Some(found) = self.said().iter().find_map(|line| read(line)) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        panic!("no `{what}` in {:#?}", self.said());
    }

    /// All lines so far.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Ends it by a signal and gives its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request on a connection of its own: status, head and body.
pub fn get(address: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}
