//! The key of a bucket, in the form that AWS's own programs keep it in.

use serde::Serialize;

/// The key of a bucket. `Debug` does not show its secret half.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct AccessKey {
    /// The id of the key.
    pub id: String,
    /// Its secret half.
    pub secret: String,
}

impl AccessKey {
    /// The text of a file of credentials.
    #[must_use]
    pub fn to_file(&self) -> String {
        format!("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n", self.id, self.secret)
    }

    /// The key in the text of such a file; empty where it has none.
    #[must_use]
    pub fn of_file(text: &str) -> Self {
        let value = |name: &str| {
            let values = text.lines().filter_map(|line| line.split_once('='));
            let mut named = values.filter(|(key, _)| key.trim() == name);
            named.next().map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        Self { id: value("aws_access_key_id"), secret: value("aws_secret_access_key") }
    }
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_file_and_is_not_shown() {
        let key = AccessKey { id: "AKIAEXAMPLE".to_owned(), secret: "a/b+c=d".to_owned() };
        assert_eq!(AccessKey::of_file(&key.to_file()), key);
        assert_eq!(AccessKey::of_file("# nothing yet\n"), AccessKey::default());
        assert!(!format!("{key:?}").contains("a/b"));
    }
}
