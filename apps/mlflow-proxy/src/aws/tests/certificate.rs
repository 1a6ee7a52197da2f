//! A certificate that signs itself, made for one test: as little of X.509 as a client accepts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

/// A certificate and its key.
pub(super) struct Own {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

/// An element of DER: its kind, its length, what is in it.
fn element(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = vec![kind];
    match length {
        0..128 => bytes.push(u8::try_from(length).unwrap()),
        128..256 => bytes.extend([0x81, u8::try_from(length).unwrap()]),
        _ => {
            bytes.push(0x82);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, parts)
}

/// Object identifiers: ecdsa-with-SHA256, id-ecPublicKey, prime256v1, commonName, subjectAltName.
const SIGNED: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ELLIPTIC: &[u8] = &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const CURVE: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 4, 3];
const OTHER_NAMES: &[u8] = &[0x06, 3, 0x55, 0x1d, 0x11];

impl Own {
    /// For a host of this name.
    pub(super) fn new(host: &str) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random).unwrap();
        let name =
            sequence(&[&element(0x31, &[&sequence(&[COMMON_NAME, &element(0x0c, &[host.as_bytes()])])])]);
        let names = sequence(&[&element(0x82, &[host.as_bytes()])]);
        let signed = sequence(&[SIGNED]);
        let body = sequence(&[
            &element(0xa0, &[&element(0x02, &[&[2]])]),
            &element(0x02, &[&[1]]),
            &signed,
            &name,
            &sequence(&[&element(0x17, &[b"200101000000Z"]), &element(0x17, &[b"491231235959Z"])]),
            &name,
            &sequence(&[&sequence(&[ELLIPTIC, CURVE]), &element(0x03, &[&[0], pair.public_key().as_ref()])]),
            &element(0xa3, &[&sequence(&[&sequence(&[OTHER_NAMES, &element(0x04, &[&names])])])]),
        ]);
        let signature = pair.sign(&random, &body).unwrap();
        let certificate = sequence(&[&body, &signed, &element(0x03, &[&[0], signature.as_ref()])]);
        Self { certificate, key: key.as_ref().to_vec() }
    }

    /// The certificate as a file has it.
    pub(super) fn pem(&self) -> String {
        let text = STANDARD.encode(&self.certificate);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }
}
