//! A request on its way through all checks, and what it is told.

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, StreamBody};

use super::testing::{Source, document, find, token, with_password, with_token};
use super::*;
use crate::body::{BodyError, Stalled, full};
use crate::settings::Reader;
use crate::share::Shares;

fn access_with(source: &Source, variables: &[(&str, &str)]) -> Access {
    let lookup = |name: &str| {
        let given = variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).into());
        given.or_else(|| (name == "MLFLOW_PROXY_SECRET_FILE").then(|| "users.json".into()))
    };
    let mut reader = Reader::new(&lookup);
    let settings = Settings::read(&mut reader, ([127, 0, 0, 1], 5000).into());
    assert_eq!(reader.into_mistakes(), []);
    let users = settings
        .methods
        .tokens
        .then(|| UserStore::new(source.secret(), settings.secret_interval, settings.secret_max_age));
    let documents: sources::Documents =
        Arc::new(|_, _| Box::pin(async { Err("nothing is fetched".to_owned()) }));
    Access::new(settings, Sources { users, documents })
}

async fn access(variables: &[(&str, &str)]) -> Access {
    let users = [
        with_token("ci", "writer", "0a1b2c3d"),
        with_token("eye", "reader", "11111111"),
        with_token("root", "admin", "22222222"),
        with_password("ann", "admin", "ann's"),
    ];
    let access = access_with(&Source::with(&users), variables);
    access.start().await;
    access
}

