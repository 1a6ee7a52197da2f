//! The proxy's own calls to AWS and its one HTTP client: connections are kept and shared by all that calls out.
//!
//! [`Client`] carries requests to MLflow, to S3, to the issuers of tokens and, for the SDK's part of the credentials, to
//! STS. [`Calls`] are the few signed calls in JSON for which the SDK's crates would be large: a secret, a link to MLflow's
//! user interface, lines of a log.

mod calls;
mod client;
mod clock;
mod connector;
mod endpoints;
mod progress;
mod sdk;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::settings::{Reader, Variable};

pub(crate) use calls::is_throttling;
pub use calls::{CallError, Calls, is_expired_token};
pub use client::{Client, SendError};
pub use clock::Clock;
pub use endpoints::{Endpoints, Service};
pub(crate) use sdk::http_client;

/// The settings of calls to AWS.
pub const VARIABLES: &[Variable] = &[
    CONNECT_TIMEOUT,
    FIRST_BYTE_TIMEOUT,
    CA_BUNDLE,
    SSL_CERT_FILE,
    endpoints::ALL,
    endpoints::STS,
    endpoints::SECRETS_MANAGER,
    endpoints::SAGEMAKER,
    endpoints::LOGS,
    endpoints::S3,
];

const CONNECT_TIMEOUT: Variable = Variable {
    name: "MLFLOW_PROXY_CONNECT_TIMEOUT",
    default: "5",
    about: "Seconds that a connection to MLflow or AWS may take to open, TLS included.",
};

const FIRST_BYTE_TIMEOUT: Variable = Variable {
    name: "MLFLOW_PROXY_FIRST_BYTE_TIMEOUT",
    default: "120",
    about: "Seconds that an answer may take to begin once the request is on its way; MLflow's clients wait 120.",
};

const CA_BUNDLE: Variable = Variable {
    name: "MLFLOW_PROXY_CA_BUNDLE",
    default: "",
    about: "A PEM file with certificates to trust beside the public ones.",
};

const SSL_CERT_FILE: Variable = Variable {
    name: "SSL_CERT_FILE",
    default: "",
    about: "The same as MLFLOW_PROXY_CA_BUNDLE, by the name that other programs know.",
};

/// How connections are made, and to where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a connection may take to open.
    pub connect: Duration,
    /// How long an answer may take to begin, counted from the last byte of the request that went out.
    pub first_byte: Duration,
    /// Certificates to trust beside the public ones.
    pub roots: Vec<CertificateDer<'static>>,
    /// Addresses that take the place of AWS's.
    pub endpoints: Endpoints,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(120),
            roots: Vec::new(),
            endpoints: Endpoints::default(),
        }
    }
}

impl Settings {
    /// Reads the settings and the certificates that they name.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        let connect = reader.seconds(&CONNECT_TIMEOUT).unwrap_or(default.connect);
        let first_byte = reader.seconds(&FIRST_BYTE_TIMEOUT).unwrap_or(default.first_byte);
        let mut roots = Vec::new();
        for variable in [&CA_BUNDLE, &SSL_CERT_FILE] {
            let Some(path) = reader.given(variable) else { continue };
            match certificates(Path::new(&path)) {
                Ok(found) => roots.extend(found),
                Err(why) => {
                    let wrong = format!("names `{path}`, which cannot be used: {why}");
                    reader.mistake(variable, wrong, "give a file of certificates in PEM form");
                }
            }
        }
        Self { connect, first_byte, roots, endpoints: Endpoints::read(reader) }
    }
}

/// The certificates of a PEM file; there has to be one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        rustls::RootCertStore::empty().add(certificate.clone()).map_err(|error| error.to_string())?;
        found.push(certificate);
    }
    if found.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(found) }
}

/// A number from 0 up to 1 by chance, so that many do not try again at the same moment.
pub(crate) fn jitter() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    // Every state has its own keys, which the operating system's randomness begins.
    let bits = RandomState::new().hash_one(0u8) >> 32;
    f64::from(u32::try_from(bits).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
}
