//! What the tests of all settings share: an environment of pairs instead of the process's own.

use super::{Mistake, Reader};

/// Reads settings from pairs of a variable's name and its value; the mistakes are those of the values.
pub(crate) fn read_from<T>(
    pairs: &[(&str, &str)],
    read: impl FnOnce(&mut Reader<'_>) -> T,
) -> (T, Vec<Mistake>) {
    let lookup = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
    let mut reader = Reader::new(&lookup);
    let settings = read(&mut reader);
    (settings, reader.into_mistakes())
}

/// The same with the mistakes as an operator is told them.
pub(crate) fn read_and_tell<T>(
    pairs: &[(&str, &str)],
    read: impl FnOnce(&mut Reader<'_>) -> T,
) -> (T, Vec<String>) {
    let (settings, mistakes) = read_from(pairs, read);
    (settings, mistakes.iter().map(ToString::to_string).collect())
}
