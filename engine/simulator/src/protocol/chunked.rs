//! Bodies in `aws-chunked` encoding: SDKs send them to add a checksum after what they stream.

use bytes::Bytes;

/// A body without its chunks, and the trailers after it by lower-case name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What was sent.
    pub body: Bytes,
    /// The trailers.
    pub trailers: Vec<(String, String)>,
}

/// Takes the chunks apart; nothing when the body is no such encoding or is cut off.
pub fn decode(body: &Bytes) -> Option<Decoded> {
    let mut rest: &[u8] = body;
    let mut whole = Vec::with_capacity(body.len());
    loop {
        let line = take_line(&mut rest)?;
        // Signed chunks have `;chunk-signature=…` after the size.
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            break;
        }
        whole.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
    let mut trailers = Vec::new();
    while let Some(line) = take_line(&mut rest) {
        if let Some((name, value)) = line.split_once(':') {
            trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    Some(Decoded { body: Bytes::from(whole), trailers })
}

fn take_line<'body>(rest: &mut &'body [u8]) -> Option<&'body str> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(&rest[..end]).ok()?;
    *rest = &rest[end + 2..];
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_the_trailer_is_found() {
        let body = Bytes::from_static(b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-Amz-Checksum-Crc32:hYfK0A==\r\n\r\n");
        let decoded = decode(&body).unwrap();
        assert_eq!(&decoded.body[..], b"abcde");
        assert_eq!(decoded.trailers, [("x-amz-checksum-crc32".to_owned(), "hYfK0A==".to_owned())]);
    }

    #[test]
    fn signed_chunks_are_read_too() {
        let body = Bytes::from_static(b"1;chunk-signature=00ff\r\nx\r\n0;chunk-signature=00fe\r\n\r\n");
        assert_eq!(&decode(&body).unwrap().body[..], b"x");
    }

    #[test]
    fn a_body_that_is_cut_off_is_none() {
        assert_eq!(decode(&Bytes::from_static(b"5\r\nabc")), None);
        assert_eq!(decode(&Bytes::from_static(b"plain text")), None);
    }
}
