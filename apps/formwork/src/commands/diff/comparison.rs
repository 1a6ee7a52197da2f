//! One stack before and after, as a report.

use std::collections::BTreeMap;

use formwork_assembly::broadening::{BroadeningKind, Side, broadenings};
use formwork_assembly::diff::{Change, ChangeKind, EntryDiff, ResourceDiff, TemplateDiff, diff, secrecy};
use formwork_schema::Replacement;
use formwork_schema::consequences::{Cause, Consequence, Outcome, consequences};
use serde_json::Value;

use super::before::OldStack;
use super::report::*;
use crate::report::StackReport;

/// Compares a stack. `None` stands for a stack that is not there.
pub(super) fn compare(
    stack: &StackReport,
    before: Option<&OldStack>,
    after: Option<&Value>,
) -> StackDiffReport {
    let (nothing, missing) = (OldStack::default(), Value::Null);
    let old = before.unwrap_or(&nothing);
    let new = after.unwrap_or(&missing);
    let found = diff(&old.template, new);
    let state = match (before, after) {
        (None, _) => StackState::Added,
        (_, None) => StackState::Removed,
        _ if found.is_empty() => StackState::Unchanged,
        _ if found.is_alike() => StackState::Alike,
        _ => StackState::Changed,
    };
    // A stack that goes as a whole opens nothing.
    let kept = kept_parameters(old, new);
    let broadenings = match after {
        Some(_) => broadenings(
            Side { template: &old.template, parameters: &old.parameters },
            Side { template: new, parameters: &kept },
        ),
        None => Vec::new(),
    };
    let consequences = consequences(&found, &old.template, new);
    StackDiffReport {
        id: stack.id.clone(),
        name: stack.name.clone(),
        state,
        broadenings: broadenings
            .into_iter()
            .map(|found| BroadeningReport {
                kind: match found.kind {
                    BroadeningKind::Rights => BroadeningKindReport::Rights,
                    BroadeningKind::Network => BroadeningKindReport::Network,
                },
                logical_id: found.logical_id,
                resource_type: found.resource_type,
                pointer: found.pointer,
                words: found.words,
            })
            .collect(),
        entries: found.entries.iter().map(|entry| entry_report(entry, &old.template, new)).collect(),
        resources: resources(&found, consequences),
    }
}

/// The values that parameters keep: those of which the new template says nothing.
fn kept_parameters(old: &OldStack, new: &Value) -> BTreeMap<String, String> {
    let has_default =
        |name: &str| new["Parameters"].get(name).is_some_and(|known| known.get("Default").is_some());
    let kept = old.parameters.iter().filter(|(name, _)| !has_default(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn entry_report(entry: &EntryDiff, before: &Value, after: &Value) -> EntryReport {
    // The default of a parameter that is or was not to be echoed stands alone when only it changed.
    let is_silent = entry.section == "Parameters"
        && entry.name.as_deref().is_some_and(|name| {
            [before, after].iter().any(|side| secrecy::is_no_echo(side["Parameters"].get(name)))
        });
    let changes = entry.changes.iter().map(|change| {
        let mut report = value_report(change);
        if is_silent && change.pointer.ends_with("/Default") {
            for side in [&mut report.before, &mut report.after].into_iter().flatten() {
                *side = Value::from(secrecy::HIDDEN);
            }
        }
        report
    });
    EntryReport {
        section: entry.section.clone(),
        name: entry.name.clone(),
        change: kind(entry.kind),
        changes: changes.collect(),
    }
}

fn kind(kind: ChangeKind) -> ChangeKindReport {
    match kind {
        ChangeKind::Added => ChangeKindReport::Added,
        ChangeKind::Removed => ChangeKindReport::Removed,
        ChangeKind::Changed => ChangeKindReport::Changed,
    }
}

fn value_report(change: &Change) -> ValueReport {
    ValueReport {
        pointer: change.pointer.clone(),
        pointer_before: change.pointer_before.clone(),
        before: change.before.as_ref().map(|value| secrecy::shown(&change.pointer, value)),
        after: change.after.as_ref().map(|value| secrecy::shown(&change.pointer, value)),
        alike: change.alike,
    }
}

/// The changed resources, and those that a change reaches, by logical id.
fn resources(found: &TemplateDiff, consequences: Vec<Consequence>) -> Vec<ResourceReport> {
    let alike = found.resources.iter().filter(|resource| {
        consequences.iter().all(|consequence| consequence.logical_id != resource.logical_id)
    });
    let mut reports: Vec<ResourceReport> =
        alike.map(|resource| report(found, Some(resource), None)).collect();
    for consequence in consequences {
        reports.push(report(found, found.resource(&consequence.logical_id), Some(consequence)));
    }
    reports.sort_by(|one, other| one.logical_id.cmp(&other.logical_id));
    reports
}

fn report(
    found: &TemplateDiff,
    resource: Option<&ResourceDiff>,
    consequence: Option<Consequence>,
) -> ResourceReport {
    let logical_id = match (resource, &consequence) {
        (Some(resource), _) => resource.logical_id.clone(),
        (None, Some(consequence)) => consequence.logical_id.clone(),
        (None, None) => String::new(),
    };
    let changes = match resource {
        Some(resource) if resource.kind == ChangeKind::Changed => {
            resource.changes.iter().map(value_report).collect()
        }
        _ => Vec::new(),
    };
    let resource_type = match (&consequence, resource) {
        (Some(consequence), _) => consequence.resource_type.clone(),
        (None, Some(resource)) => resource.resource_type().to_owned(),
        (None, None) => String::new(),
    };
    ResourceReport {
        resource_type,
        change: resource.map_or(ChangeKindReport::Reached, |resource| kind(resource.kind)),
        outcome: consequence.as_ref().map(|consequence| outcome(consequence.outcome)),
        moved_from: found.moves.iter().find(|pair| pair.to == logical_id).map(|pair| pair.from.clone()),
        moved_to: found.moves.iter().find(|pair| pair.from == logical_id).map(|pair| pair.to.clone()),
        loss: consequence.as_ref().and_then(|consequence| consequence.loss.as_ref()).map(|loss| LossReport {
            certain: loss.is_certain,
            kept: loss.is_kept,
            words: loss.words.clone(),
        }),
        refusal: consequence.as_ref().and_then(|consequence| consequence.refusal.clone()),
        causes: consequence
            .map(|consequence| consequence.causes)
            .unwrap_or_default()
            .into_iter()
            .map(cause)
            .collect(),
        changes,
        logical_id,
    }
}

fn outcome(outcome: Outcome) -> OutcomeReport {
    match outcome {
        Outcome::Created => OutcomeReport::Created,
        Outcome::Updated => OutcomeReport::Updated,
        Outcome::PerhapsReplaced => OutcomeReport::PerhapsReplaced,
        Outcome::PerhapsDeleted => OutcomeReport::PerhapsDeleted,
        Outcome::Replaced => OutcomeReport::Replaced,
        Outcome::Deleted => OutcomeReport::Deleted,
        Outcome::Released => OutcomeReport::Released,
    }
}

fn cause(cause: Cause) -> CauseReport {
    CauseReport {
        name: cause.name,
        pointer: cause.pointer,
        replaces: match cause.replacement {
            Replacement::Never => ReplacesReport::Never,
            Replacement::Conditional => ReplacesReport::Perhaps,
            Replacement::Always => ReplacesReport::Always,
        },
        through: cause.through,
    }
}
