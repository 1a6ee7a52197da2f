//! Public keys: sets of them as JSON (RFC 7517), and single ones as PEM, as load balancers publish theirs.

use base64::Engine;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::Value;

use super::token::{Algorithm, BASE64URL};

/// The greatest number of keys of an issuer that are kept.
const GREATEST: usize = 64;

/// What stands before the point in the DER form of a key on the curve P-256.
const P256_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Key {
    /// A key on the curve P-256 in PEM.
    pub(super) fn from_pem(pem: &[u8]) -> Option<Self> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).ok()?;
        let point = der.strip_prefix(&P256_HEAD)?;
        (point.len() == 65 && point[0] == 4).then(|| Self::P256(point.to_vec()))
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384};
        match self {
            Self::Rsa { .. } => !matches!(algorithm, Es256 | Es384 | EdDsa),
            Self::P256(_) => algorithm == Es256,
            Self::P384(_) => algorithm == Es384,
            Self::Ed25519(_) => algorithm == EdDsa,
        }
    }
}

/// The keys of an issuer.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    keys: Vec<Named>,
}

#[derive(Debug)]
struct Named {
    id: Option<String>,
    /// The only algorithm that it is for, when it says so.
    algorithm: Option<Algorithm>,
    key: Key,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// A key of a set. Source: RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2.
#[derive(Deserialize)]
struct Entry {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// The keys in a document that can be used; others are passed over, as the RFC asks.
    ///
    /// # Errors
    ///
    /// It is no set of keys, or none of them can be used.
    pub(super) fn parse(document: &[u8]) -> Result<Self, String> {
        let document: Document =
            serde_json::from_slice(document).map_err(|error| format!("it is no set of keys: {error}"))?;
        let entries = document.keys.into_iter().take(GREATEST);
        let keys: Vec<_> = entries.filter_map(|entry| read(serde_json::from_value(entry).ok()?)).collect();
        if keys.is_empty() { Err("it holds no key that can be used".to_owned()) } else { Ok(Self { keys }) }
    }

    /// The keys that may have signed: the one that is named, or without a name all that fit.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<Key> {
        // One key that has no name serves tokens that name one.
        let alone = self.keys.len() == 1;
        let is_meant = |named: &Named| match (id, named.id.as_deref()) {
            (None, _) => true,
            (Some(id), Some(own)) => id == own,
            (Some(_), None) => alone,
        };
        let fits = |named: &&Named| {
            is_meant(named)
                && named.key.fits(algorithm)
                && named.algorithm.is_none_or(|only| only == algorithm)
        };
        self.keys.iter().filter(fits).map(|named| named.key.clone()).collect()
    }
}

fn read(entry: Entry) -> Option<Named> {
    if entry.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let algorithm = match entry.alg.as_deref() {
        None => None,
        Some(name) => Some(Algorithm::from_name(name)?),
    };
    let bytes = |text: Option<String>| BASE64URL.decode(text?).ok();
    let point = |x: Option<String>, y: Option<String>, length: usize| {
        let (x, y) = (bytes(x)?, bytes(y)?);
        (x.len() == length && y.len() == length).then(|| [&[4], &x[..], &y[..]].concat())
    };
    let key = match (entry.kty.as_str(), entry.crv.as_deref()) {
        ("RSA", _) => Key::Rsa { n: trimmed(bytes(entry.n)?), e: trimmed(bytes(entry.e)?) },
        ("EC", Some("P-256")) => Key::P256(point(entry.x, entry.y, 32)?),
        ("EC", Some("P-384")) => Key::P384(point(entry.x, entry.y, 48)?),
        ("OKP", Some("Ed25519")) => Key::Ed25519(bytes(entry.x).filter(|x| x.len() == 32)?),
        _ => return None,
    };
    Some(Named { id: entry.kid, algorithm, key })
}

/// Without zeros in front, which some issuers write and `ring` does not take.
fn trimmed(number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number[zeros..].to_vec()
}
