//! A line of nginx's file of users.

use crate::error::KitError;

/// What bcrypt's work is the power of two of. The check is done at each request inside nginx: 5 costs it two milliseconds,
/// and a password of 32 random signs cannot be guessed at any cost.
const COST: u32 = 5;

/// The name of a user and the hash of a password, as `htpasswd -B` writes it.
pub(crate) fn line(user: &str, password: &str) -> Result<String, KitError> {
    let hashed = bcrypt::hash_with_result(password, COST);
    let hashed = hashed
        .map_err(|error| KitError::Settings(vec![format!("the password cannot be hashed: {error}")]))?;
    Ok(format!("{user}:{}\n", hashed.format_for_version(bcrypt::Version::TwoY)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_hash_that_fits_the_password_only() {
        let text = line("mlflow", "a secret").unwrap();
        let hash = text.trim_end().strip_prefix("mlflow:").unwrap();
        assert!(hash.starts_with("$2y$05$"), "{hash}");
        assert!(bcrypt::verify("a secret", hash).unwrap());
        assert!(!bcrypt::verify("another", hash).unwrap());
        assert!(!text.contains("a secret"));
    }
}
