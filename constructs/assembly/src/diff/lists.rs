//! Lists: what stayed, what came, what went, and what changed inside an item.
//!
//! An ordinary list keeps its order: what both sides have in the same order stays, and what is left between is paired
//! where it is the same item with changes. Policy statements, tags and other items with a key are matched by it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Change;
use super::values::{Mode, Place, alike, push, value};

/// Above this many comparisons, items are compared by position.
const MOST_COMPARISONS: usize = 4_000_000;
/// How far an item with changes is looked for.
const NEAR: usize = 64;
/// The least part of the leaves that two items share when one is taken for the other with changes.
const SAME_ITEM: f64 = 0.5;

/// `DependsOn` is a set of logical ids; one may stand without a list.
pub(super) fn depends_on(
    place: &Place,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Change>,
) {
    if before == after {
        return;
    }
    let (Some(old), Some(new)) = (entries(before), entries(after)) else {
        return push(place, before, after, false, found);
    };
    let ids = |list: &[(Option<usize>, &str)]| list.iter().map(|(_, id)| (*id).to_owned()).collect();
    let (old_ids, new_ids): (BTreeSet<String>, BTreeSet<String>) = (ids(&old), ids(&new));
    if old_ids == new_ids {
        return push(place, before, after, true, found);
    }
    for (index, id) in old.iter().filter(|(_, id)| !new_ids.contains(*id)) {
        push(&at(place, *index), Some(&Value::from(*id)), None, false, found);
    }
    for (index, id) in new.iter().filter(|(_, id)| !old_ids.contains(*id)) {
        push(&at(place, *index), None, Some(&Value::from(*id)), false, found);
    }
    // What both have may still have changed places or form.
    let kept = |list: &[(Option<usize>, &str)], other: &BTreeSet<String>| -> Vec<String> {
        list.iter().map(|(_, id)| (*id).to_owned()).filter(|id| other.contains(id)).collect()
    };
    if kept(&old, &new_ids) != kept(&new, &old_ids) || is_list(before) != is_list(after) {
        push(place, before, after, true, found);
    }
}

fn is_list(value: Option<&Value>) -> Option<bool> {
    value.map(Value::is_array)
}

fn at(place: &Place, index: Option<usize>) -> Place {
    index.map_or_else(|| place.clone(), |index| place.item(index, index))
}

/// The logical ids with their positions in the list; nothing when the value has another form.
fn entries(value: Option<&Value>) -> Option<Vec<(Option<usize>, &str)>> {
    match value {
        None => Some(Vec::new()),
        Some(Value::String(one)) => Some(vec![(None, one)]),
        Some(Value::Array(items)) => {
            items.iter().enumerate().map(|(index, item)| Some((Some(index), item.as_str()?))).collect()
        }
        Some(_) => None,
    }
}

/// The differences of two lists that both have items.
pub(super) fn items(place: &Place, before: &[Value], after: &[Value], mode: Mode, found: &mut Vec<Change>) {
    if mode.in_policy || is_keyed(before) && is_keyed(after) {
        unordered(place, before, after, mode, found);
    } else {
        ordered(place, before, after, mode, found);
    }
}

/// Whether every item has a `Key` of its own, as tags have.
fn is_keyed(items: &[Value]) -> bool {
    let mut seen = BTreeSet::new();
    items.iter().all(|item| item.get("Key").and_then(Value::as_str).is_some_and(|key| seen.insert(key)))
}

/// What names an item among its neighbours.
fn key(item: &Value) -> Option<&str> {
    ["Key", "Sid", "Id", "Name", "PolicyName", "DeviceName"]
        .into_iter()
        .find_map(|name| item.get(name)?.as_str())
}

fn unordered(place: &Place, before: &[Value], after: &[Value], mode: Mode, found: &mut Vec<Change>) {
    let mut partner: Vec<Option<usize>> = vec![None; after.len()];
    let mut open: Vec<usize> = (0..before.len()).collect();
    let pair =
        |partner: &mut Vec<Option<usize>>, open: &mut Vec<usize>, same: &dyn Fn(&Value, &Value) -> bool| {
            for (index, item) in after.iter().enumerate() {
                if partner[index].is_none()
                    && let Some(position) = open.iter().position(|old| same(&before[*old], item))
                {
                    partner[index] = Some(open.remove(position));
                }
            }
        };
    pair(&mut partner, &mut open, &|old, new| old == new);
    pair(&mut partner, &mut open, &|old, new| key(old).is_some() && key(old) == key(new));
    for index in 0..after.len() {
        if partner[index].is_none() {
            let best = open
                .iter()
                .enumerate()
                .map(|(position, old)| (position, similarity(&before[*old], &after[index])))
                .filter(|(_, share)| *share >= SAME_ITEM)
                .max_by(|one, other| one.1.total_cmp(&other.1).then(other.0.cmp(&one.0)));
            partner[index] = best.map(|(position, _)| open.remove(position));
        }
    }
    for old in open {
        push(&place.item(old, old), Some(&before[old]), None, false, found);
    }
    for (index, item) in after.iter().enumerate() {
        match partner[index] {
            Some(old) => value(&place.item(old, index), Some(&before[old]), Some(item), mode, found),
            None => push(&place.item(index, index), None, Some(item), false, found),
        }
    }
    if !partner.iter().flatten().is_sorted() {
        push(place, Some(&Value::from(before)), Some(&Value::from(after)), true, found);
    }
}

