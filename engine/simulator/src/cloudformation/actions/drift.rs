//! Drift: what somebody changed behind CloudFormation's back, detected and taken back.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Answer, Call, listed};
use crate::api::{ApiError, Content, Element};
use crate::cloudformation::faults::DriftChange;
use crate::cloudformation::operation::Engine;
use crate::cloudformation::state::{Change, Detail, StackKey, StackResource};
use crate::cloudformation::template::parameters::plain;

/// A detection that was asked for.
#[derive(Debug)]
pub(in crate::cloudformation) struct Detection {
    pub(in crate::cloudformation) stack: StackKey,
    pub(in crate::cloudformation) at: Timestamp,
    pub(in crate::cloudformation) done: Timestamp,
}

/// How long a detection takes for each resource.
const EACH: Duration = Duration::from_millis(250);

impl Call<'_, '_> {
    pub(super) fn detect_stack_drift(&mut self) -> Answer {
        let key = self.bracketed()?;
        let stack = &self.engine.world.stacks[key];
        let allowed = [
            "CREATE_COMPLETE",
            "UPDATE_COMPLETE",
            "UPDATE_ROLLBACK_COMPLETE",
            "UPDATE_ROLLBACK_FAILED",
            "IMPORT_COMPLETE",
            "IMPORT_ROLLBACK_COMPLETE",
        ];
        if !allowed.contains(&stack.status.as_str()) {
            return Err(ApiError::validation(format!(
                "Drift detection cannot be performed on stack [{}] while it is in status {}",
                stack.id, stack.status
            )));
        }
        if self.engine.world.detections.values().any(|it| it.stack == key && self.context.now < it.done) {
            return Err(ApiError::validation(format!(
                "Drift detection is already in progress for stack [{}]",
                stack.id
            )));
        }
        let each = self.engine.scaled(EACH) * u32::try_from(stack.resources.len()).unwrap_or(u32::MAX);
        let now = self.context.now;
        let done = now.checked_add(SignedDuration::try_from(each).unwrap_or_default()).unwrap_or(now);
        let id = self.engine.world.ids.uuid();
        self.engine.world.detections.insert(id.clone(), Detection { stack: key, at: now, done });
        self.engine.note_drift(key, now);
        Ok(vec![Element::text("StackDriftDetectionId", id)])
    }

    pub(super) fn describe_drift_detection(&mut self) -> Answer {
        let id = self.parameters.required("StackDriftDetectionId")?;
        let Some(detection) = self.engine.world.detections.get(id) else {
            return Err(ApiError::validation(format!("Stack drift detection {id} does not exist")));
        };
        let stack = &self.engine.world.stacks[detection.stack];
        let mut elements = vec![
            Element::text("StackId", &stack.id),
            Element::text("StackDriftDetectionId", id),
            Element::text("Timestamp", super::render::time(detection.at)),
        ];
        if self.context.now < detection.done {
            elements.push(Element::text("DetectionStatus", "DETECTION_IN_PROGRESS"));
            return Ok(elements);
        }
        let drifted = stack
            .resources
            .values()
            .filter(|it| matches!(it.drift, Some(("MODIFIED" | "DELETED", _))))
            .count();
        elements.push(Element::text("DetectionStatus", "DETECTION_COMPLETE"));
        elements.push(Element::text("StackDriftStatus", if drifted > 0 { "DRIFTED" } else { "IN_SYNC" }));
        elements.push(Element::text("DriftedStackResourceCount", drifted.to_string()));
        Ok(elements)
    }

    pub(super) fn describe_resource_drifts(&mut self) -> Answer {
        let key = self.bracketed()?;
        let filters = self.parameters.list("StackResourceDriftStatusFilters");
        let stack = &self.engine.world.stacks[key];
        let wanted: Vec<(&String, &StackResource)> = stack
            .resources
            .iter()
            .filter(|(_, it)| {
                // What was not compared is not in the list at all.
                it.drift.is_some_and(|(status, _)| {
                    status != "NOT_CHECKED" && (filters.is_empty() || filters.contains(&status))
                })
            })
            .collect();
        let (page, next) = self.page(wanted, 100)?;
        let items = page.into_iter().map(|(id, resource)| {
            let (status, at) = resource.drift.unwrap_or(("NOT_CHECKED", self.context.now));
            let mut parts = vec![
                Element::text("StackId", &stack.id),
                Element::text("LogicalResourceId", id),
                Element::text("PhysicalResourceId", resource.physical_id.as_deref().unwrap_or_default()),
                Element::text("ResourceType", &resource.resource_type),
                Element::text("StackResourceDriftStatus", status),
                Element::text("Timestamp", super::render::time(at)),
            ];
            if status != "DELETED" {
                let actual = self.engine.actual(key, id, resource);
                parts.push(Element::text("ExpectedProperties", resource.shown.to_string()));
                parts.push(Element::text("ActualProperties", actual.to_string()));
                parts.push(Element::list("PropertyDifferences", self.engine.differences(key, id, resource)));
            }
            parts
        });
        Ok(listed("StackResourceDrifts", items, next))
    }
}

