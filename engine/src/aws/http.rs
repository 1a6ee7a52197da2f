//! How requests travel: over the network with one TLS stack, or to a simulator in this process.
//!
//! The SDK's clients and the raw calls share these connectors, and with them proxy, certificates and open connections.
//! The SDK takes an answer that is cut off for one with nothing in it, so that [`checked`] looks at every XML document
//! before the SDK does.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::BodyExt;

use super::error::{Error, ErrorKind};
use super::session::InProcess;
use super::{certificate, messages, xml};

/// How long a connection may take to open.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take to begin.
pub(crate) const READ: Duration = Duration::from_secs(15);
/// How long one attempt of a call may take in all. The SDK has no such limit of its own and waits for ever.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(30);

/// An answer that is no answer: empty, cut off, or not of the service.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadAnswer(pub(crate) String);

/// How requests of one set of sessions travel. Cheap to clone; clones share open connections.
#[derive(Clone, Debug)]
pub(crate) enum Wire {
    /// Over the network.
    Network(Arc<Network>),
    /// To a simulator in this process.
    InProcess(Arc<dyn InProcess>),
}

impl Wire {
    /// The network; proxy and certificates come from the environment.
    pub(crate) fn network(sleep: SharedAsyncSleep) -> Result<Self, Error> {
        let trust = trust_store()?;
        let context = TlsContext::builder().with_trust_store(trust).build();
        let context = context.map_err(|error| unusable(error.to_string()))?;
        Ok(Self::Network(Arc::new(Network { context, sleep, proxied: true, connectors: Mutex::default() })))
    }

    /// What carries single requests.
    pub(crate) fn connector(&self, settings: &HttpConnectorSettings) -> SharedHttpConnector {
        match self {
            Self::Network(network) => network.connector(settings),
            Self::InProcess(simulator) => SharedHttpConnector::new(Local(simulator.clone())),
        }
    }

    /// For clients of services that answer with bytes, such as S3.
    pub(crate) fn client(&self) -> SharedHttpClient {
        let wire = self.clone();
        http_client_fn(move |settings, _| wire.connector(settings))
    }

    /// For the metadata service of an instance, which no proxy reaches.
    pub(crate) fn direct_client(&self) -> SharedHttpClient {
        let wire = match self {
            Self::Network(network) => Self::Network(Arc::new(Network {
                context: network.context.clone(),
                sleep: network.sleep.clone(),
                proxied: false,
                connectors: Mutex::default(),
            })),
            Self::InProcess(_) => self.clone(),
        };
        wire.client()
    }

    /// For clients of services that answer with XML: an answer that is cut off is an error of the connection.
    pub(crate) fn checked_client(&self) -> SharedHttpClient {
        let wire = self.clone();
        http_client_fn(move |settings, _| SharedHttpConnector::new(Checked(wire.connector(settings))))
    }
}

/// `AWS_CA_BUNDLE` takes the place of the system's certificates, as it does in the AWS CLI.
fn trust_store() -> Result<TrustStore, Error> {
    let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) else {
        return Ok(TrustStore::default());
    };
    let path = std::path::PathBuf::from(path);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        unusable(format!("AWS_CA_BUNDLE names {}, which cannot be read: {error}", path.display()))
    })?;
    let certificates = pem_certificates(&text);
    if certificates.is_empty() {
        return Err(unusable(format!(
            "AWS_CA_BUNDLE names {}, which holds no certificate in PEM form",
            path.display()
        )));
    }
    Ok(certificates.into_iter().fold(TrustStore::empty(), TrustStore::with_pem_certificate))
}

/// The certificates of a bundle, each with its lines around it. The TLS library panics on what is none, so that what does
/// not look like base64 is left out here.
pub(super) fn pem_certificates(text: &str) -> Vec<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let blocks = text.split(BEGIN).skip(1).filter_map(|rest| rest.split_once(END));
    blocks
        .map(|(body, _)| body.split_whitespace().collect::<Vec<_>>())
        .filter(|lines| {
            let length: usize = lines.iter().map(|line| line.len()).sum();
            let mut letters = lines.iter().flat_map(|line| line.bytes());
            // Every certificate is a DER sequence of more than 255 bytes, which in base64 begins like this.
            lines.first().is_some_and(|line| line.starts_with("MII"))
                && length.is_multiple_of(4)
                && letters.all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
        })
        .map(|lines| format!("{BEGIN}\n{}\n{END}\n", lines.join("\n")))
        .collect()
}

