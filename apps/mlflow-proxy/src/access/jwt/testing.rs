//! Keys that tests make up, and the places where they are published.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
};
use serde_json::{Value, json};

use crate::access::sources::Documents;

pub(super) const ISSUER: &str = "https://issuer.example";

/// A key of a test, with the private half.
pub(super) enum Pair {
    Curve(&'static str, &'static str, EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
}

impl Pair {
    pub(super) fn curve(
        algorithm: &'static EcdsaSigningAlgorithm,
        name: &'static str,
        curve: &'static str,
    ) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Curve(name, curve, EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
    }

    pub(super) fn p256() -> Self {
        Self::curve(&ECDSA_P256_SHA256_FIXED_SIGNING, "ES256", "P-256")
    }

    pub(super) fn edwards() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Edwards(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Curve(name, ..) => name,
            Self::Edwards(_) => "EdDSA",
        }
    }

    pub(super) fn sign(&self, message: &str) -> Vec<u8> {
        match self {
            Self::Curve(.., pair) => {
                pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
            }
            Self::Edwards(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        }
    }

    pub(super) fn public(&self, id: &str) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Curve(_, curve, pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
                json!({ "kty": "EC", "crv": curve, "kid": id, "use": "sig", "x": encode(x), "y": encode(y) })
            }
            Self::Edwards(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": encode(pair.public_key().as_ref()) })
            }
        }
    }

    /// As a load balancer publishes it.
    pub(super) fn pem(&self) -> String {
        let Self::Curve(.., pair) = self else { panic!("load balancers sign by ES256") };
        let head = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let mut der: Vec<u8> =
            (0..head.len()).step_by(2).map(|at| u8::from_str_radix(&head[at..at + 2], 16).unwrap()).collect();
        der.extend_from_slice(pair.public_key().as_ref());
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    pub(super) fn token(&self, head: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(head), encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(&message));
        format!("{message}.{signature}")
    }

    pub(super) fn bearer(&self, claims: &Value) -> String {
        self.token(&json!({ "alg": self.name(), "kid": "k1" }), claims)
    }
}

/// What is published, and how often it was fetched.
#[derive(Clone, Default)]
pub(super) struct Web {
    pages: Arc<Mutex<HashMap<String, String>>>,
    fetches: Arc<AtomicU32>,
}

impl Web {
    pub(super) fn with_keys(keys: &[Value]) -> Self {
        let web = Self::default();
        let discovery = json!({ "issuer": ISSUER, "jwks_uri": "https://keys.example/set" });
        web.set("https://issuer.example/.well-known/openid-configuration", &discovery.to_string());
        web.set("https://keys.example/set", &json!({ "keys": keys }).to_string());
        web
    }

    pub(super) fn set(&self, place: &str, page: &str) {
        self.pages.lock().unwrap().insert(place.to_owned(), page.to_owned());
    }

    pub(super) fn documents(&self) -> Documents {
        let web = self.clone();
        Arc::new(move |uri, greatest| {
            web.fetches.fetch_add(1, Ordering::Relaxed);
            let page = web.pages.lock().unwrap().get(&uri.to_string()).cloned();
            let page = page.filter(|page| page.len() <= greatest).map(Bytes::from);
            Box::pin(async move { page.ok_or_else(|| "it is not there".to_owned()) })
        })
    }

    pub(super) fn fetches(&self) -> u32 {
        self.fetches.load(Ordering::Relaxed)
    }
}
