use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::aws::{self, Client, Endpoints};
use crate::credentials::{CredentialCache, Credentials};
use crate::settings::Reader;

use super::super::UiRole;
use super::*;

/// SageMaker in this process: it answers what it is told and keeps what it was asked.
struct SageMaker {
    calls: Calls,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

async fn sage_maker(status: u16, answer: Value) -> SageMaker {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let keep = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (keep, answer) = (keep.clone(), answer.to_string());
            let service = service_fn(move |request: Request<Incoming>| {
                let (keep, answer) = (keep.clone(), answer.clone());
                async move {
                    assert!(request.headers().contains_key(header::AUTHORIZATION), "the call is signed");
                    let target = request.headers()["x-amz-target"].to_str().unwrap().to_owned();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    keep.lock().unwrap().push((target, serde_json::from_slice(&body).unwrap()));
                    let response = Response::builder().status(status).body(Full::new(Bytes::from(answer)));
                    Ok::<_, Infallible>(response.unwrap())
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    let nothing = |_: &str| None;
    let client = Client::new(&aws::Settings::read(&mut Reader::new(&nothing)));
    let credentials = CredentialCache::fixed(Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: None,
        expires: None,
    });
    let endpoints = Endpoints::default().with(Service::SageMaker, endpoint);
    SageMaker { calls: Calls::new(client, credentials, "eu-west-1", endpoints), asked }
}

const SETTINGS: Settings = Settings { ui_role: UiRole::Ceiling, url_seconds: 60, session_seconds: 5000 };

fn target(resource: &str) -> Target {
    Target::from_arn(&format!("arn:aws:sagemaker:eu-west-1:123456789012:{resource}"), None).unwrap()
}

/// Asks as a role, through a proxy at which writers are the most that there is.
async fn ask(
    sage_maker: &SageMaker,
    target: &Target,
    role: Role,
    accept: &str,
    settings: &Settings,
) -> Response<Body> {
    let identity = Identity::new("ann", role, "token 00000000");
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
    let request = UiRequest {
        method: &Method::GET,
        headers: &headers,
        identity: &identity,
        ceiling: Role::Writer,
        target,
    };
    ui(&request, settings, &sage_maker.calls).await
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn authorized() -> Value {
    json!({ "AuthorizedUrl": "https://abc.experiments.sagemaker.aws/auth?authToken=eyJ" })
}

#[tokio::test]
async fn both_modes_ask_for_an_address_of_their_kind() {
    let operations = [
        (
            "mlflow-tracking-server/team",
            "SageMaker.CreatePresignedMlflowTrackingServerUrl",
            json!({ "TrackingServerName": "team", "ExpiresInSeconds": 60, "SessionExpirationDurationInSeconds": 5000 }),
        ),
        (
            "mlflow-app/app-ABC123",
            "SageMaker.CreatePresignedMlflowAppUrl",
            json!({
                "Arn": "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-app/app-ABC123",
                "ExpiresInSeconds": 60,
                "SessionExpirationDurationInSeconds": 5000,
            }),
        ),
    ];
    for (resource, operation, body) in operations {
        let sage_maker = sage_maker(200, authorized()).await;
        let response = ask(&sage_maker, &target(resource), Role::Admin, "text/html", &SETTINGS).await;
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.headers()[LOCATION], "https://abc.experiments.sagemaker.aws/auth?authToken=eyJ");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(*sage_maker.asked.lock().unwrap(), [(operation.to_owned(), body)]);
    }
}

#[tokio::test]
async fn who_may_do_less_than_the_interface_is_not_let_in() {
    let sage_maker = sage_maker(200, authorized()).await;
    let target = target("mlflow-tracking-server/team");
    let response = ask(&sage_maker, &target, Role::Reader, "application/json", &SETTINGS).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(text(response).await.contains("is for the role writer here"));
    assert_eq!(ask(&sage_maker, &target, Role::Writer, "*/*", &SETTINGS).await.status(), StatusCode::FOUND);

    let readers = Settings { ui_role: UiRole::AtLeast(Role::Reader), ..SETTINGS };
    assert_eq!(ask(&sage_maker, &target, Role::Reader, "*/*", &readers).await.status(), StatusCode::FOUND);
    let off = Settings { ui_role: UiRole::Off, ..SETTINGS };
    assert_eq!(ask(&sage_maker, &target, Role::Admin, "*/*", &off).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(sage_maker.asked.lock().unwrap().len(), 2, "nobody who is refused causes a call");
}

#[tokio::test]
async fn only_get_makes_an_address() {
    let sage_maker = sage_maker(200, authorized()).await;
    let identity = Identity::new("ann", Role::Admin, "token 00000000");
    let (headers, target) = (HeaderMap::new(), target("mlflow-tracking-server/team"));
    for method in [Method::HEAD, Method::POST] {
        let request = UiRequest {
            method: &method,
            headers: &headers,
            identity: &identity,
            ceiling: Role::Writer,
            target: &target,
        };
        let response = ui(&request, &SETTINGS, &sage_maker.calls).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()[ALLOW]),
            (405, &HeaderValue::from_static("GET"))
        );
    }
    assert!(sage_maker.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refusal_names_the_action_that_is_missing_and_not_the_resource() {
    let words = "User: arn:aws:sts::123456789012:assumed-role/x is not authorized";
    let answer = json!({ "__type": "com.amazon#AccessDeniedException", "Message": words });
    let sage_maker = sage_maker(400, answer).await;
    let target = target("mlflow-app/app-ABC123");
    let response = ask(&sage_maker, &target, Role::Admin, "text/html,*/*", &SETTINGS).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let page = text(response).await;
    assert!(
        page.contains("sagemaker:CreatePresignedMlflowAppUrl") && page.contains("sagemaker-mlflow:AccessUI"),
        "{page}"
    );
    assert!(!page.contains("123456789012"), "{page}");

    let response = ask(&sage_maker, &target, Role::Admin, "application/json", &SETTINGS).await;
    let problem: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(problem["error_code"], "PERMISSION_DENIED");
}

#[tokio::test]
async fn an_address_that_no_browser_should_open_is_not_passed_on() {
    for address in
        [json!("javascript:alert(1)"), json!("https://a/\r\nset-cookie: b"), json!("/ui"), Value::Null]
    {
        let sage_maker = sage_maker(200, json!({ "AuthorizedUrl": address })).await;
        let target = target("mlflow-tracking-server/team");
        let response = ask(&sage_maker, &target, Role::Admin, "*/*", &SETTINGS).await;
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY, "{address}");
    }
}
