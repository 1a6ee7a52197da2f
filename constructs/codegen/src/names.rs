//! One name for each nested item of a module.
//!
//! Items of the same name and the same content, down to what they contain, are one Rust type. Where the types of a
//! service mean different things by one name, the name belongs to the meaning that most of them share, if there is one,
//! and the others bear the name of their resource in front.

use std::collections::{BTreeMap, BTreeSet};

use crate::kinds;
use crate::model::{Content, Field, Model, Type};
use crate::words::joined;

/// Names that the tables or the prelude need for themselves.
const RESERVED: [&str; 18] = [
    "BTreeMap",
    "Box",
    "Clone",
    "Debug",
    "Default",
    "Err",
    "From",
    "Into",
    "Json",
    "None",
    "Ok",
    "Option",
    "PartialEq",
    "Result",
    "Self",
    "Some",
    "String",
    "Vec",
];

/// The name of each item, by its number; the same name means the same content.
pub(crate) fn assign(model: &Model) -> Vec<String> {
    let classes = classes(model);
    let mut taken: BTreeSet<String> =
        RESERVED.iter().chain(&kinds::NAMES).map(|&name| name.to_owned()).collect();
    for resource in &model.resources {
        taken.insert(format!("Cfn{}", resource.name));
        taken.insert(format!("{}Attributes", resource.name));
    }

    // For each wanted name, the classes that want it, each with the resources that use it.
    let mut wanted: BTreeMap<&str, BTreeMap<usize, BTreeSet<usize>>> = BTreeMap::new();
    for (item, class) in model.items.iter().zip(&classes) {
        wanted.entry(&item.base).or_default().entry(*class).or_default().insert(item.resource);
    }
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    let mut apart = Vec::new();
    for (base, candidates) in &wanted {
        let owner = owner_of_plain_name(candidates).filter(|_| taken.insert((*base).to_owned()));
        names.extend(owner.map(|class| (class, (*base).to_owned())));
        apart.extend(candidates.iter().filter(|(class, _)| Some(**class) != owner).map(|row| (*base, row)));
    }
    for (base, (class, resources)) in apart {
        let first = resources.first().map_or("", |&resource| model.resources[resource].name.as_str());
        let prefixed = format!("{first}{base}");
        let name = [joined(first, base), prefixed.clone()]
            .into_iter()
            .chain((2..).map(|number| format!("{prefixed}{number}")))
            .find(|name| taken.insert(name.clone()))
            .unwrap_or(prefixed);
        names.insert(*class, name);
    }
    classes.iter().map(|class| names.get(class).cloned().unwrap_or_default()).collect()
}

/// The only class, or the one that more types share than any other.
fn owner_of_plain_name(candidates: &BTreeMap<usize, BTreeSet<usize>>) -> Option<usize> {
    if candidates.len() == 1 {
        return candidates.keys().next().copied();
    }
    let most = candidates.values().map(BTreeSet::len).max().filter(|&most| most > 1)?;
    let mut owners = candidates.iter().filter(|(_, resources)| resources.len() == most);
    match (owners.next(), owners.next()) {
        (Some((class, _)), None) => Some(*class),
        _ => None,
    }
}

/// A number for each item, the same for items that cannot be told apart. Starts from what an item says by itself and
/// tells classes apart by the classes inside them until nothing changes, so that items may contain themselves.
fn classes(model: &Model) -> Vec<usize> {
    let mut classes = vec![0; model.items.len()];
    let mut count = 0;
    loop {
        let mut numbers = BTreeMap::new();
        let next: Vec<usize> = model
            .items
            .iter()
            .map(|item| {
                let fresh = numbers.len();
                *numbers.entry(signature(&item.base, &item.content, &classes)).or_insert(fresh)
            })
            .collect();
        classes = next;
        if numbers.len() == count {
            return classes;
        }
        count = numbers.len();
    }
}

fn signature(base: &str, content: &Content, classes: &[usize]) -> String {
    let mut text = base.to_owned();
    match content {
        Content::Values(values) => {
            let mut values = values.clone();
            values.sort();
            text.push_str(&format!("{values:?}"));
        }
        Content::Property(fields) => {
            for (place, list) in [&fields.required, &fields.optional].into_iter().enumerate() {
                for Field { name, kind, .. } in list {
                    text.push_str(&format!("\n{place} {name} {}", of_type(kind, classes)));
                }
            }
        }
    }
    text
}

fn of_type(kind: &Type, classes: &[usize]) -> String {
    match kind {
        Type::Named(name) => (*name).to_owned(),
        Type::Item(item) => classes[*item].to_string(),
        Type::List(inner) => format!("[{}]", of_type(inner, classes)),
        Type::Map(inner) => format!("{{{}}}", of_type(inner, classes)),
    }
}
