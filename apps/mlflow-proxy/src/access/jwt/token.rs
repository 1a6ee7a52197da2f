//! A JSON Web Token: its parts, and whether a key has signed it.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::signature;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Refusal;
use super::keys::Key;

/// Base64url without padding, and with it, as load balancers write it.
pub(super) const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The longest token. Those with many groups are a few KiB long.
const LONGEST: usize = 16 * 1024;

/// The algorithms that are accepted: those with a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    /// The algorithm of this name; `none` and those with a shared key have none.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }
}

/// What the head of a token says.
#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
    signer: Option<String>,
    client: Option<String>,
    exp: Option<f64>,
}

/// A token that was taken apart. Nothing in it is true until its signature is checked.
pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// The load balancer that says to have signed.
    pub(super) signer: Option<String>,
    /// The client of the issuer that the load balancer is.
    pub(super) client: Option<String>,
    /// The end of a load balancer's word.
    pub(super) head_expires: Option<f64>,
    pub(super) claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Refusal> {
        let malformed = Refusal::Token("the token is no JSON Web Token");
        if text.len() > LONGEST {
            return Err(Refusal::Token("the token is too long"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(malformed.clone())?;
        let (head, claims) = signed.split_once('.').ok_or(malformed.clone())?;
        let decode = |part: &str| BASE64URL.decode(part).map_err(|_| malformed.clone());
        let head: Head = serde_json::from_slice(&decode(head)?).map_err(|_| malformed.clone())?;
        let claims = serde_json::from_slice(&decode(claims)?).map_err(|_| malformed.clone())?;
        let algorithm = Algorithm::from_name(&head.alg);
        let algorithm =
            algorithm.ok_or(Refusal::Token("the token is signed by no algorithm that is accepted"))?;
        if head.crit.is_some() {
            return Err(Refusal::Token("the token demands extensions that are not known"));
        }
        Ok(Self {
            algorithm,
            key_id: head.kid,
            signer: head.signer,
            client: head.client,
            head_expires: head.exp,
            claims,
            signed,
            signature: decode(signature)?,
        })
    }

    /// Whether this key has signed the token, by the algorithm that the token names.
    pub(super) fn is_signed_by(&self, key: &Key) -> bool {
        let message = self.signed.as_bytes();
        let verify = |algorithm: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            signature::UnparsedPublicKey::new(algorithm, key).verify(message, &self.signature).is_ok()
        };
        let rsa = |parameters: &signature::RsaParameters, n: &Vec<u8>, e: &Vec<u8>| {
            signature::RsaPublicKeyComponents { n, e }.verify(parameters, message, &self.signature).is_ok()
        };
        match (self.algorithm, key) {
            (Algorithm::Rs256, Key::Rsa { n, e }) => rsa(&signature::RSA_PKCS1_2048_8192_SHA256, n, e),
            (Algorithm::Rs384, Key::Rsa { n, e }) => rsa(&signature::RSA_PKCS1_2048_8192_SHA384, n, e),
            (Algorithm::Rs512, Key::Rsa { n, e }) => rsa(&signature::RSA_PKCS1_2048_8192_SHA512, n, e),
            (Algorithm::Ps256, Key::Rsa { n, e }) => rsa(&signature::RSA_PSS_2048_8192_SHA256, n, e),
            (Algorithm::Ps384, Key::Rsa { n, e }) => rsa(&signature::RSA_PSS_2048_8192_SHA384, n, e),
            (Algorithm::Ps512, Key::Rsa { n, e }) => rsa(&signature::RSA_PSS_2048_8192_SHA512, n, e),
            (Algorithm::Es256, Key::P256(point)) => verify(&signature::ECDSA_P256_SHA256_FIXED, point),
            (Algorithm::Es384, Key::P384(point)) => verify(&signature::ECDSA_P384_SHA384_FIXED, point),
            (Algorithm::EdDsa, Key::Ed25519(point)) => verify(&signature::ED25519, point),
            _ => false,
        }
    }
}
