//! A name for each request: the client's own if it can stand in a log, else a new one.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::{Builder, Uuid};

/// The header with the name, in requests, in answers, and on to MLflow.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest name that is taken from a client.
const LONGEST: usize = 128;

/// The request's id, which stands in its headers afterwards.
pub(super) fn take(headers: &mut HeaderMap) -> HeaderValue {
    let mut given = headers.get_all(REQUEST_ID).iter();
    if let (Some(id), None) = (given.next(), given.next())
        && is_sane(id.as_bytes())
    {
        return id.clone();
    }
    let mut buffer = Uuid::encode_buffer();
    let id = fresh().hyphenated().encode_lower(&mut buffer);
    let id = HeaderValue::from_str(id).expect("a UUID has only digits, letters and hyphens");
    headers.insert(REQUEST_ID, id.clone());
    id
}

/// A name that no other request has. It is no secret, so that one question to the system for randomness is enough for all.
fn fresh() -> Uuid {
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let [high, low] = KEYS.each_ref().map(|keys| u128::from(keys.hash_one(number)));
    Builder::from_random_bytes((high << 64 | low).to_be_bytes()).into_uuid()
}

fn is_sane(id: &[u8]) -> bool {
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/=+".contains(byte);
    !id.is_empty() && id.len() <= LONGEST && id.iter().all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_kept_and_any_other_replaced() {
        let mut headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static("Root=1-67-ab"))]);
        assert_eq!(take(&mut headers), "Root=1-67-ab");
        for bad in ["", "a b", "a\"b", &"x".repeat(129), "a,b"] {
            let mut headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(bad).unwrap())]);
            let id = take(&mut headers);
            assert_eq!((id.len(), headers[REQUEST_ID].clone()), (36, id), "{bad}");
        }
        assert_ne!(take(&mut HeaderMap::new()), take(&mut HeaderMap::new()));
    }
}
