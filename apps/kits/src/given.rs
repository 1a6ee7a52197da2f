//! Settings from a file and from a command line, into the typed ones of a kit.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::error::KitError;

/// The settings of a kit: what the text of a settings file says, and over it what is given; the rest has its default.
///
/// # Errors
/// When the text is no TOML, or a key or a value is none of the kit's.
pub fn settings<S: DeserializeOwned>(
    text: Option<&str>,
    origin: &str,
    given: impl IntoIterator<Item = (&'static str, Value)>,
) -> Result<S, KitError> {
    let wrong = |error: toml::de::Error| {
        let place = match (error.span(), text) {
            (Some(span), Some(text)) => {
                format!("{origin}:{}", text[..span.start.min(text.len())].matches('\n').count() + 1)
            }
            _ => origin.to_owned(),
        };
        let hint = "docs/kits.md has every key; a kit that was written has them all in kit.toml";
        KitError::Settings(vec![format!("{place}: {}\nhint: {hint}", error.message())])
    };
    let mut table: Table = toml::from_str(text.unwrap_or_default()).map_err(wrong)?;
    // A file is told where it is wrong: by its lines, which a table has not.
    if let Some(text) = text {
        toml::from_str::<S>(text).map_err(wrong)?;
    }
    table.extend(given.into_iter().map(|(key, value)| (key.to_owned(), value)));
    table.try_into().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{Artifacts, ComposeSettings};

    fn read(text: Option<&str>, given: Vec<(&'static str, Value)>) -> Result<ComposeSettings, KitError> {
        settings(text, "kit.toml", given)
    }

    #[test]
    fn what_is_given_goes_before_the_file_and_the_file_before_the_defaults() {
        let text = "port = 443\nartifacts = \"local\"\n";
        let given = vec![("port", Value::Integer(8443))];
        let found = read(Some(text), given).unwrap();
        assert_eq!((found.port, found.artifacts, found.workers), (8443, Artifacts::Local, 2));
        assert_eq!(read(None, Vec::new()).unwrap(), ComposeSettings::default());
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, line, words) in [
            ("port = 1\nartefacts = \"local\"\n", "kit.toml:2", "unknown field `artefacts`"),
            ("artifacts = \"minio\"\n", "kit.toml:1", "unknown variant `minio`"),
            ("\n\nport = 70000\n", "kit.toml:3", "70000"),
            ("port = \n", "kit.toml:1", ""),
        ] {
            let message = read(Some(text), Vec::new()).unwrap_err().to_string();
            assert!(message.starts_with(line) && message.contains(words), "{message}");
        }
    }
}
