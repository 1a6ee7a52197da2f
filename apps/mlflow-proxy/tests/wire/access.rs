//! Who may do what, asked of the running proxy: what is refused never reaches MLflow.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mlflow_proxy::access::Role;
use mlflow_proxy::access::routes;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Answer, get, head, post, send};
use crate::under_test::{Running, now, start};
use crate::upstream::{Upstream, answer};

const ROLES: [(Role, &str); 3] =
    [(Role::Reader, "0000000a"), (Role::Writer, "0000000b"), (Role::Admin, "0000000c")];

fn token(id: &str) -> String {
    format!("fwp_{id}_{}", "x".repeat(43))
}

pub(crate) fn bearer(id: &str) -> String {
    format!("Bearer {}", token(id))
}

fn user(role: &str, id: &str) -> Value {
    let hash = digest(&SHA256, token(id).as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "name": format!("the-{role}"), "role": role, "kind": "token", "id": id, "sha256": hex, "created": "x" })
}

fn secret(users: &[Value]) -> String {
    json!({ "version": 1, "users": users }).to_string()
}

/// A proxy with a user of each role, and the folder in which the users are.
pub(crate) async fn with_users(upstream: &Upstream, more: &[(&str, &str)]) -> (Running, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.json");
    let users: Vec<Value> = ROLES.iter().map(|(role, id)| user(role.as_str(), id)).collect();
    std::fs::write(&file, secret(&users)).unwrap();
    let settings = [
        &[
            ("MLFLOW_PROXY_AUTH", "token"),
            ("MLFLOW_PROXY_SECRET_FILE", file.to_str().unwrap()),
            ("MLFLOW_PROXY_SECRET_SECONDS", "0.1"),
        ],
        more,
    ]
    .concat();
    (start(upstream, &settings).await, folder)
}

pub(crate) async fn ask(
    proxy: &Running,
    method: &str,
    path: &str,
    authorization: &str,
    body: &str,
) -> Answer {
    let length = body.len().to_string();
    let mut headers = vec![("Authorization", authorization), ("Content-Length", length.as_str())];
    if authorization.is_empty() {
        headers.remove(0);
    }
    let mut request = head(method, path, &headers);
    request.extend_from_slice(body.as_bytes());
    send(proxy.address, &request).await
}