fn unusable(message: String) -> Error {
    Error { operation: "connect", kind: ErrorKind::Other, code: None, message, request_id: None }
}

/// How long a connection may take to open, and an answer to begin.
type Timeouts = (Option<Duration>, Option<Duration>);

/// Connectors over the network: one for each pair of timeouts that a client asks for.
pub(crate) struct Network {
    context: TlsContext,
    sleep: SharedAsyncSleep,
    proxied: bool,
    connectors: Mutex<HashMap<Timeouts, SharedHttpConnector>>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

impl Network {
    fn connector(&self, settings: &HttpConnectorSettings) -> SharedHttpConnector {
        let key = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        connectors.entry(key).or_insert_with(|| self.build(settings)).clone()
    }

    fn build(&self, settings: &HttpConnectorSettings) -> SharedHttpConnector {
        let connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(self.context.clone())
            .proxy_config(if self.proxied { ProxyConfig::from_env() } else { ProxyConfig::disabled() })
            .connector_settings(settings.clone())
            .sleep_impl(self.sleep.clone())
            .build();
        SharedHttpConnector::new(connector)
    }
}

/// Carries requests to a simulator in this process.
#[derive(Clone, Debug)]
struct Local(Arc<dyn InProcess>);

impl HttpConnector for Local {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let simulator = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let (head, body) = request.into_parts();
            let body = collect(body).await?;
            let answer = simulator.call(http::Request::from_parts(head, body)).await;
            let answer = answer.map_err(|broken| ConnectorError::io(broken.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from))
                .map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

/// Reads answers whole and refuses those that are no XML document.
#[derive(Clone, Debug)]
struct Checked(SharedHttpConnector);

impl HttpConnector for Checked {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host = host_of(request.uri()).to_owned();
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let mut answer = match answer.await {
                Ok(answer) => answer,
                Err(error) => return Err(explained(error, host).await),
            };
            let body = collect(answer.take_body()).await?;
            // A failed server may say anything; only what claims to be an answer has to be one.
            if answer.status().is_success()
                && let Err(wrong) = xml::complete(&body)
            {
                return Err(ConnectorError::other(BadAnswer(wrong).into(), None));
            }
            *answer.body_mut() = SdkBody::from(body);
            Ok(answer)
        })
    }
}

/// A connection to a host that broke.
#[derive(Debug, thiserror::Error)]
#[error("connection to {host}")]
pub(crate) struct Lost {
    /// The host that was to answer.
    pub(crate) host: String,
    /// Who signed its certificate, when nobody here trusts them.
    pub(crate) issuer: Option<String>,
    source: BoxError,
}

/// The same error with the host in it, which the SDK leaves out, and with whoever signed a certificate that nobody trusts.
pub(crate) async fn explained(error: ConnectorError, host: String) -> ConnectorError {
    let issuer = match messages::is_unknown_signer(&super::error::chain(&error)) {
        true => certificate::issuer(&host, proxy_of_environment().as_deref()).await,
        false => None,
    };
    with_host(error, host, issuer)
}

fn with_host(error: ConnectorError, host: String, issuer: Option<String>) -> ConnectorError {
    let rebuild = match () {
        () if error.is_timeout() => ConnectorError::timeout,
        () if error.is_user() => ConnectorError::user,
        () => ConnectorError::io,
    };
    rebuild(Lost { host, issuer, source: error.into_source() }.into())
}

/// The host of a URL, with its port.
pub(crate) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

/// The whole body; one that ends early is a broken connection.
pub(crate) async fn collect(body: SdkBody) -> Result<Bytes, ConnectorError> {
    match body.bytes() {
        Some(bytes) => Ok(Bytes::copy_from_slice(bytes)),
        None => Ok(body.collect().await.map_err(ConnectorError::io)?.to_bytes()),
    }
}

/// The proxy that the environment names, without user and password.
pub(crate) fn proxy_of_environment() -> Option<String> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let proxy = names.iter().filter_map(|name| std::env::var(name).ok()).find(|proxy| !proxy.is_empty())?;
    Some(without_credentials(&proxy))
}

pub(crate) fn without_credentials(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        (_, None) => url.to_owned(),
    }
}
