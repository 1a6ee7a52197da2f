//! "Did you mean …?": the known word that is nearest to a wrong one.

/// The word of the list that is likely meant, if one is near enough.
pub(crate) fn nearest<'w>(wrong: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let lower = wrong.to_lowercase();
    words
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&word.to_lowercase(), &lower), word))
        .filter(|(distance, word)| *distance <= (word.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_near_and_nothing_else() {
        assert_eq!(nearest("pord", ["dev", "prod"]), Some("prod"));
        assert_eq!(nearest("eu-wset-1", ["us-west-1", "eu-west-1"]), Some("eu-west-1"));
        assert_eq!(nearest("something", ["dev", "prod"]), None);
    }
}
