//! TLS of the server's own: certificate and key from files, read again when they change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or is no PEM.
    #[error("cannot read `{path}`: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: pem::Error,
    },
    /// There is no certificate in the file.
    #[error(
        "`{0}` has no certificate\nhint: give a PEM file with the chain, the server's own certificate first"
    )]
    NoCertificate(PathBuf),
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("cannot serve TLS with certificate `{certificate}` and key `{key}`: {error}")]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        error: rustls::Error,
    },
}

/// The server's side of TLS, with the newest certificate that could be read.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ArcSwap<ServerConfig>>,
    certificate: PathBuf,
    key: PathBuf,
}

impl Tls {
    /// Reads certificate chain and key from PEM files.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or both cannot be used together.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let config = configuration(certificate, key)?;
        Ok(Self {
            config: Arc::new(ArcSwap::from(config)),
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Looks at the files again and again and takes what is new. A pair that cannot be used is told and not taken: the
    /// two files are rarely written at the same moment.
    pub async fn keep_fresh(self) {
        let mut seen = self.stamps().await;
        loop {
            tokio::time::sleep(LOOK).await;
            let stamps = self.stamps().await;
            if stamps == seen {
                continue;
            }
            let (certificate, key) = (self.certificate.clone(), self.key.clone());
            match tokio::task::spawn_blocking(move || configuration(&certificate, &key)).await {
                Ok(Ok(config)) => {
                    self.config.store(config);
                    seen = stamps;
                    tracing::info!(certificate = %self.certificate.display(), "took a new TLS certificate");
                }
                Ok(Err(error)) => tracing::error!(%error, "the old TLS certificate stays in use"),
                Err(error) => tracing::error!(%error, "the old TLS certificate stays in use"),
            }
        }
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }

    async fn stamps(&self) -> [Option<(SystemTime, u64)>; 2] {
        let stamp = async |path: &Path| {
            let about: io::Result<std::fs::Metadata> = tokio::fs::metadata(path).await;
            about.and_then(|about| Ok((about.modified()?, about.len()))).ok()
        };
        [stamp(&self.certificate).await, stamp(&self.key).await]
    }
}

fn configuration(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |path: &Path| {
        let path = path.to_owned();
        move |error| TlsError::File { path, error }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(wrong(certificate))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(wrong(key))?;
    let unusable =
        |error| TlsError::Unusable { certificate: certificate.to_owned(), key: key.to_owned(), error };
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
