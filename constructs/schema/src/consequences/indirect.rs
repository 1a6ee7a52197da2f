//! How a change reaches resources that did not change themselves.
//!
//! A replaced resource has a new id, which flows to whoever refers to it. A parameter's default, a mapping or a condition
//! may give another value than before wherever it is used.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use formwork_assembly::diff::{ChangeKind, TemplateDiff};
use formwork_assembly::{Reference, ReferenceKind, References};
use serde_json::Value;

use super::{Cause, Effect, Outcome, replacement, resource, type_of};
use crate::Replacement;

pub(super) fn spread(
    diff: &TemplateDiff,
    before: &Value,
    after: &Value,
    references: &References<'_>,
    effects: &mut BTreeMap<String, Effect>,
) {
    let mut reached = Reached { before, after, effects };
    let changed = Changed::of(diff, references);
    for reference in references.list.iter().filter(|reference| reference.section == "Resources") {
        if changed.names(reference) {
            reached.by_value(reference);
        }
    }
    // A replaced resource is looked at again when what was perhaps becomes sure.
    let mut open: VecDeque<String> = reached
        .effects
        .iter()
        .filter(|(_, effect)| matches!(effect.outcome, Outcome::Replaced | Outcome::PerhapsReplaced))
        .map(|(logical_id, _)| logical_id.clone())
        .collect();
    while let Some(replaced) = open.pop_front() {
        let sure = reached.effects.get(&replaced).is_some_and(|effect| effect.outcome == Outcome::Replaced);
        let to_it = |reference: &&Reference<'_>| {
            reference.section == "Resources" && reference.target == replaced && reference.owner != replaced
        };
        for reference in references.list.iter().filter(to_it) {
            if reached.by_id(reference, sure) {
                open.push_back(reference.owner.to_owned());
            }
        }
    }
}

/// Entries of other sections that may give another value than before.
struct Changed<'d> {
    parameters: BTreeSet<&'d str>,
    mappings: BTreeSet<&'d str>,
    conditions: BTreeSet<&'d str>,
}

impl<'d> Changed<'d> {
    fn of(diff: &'d TemplateDiff, references: &'d References<'_>) -> Self {
        let names = |section: &'d str| {
            diff.section(section)
                .filter(|entry| entry.kind == ChangeKind::Changed)
                .filter(|entry| entry.changes.iter().any(|change| !change.alike))
                .filter_map(|entry| entry.name.as_deref())
                .collect::<BTreeSet<&str>>()
        };
        // Of a parameter, only its default and its type bring another value.
        let parameters = diff
            .section("Parameters")
            .filter(|entry| entry.kind == ChangeKind::Changed)
            .filter(|entry| {
                entry.changes.iter().any(|change| {
                    !change.alike
                        && (change.pointer.ends_with("/Default") || change.pointer.ends_with("/Type"))
                })
            })
            .filter_map(|entry| entry.name.as_deref())
            .collect();
        let mut changed = Self { parameters, mappings: names("Mappings"), conditions: names("Conditions") };
        // Conditions stand on parameters, mappings and each other.
        loop {
            let more: Vec<&str> = references
                .list
                .iter()
                .filter(|reference| {
                    reference.section == "Conditions" && !changed.conditions.contains(reference.owner)
                })
                .filter(|reference| changed.names(reference))
                .map(|reference| reference.owner)
                .collect();
            if more.is_empty() {
                return changed;
            }
            changed.conditions.extend(more);
        }
    }

    fn names(&self, reference: &Reference<'_>) -> bool {
        match reference.kind {
            ReferenceKind::Ref | ReferenceKind::Sub => self.parameters.contains(reference.target),
            ReferenceKind::FindInMap { .. } => self.mappings.contains(reference.target),
            ReferenceKind::If | ReferenceKind::Condition => self.conditions.contains(reference.target),
            _ => false,
        }
    }
}

struct Reached<'a> {
    before: &'a Value,
    after: &'a Value,
    effects: &'a mut BTreeMap<String, Effect>,
}

impl Reached<'_> {
    /// A value may come out differently at the reference's place.
    fn by_value(&mut self, reference: &Reference<'_>) {
        if let Some(path) = property_path(reference) {
            let at_place = replacement::of_place(self.type_of(reference.owner), path);
            let replacement =
                if at_place == Replacement::Never { at_place } else { Replacement::Conditional };
            self.add(reference, path, replacement);
        } else if reference.kind == ReferenceKind::Condition
            && self.add(reference, "Condition", Replacement::Never)
            && let Some(effect) = self.effects.get_mut(reference.owner)
        {
            effect.outcome = effect.outcome.max(Outcome::PerhapsDeleted);
        }
    }

    /// The target gets a new id. Tells whether the owner's outcome grew by it.
    fn by_id(&mut self, reference: &Reference<'_>, is_sure: bool) -> bool {
        let Some(path) = property_path(reference) else { return false };
        let at_place = replacement::of_place(self.type_of(reference.owner), path);
        let is_sure = is_sure && self.is_identity(reference);
        let replacement = match at_place {
            Replacement::Always if !is_sure => Replacement::Conditional,
            other => other,
        };
        let was = self.effects.get(reference.owner).map(|effect| effect.outcome);
        self.add(reference, path, replacement);
        let is = self.effects.get(reference.owner).map(|effect| effect.outcome);
        is != was && matches!(is, Some(Outcome::Replaced | Outcome::PerhapsReplaced))
    }

    fn add(&mut self, reference: &Reference<'_>, path: &str, replacement: Replacement) -> bool {
        let owner = reference.owner;
        if resource(self.before, owner).is_none() {
            return false;
        }
        let effect = self.effects.entry(owner.to_owned()).or_insert_with(|| Effect {
            outcome: Outcome::Updated,
            causes: Vec::new(),
            refusal: None,
        });
        let cause = Cause {
            pointer: reference.pointer.clone(),
            name: replacement::property(path),
            replacement,
            through: Some(reference.target.to_owned()),
        };
        // The same place may be reached twice: first perhaps, then for sure.
        let same = |known: &Cause| known.pointer == cause.pointer && known.through == cause.through;
        match effect.causes.iter().position(same) {
            Some(place) if stronger_or_same(&effect.causes[place], &cause) => return true,
            Some(place) => drop(effect.causes.remove(place)),
            None => {}
        }
        effect.add(cause);
        true
    }

    fn type_of(&self, logical_id: &str) -> &str {
        type_of(resource(self.after, logical_id))
    }

    /// Whether what the reference gives is another value for another resource of the type.
    fn is_identity(&self, reference: &Reference<'_>) -> bool {
        let Some(attribute) = reference.attribute else { return true };
        let facts = crate::resource_type(self.type_of(reference.target));
        let identifies = |list: &[String]| list.iter().any(|name| name == attribute);
        attribute.ends_with("Arn")
            || attribute.ends_with("Id")
            || facts.is_some_and(|facts| {
                identifies(facts.primary_identifier()) || identifies(&facts.ref_value().properties)
            })
    }
}

fn stronger_or_same(known: &Cause, other: &Cause) -> bool {
    replacement::rank(known.replacement) >= replacement::rank(other.replacement)
}

/// The place of a reference below its resource's properties, nothing for other places.
fn property_path<'r>(reference: &'r Reference<'_>) -> Option<&'r str> {
    reference.pointer.splitn(4, '/').nth(3)?.strip_prefix("Properties/")
}
