//! Uploads of artifacts whose length nobody told: they wait on disk, within the bounds of all that waits there.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{chunked, head, post, read, send};
use crate::under_test::start;
use crate::upstream::{Upstream, answer};

#[tokio::test]
async fn parts_of_uploads_have_a_bound_together() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let bucket = format!("http://{}", upstream.address);
    let settings = [
        ("SM_MLFLOW_ARTIFACT_URI", "s3://bucket/pre"),
        ("AWS_ENDPOINT_URL_S3", bucket.as_str()),
        ("MLFLOW_PROXY_MAX_SPOOL", "2 MiB"),
    ];
    let proxy = start(&upstream, &settings).await;
    let path = "/api/2.0/mlflow-artifacts/artifacts/1/x.bin";
    let upload = head("PUT", path, &[("Transfer-Encoding", "chunked")]);
    let body = chunked(&[&vec![7; 1_500_000]]);
    let mut first = TcpStream::connect(proxy.address).await.unwrap();
    first.write_all(&upload).await.unwrap();
    first.write_all(&body[..1_400_000]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(proxy.operate.metrics.spooled_bytes.get() >= 1_000_000);

    let refused = send(proxy.address, &[upload.clone(), body.clone()].concat()).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")), "{}", refused.text());
    assert!(refused.text().contains("MLFLOW_PROXY_MAX_SPOOL"), "{}", refused.text());

    let other = post(proxy.address, "/x", &[], &vec![7; 1_200_000]).await;
    assert_eq!(other.status, 503, "bodies for MLflow take of the same room: {}", other.text());

    first.write_all(&body[1_400_000..]).await.unwrap();
    assert_eq!(read(&mut first, false).await.status, 200);
    assert_eq!(send(proxy.address, &[upload, body].concat()).await.status, 200);
    assert!(proxy.is_clean());
}
