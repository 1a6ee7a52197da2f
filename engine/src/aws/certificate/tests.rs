use std::net::TcpListener;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::aws::fake::{Answer, elsewhere, fake};
use crate::aws::{ConnectOptions, ErrorKind, Session, Transport};

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let mut element = vec![tag];
    match length {
        0..0x80 => element.push(u8::try_from(length).expect("short")),
        _ => element.extend([
            0x82,
            u8::try_from(length >> 8).expect("below 64 KiB"),
            u8::try_from(length & 0xFF).expect("a byte"),
        ]),
    }
    element.extend(content);
    element
}

/// A certificate for `localhost`, signed by itself, and its key: made anew, so that none lies in the sources.
fn self_signed(common: &str, organisation: &str) -> (Vec<u8>, Vec<u8>) {
    const ALGORITHM: &[u8] = &[0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
    const KEY_KIND: &[u8] = &[
        0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE,
        0x3D, 0x03, 0x01, 0x07,
    ];
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random).expect("a key");
    let part = |kind: u8, text: &str| {
        der(0x31, &[&der(0x30, &[&[0x06, 0x03, 0x55, 0x04, kind], &der(0x0C, &[text.as_bytes()])])])
    };
    let name = der(0x30, &[&part(0x0A, organisation), &part(0x03, common)]);
    let valid = der(0x30, &[&der(0x17, &[b"250101000000Z"]), &der(0x18, &[b"21250101000000Z"])]);
    let public = der(0x30, &[KEY_KIND, &der(0x03, &[&[0], pair.public_key().as_ref()])]);
    let alternative = der(
        0x30,
        &[&[0x06, 0x03, 0x55, 0x1D, 0x11], &der(0x04, &[&der(0x30, &[&der(0x82, &[b"localhost"])])])],
    );
    let extensions = der(0xA3, &[&der(0x30, &[&alternative])]);
    let head = [0xA0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x01, 0x01];
    let body = der(0x30, &[&head, ALGORITHM, &name, &valid, &name, &public, &extensions]);
    let signature = pair.sign(&random, &body).expect("signs");
    (der(0x30, &[&body, ALGORITHM, &der(0x03, &[&[0], signature.as_ref()])]), key.as_ref().to_vec())
}

fn pem(certificate: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in certificate.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[usize::try_from(bits >> (18 - 6 * place) & 63).expect("six bits")];
            text.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

const IDENTITY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 180\r\n\r\n<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// A service behind TLS; its port.
fn serve(certificate: &[u8], key: &[u8]) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
    let configuration = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate.to_vec())], key)
        .expect("a certificate");
    let configuration = Arc::new(configuration);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let session = ServerConnection::new(configuration.clone()).expect("a session");
            let mut stream = StreamOwned::new(session, connection);
            let mut buffer = [0; 8_192];
            if stream.read(&mut buffer).is_ok_and(|count| count > 0) {
                let _ = stream.write_all(IDENTITY.as_bytes());
                let _ = stream.flush();
            }
        }
    });
    port
}

/// Fault 11: the certificates of AWS_CA_BUNDLE are trusted, and without them the error names who signed the certificate.
#[tokio::test]
async fn a_bundle_is_trusted_and_an_unknown_signer_is_named() {
    let here = "aws::certificate::tests::a_bundle_is_trusted_and_an_unknown_signer_is_named";
    let connect = || async {
        let options =
            ConnectOptions { transport: Transport::Network, ..fake(|_, _| Answer::Broken).options() };
        Session::connect(&options).await
    };
    match std::env::var("EXPECTED").as_deref() {
        Ok("trusted") => {
            let session = connect().await;
            assert_eq!(session.expect("connects").account(), "123456789012");
        }
        Ok(_) => {
            let failed = connect().await.expect_err("nobody is trusted");
            assert_eq!(failed.kind, ErrorKind::Other);
            assert!(failed.message.contains("Interceptor (Example Corp)"), "{failed}");
            assert!(failed.message.contains("AWS_CA_BUNDLE"), "{failed}");
        }
        Err(_) => {
            let (certificate, key) = self_signed("Interceptor", "Example Corp");
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("bundle.pem");
            let other = self_signed("Somebody else", "Nobody").0;
            std::fs::write(&file, format!("# two\n{}{}", pem(&other), pem(&certificate))).expect("writes");
            let url = format!("https://localhost:{}", serve(&certificate, &key));
            let mut variables = vec![
                ("AWS_ENDPOINT_URL", url.as_str()),
                ("AWS_ACCESS_KEY_ID", "AKID"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("EXPECTED", "named"),
            ];
            assert!(elsewhere(here, &variables));
            variables.truncate(3);
            variables.extend([("AWS_CA_BUNDLE", file.to_str().expect("text")), ("EXPECTED", "trusted")]);
            assert!(elsewhere(here, &variables));
        }
    }
}

#[test]
fn issuers_are_read_from_certificates_and_garbage_is_none() {
    let (certificate, _) = self_signed("Root", "Org");
    assert_eq!(issuer_of(&certificate).as_deref(), Some("Root (Org)"));
    for length in 0..certificate.len().min(80) {
        let _ = issuer_of(&certificate[..length]);
    }
}
