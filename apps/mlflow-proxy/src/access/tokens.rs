//! Tokens: `fwp_`, an id of 8 hex digits, `_`, and 32 random bytes in base64url. The SHA-256 of the text is kept.
//!
//! 32 random bytes cannot be guessed, so that a fast hash is enough; the id is no secret and finds the entry.

use ring::digest;
use subtle::ConstantTimeEq;

use super::authorization::TOKEN_PREFIX;

const ID_LENGTH: usize = 8;

/// The length of the random part: 32 bytes in base64url without padding.
const SECRET_LENGTH: usize = 43;

/// Whether a text is the id of a token.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The id in a token, or none when it is no token in our form.
pub(super) fn id(token: &str) -> Option<&str> {
    let (id, secret) = token.strip_prefix(TOKEN_PREFIX)?.split_once('_')?;
    (is_id(id) && secret.len() == SECRET_LENGTH).then_some(id)
}

/// Whether the SHA-256 of a token is the expected one, in constant time.
pub(super) fn matches(token: &str, expected: &[u8; 32]) -> bool {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().ct_eq(expected).into()
}

/// 32 bytes from 64 hex digits.
pub(super) fn hash_from_hex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}
