//! Names that look as if they were drawn by lot and are the same in every run.

use sha2::{Digest, Sha256};

/// Draws names from a seed and a counter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    seed: u64,
    counter: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }

    fn draw(&mut self) -> [u8; 32] {
        self.counter += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(self.counter.to_be_bytes());
        hash.finalize().into()
    }

    /// `8e6ef4a0-…`, in the form of a UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = hex(&self.draw()[..16]);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// Lower-case hexadecimal digits, 64 at most.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        hex(&self.draw())[..count].to_owned()
    }

    /// Upper-case letters and digits, as in generated names; 32 at most.
    pub(crate) fn suffix(&mut self, count: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let drawn = self.draw();
        drawn[..count].iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_names_and_another_seed_others() {
        let draw = |seed| {
            let mut ids = Ids::new(seed);
            (ids.uuid(), ids.suffix(12), ids.digits(17))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let (uuid, suffix, digits) = draw(1);
        assert_eq!(uuid.len(), 36);
        assert!(
            suffix.len() == 12 && suffix.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
        );
        assert!(digits.len() == 17 && digits.bytes().all(|it| it.is_ascii_hexdigit()));
    }
}
