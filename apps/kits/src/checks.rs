//! Checks that the settings of several kits share, and the list of what they found.

use crate::error::KitError;

/// What is wrong with settings: all of it is told at once.
#[derive(Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn add(&mut self, message: String, hint: &str) {
        self.0.push(format!("{message}\nhint: {hint}"));
    }

    pub(crate) fn finish(self) -> Result<(), KitError> {
        if self.0.is_empty() { Ok(()) } else { Err(KitError::Settings(self.0)) }
    }
}

/// Letters, digits and the given signs, beginning with a letter or digit.
pub(crate) fn is_word(text: &str, more: &str) -> bool {
    let is_fit = |sign: char| sign.is_ascii_alphanumeric() || more.contains(sign);
    text.starts_with(|sign: char| sign.is_ascii_alphanumeric())
        && text.chars().all(is_fit)
        && text.len() <= 255
}

/// The name or the IPv4 address of a host.
pub(crate) fn is_host(text: &str) -> bool {
    text.split('.').all(|label| is_word(label, "-") && !label.ends_with('-')) && text.len() <= 253
}

/// A container image with a version or a digest.
pub(crate) fn is_image(text: &str) -> bool {
    let (name, tag) = match text.split_once('@') {
        Some((name, digest)) => (name, digest.strip_prefix("sha256:").unwrap_or_default()),
        // A colon before the last slash is that of a port.
        None => match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => return false,
        },
    };
    is_word(tag, "-_.") && tag != "latest" && name.split('/').all(|part| is_word(part, "-_.:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_pinned_by_a_version_or_a_digest() {
        for good in ["postgres:18-alpine", "host:5000/team/store:1.2", "a/b@sha256:0123abcd"] {
            assert!(is_image(good), "{good}");
        }
        for bad in ["postgres", "postgres:latest", "host:5000/store", "postgres:18 alpine", "a@sha256:", ""] {
            assert!(!is_image(bad), "{bad}");
        }
    }

    #[test]
    fn a_host_is_a_name_without_anything_around_it() {
        assert!(is_host("mlops.internal") && is_host("127.0.0.1") && is_host("a-b"));
        for bad in ["", "a..b", "-a", "a-", "http://a", "a:80", "a/b", "a b", "a;b", "*"] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
