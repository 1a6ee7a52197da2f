//! What operators see of the running program: its port for metrics, its readiness, its lines and what it sends to the log
//! group.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod fake_aws;

use std::time::{Duration, Instant};

use fake_aws::{ASSUMED, DENIED, FakeAws, Proxy, get, works};
use serde_json::Value;

fn with(variables: Vec<(String, String)>, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    variables.into_iter().chain(more).collect()
}

/// Asks for readiness until it is as expected.
fn readiness(proxy: &Proxy, expected: u16) -> Value {
    let until = Instant::now() + Duration::from_secs(15);
    loop {
        let (status, _, body) = get(&proxy.metrics, "/readyz", &[]);
        if status == expected || Instant::now() > until {
            assert_eq!(status, expected, "{body}");
            return serde_json::from_str(&body).unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The value of a sample by its name and labels.
fn sample(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_what_was_answered() {
    let aws = FakeAws::working().await;
    let proxy = Proxy::start(&[], &aws.variables());
    let body = readiness(&proxy, 200);
    assert_eq!(body["checks"]["credentials"]["ready"], true);
    assert_eq!(body["checks"]["mlflow"]["ready"], true);
    for _ in 0..3 {
        assert_eq!(get(&proxy.address, "/api/2.0/mlflow/experiments/search?max_results=1", &[]).0, 200);
    }
    assert_eq!(get(&proxy.address, "/healthz", &[]).0, 200);

    let (status, head, text) = get(&proxy.metrics, "/metrics", &[]);
    assert_eq!(status, 200);
    assert!(
        head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "{head}"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
    let labels = "{class=\"mlflow\",method=\"GET\",status=\"200\"}";
    assert_eq!(sample(&text, &format!("mlflow_proxy_requests_total{labels}")), Some(3.0), "{text}");
    let count = "mlflow_proxy_request_duration_seconds_count{class=\"mlflow\"}";
    assert_eq!(sample(&text, count), Some(3.0), "{text}");
    let all = "mlflow_proxy_request_duration_seconds_bucket{le=\"+Inf\",class=\"mlflow\"}";
    assert_eq!(sample(&text, all), Some(3.0), "{text}");
    let refreshes = "mlflow_proxy_credential_refreshes_total{credentials=\"mlflow\"}";
    assert_eq!(sample(&text, refreshes), Some(1.0), "{text}");
    // Three answers of MLflow and what readiness and health said.
    assert!(sample(&text, "mlflow_proxy_sent_bytes_total").unwrap() > 60.0, "{text}");
    assert!(sample(&text, "process_resident_memory_bytes").unwrap() > 1e6, "{text}");
    assert!(sample(&text, "mlflow_proxy_build_info{version=\"0.1.0\"}").is_some(), "{text}");

    assert_eq!(get(&proxy.metrics, "/", &[]).0, 404);
    let (status, _, body) = get(&proxy.address, "/metrics", &[]);
    assert!(status != 200 || !body.contains("mlflow_proxy_"), "clients do not see metrics: {body}");
}

/// Each line of an exposition is a comment of the four kinds or a sample of a family that was declared before.
#[tokio::test(flavor = "multi_thread")]
async fn the_exposition_keeps_to_its_format() {
    let aws = FakeAws::working().await;
    let proxy = Proxy::start(&[], &aws.variables());
    readiness(&proxy, 200);
    let (_, _, text) = get(&proxy.metrics, "/metrics", &[]);
    let mut family = String::new();
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            match words.next().unwrap() {
                "HELP" | "TYPE" => family = words.next().unwrap().to_owned(),
                "EOF" => {}
                other => panic!("{other} in {line}"),
            }
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with(&family), "{line} in {family}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(seen.insert(name.to_owned()), "{name} is told twice");
    }
    assert!(seen.len() > 20, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_in_the_documentation() {
    let aws = FakeAws::working().await;
    let proxy = Proxy::start(&[], &aws.variables());
    readiness(&proxy, 200);
    assert_eq!(get(&proxy.address, "/healthz", &[]).0, 200);
    let (_, _, text) = get(&proxy.metrics, "/metrics", &[]);
    let documentation = include_str!("../../../docs/proxy.md");
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut count = 0;
    for (family, kind) in types.map(|line| line.split_once(' ').unwrap()) {
        let name = if kind == "counter" { format!("`{family}_total`") } else { format!("`{family}`") };
        assert!(documentation.contains(&name), "{name} is not in docs/proxy.md");
        count += 1;
    }
    assert!(count > 15, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_is_counted() {
    let aws = FakeAws::start(|asked| {
        if asked.path.contains("experiments") {
            std::thread::sleep(Duration::from_secs(6));
        }
        works(asked)
    })
    .await;
    let proxy = Proxy::start(&[], &aws.variables());
    let mut client = std::net::TcpStream::connect(&proxy.address).unwrap();
    let request =
        format!("GET /api/2.0/mlflow/experiments/search HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.address);
    std::io::Write::write_all(&mut client, request.as_bytes()).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while sample(&get(&proxy.metrics, "/metrics", &[]).2, "mlflow_proxy_requests_in_flight") != Some(1.0) {
        assert!(Instant::now() < until, "{}", get(&proxy.metrics, "/metrics", &[]).2);
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(client);
    let gone = "mlflow_proxy_requests_total{class=\"other\",method=\"GET\",status=\"499\"}";
    while sample(&get(&proxy.metrics, "/metrics", &[]).2, gone) != Some(1.0) {
        assert!(Instant::now() < until, "{}", get(&proxy.metrics, "/metrics", &[]).2);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_role_it_is_healthy_and_not_ready() {
    let aws = FakeAws::start(|_| (403, DENIED.to_owned())).await;
    let proxy = Proxy::start(&[], &aws.variables());
    let body = readiness(&proxy, 503);
    assert_eq!(body["status"], "not ready");
    let until = Instant::now() + Duration::from_secs(10);
    while readiness(&proxy, 503)["checks"]["credentials"]["detail"] != "none: denied" {
        assert!(Instant::now() < until, "{}", readiness(&proxy, 503));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!body.to_string().contains("123456789012"), "readiness names no resource: {body}");
    assert_eq!(get(&proxy.metrics, "/healthz", &[]).0, 200);
    assert_eq!(get(&proxy.address, "/healthz", &[]).0, 200);
    assert_eq!(get(&proxy.address, "/readyz", &[]).0, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_mlflow_it_is_not_ready() {
    let aws = FakeAws::start(|asked| match asked.is_sts() {
        true => (200, ASSUMED.to_owned()),
        false => (503, "{}".to_owned()),
    })
    .await;
    let proxy = Proxy::start(&[], &aws.variables());
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let body = readiness(&proxy, 503);
        if body["checks"]["mlflow"]["detail"] == "no answer yet" {
            assert_eq!(body["checks"]["credentials"]["ready"], true);
            break;
        }
        assert!(Instant::now() < until, "{body}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let asked = aws.asked();
    for _ in 0..20 {
        readiness(&proxy, 503);
    }
    assert!(aws.asked().len() <= asked.len() + 1, "a probe causes no request");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_and_figures_reach_the_log_group_and_nothing_secret_does() {
    let aws = FakeAws::working().await;
    let variables =
        with(aws.variables(), &[("MLFLOW_PROXY_LOG_GROUP", "/proxy"), ("MLFLOW_PROXY_ACCESS_LOG", "all")]);
    let mut proxy = Proxy::start(&[], &variables);
    let path = "/api/2.0/mlflow/experiments/search?filter=hidden-query";
    let headers = [("Authorization", "Bearer hidden-token"), ("X-Request-Id", "request-1")];
    assert_eq!(get(&proxy.address, path, &headers).0, 200);
    assert_eq!(proxy.stop(), Some(0));

    let asked = aws.asked();
    let created = asked.iter().filter(|asked| asked.operation() == "Logs_20140328.CreateLogStream").count();
    assert_eq!(created, 1);
    let events: Vec<Value> = asked
        .iter()
        .filter(|asked| asked.operation() == "Logs_20140328.PutLogEvents")
        .flat_map(|asked| {
            assert!(asked.headers.contains_key("authorization"), "the call is signed");
            let body: Value = serde_json::from_str(&asked.body).unwrap();
            assert_eq!(body["logGroupName"], "/proxy");
            body["logEvents"].as_array().unwrap().clone()
        })
        .map(|event| serde_json::from_str(event["message"].as_str().unwrap()).unwrap())
        .collect();
    let said = |message: &str| events.iter().find(|event| event["message"] == message);
    let request = said("request").expect("the request has its line");
    assert_eq!(request["path"], "/api/2.0/mlflow/experiments/search");
    assert_eq!((&request["status"], &request["request_id"]), (&Value::from(200), &Value::from("request-1")));
    assert!(said("stopping").is_some(), "the last lines are sent too: {events:?}");
    let figures = events.iter().find(|event| event.get("_aws").is_some()).expect("figures for alarms");
    assert_eq!(figures["Requests"], 1);
    assert_eq!(figures["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Formwork/MlflowProxy");

    let everything = format!("{events:?} {:?}", proxy.said());
    for secret in ["hidden-token", "hidden-query", "secret-access-key"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_group_that_refuses_keeps_nobody_waiting() {
    let aws = FakeAws::start(|asked| match asked.operation().starts_with("Logs_") {
        true => (400, r#"{"__type":"AccessDeniedException","message":"no"}"#.to_owned()),
        false => works(asked),
    })
    .await;
    let variables = with(aws.variables(), &[("MLFLOW_PROXY_LOG_GROUP", "/proxy")]);
    let mut proxy = Proxy::start(&[], &variables);
    assert_eq!(get(&proxy.address, "/api/2.0/mlflow/experiments/search", &[]).0, 200);
    let before = Instant::now();
    assert_eq!(proxy.stop(), Some(0));
    assert!(before.elapsed() < Duration::from_secs(15), "{:?}", before.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_for_metrics_that_is_taken_does_not_keep_clients_out() {
    let aws = FakeAws::working().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut variables = aws.variables();
    variables.retain(|(name, _)| name != "MLFLOW_PROXY_METRICS_LISTEN");
    let variables = with(variables, &[("MLFLOW_PROXY_METRICS_LISTEN", "off")]);
    let mut proxy = Proxy::start(&["--metrics-listen", &address], &variables);
    proxy.wait_until("the error", |line| line.contains("cannot tell metrics on").then_some(()));
    assert_eq!(get(&proxy.address, "/healthz", &[]).0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_is_told_about_start_and_end() {
    let aws = FakeAws::working().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let received = || {
        let mut bytes = [0; 200];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let mut proxy = Proxy::start(&[], &with(aws.variables(), &[("NOTIFY_SOCKET", path.to_str().unwrap())]));
    assert!(received().starts_with("READY=1\n"));
    assert_eq!(proxy.stop(), Some(0));
    assert!(received().starts_with("STOPPING=1\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_is_served_by_its_own_credentials_with_lines_to_paste() {
    let aws = FakeAws::working().await;
    let mut variables = aws.variables();
    variables.retain(|(name, _)| name != "MLFLOW_PROXY_AUTH" && name != "MLFLOW_PROXY_METRICS_LISTEN");
    let mut proxy = Proxy::start(&["local"], &variables);
    assert_eq!(get(&proxy.address, "/api/2.0/mlflow/experiments/search", &[]).0, 200);
    let uri = format!("export MLFLOW_TRACKING_URI=http://{}\n", proxy.address);
    let mut stdout = proxy.child.stdout.take().unwrap();
    assert_eq!(proxy.stop(), Some(0));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut text).unwrap();
    assert!(text.contains(&uri), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
    let asked = aws.asked();
    assert!(!asked.iter().any(fake_aws::Asked::is_sts), "no role is assumed, whatever the environment says");
    assert!(asked.iter().any(|asked| asked.operation() == "SageMaker.DescribeMlflowTrackingServer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_hangs_does_not_keep_health_waiting() {
    let aws = FakeAws::start(|asked| {
        if asked.operation() == "secretsmanager.GetSecretValue" {
            std::thread::sleep(Duration::from_secs(8));
        }
        works(asked)
    })
    .await;
    let mut variables = aws.variables();
    variables.retain(|(name, _)| name != "MLFLOW_PROXY_AUTH");
    let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:users";
    let before = Instant::now();
    let proxy = Proxy::start(&[], &with(variables, &[("MLFLOW_PROXY_SECRET_ARN", secret)]));
    assert_eq!(get(&proxy.address, "/healthz", &[]).0, 200);
    assert!(before.elapsed() < Duration::from_secs(7), "{:?}", before.elapsed());
    let body = readiness(&proxy, 503);
    assert_eq!(body["checks"]["users"]["ready"], false, "{body}");
}
