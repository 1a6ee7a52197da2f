//! A path as MLflow will read it, or the finding that it could be read in more than one way.
//!
//! MLflow's server decodes a path once and then looks for its route; other servers on the way may merge slashes, resolve
//! dots or decode again. A path on which they could disagree is given up, since a role is decided by it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::decoding::{Further, further, is_ambiguous};

/// A segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    /// Decoded once.
    pub(super) text: Cow<'a, str>,
    /// Whether it stood there as it is.
    pub(super) plain: bool,
    /// Whether it is no more than one segment to anybody, so that it can stand for a placeholder.
    pub(super) single: bool,
}

/// The segments of a path after its first slash; the last one is empty when the path ends in a slash. `None` when the
/// path is ambiguous: dots, empty segments, backslashes, control characters, what is not UTF-8.
pub(super) fn split(path: &str) -> Option<Vec<Segment<'_>>> {
    let path = path.strip_prefix('/')?;
    let mut segments = Vec::with_capacity(8);
    let mut rest = Some(path);
    while let Some(text) = rest {
        let (segment, after) = match text.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (text, None),
        };
        rest = after;
        if segment.is_empty() {
            // Only at the end: MLflow's server merges slashes.
            if rest.is_some() {
                return None;
            }
            segments.push(Segment { text: Cow::Borrowed(""), plain: true, single: false });
            break;
        }
        segments.push(read(segment)?);
    }
    Some(segments)
}

fn read(segment: &str) -> Option<Segment<'_>> {
    if !segment.bytes().any(|byte| matches!(byte, b'%' | b'\\' | b';') || byte >= 0x7f || byte <= b' ') {
        let dots = segment == "." || segment == "..";
        return (!dots).then_some(Segment { text: Cow::Borrowed(segment), plain: true, single: true });
    }
    if segment.bytes().any(|byte| byte >= 0x7f || byte <= b' ') {
        return None;
    }
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    if is_ambiguous(&text) {
        return None;
    }
    let single = match further(&text) {
        Further::Same => !text.contains(['/', ';']),
        Further::Harmless => false,
        Further::Elsewhere | Further::Endless => return None,
    };
    Some(Segment { plain: text == segment, text, single })
}