fn ordered(place: &Place, before: &[Value], after: &[Value], mode: Mode, found: &mut Vec<Change>) {
    let same = |old: usize, new: usize| alike(&before[old], &after[new], mode);
    let (mut start, mut old_end, mut new_end) = (0, before.len(), after.len());
    while start < old_end && start < new_end && same(start, start) {
        start += 1;
    }
    while start < old_end && start < new_end && same(old_end - 1, new_end - 1) {
        old_end -= 1;
        new_end -= 1;
    }
    let mut pairs: Vec<(usize, usize)> = (0..start).map(|index| (index, index)).collect();
    pairs.extend(common(start..old_end, start..new_end, same));
    pairs.extend((old_end..before.len()).zip(new_end..after.len()));
    pairs.push((before.len(), after.len()));
    let (mut old, mut new) = (0, 0);
    for (next_old, next_new) in pairs {
        gap(place, (before, old..next_old), (after, new..next_new), mode, found);
        if next_old < before.len() {
            let place = place.item(next_old, next_new);
            value(&place, Some(&before[next_old]), Some(&after[next_new]), mode, found);
        }
        (old, new) = (next_old + 1, next_new + 1);
    }
}

type Range = std::ops::Range<usize>;

/// The longest sequence that both ranges have, as pairs of positions.
fn common(old: Range, new: Range, same: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let (rows, columns) = (old.len(), new.len());
    if rows == 0 || columns == 0 || rows.saturating_mul(columns) > MOST_COMPARISONS {
        return Vec::new();
    }
    // length[r][c]: the longest common sequence of what follows row r and column c.
    let mut length = vec![vec![0_u32; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            length[row][column] = if same(old.start + row, new.start + column) {
                length[row + 1][column + 1] + 1
            } else {
                length[row + 1][column].max(length[row][column + 1])
            };
        }
    }
    let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
    while row < rows && column < columns {
        if same(old.start + row, new.start + column) {
            pairs.push((old.start + row, new.start + column));
            (row, column) = (row + 1, column + 1);
        } else if length[row + 1][column] >= length[row][column + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}

/// Items between two that stayed: paired in order where they are the same item with changes.
fn gap(
    place: &Place,
    (before, old): (&[Value], Range),
    (after, new): (&[Value], Range),
    mode: Mode,
    found: &mut Vec<Change>,
) {
    let by_position = old.len() == new.len();
    let mut open = old.start;
    for index in new {
        let item = &after[index];
        let partner = if by_position {
            Some(open)
        } else {
            (open..old.end).take(NEAR).find(|candidate| is_same_item(&before[*candidate], item))
        };
        match partner {
            Some(partner) => {
                removed(place, before, open..partner, found);
                value(&place.item(partner, index), Some(&before[partner]), Some(item), mode, found);
                open = partner + 1;
            }
            None => push(&place.item(index, index), None, Some(item), false, found),
        }
    }
    removed(place, before, open..old.end, found);
}

fn removed(place: &Place, before: &[Value], range: Range, found: &mut Vec<Change>) {
    for (index, item) in before.iter().enumerate().take(range.end).skip(range.start) {
        push(&place.item(index, index), Some(item), None, false, found);
    }
}

fn is_same_item(before: &Value, after: &Value) -> bool {
    let both_open = before.is_object() && after.is_object() || before.is_array() && after.is_array();
    both_open
        && match (key(before), key(after)) {
            (Some(old), Some(new)) => old == new,
            _ => similarity(before, after) >= SAME_ITEM,
        }
}

/// The part of the leaves of both values that they share, from 0 to 1; two values without leaves are the same.
pub(super) fn similarity(before: &Value, after: &Value) -> f64 {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    leaves(before, &mut String::new(), &mut old);
    leaves(after, &mut String::new(), &mut new);
    if old.is_empty() && new.is_empty() {
        return 1.0;
    }
    old.sort();
    new.sort();
    let (mut shared, mut row, mut column) = (0_u32, 0, 0);
    while row < old.len() && column < new.len() {
        match old[row].cmp(&new[column]) {
            std::cmp::Ordering::Equal => {
                shared += 1;
                (row, column) = (row + 1, column + 1);
            }
            std::cmp::Ordering::Less => row += 1,
            std::cmp::Ordering::Greater => column += 1,
        }
    }
    let count = |length: usize| f64::from(u32::try_from(length).unwrap_or(u32::MAX));
    2.0 * f64::from(shared) / (count(old.len()) + count(new.len()))
}

/// Every scalar with its path; positions in lists do not count, because items move.
fn leaves(value: &Value, path: &mut String, found: &mut Vec<(String, String)>) {
    let length = path.len();
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                path.push('/');
                path.push_str(name);
                leaves(member, path, found);
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            path.push_str("/*");
            for item in items {
                leaves(item, path, found);
            }
            path.truncate(length);
        }
        Value::String(text) => found.push((path.clone(), text.clone())),
        scalar => found.push((path.clone(), scalar.to_string())),
    }
}
