//! How a file is described to whoever downloads it, so that no browser runs what somebody uploaded.

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a name needs no encoding for in a header. Source: RFC 8187, `attr-char`.
const ATTRIBUTE: AsciiSet = NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Endings of files that MLflow shows as text. Source: `get_text_extensions` of MLflow's `mime_type_utils.py`.
const TEXT: &[&str] = &[
    "txt",
    "log",
    "err",
    "cfg",
    "conf",
    "cnf",
    "cf",
    "ini",
    "properties",
    "prop",
    "hocon",
    "toml",
    "yaml",
    "yml",
    "xml",
    "json",
    "js",
    "py",
    "py3",
    "csv",
    "tsv",
    "md",
    "rst",
    "ipynb",
    "MLmodel",
    "MLproject",
];

/// Other endings that machine learning and its reports use. Source: IANA's register of media types.
const OTHERS: &[(&str, &str)] = &[
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("css", "text/css"),
    ("geojson", "application/geo+json"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("parquet", "application/vnd.apache.parquet"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("zip", "application/zip"),
];

/// The media type of a file by its name, as MLflow's own server tells it.
pub(super) fn guess(name: &str) -> &'static str {
    let ending = match name.rsplit_once('.') {
        // A name that begins with its only dot has no ending, but for MLflow it is one.
        Some((_, ending)) => ending,
        None => name,
    };
    if TEXT.contains(&ending) {
        return "text/plain";
    }
    let ending = ending.to_ascii_lowercase();
    let known = OTHERS.iter().find(|(known, _)| *known == ending);
    known.map_or("application/octet-stream", |(_, kind)| kind)
}

/// Sets the headers of a download: an attachment, of the type that its name says, and nothing that runs.
pub(super) fn describe(headers: &mut HeaderMap, name: &str) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(guess(name)));
    headers.insert(CONTENT_DISPOSITION, attachment(name));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
}

/// `attachment` with the name, once in plain letters and, where these do not do, once in full. Source: RFC 6266.
fn attachment(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .filter(|letter| letter.is_ascii() && !letter.is_ascii_control())
        .flat_map(|letter| matches!(letter, '"' | '\\').then_some('\\').into_iter().chain([letter]))
        .collect();
    let plain = if plain.is_empty() { "download".to_owned() } else { plain };
    let text = if name.is_ascii() {
        format!("attachment; filename=\"{plain}\"")
    } else {
        format!(
            "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
            utf8_percent_encode(name, &ATTRIBUTE)
        )
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_mlflow() {
        for (name, kind) in [
            ("a.txt", "text/plain"),
            ("MLmodel", "text/plain"),
            ("conda.yaml", "text/plain"),
            ("data.json", "text/plain"),
            ("x.JSON", "application/octet-stream"),
            ("x.PNG", "image/png"),
            ("plot.svg", "image/svg+xml"),
            ("report.html", "text/html"),
            ("model.pkl", "application/octet-stream"),
            ("noending", "application/octet-stream"),
            ("archive.tar.gz", "application/gzip"),
        ] {
            assert_eq!(guess(name), kind, "{name}");
        }
    }

    #[test]
    fn names_stand_in_headers_whatever_they_hold() {
        let text = |name: &str| attachment(name).to_str().unwrap().to_owned();
        assert_eq!(text("a b.txt"), "attachment; filename=\"a b.txt\"");
        assert_eq!(text("a\"b\\c.txt"), r#"attachment; filename="a\"b\\c.txt""#);
        assert_eq!(text("é 1.txt"), "attachment; filename=\" 1.txt\"; filename*=UTF-8''%C3%A9%201.txt");
        assert_eq!(text("日本"), "attachment; filename=\"download\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC");
        assert_eq!(text("a\r\nb"), "attachment; filename=\"ab\"");
    }
}
