//! Requests to servers that are no service of AWS's models: MLflow's API, as it is or behind AWS's signature.
//!
//! They share connectors, proxy and certificates with the calls of AWS. Bodies come from memory or from a file and are
//! handed on piece by piece, so that an artifact of any size takes no room.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::primitives::ByteStream;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use super::environment::Environment;
use super::error::{Error, ErrorKind, chain};
use super::http::{CONNECT, explained, host_of};
use super::session::Session;

/// How long an answer may take to begin: MLflow's own client waits as long.
const BEGIN: Duration = Duration::from_secs(120);
/// How long a body may stand still.
const IDLE: Duration = Duration::from_secs(60);

/// Who signs, and for which service.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) session: Session,
    pub(crate) service: &'static str,
    pub(crate) region: String,
}

/// Sends requests and hands on answers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Exchange {
    connector: SharedHttpConnector,
    signer: Option<Signer>,
}

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Bytes(Bytes),
    /// A file and its size; only without a signature, which is over the whole body.
    File(PathBuf, u64),
}

/// An answer whose body has not been read.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: ByteStream,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("signer", &self.signer).finish_non_exhaustive()
    }
}

impl Exchange {
    /// Over the wire of an environment, signed if somebody signs.
    pub(crate) fn new(environment: &Environment, signer: Option<Signer>) -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(BEGIN).build();
        Self { connector: environment.wire.connector(&settings), signer }
    }

    /// Sends one request once.
    ///
    /// # Errors
    /// When no answer comes. Any status is an answer.
    pub(crate) async fn send(
        &self,
        method: &'static str,
        url: &str,
        headers: &[(&str, &str)],
        body: &Body,
    ) -> Result<Answer, Error> {
        let mut request = ::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let content = match body {
            Body::Bytes(bytes) => SdkBody::from(bytes.clone()),
            Body::File(path, bytes) => {
                request = request.header("content-length", bytes.to_string());
                let stream = ByteStream::from_path(path).await.map_err(|error| wrong(&error.to_string()))?;
                stream.into_inner()
            }
        };
        let mut request = request.body(content).map_err(|error| wrong(&error.to_string()))?;
        if let Some(signer) = &self.signer {
            let (credentials, _) = signer.session.caller().credentials().current().await?;
            apply_signature(signer, &credentials, method, url, headers, body, &mut request)?;
        }
        let request = HttpRequest::try_from(request).map_err(|error| wrong(&error.to_string()))?;
        let host = host_of(request.uri()).to_owned();
        let mut answer = match self.connector.call(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let told = chain(&explained(error, host).await);
                return Err(Error::new("request", ErrorKind::Unreachable, told));
            }
        };
        let headers = answer.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: headers.collect(),
            body: ByteStream::new(answer.take_body()),
        })
    }

    /// Has the credentials read again, after a refusal that may come from their age.
    pub(crate) async fn renew(&self) -> bool {
        let Some(signer) = &self.signer else { return false };
        let caller = signer.session.caller();
        match caller.credentials().current().await {
            Ok((_, generation)) => caller.credentials().renew(generation).await.unwrap_or(false),
            Err(_) => false,
        }
    }
}

impl Answer {
    /// A header by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The next piece of the body; nothing at its end.
    ///
    /// # Errors
    /// When the connection breaks or stands still.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let broken = |why: String| Error::new("request", ErrorKind::Unreachable, why);
        match tokio::time::timeout(IDLE, self.body.next()).await {
            Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
            Ok(Some(Err(error))) => Err(broken(format!("the answer breaks off: {error}"))),
            Ok(None) => Ok(None),
            Err(_) => Err(broken("the answer stands still".to_owned())),
        }
    }

    /// The whole body, at most so many bytes of it.
    ///
    /// # Errors
    /// When it breaks off or is longer.
    pub(crate) async fn whole(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
            if whole.len() > most {
                let message = format!("the answer is longer than {most} bytes");
                return Err(Error::new("request", ErrorKind::Protocol, message));
            }
        }
        Ok(whole)
    }
}

fn apply_signature(
    signer: &Signer,
    credentials: &Credentials,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &Body,
    request: &mut ::http::Request<SdkBody>,
) -> Result<(), Error> {
    let Body::Bytes(bytes) = body else { return Err(wrong("a body from a file cannot be signed")) };
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    // AWS's own plugin sends the hash of every body, and nothing says that the service does without.
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&signer.region)
        .name(signer.service)
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .map_err(|error| wrong(&error.to_string()))?
        .into();
    let signable = SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(bytes));
    let signed = signable.and_then(|signable| sign(signable, &parameters));
    let signed = signed.map_err(|error| wrong(&error.to_string()))?;
    signed.into_parts().0.apply_to_request_http1x(request);
    Ok(())
}

fn wrong(why: &str) -> Error {
    Error::new("request", ErrorKind::Invalid, why.to_owned())
}
