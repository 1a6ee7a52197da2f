//! The canonical form of a request: what both sides compute from the bytes on the wire.

use std::borrow::Cow;
use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::PathEncoding;

/// Bytes that are never encoded. Source: RFC 3986, section 2.3.
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    table
};

/// Writes a byte as it stands in canonical forms: itself or `%` and two upper-case digits.
pub(super) fn encode(byte: u8, to: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if UNRESERVED[usize::from(byte)] {
        to.push(byte);
    } else {
        to.extend_from_slice(&[b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// A query as it goes out: a plus sign is the space that it stands for, and there is no empty pair.
///
/// All else stays as it came, byte for byte and in its order. Services read `+` as a space and clients sign it as it is;
/// `%20` means the same to both. So do pairs without a byte (`a=1&&b=2`), which some sign and some skip.
pub fn wire_query(query: &str) -> Cow<'_, str> {
    let bytes = query.as_bytes();
    let empty_pair = bytes.first() == Some(&b'&')
        || bytes.last() == Some(&b'&')
        || memchr::memmem::find(bytes, b"&&").is_some();
    if !empty_pair && memchr::memchr(b'+', bytes).is_none() {
        return Cow::Borrowed(query);
    }
    let mut wire = String::with_capacity(query.len() + 16);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if !wire.is_empty() {
            wire.push('&');
        }
        for (place, part) in pair.split('+').enumerate() {
            if place > 0 {
                wire.push_str("%20");
            }
            wire.push_str(part);
        }
    }
    Cow::Owned(wire)
}

/// What is signed of a request, but for headers and body.
pub(super) struct Request<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) paths: PathEncoding,
}

/// A canonical request and where in it the names of its headers stand.
pub(super) struct Canonical {
    pub(super) bytes: Vec<u8>,
    signed: Range<usize>,
}

impl Canonical {
    /// The names of the signed headers, between semicolons.
    pub(super) fn signed_headers(&self) -> &[u8] {
        &self.bytes[self.signed.clone()]
    }
}

impl Request<'_> {
    /// The canonical request with all headers that can be signed.
    pub(super) fn with_headers(&self, headers: &HeaderMap, payload: &[u8]) -> Canonical {
        let mut all = Vec::with_capacity(headers.len());
        all.extend(headers.iter().filter(|(name, _)| can_be_signed(name)));
        // The values of a name keep their order.
        all.sort_by(|(left, _), (right, _)| left.as_str().cmp(right.as_str()));
        let ascii = |(_, value): &(_, &HeaderValue)| value.as_bytes().is_ascii();
        let mut bytes = self.start(2048);
        let mut names = Vec::with_capacity(256);
        for same in all.chunk_by(|(left, _), (right, _)| left == right).filter(|same| same.iter().all(ascii))
        {
            let name = same[0].0.as_str().as_bytes();
            if !names.is_empty() {
                names.push(b';');
            }
            names.extend_from_slice(name);
            bytes.extend_from_slice(name);
            for (place, (_, value)) in same.iter().enumerate() {
                bytes.push(if place == 0 { b':' } else { b',' });
                trim(value.as_bytes(), &mut bytes);
            }
            bytes.push(b'\n');
        }
        bytes.push(b'\n');
        let start = bytes.len();
        bytes.extend_from_slice(&names);
        finish(bytes, start, payload)
    }

    /// The canonical request of a link: only the host is signed.
    pub(super) fn with_host(&self, host: &str, payload: &[u8]) -> Canonical {
        let mut bytes = self.start(2048);
        for part in ["host:", host, "\n\n"] {
            bytes.extend_from_slice(part.as_bytes());
        }
        let start = bytes.len();
        bytes.extend_from_slice(b"host");
        finish(bytes, start, payload)
    }

    fn start(&self, capacity: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.extend_from_slice(self.method.as_str().as_bytes());
        bytes.push(b'\n');
        match self.paths {
            PathEncoding::Twice => path_twice(self.uri.path().as_bytes(), &mut bytes),
            PathEncoding::Once => path_once(self.uri.path().as_bytes(), &mut bytes),
        }
        bytes.push(b'\n');
        query(self.uri.query().unwrap_or_default().as_bytes(), &mut bytes);
        bytes.push(b'\n');
        bytes
    }
}

