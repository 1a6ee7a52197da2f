//! What of this machine requests go by, for whoever looks it over without sending any.

pub(crate) use super::http::without_credentials;

/// How many certificates a bundle in PEM form holds that can be used.
pub(crate) fn certificates_in(text: &str) -> usize {
    super::http::pem_certificates(text).len()
}
