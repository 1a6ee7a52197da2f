//! Links to S3, where they are turned on: what a client does with them, without credentials of its own.

use std::time::{Duration, SystemTime};

use super::*;
use crate::aws;

async fn linking() -> (Fake, Artifacts) {
    let (fake, mut artifacts) = start(true).await;
    artifacts.links = true;
    (fake, artifacts)
}

fn step(step: &str, directory: &str, body: &Value) -> Request<Body> {
    let uri = format!("/api/2.0/mlflow-artifacts/mpu/{step}{directory}");
    Request::post(uri).body(full(body.to_string())).unwrap()
}

/// Follows a link as MLflow's client does: with nothing but the link.
async fn follow(method: &str, link: &str, body: Vec<u8>) -> Response<hyper::body::Incoming> {
    let request = Request::builder().method(method).uri(link).body(full(body)).unwrap();
    aws::Client::new(&aws::Settings::default()).send(request).await.unwrap()
}

#[tokio::test]
async fn a_file_goes_up_and_down_by_links() {
    let (fake, artifacts) = linking().await;
    let asked = json!({"path": "/home/me/a b+%20.bin", "num_parts": 120});
    let (status, created) = said(artifacts.answer(step("create", "/1/x%20y", &asked)).await).await;
    assert_eq!(status, 200);
    let credentials = created["credentials"].as_array().unwrap();
    assert_eq!(credentials.len(), 120);
    let mut parts = Vec::new();
    for (number, credential) in credentials.iter().enumerate().take(3) {
        assert_eq!((&credential["part_number"], &credential["headers"]), (&json!(number + 1), &json!({})));
        let url = credential["url"].as_str().unwrap();
        let answer = follow("PUT", url, vec![b'0' + u8::try_from(number).unwrap(); 3]).await;
        assert_eq!(answer.status(), 200);
        let tag = answer.headers()["etag"].to_str().unwrap();
        parts.push(json!({"part_number": number + 1, "etag": tag, "url": url}));
    }
    let asked = json!({"path": "C:\\me\\a b+%20.bin", "upload_id": created["upload_id"], "parts": parts});
    assert_eq!(said(artifacts.answer(step("complete", "/1/x%20y", &asked)).await).await, (200, json!({})));
    assert_eq!(fake.state().objects["pre/1/x y/a b+%20.bin"].bytes, "000111222");

    let uri = "/api/2.0/mlflow-artifacts/presigned/1/x%20y/a%20b+%2520.bin";
    let (_, link) = said(artifacts.answer(Request::get(uri).body(crate::body::empty()).unwrap()).await).await;
    assert_eq!((&link["file_size"], &link["headers"]), (&json!(9), &json!({})));
    let answer = follow("GET", link["url"].as_str().unwrap(), Vec::new()).await;
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "000111222");
    let none = Request::get("/api/2.0/mlflow-artifacts/presigned/none").body(crate::body::empty()).unwrap();
    assert_eq!(artifacts.answer(none).await.status(), 404);
}

#[tokio::test]
async fn an_upload_by_links_can_be_given_up() {
    let (fake, artifacts) = linking().await;
    let asked = json!({"path": "x", "num_parts": 1});
    let (_, created) = said(artifacts.answer(step("create", "/1", &asked)).await).await;
    let asked = json!({"path": "x", "upload_id": created["upload_id"]});
    assert_eq!(said(artifacts.answer(step("abort", "/1", &asked)).await).await, (200, json!({})));
    assert!(fake.state().uploads.is_empty());
    assert_eq!(fake.state().aborted, 1);
    let asked =
        json!({"path": "x", "upload_id": created["upload_id"], "parts": [{"part_number": 1, "etag": "e"}]});
    assert_eq!(said(artifacts.answer(step("complete", "/1", &asked)).await).await.0, 404);
}

#[tokio::test]
async fn what_makes_no_file_is_refused() {
    let (fake, artifacts) = linking().await;
    for (name, directory, body) in [
        ("create", "/1", json!({"path": "x", "num_parts": 0})),
        ("create", "/1", json!({"path": "x", "num_parts": 10_001})),
        ("create", "/1", json!({"path": "x/", "num_parts": 1})),
        ("create", "/1", json!({"path": "..", "num_parts": 1})),
        ("create", "/%2e%2e", json!({"path": "x", "num_parts": 1})),
        ("create", "/1", json!({"num_parts": 1})),
        ("complete", "/1", json!({"path": "x", "upload_id": "u", "parts": []})),
        (
            "complete",
            "/1",
            json!({"path": "x", "upload_id": "u", "parts": [{"part_number": 0, "etag": "e"}]}),
        ),
        ("abort", "/1", json!([])),
    ] {
        assert_eq!(said(artifacts.answer(step(name, directory, &body)).await).await.0, 400, "{name} {body}");
    }
    let mut long = step("create", "/1", &json!({"path": "x", "num_parts": 1}));
    long.extensions_mut().insert(crate::share::Shares::with_most(5, 1).of_anybody());
    assert_eq!(said(artifacts.answer(long).await).await.0, 503, "it counts as a body in memory");
    assert!(fake.state().seen.is_empty());
}

#[tokio::test]
async fn a_link_ends_with_the_credentials_that_signed_it() {
    let fake = Fake::start().await;
    let now = SystemTime::now();
    let mut ending = credentials("FIRST");
    ending.expires = Some(now + Duration::from_secs(900));
    let linker = fake.bucket(CredentialCache::fixed(ending)).linker().await.unwrap();
    assert_eq!(linker.good_for(Duration::from_secs(3600), now), Duration::from_secs(900));
    assert_eq!(linker.good_for(Duration::from_secs(60), now), Duration::from_secs(60));
}
