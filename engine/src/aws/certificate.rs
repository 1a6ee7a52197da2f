//! Finds out who signed the certificate that a host shows, for the text of an error.
//!
//! The TLS library says that a signer is unknown and not who it is. Where a company reads its people's connections, the
//! name tells at once whose certificate has to be trusted. The look at it is a connection of its own that ends before
//! anything is sent.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

/// How long each step may take.
const LIMIT: Duration = Duration::from_secs(3);

/// The issuer of the certificate that `host`, which may have a port, shows directly or through a proxy.
pub(crate) async fn issuer(host: &str, proxy: Option<&str>) -> Option<String> {
    let (host, proxy) = (host.to_owned(), proxy.map(str::to_owned));
    tokio::task::spawn_blocking(move || look(&host, proxy.as_deref())).await.ok()?
}

fn look(host: &str, proxy: Option<&str>) -> Option<String> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().ok()?),
        None => (host, 443),
    };
    let mut connection = match proxy {
        Some(proxy) => tunnel(proxy, name, port)?,
        None => open(name, port)?,
    };
    let recorder = Arc::new(Recorder::default());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    // It trusts nobody: the verifier refuses every certificate after a look at it.
    let configuration =
        configuration.dangerous().with_custom_certificate_verifier(recorder.clone()).with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).ok()?;
    let mut session = ClientConnection::new(Arc::new(configuration), name).ok()?;
    while session.is_handshaking() && session.complete_io(&mut connection).is_ok() {}
    let seen = recorder.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    issuer_of(&seen)
}

fn open(host: &str, port: u16) -> Option<TcpStream> {
    let address = (host, port).to_socket_addrs().ok()?.next()?;
    let connection = TcpStream::connect_timeout(&address, LIMIT).ok()?;
    connection.set_read_timeout(Some(LIMIT)).ok()?;
    connection.set_write_timeout(Some(LIMIT)).ok()?;
    Some(connection)
}

/// A connection through a proxy that wants no password; with one the name is not worth sending it again.
fn tunnel(proxy: &str, host: &str, port: u16) -> Option<TcpStream> {
    let proxy = proxy.strip_prefix("http://")?.trim_end_matches('/');
    let (proxy_host, proxy_port) = proxy.rsplit_once(':').unwrap_or((proxy, "80"));
    let mut connection = open(proxy_host, proxy_port.parse().ok()?)?;
    write!(connection, "CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n").ok()?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8_192 {
        connection.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    head.starts_with(b"HTTP/1.1 200").then_some(connection).filter(|_| head.len() < 8_192)
}

/// Keeps the certificate that is shown, and refuses it.
#[derive(Debug, Default)]
struct Recorder(Mutex<Option<Vec<u8>>>);

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.to_vec());
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::BadSignature.into())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::BadSignature.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// An element of DER: its tag, its content and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(first) {
        short @ 0..0x80 => (short, rest),
        long => {
            let (digits, rest) = rest.split_at_checked(long - 0x80)?;
            let length = digits
                .iter()
                .try_fold(0_usize, |sum, &digit| sum.checked_mul(256)?.checked_add(digit.into()))?;
            (length, rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The common name and the organisation of the issuer of an X.509 certificate.
fn issuer_of(certificate: &[u8]) -> Option<String> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut fields, _) = element(certificate)?;
    // A version, which version 1 leaves out, then serial number, algorithm and issuer.
    if fields.first() == Some(&0xA0) {
        fields = element(fields)?.2;
    }
    let after_serial = element(fields)?.2;
    let after_algorithm = element(after_serial)?.2;
    let (_, mut names, _) = element(after_algorithm)?;
    let (mut common, mut organisation) = (None, None);
    while let Some((_, set, rest)) = element(names) {
        names = rest;
        let (_, pair, _) = element(set)?;
        let (_, kind, value) = element(pair)?;
        let text = element(value).map(|(_, text, _)| String::from_utf8_lossy(text).into_owned());
        match kind {
            [0x55, 0x04, 0x03] => common = text,
            [0x55, 0x04, 0x0A] => organisation = text,
            _ => {}
        }
    }
    match (common, organisation) {
        (Some(common), Some(organisation)) => Some(format!("{common} ({organisation})")),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
