//! Secrets: kept where there is one, else made from random numbers, from other secrets, or left for people to fill in.

use std::collections::BTreeMap;

use crate::error::KitError;

/// Letters and digits: such a secret needs no quoting in a URL, a shell, YAML or a file of passwords.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Makes a secret from others.
pub type Make = Box<dyn Fn(&Secrets) -> Result<String, KitError>>;

/// Where a secret that is not there yet comes from.
pub enum Origin {
    /// So many random letters and digits; each is worth almost 6 bits.
    Random(usize),
    /// From other secrets.
    Made(Make),
    /// From people: the file is made empty for them, and the report says so.
    People,
}

/// A secret of a kit: a file with mode 0600 that is written once and never again.
pub struct Secret {
    /// Its path below the kit's directory.
    pub path: &'static str,
    /// Where it comes from when it is not there.
    pub origin: Origin,
}

impl Secret {
    /// A password.
    #[must_use]
    pub fn password(path: &'static str) -> Self {
        Self { path, origin: Origin::Random(32) }
    }

    /// A secret that only people know.
    #[must_use]
    pub fn of_people(path: &'static str) -> Self {
        Self { path, origin: Origin::People }
    }

    /// A secret that follows from others.
    #[must_use]
    pub fn made(path: &'static str, make: impl Fn(&Secrets) -> Result<String, KitError> + 'static) -> Self {
        Self { path, origin: Origin::Made(Box::new(make)) }
    }

    pub(crate) fn value(&self, known: &Secrets) -> Result<String, KitError> {
        match &self.origin {
            Origin::Random(length) => random_text(*length),
            Origin::Made(make) => make(known),
            Origin::People => Ok(String::new()),
        }
    }
}

/// The values of secrets by their paths. `Debug` shows none of them.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// The value of a secret; empty when nobody has filled it in, or when the kit has none of this path.
    #[must_use]
    pub fn get(&self, path: &str) -> &str {
        self.0.get(path).map_or("", |value| value.trim_end_matches('\n'))
    }

    pub(crate) fn insert(&mut self, path: &str, value: String) {
        self.0.insert(path.to_owned(), value);
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// Random letters and digits.
///
/// # Errors
/// When the system gives no random numbers.
pub fn random_text(length: usize) -> Result<String, KitError> {
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    // Numbers from the last, incomplete round of the alphabet are thrown away: every sign is as likely as any other.
    let end = 256 / ALPHABET.len() * ALPHABET.len();
    while text.len() < length {
        getrandom::fill(&mut bytes).map_err(|error| KitError::Random(error.to_string()))?;
        let fit = bytes.iter().map(|byte| usize::from(*byte)).filter(|number| *number < end);
        text.extend(
            fit.take(length - text.len()).map(|number| char::from(ALPHABET[number % ALPHABET.len()])),
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_text_needs_no_quoting_and_comes_once() {
        let texts: Vec<String> = (0..50).map(|_| random_text(32).unwrap()).collect();
        assert!(
            texts.iter().all(|text| text.len() == 32 && text.bytes().all(|it| it.is_ascii_alphanumeric()))
        );
        let distinct: std::collections::BTreeSet<&String> = texts.iter().collect();
        assert_eq!(distinct.len(), texts.len());
        let all: String = texts.concat();
        assert!(
            ALPHABET.iter().all(|sign| all.contains(char::from(*sign))),
            "every sign of the alphabet comes"
        );
    }

    #[test]
    fn nothing_secret_is_shown() {
        let mut secrets = Secrets::default();
        secrets.insert("secrets/password", "hidden\n".to_owned());
        assert_eq!(format!("{secrets:?}"), "{\"secrets/password\"}");
        assert_eq!(secrets.get("secrets/password"), "hidden");
    }
}
