//! What a misspelt name most likely means.

/// The known name nearest to a name, when it is near enough to be meant.
pub fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    known
        .map(|candidate| (similarity(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= 0.75)
        // The first of equals, so that the answer does not depend on anything but the names.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, candidate)| candidate)
}

/// 1 for equal names, 0 for names without anything in common; swapped letters count as one slip.
fn similarity(a: &str, b: &str) -> f64 {
    // Names of very different lengths cannot be near; this also keeps the search over all types cheap.
    let (short, long) = if a.len() < b.len() { (a.len(), b.len()) } else { (b.len(), a.len()) };
    if short * 4 < long * 3 {
        return 0.0;
    }
    strsim::normalized_damerau_levenshtein(a, b)
}

#[cfg(test)]
mod tests {
    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = || ["CidrBlock", "CidrBlocks", "VpcId"].into_iter();
        assert_eq!(super::closest("CidrBlok", known()), Some("CidrBlock"));
        assert_eq!(super::closest("vpcid", known()), Some("VpcId"));
        assert_eq!(super::closest("SubnetIds", known()), None);
    }
}