impl Engine<'_> {
    fn drifts(&self, key: StackKey, id: &str) -> impl Iterator<Item = &DriftChange> {
        let name = &self.world.stacks[key].name;
        let drifts = self.world.faults.drifts.iter();
        drifts.filter(move |it| it.stack == *name && it.logical_id == id).map(|it| &it.change)
    }

    pub(in crate::cloudformation) fn has_drift(&self, key: StackKey, id: &str) -> bool {
        self.drifts(key, id).next().is_some()
    }

    /// A resource is again what its stack says.
    pub(in crate::cloudformation) fn undrift(&mut self, key: StackKey, id: &str) {
        if self.world.faults.drifts.is_empty() {
            return;
        }
        let name = self.world.stacks[key].name.clone();
        self.world.faults.drifts.retain(|it| it.stack != name || it.logical_id != id);
    }

    /// Writes down how every resource stands.
    fn note_drift(&mut self, key: StackKey, now: Timestamp) {
        let ids: Vec<String> = self.world.stacks[key].resources.keys().cloned().collect();
        let mut any = false;
        for id in ids {
            let deleted = self.drifts(key, &id).any(|it| *it == DriftChange::Deleted);
            let changed = self.has_drift(key, &id);
            any |= changed;
            if let Some(resource) = self.stack(key).resources.get_mut(&id) {
                resource.drift = Some((
                    match (deleted, changed, is_comparable(&resource.resource_type)) {
                        (true, ..) => "DELETED",
                        (_, true, _) => "MODIFIED",
                        (.., true) => "IN_SYNC",
                        _ => "NOT_CHECKED",
                    },
                    now,
                ));
            }
        }
        self.stack(key).drift = Some((if any { "DRIFTED" } else { "IN_SYNC" }.to_owned(), now));
    }

    /// The properties that a resource really has.
    fn actual(&self, key: StackKey, id: &str, resource: &StackResource) -> Value {
        let mut actual = (*resource.shown).clone();
        for change in self.drifts(key, id) {
            let DriftChange::Property { path, actual: value } = change else { continue };
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            match (actual.pointer_mut(parent), value) {
                (Some(Value::Object(members)), Some(value)) => {
                    members.insert(name.to_owned(), value.clone());
                }
                (Some(Value::Object(members)), None) => {
                    members.remove(name);
                }
                _ => {}
            }
        }
        actual
    }

    fn differences(&self, key: StackKey, id: &str, resource: &StackResource) -> Vec<Content> {
        let mut found = Vec::new();
        for change in self.drifts(key, id) {
            let DriftChange::Property { path, actual } = change else { continue };
            let expected = resource.shown.pointer(path);
            let kind = match (expected, actual) {
                (None, _) => "ADD",
                (_, None) => "REMOVE",
                _ => "NOT_EQUAL",
            };
            let text = |value: Option<&Value>| value.map_or_else(|| "null".to_owned(), plain);
            found.push(Content::Elements(vec![
                Element::text("PropertyPath", path),
                Element::text("ExpectedValue", text(expected)),
                Element::text("ActualValue", text(actual.as_ref())),
                Element::text("DifferenceType", kind),
            ]));
        }
        found
    }

    /// Adds what a drift-aware change set says besides: the resources that are not what the stack says are set back, or
    /// only taken note of when the new template says what they are already.
    pub(super) fn drift_changes(&self, key: StackKey, changes: &mut Vec<Change>) {
        let stack = &self.world.stacks[key];
        for change in changes.iter_mut().filter(|it| it.action == "Modify") {
            change.drift = Some(if is_comparable(&change.resource_type) { "IN_SYNC" } else { "UNSUPPORTED" });
        }
        for (id, resource) in &stack.resources {
            let drifts: Vec<&DriftChange> = self.drifts(key, id).collect();
            if drifts.is_empty() {
                continue;
            }
            let is_deleted = drifts.contains(&&DriftChange::Deleted);
            let at = changes.iter().position(|it| it.logical_id == *id).unwrap_or_else(|| {
                changes.push(unchanged(id, resource));
                changes.len() - 1
            });
            let change = &mut changes[at];
            for drift in drifts {
                let DriftChange::Property { path, actual } = drift else { continue };
                let actual = actual.as_ref().map(plain);
                let path = format!("/Properties{path}");
                let before = resource.shown.pointer(&path["/Properties".len()..]).map(plain);
                match change.details.iter_mut().find(|it| it.path == path) {
                    Some(detail) => (detail.before, detail.actual) = (actual.clone(), actual),
                    None => change.details.push(Detail {
                        attribute: "Properties",
                        name: path.split('/').nth(2).map(str::to_owned),
                        path,
                        recreation: "Never",
                        before: actual.clone(),
                        after: before,
                        evaluation: "Static",
                        source: "NoModification",
                        cause: None,
                        actual,
                    }),
                }
            }
            let is_met = !change.details.is_empty() && change.details.iter().all(|it| it.before == it.after);
            (change.drift, change.action) = match (is_deleted, is_met, change.action) {
                (true, _, "Modify") => (Some("DELETED"), "Add"),
                (false, true, "Modify") => (Some("MODIFIED"), "SyncWithActual"),
                (is_deleted, _, action) => (Some(if is_deleted { "DELETED" } else { "MODIFIED" }), action),
            };
        }
        changes.sort_by(|left, right| left.logical_id.cmp(&right.logical_id));
    }
}

/// Whether CloudFormation can read what a resource of this type really is.
fn is_comparable(resource_type: &str) -> bool {
    formwork_schema::resource_type(resource_type)
        .is_some_and(|facts| facts.permissions(formwork_schema::Handler::Read).is_some())
}

/// A change of a resource that the template does not change.
fn unchanged(id: &str, resource: &StackResource) -> Change {
    Change {
        action: "Modify",
        logical_id: id.to_owned(),
        physical_id: resource.physical_id.clone(),
        resource_type: resource.resource_type.clone(),
        replacement: Some("False"),
        policy_action: None,
        scope: vec!["Properties"],
        details: Vec::new(),
        before: None,
        after: None,
        change_set_id: None,
        drift: None,
    }
}