async fn ask(access: &Access, authorization: &str) -> Result<Identity, Problem> {
    let mut headers = HeaderMap::new();
    if !authorization.is_empty() {
        headers.insert(AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
    }
    access.authenticate(&headers).await
}

fn bearer(id: &str) -> String {
    format!("Bearer {}", token(id))
}

fn basic(name: &str, password: &str) -> String {
    use base64::Engine;
    let pair = format!("{name}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

#[tokio::test]
async fn a_token_is_taken_as_bearer_and_as_password() {
    let access = access(&[]).await;
    let ci = Identity::new("ci", Role::Writer, "token 0a1b2c3d");
    assert_eq!(ask(&access, &bearer("0a1b2c3d")).await, Ok(ci.clone()));
    assert_eq!(ask(&access, &basic("anything", &token("0a1b2c3d"))).await, Ok(ci));
    for wrong in ["", "Bearer x", "Bearer a.b.c", &bearer("33333333"), &basic("ann", "ann's"), "Digest x"] {
        let problem = ask(&access, wrong).await.unwrap_err();
        assert_eq!((problem.status, problem.code), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"), "{wrong}");
        let schemes: Vec<_> = problem.headers.iter().filter(|(name, _)| *name == WWW_AUTHENTICATE).collect();
        assert_eq!(schemes.len(), 2, "{wrong}");
        assert!(problem.hint.unwrap().contains("formwork proxy user add"), "{wrong}");
    }
}

#[tokio::test]
async fn passwords_are_taken_where_they_are_asked_for() {
    let access = access(&[("MLFLOW_PROXY_AUTH", "basic")]).await;
    let ann = Identity::new("ann", Role::Admin, "password");
    assert_eq!(ask(&access, &basic("ann", "ann's")).await, Ok(ann));
    assert_eq!(ask(&access, &bearer("11111111")).await.unwrap().role, Role::Reader);
    let problem = ask(&access, &basic("ann", "eve's")).await.unwrap_err();
    assert_eq!(problem.message, "the name or the password is wrong");
    assert_eq!(ask(&access, &basic("eve", "eve's")).await.unwrap_err().message, problem.message);
}

#[tokio::test]
async fn a_proxy_without_users_says_how_to_make_one() {
    let source = Source::default();
    let access = access_with(&source, &[]);
    source.set(Err("away".to_owned()));
    access.start().await;
    let problem = ask(&access, &bearer("0a1b2c3d")).await.unwrap_err();
    assert_eq!(
        problem.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "a secret that cannot be read says nothing about tokens"
    );
    assert!(problem.retry_after.is_some());
    let access = access_with(&Source::default(), &[]);
    access.start().await;
    let problem = ask(&access, &bearer("0a1b2c3d")).await.unwrap_err();
    assert_eq!(problem.status, StatusCode::UNAUTHORIZED);
    assert!(problem.message.contains("it has no users"), "{}", problem.message);
    assert!(problem.hint.unwrap().contains("--role admin"));
}

#[tokio::test]
async fn a_token_that_was_made_a_moment_ago_is_taken() {
    let source = Source::with(&[]);
    let access = access_with(&source, &[]);
    source.set(Ok(Some(document(&[with_token("ci", "writer", "0a1b2c3d")]))));
    assert!(ask(&access, &bearer("0a1b2c3d")).await.is_ok(), "the users are read because of it");
}

#[tokio::test]
async fn nobody_is_more_than_the_proxy_allows() {
    let access = access(&[("MLFLOW_PROXY_ACCESS", "writer")]).await;
    assert_eq!(ask(&access, &bearer("22222222")).await.unwrap().role, Role::Writer);
    assert_eq!(ask(&access, &bearer("11111111")).await.unwrap().role, Role::Reader);
    let root = ask(&access, &bearer("22222222")).await.unwrap();
    let route = routes::look_up(&Method::POST, "/api/2.0/mlflow/runs/delete");
    let problem = access.permit(&root, &Method::POST, route).unwrap_err();
    assert!(problem.hint.unwrap().contains("MLFLOW_PROXY_ACCESS"));
}

#[tokio::test]
async fn without_authentication_all_are_one() {
    let access = access(&[
        ("MLFLOW_PROXY_AUTH", "none"),
        ("MLFLOW_PROXY_RATE", "1"),
        ("MLFLOW_PROXY_RATE_BURST", "1"),
    ])
    .await;
    let identity = ask(&access, "Bearer whatever").await.unwrap();
    assert_eq!(identity, Identity::new("anonymous", Role::Admin, "none"));
    assert!((0..100).all(|_| access.admit(&identity, None).is_ok()));
    assert_eq!(access.state(), None);
}

#[tokio::test]
async fn roles_decide_what_goes_through() {
    let access = access(&[]).await;
    let who = async |id: &str| ask(&access, &bearer(id)).await.unwrap();
    let (reader, writer, admin) = (who("11111111").await, who("0a1b2c3d").await, who("22222222").await);
    for (method, path, least) in [
        (Method::POST, "/api/2.0/mlflow/runs/search", Role::Reader),
        (Method::POST, "/api/2.0/mlflow/runs/create", Role::Writer),
        (Method::POST, "/api/2.0/mlflow/runs/delete", Role::Admin),
        (Method::POST, "/api/2.0/mlflow/unheard-of", Role::Admin),
        (Method::GET, "/api/2.0/mlflow/../secret", Role::Admin),
    ] {
        for identity in [&reader, &writer, &admin] {
            let permitted = access.permit(identity, &method, routes::look_up(&method, path));
            assert_eq!(permitted.is_ok(), identity.role >= least, "{} {method} {path}", identity.role);
            if let Err(problem) = permitted {
                assert_eq!((problem.status, problem.code), (StatusCode::FORBIDDEN, "PERMISSION_DENIED"));
                assert!(problem.hint.is_some());
            }
        }
    }
}

#[tokio::test]
async fn who_asks_too_much_is_told_when_to_come_back() {
    let limits =
        [("MLFLOW_PROXY_RATE", "2"), ("MLFLOW_PROXY_RATE_BURST", "3"), ("MLFLOW_PROXY_USER_MAX_BODY", "100")];
    let access = access(&limits).await;
    let ci = ask(&access, &bearer("0a1b2c3d")).await.unwrap();
    assert!((0..3).all(|_| access.admit(&ci, Some(100)).is_ok()));
    let problem = access.admit(&ci, None).unwrap_err();
    assert_eq!((problem.status, problem.code), (StatusCode::TOO_MANY_REQUESTS, "REQUEST_LIMIT_EXCEEDED"));
    assert!(problem.into_response().headers()["retry-after"] == "1");
    let eye = ask(&access, &bearer("11111111")).await.unwrap();
    assert_eq!(access.admit(&eye, Some(101)).unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_body_of_graphql_that_stalls_is_told_so() {
    let access = access(&[]).await;
    let route = find(&Method::POST, "/graphql");
    let reader = Identity::new("r", Role::Reader, "");
    let stalled = BodyError::from(Stalled(std::time::Duration::from_secs(30)));
    let body = StreamBody::new(futures_util::stream::iter([Err(stalled)])).boxed_unsync();
    let problem = access.inspect(&reader, route, Request::new(body)).await.err().unwrap();
    assert_eq!(problem.status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(problem.into_response().headers()["connection"], "close");
}

#[tokio::test]
async fn graphql_is_decided_by_its_body() {
    let access = access(&[]).await;
    let route = find(&Method::POST, "/graphql");
    let (reader, writer) = (Identity::new("r", Role::Reader, ""), Identity::new("w", Role::Writer, ""));
    let (query, mutation) = (r#"{"query":"{ a }"}"#, r#"{"query":"mutation { a }"}"#);
    let send = async |identity: &Identity, body: &str| {
        access
            .inspect(identity, route, Request::new(full(body.to_owned())))
            .await
            .map_err(|problem| problem.status)
    };
    let inspected = send(&reader, query).await.unwrap();
    assert!(!inspected.changes);
    let body = inspected.request.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, query, "the body is whole again");
    assert!(matches!(send(&reader, mutation).await, Err(StatusCode::FORBIDDEN)));
    assert!(send(&writer, mutation).await.unwrap().changes);
    let long = format!(r#"{{"query":"{{ a }}","x":"{}"}}"#, "x".repeat(1024 * 1024));
    assert!(matches!(send(&writer, &long).await, Err(StatusCode::PAYLOAD_TOO_LARGE)));
    let mut request = Request::new(full(query));
    request.extensions_mut().insert(Shares::with_most(5, 1).of_anybody());
    let full_up = access.inspect(&reader, route, request).await.map_err(|problem| problem.status);
    assert!(matches!(full_up, Err(StatusCode::SERVICE_UNAVAILABLE)), "it counts as a body in memory");
    let run = find(&Method::POST, "/api/2.0/mlflow/runs/create");
    let inspected = access.inspect(&writer, run, Request::new(full("{}"))).await.map_err(|_| ()).unwrap();
    assert!(inspected.changes);
}
