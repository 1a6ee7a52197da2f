//! Opens connections: TCP and TLS within one time limit, trusting the public roots and those of the settings.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use super::Settings;

type BoxError = Box<dyn Error + Send + Sync>;

/// How often an idle connection is probed, so that routers on the way do not forget it.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A connector that gives up after a time. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Timed {
    inner: HttpsConnector<HttpConnector>,
    limit: Duration,
}

impl Timed {
    pub(super) fn new(settings: &Settings) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        tcp.set_connect_timeout(Some(settings.connect));
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls(settings));
        let inner = tls.https_or_http().enable_http1().wrap_connector(tcp);
        Self { inner, limit: settings.connect }
    }
}

/// TLS as a client. The roots are compiled in: a minimal image has none.
fn tls(settings: &Settings) -> ClientConfig {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in &settings.roots {
        // They were looked at when the settings were read.
        let _ = roots.add(certificate.clone());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

impl Service<Uri> for Timed {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.inner.call(uri);
        let limit = self.limit;
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(format!("no connection within {} s", limit.as_secs_f64()).into()),
            }
        })
    }
}
