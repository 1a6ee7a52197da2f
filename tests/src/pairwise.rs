//! Few combinations of toggles in which every two of them meet in each of their states.
//!
//! Mistakes come from one toggle or from two that meet, hardly ever from three: these combinations find what all of them
//! together would, and grow with the greatest toggles only, not with how many there are.

use std::collections::BTreeSet;

/// The combinations, each with the index of a state for each toggle; `sizes` has the number of states of each.
///
/// # Panics
/// When a toggle has no state.
pub fn combinations(sizes: &[usize]) -> Vec<Vec<usize>> {
    assert!(sizes.iter().all(|size| *size > 0), "a toggle has no state: {sizes:?}");
    let mut open: BTreeSet<[usize; 4]> = BTreeSet::new();
    for (first, states) in sizes.iter().enumerate() {
        for (second, others) in sizes.iter().enumerate().skip(first + 1) {
            open.extend((0..*states).flat_map(|one| (0..*others).map(move |two| [first, one, second, two])));
        }
    }
    let mut rows = Vec::new();
    while let Some([first, one, second, two]) = open.first().copied() {
        let mut row: Vec<Option<usize>> = vec![None; sizes.len()];
        (row[first], row[second]) = (Some(one), Some(two));
        for toggle in 0..sizes.len() {
            if row[toggle].is_none() {
                // The state in which it meets the most that it has not met.
                let new = |state: usize| {
                    let meets = |pair: &&[usize; 4]| {
                        let [first, one, second, two] = **pair;
                        (first == toggle && one == state && row[second] == Some(two))
                            || (second == toggle && two == state && row[first] == Some(one))
                    };
                    open.iter().filter(meets).count()
                };
                row[toggle] = (0..sizes[toggle]).max_by_key(|state| (new(*state), usize::MAX - state));
            }
        }
        let row: Vec<usize> = row.into_iter().map(|state| state.unwrap_or(0)).collect();
        open.retain(|[first, one, second, two]| row[*first] != *one || row[*second] != *two);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_two_meet_in_each_of_their_states() {
        let sizes = [3, 3, 2, 2, 2, 4, 1];
        let rows = combinations(&sizes);
        for (first, states) in sizes.iter().enumerate() {
            for (second, others) in sizes.iter().enumerate().skip(first + 1) {
                for (one, two) in (0..*states).flat_map(|one| (0..*others).map(move |two| (one, two))) {
                    assert!(
                        rows.iter().any(|row| row[first] == one && row[second] == two),
                        "{first} {second}"
                    );
                }
            }
        }
        assert!(
            (12..=18).contains(&rows.len()),
            "{} of {} in all",
            rows.len(),
            sizes.iter().product::<usize>()
        );
    }
}
