//! Properties inside definitions that only AWS writes.
//!
//! Schemas list them as paths from the top, while a definition can be reached on several paths. A property of a
//! definition is left out of the builder only when it is read-only on all of them.

use std::collections::{BTreeMap, BTreeSet};

use formwork_schema::{ResourceType, Shape, Structure};

/// More steps than this are not walked, and then nothing is left out: definitions that contain each other have more paths
/// than there is time. None of AWS's types with read-only properties inside needs a sixth of it.
const MOST_STEPS: usize = 20_000;

/// The properties of a type's definitions that only AWS writes, as pairs of definition and property.
pub(crate) fn properties(resource_type: &ResourceType) -> BTreeSet<(String, String)> {
    if !resource_type.read_only().iter().any(|path| path.contains('/')) {
        return BTreeSet::new();
    }
    let mut walk = Walk { resource_type, writable: BTreeMap::new(), steps: 0 };
    for property in resource_type.properties().iter().filter(|property| !property.read_only) {
        walk.shape(property.name, &property.shape(), &mut Vec::new());
    }
    if walk.steps > MOST_STEPS {
        return BTreeSet::new();
    }
    let never_writable = walk.writable.into_iter().filter(|(_, writable)| !writable);
    never_writable.map(|(property, _)| property).collect()
}

struct Walk<'a> {
    resource_type: &'a ResourceType,
    /// Whether a property can be written on some path.
    writable: BTreeMap<(String, String), bool>,
    steps: usize,
}

impl<'a> Walk<'a> {
    fn shape(&mut self, path: &str, shape: &Shape<'a>, inside: &mut Vec<&'a str>) {
        match shape {
            Shape::List(inner) | Shape::Map(inner) => self.shape(&format!("{path}/*"), inner, inside),
            Shape::Structure(structure) => self.structure(path, structure, inside),
            _ => {}
        }
    }

    fn structure(&mut self, path: &str, structure: &Structure<'a>, inside: &mut Vec<&'a str>) {
        let Some(definition) = structure.definition else { return };
        self.steps += 1;
        if inside.contains(&definition) || self.steps > MOST_STEPS {
            return;
        }
        inside.push(definition);
        for property in structure.properties() {
            let path = format!("{path}/{}", property.name);
            let is_read_only = self.resource_type.read_only().contains(&path);
            let key = (definition.to_owned(), property.name.to_owned());
            *self.writable.entry(key).or_default() |= !is_read_only;
            if !is_read_only {
                self.shape(&path, &property.shape(), inside);
            }
        }
        inside.pop();
    }
}