fn finish(mut bytes: Vec<u8>, start: usize, payload: &[u8]) -> Canonical {
    let signed = start..bytes.len();
    bytes.push(b'\n');
    bytes.extend_from_slice(payload);
    Canonical { bytes, signed }
}

/// Whether a header is signed if it is ASCII. The names left out are those of botocore's `SIGNED_HEADERS_BLACKLIST` and
/// what belongs to them.
fn can_be_signed(name: &HeaderName) -> bool {
    !matches!(
        name.as_str(),
        "authorization"
            | "connection"
            | "expect"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "user-agent"
            | "x-amzn-trace-id"
    )
}

/// A value without spaces around it and with one where there were several.
fn trim(value: &[u8], to: &mut Vec<u8>) {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    if memchr::memchr2(b' ', b'\t', value).is_none() {
        to.extend_from_slice(value);
        return;
    }
    let start = to.len();
    for word in value.split(blank).filter(|word| !word.is_empty()) {
        if to.len() > start {
            to.push(b' ');
        }
        to.extend_from_slice(word);
    }
}

/// The path as most services read it: without dot segments and empty ones, and encoded once more.
fn path_twice(path: &[u8], to: &mut Vec<u8>) {
    let start = to.len();
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                let slash = to[start..].iter().rposition(|byte| *byte == b'/');
                to.truncate(start + slash.unwrap_or_default());
            }
            segment => {
                to.push(b'/');
                for byte in segment {
                    encode(*byte, to);
                }
            }
        }
    }
    if path.last() == Some(&b'/') || to.len() == start {
        to.push(b'/');
    }
}

/// The path as S3 reads it: encoded once, its segments as they are.
fn path_once(path: &[u8], to: &mut Vec<u8>) {
    let start = to.len();
    let mut rest = path;
    while let Some((byte, after)) = decode(rest) {
        match byte {
            // An encoded slash stays encoded: it is not the one between segments.
            b'/' if after.len() + 1 == rest.len() => to.push(b'/'),
            byte => encode(byte, to),
        }
        rest = after;
    }
    if to.len() == start {
        to.push(b'/');
    }
}

/// The next byte of a text, decoded, and what follows it. What is no encoding stands for itself.
fn decode(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match text {
        [b'%', high, low, rest @ ..] => match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => Some((high << 4 | low, rest)),
            _ => Some((b'%', &text[1..])),
        },
        [byte, rest @ ..] => Some((*byte, rest)),
        [] => None,
    }
}

/// The query, decoded and encoded again, its pairs in the order of their encoded bytes.
fn query(query: &[u8], to: &mut Vec<u8>) {
    if query.is_empty() {
        return;
    }
    let mut text = Vec::with_capacity(query.len() + 32);
    let mut pairs = Vec::with_capacity(8);
    for pair in query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let (name, value) = match memchr::memchr(b'=', pair) {
            Some(place) => (&pair[..place], &pair[place + 1..]),
            None => (pair, &b""[..]),
        };
        let start = text.len();
        recode(name, &mut text);
        let middle = text.len();
        recode(value, &mut text);
        pairs.push((start..middle, middle..text.len()));
    }
    let key = |(name, value): &(Range<usize>, Range<usize>)| (&text[name.clone()], &text[value.clone()]);
    pairs.sort_unstable_by(|left, right| key(left).cmp(&key(right)));
    for (place, pair) in pairs.iter().enumerate() {
        if place > 0 {
            to.push(b'&');
        }
        let (name, value) = key(pair);
        to.extend_from_slice(name);
        to.push(b'=');
        to.extend_from_slice(value);
    }
}

/// A name or a value of a query in its canonical encoding.
fn recode(text: &[u8], to: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((byte, after)) = decode(rest) {
        let plus = byte == b'+' && after.len() + 1 == rest.len();
        encode(if plus { b' ' } else { byte }, to);
        rest = after;
    }
}