/// A path of a pattern.
fn example(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| match part {
        part if part.ends_with("...}") => "some/file%20name.txt",
        part if part.starts_with('{') => "id-1",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_is_open_to_those_whose_role_is_enough() {
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let (proxy, _folder) = with_users(&upstream, &[]).await;
    let mut refused = 0;
    for route in routes::all() {
        // The page at / is the proxy's own.
        if route.pattern == "/" {
            continue;
        }
        let (path, body) = (example(route.pattern), r#"{"query":"{ a }"}"#);
        for (role, id) in ROLES {
            let before = upstream.count();
            let answer = ask(&proxy, route.method.as_str(), &path, &bearer(id), body).await;
            let permitted = role >= route.need;
            let what = format!("{role} {} {path} {}", route.method, answer.text());
            assert_eq!(answer.status, if permitted { 200 } else { 403 }, "{what}");
            assert_eq!(upstream.count() - before, usize::from(permitted), "{what}");
            refused += u32::from(!permitted);
        }
        assert_eq!(ask(&proxy, route.method.as_str(), &path, "", body).await.status, 401, "{path}");
    }
    assert!(refused > 300, "{refused}");
}

#[tokio::test]
async fn tricks_do_not_get_a_reader_further() {
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let (proxy, _folder) = with_users(&upstream, &[]).await;
    let reader = bearer("0000000a");
    let delete = "/api/2.0/mlflow/runs/delete";
    let override_method = |name: &str| {
        head(
            "GET",
            "/api/2.0/mlflow/registered-models/alias?name=x",
            &[("Authorization", &reader), (name, "DELETE")],
        )
    };
    for (method, path) in [
        ("POST", "/api/2.0/mlflow/runs/search/../delete"),
        ("POST", "/api/2.0/mlflow/runs/search/%2e%2e/delete"),
        ("POST", "/api/2.0/mlflow/runs/search%2f..%2fdelete"),
        ("POST", "/api/2.0/mlflow//runs/delete"),
        ("POST", "/api/2.0/mlflow/./runs/delete"),
        ("POST", "/api/2.0/mlflow/runs/%64elete"),
        ("POST", "/API/2.0/mlflow/runs/delete"),
        ("POST", "/api/2.0/mlflow/runs/delete/"),
        ("POST", "/api/2.0/mlflow/runs/delete;/../search"),
        ("POST", "/api/2.0/mlflow/runs/delete%00"),
        ("POST", "/api/9.0/mlflow/runs/search"),
        ("PUT", delete),
        ("post", delete),
        ("PROPFIND", "/api/2.0/mlflow/runs/search"),
    ] {
        let answer = ask(&proxy, method, path, &reader, "{}").await;
        assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
    }
    assert_eq!(upstream.count(), 0);
    // A header in place of the method is not passed on: the request stays the GET that it was permitted as.
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        assert_eq!(send(proxy.address, &override_method(name)).await.status, 200, "{name}");
        let seen = upstream.last();
        assert_eq!((seen.method.as_str(), seen.header(name)), ("GET", None));
    }
    let both = head(
        "POST",
        "/api/2.0/mlflow/runs/search",
        &[("Authorization", &reader), ("Authorization", &bearer("0000000c")), ("Content-Length", "0")],
    );
    assert_eq!(send(proxy.address, &both).await.status, 401, "two answers to who asks are none");
}

#[tokio::test]
async fn mutations_of_graphql_are_not_for_readers() {
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let (proxy, _folder) = with_users(&upstream, &[]).await;
    for (id, body, status) in [
        ("0000000a", r#"{"query":"query { a }"}"#, 200),
        ("0000000a", r#"{"query":"mutation { a }"}"#, 403),
        ("0000000a", r#"{"query":"query { a } mutation { b }","operationName":"x"}"#, 403),
        ("0000000a", "[]", 403),
        ("0000000a", "", 403),
        ("0000000b", r#"{"query":"mutation { a }"}"#, 200),
    ] {
        let before = upstream.count();
        assert_eq!(ask(&proxy, "POST", "/graphql", &bearer(id), body).await.status, status, "{id} {body}");
        assert_eq!(upstream.count() - before, usize::from(status == 200));
        if status == 200 {
            assert_eq!(upstream.last().body, body.as_bytes(), "the body is whole");
        }
    }
}

#[tokio::test]
async fn who_is_not_known_is_told_how_to_get_in() {
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let (proxy, _folder) = with_users(&upstream, &[]).await;
    for authorization in ["", "Bearer x", &bearer("0000000d"), "Basic eDp5", "Digest x"] {
        let answer = ask(&proxy, "GET", "/version", authorization, "").await;
        assert_eq!(answer.status, 401, "{authorization}");
        assert_eq!(answer.values("www-authenticate").len(), 2, "{authorization}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body: Value = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!(body["error_code"], "UNAUTHENTICATED");
        assert!(body["message"].as_str().unwrap().contains("\nhint: "), "{body}");
        assert!(!answer.text().contains("fwp_0000"), "nothing of a token is said");
    }
    assert_eq!(upstream.count(), 0);
    let basic = format!("Basic {}", STANDARD.encode(format!("any:{}", token("0000000a"))));
    assert_eq!(ask(&proxy, "GET", "/version", &basic, "").await.status, 200, "a token as the password");
    assert_eq!(upstream.last().values("authorization").len(), 1, "only the signature goes on");
}

#[tokio::test]
async fn users_come_and_go_while_the_proxy_serves() {
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let (proxy, folder) = with_users(&upstream, &[]).await;
    let file = folder.path().join("users.json");
    let status =
        async |id: &str| get(proxy.address, "/version", &[("Authorization", &bearer(id))]).await.status;
    let becomes = async |id: &str, wanted: u16| {
        for _ in 0..100 {
            if status(id).await == wanted {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    };
    assert_eq!((status("0000000a").await, status("0000000d").await), (200, 401));
    let write = |text: &str| {
        // As a whole, as a secret changes.
        let new = folder.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, &file).unwrap();
    };
    write(&secret(&[user("reader", "0000000d")]));
    assert!(becomes("0000000d", 200).await && becomes("0000000a", 401).await);
    write("{");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        (status("0000000d").await, status("0000000a").await),
        (200, 401),
        "what was read before stays"
    );
    let ready = get(proxy.address, "/readyz", &[]).await.text();
    assert!(ready.contains("could not be read again"), "{ready}");
    write(&secret(&[]));
    assert!(becomes("0000000d", 401).await);
    let answer = get(proxy.address, "/version", &[("Authorization", &bearer("0000000d"))]).await;
    assert!(answer.text().contains("it has no users"), "{}", answer.text());
}

#[tokio::test]
async fn each_user_has_a_rate_and_a_greatest_body() {
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let limits =
        [("MLFLOW_PROXY_RATE", "1"), ("MLFLOW_PROXY_RATE_BURST", "5"), ("MLFLOW_PROXY_USER_MAX_BODY", "10")];
    let (proxy, _folder) = with_users(&upstream, &limits).await;
    let (reader, writer) = (bearer("0000000a"), bearer("0000000b"));
    let path = "/api/2.0/mlflow/runs/create";
    let ask =
        async |body: &str| post(proxy.address, path, &[("Authorization", &writer)], body.as_bytes()).await;
    assert_eq!(ask("0123456789").await.status, 200);
    assert_eq!(ask("0123456789a").await.status, 413);
    let mut chunked = head("POST", path, &[("Authorization", &writer), ("Transfer-Encoding", "chunked")]);
    chunked.extend_from_slice(b"b\r\n0123456789a\r\n0\r\n\r\n");
    assert_eq!(send(proxy.address, &chunked).await.status, 413, "without a length too");
    assert_eq!(upstream.count(), 1, "nothing of what is too long arrives");
    let mut last = ask("{}").await;
    for _ in 0..10 {
        last = ask("{}").await;
    }
    assert_eq!(last.status, 429);
    assert_eq!(last.header("retry-after"), Some("1"));
    let other = get(proxy.address, "/version", &[("Authorization", &reader)]).await;
    assert_eq!(other.status, 200, "others are not held up");
}

#[tokio::test]
async fn one_user_does_not_hold_all_places_for_large_bodies() {
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let few = [("MLFLOW_PROXY_MAX_SPOOLS", "2"), ("MLFLOW_PROXY_BODY_MEMORY", "10 KiB")];
    let (proxy, _folder) = with_users(&upstream, &few).await;
    let path = "/api/2.0/mlflow/runs/search";
    let mut slow = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        let bearer = bearer(ROLES[0].1);
        let headers = [("Authorization", bearer.as_str()), ("Content-Length", "100000")];
        stream.write_all(&[head("POST", path, &headers), vec![b'x'; 50_000]].concat()).await.unwrap();
        slow.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let large = "x".repeat(100_000);
    assert_eq!(ask(&proxy, "POST", path, &bearer(ROLES[1].1), &large).await.status, 200);
}

#[tokio::test]
async fn tokens_of_an_issuer_are_taken() {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let key = json!({ "kty": "EC", "crv": "P-256", "kid": "1", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }).to_string();
    tokio::spawn(serve_documents(listener, discovery, json!({ "keys": [key] }).to_string()));

    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let settings = [
        ("MLFLOW_PROXY_AUTH", "jwt"),
        ("MLFLOW_PROXY_JWT_ISSUER", issuer.as_str()),
        ("MLFLOW_PROXY_JWT_AUDIENCE", "mlflow"),
        ("MLFLOW_PROXY_JWT_WRITER_GROUPS", "science"),
        ("MLFLOW_PROXY_JWT_ROLE", "reader"),
    ];
    let proxy = start(&upstream, &settings).await;
    let bearer = |claims: Value| {
        let head = URL_SAFE_NO_PAD.encode(json!({ "alg": "ES256", "kid": "1" }).to_string());
        let message = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = pair.sign(&random, message.as_bytes()).unwrap();
        format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    };
    let claims = |groups: &str, audience: &str| json!({ "iss": issuer, "aud": audience, "sub": "ann", "exp": now() + 60, "groups": [groups] });
    let create = "/api/2.0/mlflow/runs/create";
    assert_eq!(ask(&proxy, "POST", create, &bearer(claims("science", "mlflow")), "{}").await.status, 200);
    assert_eq!(ask(&proxy, "POST", create, &bearer(claims("sales", "mlflow")), "{}").await.status, 403);
    assert_eq!(ask(&proxy, "GET", "/version", &bearer(claims("sales", "mlflow")), "").await.status, 200);
    let answer = ask(&proxy, "GET", "/version", &bearer(claims("science", "other")), "").await;
    assert_eq!((answer.status, answer.values("www-authenticate").len()), (401, 1), "{}", answer.text());
    assert_eq!(ask(&proxy, "GET", "/version", "", "").await.status, 401);
    let forged = head("GET", "/version", &[("x-amzn-oidc-data", "a.b.c")]);
    assert_eq!(send(proxy.address, &forged).await.status, 401, "no load balancer is believed here");
    assert_eq!(upstream.count(), 2);
}

/// An issuer: its discovery document and its keys.
async fn serve_documents(listener: tokio::net::TcpListener, discovery: String, keys: String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { break };
            request.push(byte);
        }
        let body = if request.starts_with(b"GET /keys ") { &keys } else { &discovery };
        let length = body.len();
        let answer =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}
