//! Change sets: made, told, executed, deleted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::request::Changed;
use super::{Answer, Call, listed, render};
use crate::api::{ApiError, Content, Element, Parameters};
use crate::cloudformation::operation::{Phase, Settings, Step};
use crate::cloudformation::revision;
use crate::cloudformation::state::{ChangeSet, StackKey};
use crate::cloudformation::status::StackStatus;

impl Call<'_, '_> {
    pub(super) fn create_change_set(&mut self) -> Answer {
        let stack_name = self.parameters.required("StackName")?;
        let name = self.parameters.required("ChangeSetName")?.to_owned();
        self.check_name("changeSetName", &name, 128)?;
        let kind = match self.parameters.get("ChangeSetType") {
            None | Some("UPDATE") => "UPDATE",
            Some("CREATE") => "CREATE",
            Some("IMPORT") => "IMPORT",
            Some(other) => {
                return Err(ApiError::validation(format!(
                    "1 validation error detected: Value '{other}' at 'changeSetType' failed to satisfy constraint: Member \
                     must satisfy enum value set: [IMPORT, CREATE, UPDATE]"
                )));
            }
        };
        let on_failure = self.parameters.get("OnStackFailure");
        if on_failure == Some("DELETE") && kind != "CREATE" {
            return Err(ApiError::validation(
                "OnStackFailure DELETE can only be specified for the creation of new stacks",
            ));
        }
        let existing = self.find(stack_name);
        let fresh = match existing {
            Some(key) => {
                self.check_change_set_type(key, kind, &name)?;
                None
            }
            None if kind == "UPDATE" => {
                return Err(ApiError::validation(format!("Stack [{stack_name}] does not exist")));
            }
            None => Some(self.new_stack(stack_name)?),
        };
        let Some(key) = existing.or(fresh) else {
            return Err(ApiError::validation("StackName must not be null"));
        };
        let made = self.request(Some(key)).and_then(|request| {
            let engine = &*self.engine;
            revision::make(engine.world, &*engine.around, key, &request)
        });
        let revision = match made {
            Ok(revision) => revision,
            Err(error) => {
                // A call that is refused leaves no stack behind.
                if let Some(key) = fresh {
                    self.engine.world.drop_last_stack(key);
                }
                return Err(error);
            }
        };
        if fresh.is_some() {
            self.engine.review(key);
        }
        let imports = self.identifiers();
        let id = self.engine.new_change_set(key, &name, kind, Arc::new(revision));
        let (flags, token) = (Flags::of(self.parameters), self.token().map(str::to_owned));
        let description = self.parameters.get("Description").map(str::to_owned);
        let stack = self.engine.stack(key);
        if let Some(change_set) = stack.change_sets.last_mut() {
            change_set.imports = imports;
            change_set.description = description;
            change_set.import_existing = flags.import_existing;
            change_set.include_nested = flags.include_nested;
            change_set.revert_drift = flags.revert_drift;
            change_set.express = flags.express;
            change_set.on_stack_failure = on_failure.map(str::to_owned);
            change_set.token = token;
        }
        let stack_id = stack.id.clone();
        let stuck = self.engine.world.faults.stuck_change_sets.contains(&self.engine.world.stacks[key].name);
        if !stuck {
            let wait = self.engine.scaled(self.engine.world.options.change_set);
            self.engine.after(wait, Step::ChangeSet { stack: key, id: id.clone() });
        }
        Ok(vec![Element::text("Id", id), Element::text("StackId", stack_id)])
    }

    fn check_change_set_type(&self, key: StackKey, kind: &str, name: &str) -> Result<(), ApiError> {
        let stack = &self.engine.world.stacks[key];
        let (status, id) = (stack.status, &stack.id);
        let refused = match kind {
            "CREATE" if status != StackStatus::ReviewInProgress => Some(format!(
                "Stack [{}] already exists and cannot be created again with the changeSet [{name}].",
                stack.name
            )),
            "UPDATE" if !status.takes_updates() => {
                Some(format!("Stack:{id} is in {status} state and can not be updated."))
            }
            "IMPORT" if !status.successors().contains(&StackStatus::ImportInProgress) => {
                Some(format!("Stack:{id} is in {status} state and can not be updated."))
            }
            _ => None,
        };
        if let Some(message) = refused {
            return Err(ApiError::validation(message));
        }
        if stack.change_set(name).is_some() {
            return Err(ApiError::new("AlreadyExistsException", format!("ChangeSet {name} already exists")));
        }
        Ok(())
    }

    fn identifiers(&self) -> BTreeMap<String, String> {
        let resources = self.parameters.structures("ResourcesToImport");
        resources
            .iter()
            .filter_map(|resource| {
                let id = resource.get("LogicalResourceId")?.to_owned();
                let values: Vec<String> = (1..)
                    .map_while(|index| {
                        resource.get(&format!("ResourceIdentifier.entry.{index}.value")).map(str::to_owned)
                    })
                    .collect();
                Some((id, values.join("|")))
            })
            .collect()
    }

    /// The change set that the call names, with its stack.
    pub(super) fn change_set(&self) -> Result<(StackKey, usize), ApiError> {
        let name = self.parameters.required("ChangeSetName")?;
        let missing = || {
            ApiError::new("ChangeSetNotFound", format!("ChangeSet [{name}] does not exist")).with_status(404)
        };
        let key = if name.starts_with("arn:") {
            let owner = self.engine.world.stack_of_change_set(name).ok_or_else(missing)?;
            let stack = &self.engine.world.stacks[owner];
            if stack.account != self.context.account || stack.region != self.context.region {
                return Err(missing());
            }
            owner
        } else {
            let Some(stack) = self.parameters.get("StackName") else {
                return Err(ApiError::validation(
                    "StackName must be specified if ChangeSetName is not specified as an ARN.",
                ));
            };
            self.find(stack).ok_or_else(|| ApiError::validation(format!("Stack [{stack}] does not exist")))?
        };
        let index = self.engine.world.stacks[key].change_set(name).ok_or_else(missing)?;
        Ok((key, index))
    }

    pub(super) fn describe_change_set(&mut self) -> Answer {
        let (key, index) = self.change_set()?;
        let stack = &self.engine.world.stacks[key];
        let change_set = &stack.change_sets[index];
        let values = self.parameters.flag("IncludePropertyValues");
        let (changes, next) = self.page(change_set.changes.iter().collect(), 100)?;
        let mut elements = render::change_set(stack, change_set, self.context.now);
        let changes = changes.into_iter().map(|change| {
            Content::Elements(vec![Element::text("Type", "Resource"), render::change(change, values)])
        });
        elements.push(Element::list("Changes", changes));
        elements.extend(next);
        Ok(elements)
    }

    pub(super) fn describe_change_set_hooks(&mut self) -> Answer {
        let (key, index) = self.change_set()?;
        let stack = &self.engine.world.stacks[key];
        let change_set = &stack.change_sets[index];
        Ok(vec![
            Element::text("ChangeSetId", &change_set.id),
            Element::text("ChangeSetName", &change_set.name),
            Element::list("Hooks", []),
            Element::text("Status", "PLANNED"),
            Element::text("StackId", &stack.id),
            Element::text("StackName", &stack.name),
        ])
    }

    pub(super) fn list_change_sets(&mut self) -> Answer {
        let key = self.bracketed()?;
        let stack = &self.engine.world.stacks[key];
        let listed_sets: Vec<&ChangeSet> = stack
            .change_sets
            .iter()
            .rev()
            .filter(|it| !it.is_deleted() && it.execution_status != "EXECUTE_COMPLETE")
            .collect();
        let (page, next) = self.page(listed_sets, 100)?;
        Ok(listed("Summaries", page.into_iter().map(|it| render::change_set_summary(stack, it)), next))
    }

    pub(super) fn delete_change_set(&mut self) -> Answer {
        let found = match self.change_set() {
            Ok(found) => found,
            // By its name, a change set that is gone is no mistake.
            Err(error) if error.code == "ChangeSetNotFound" && self.parameters.get("StackName").is_some() => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        self.engine.delete_change_sets(found.0, found.1);
        Ok(Vec::new())
    }

    pub(super) fn execute_change_set(&mut self) -> Answer {
        let (key, index) = self.change_set()?;
        let change_set = self.engine.world.stacks[key].change_sets[index].clone();
        let id = &change_set.id;
        let refusal = |kind: &str, status: &str| {
            ApiError::new(
                "InvalidChangeSetStatus",
                format!("ChangeSet [{id}] cannot be executed in its current {kind} of [{status}]"),
            )
        };
        if change_set.status != "CREATE_COMPLETE" {
            return Err(refusal("status", change_set.status));
        }
        if change_set.execution_status != "AVAILABLE" {
            return Err(refusal("execution status", change_set.execution_status));
        }
        if change_set.parent.is_some() {
            return Err(ApiError::validation("Nested change sets can not be executed directly."));
        }
        let disable = self.parameters.flag("DisableRollback");
        if change_set.on_stack_failure.is_some() && self.parameters.get("DisableRollback").is_some() {
            return Err(ApiError::validation(
                "DisableRollback cannot be specified when the change set has OnStackFailure",
            ));
        }
        let stack = &self.engine.world.stacks[key];
        let creating = stack.status == StackStatus::ReviewInProgress;
        if !creating && !stack.status.takes_updates() {
            return Err(ApiError::validation(format!(
                "Stack:{} is in {} state and can not be updated.",
                stack.id, stack.status
            )));
        }
        let mut imports = change_set.imports.clone();
        for change in change_set.changes.iter().filter(|it| it.action == "Import") {
            imports.extend(change.physical_id.clone().map(|physical| (change.logical_id.clone(), physical)));
        }
        let settings = Settings {
            token: self.parameters.get("ClientRequestToken").map(str::to_owned),
            disable_rollback: disable
                || change_set.express == Some(true)
                || change_set.on_stack_failure.as_deref() == Some("DO_NOTHING"),
            delete_on_failure: change_set.on_stack_failure.as_deref() == Some("DELETE"),
            retain_except_on_create: self.parameters.flag("RetainExceptOnCreate"),
            imports,
            change_set: Some(id.clone()),
            revert_drift: change_set.revert_drift,
            express: change_set.express.is_some(),
            ..Settings::default()
        };
        self.engine.obsolete(key, id);
        let changed = Changed { creating, import: change_set.kind == "IMPORT" };
        self.start_revision(key, Arc::clone(&change_set.revision), changed, settings);
        Ok(Vec::new())
    }

    /// Begins the operation that brings a stack to a revision.
    pub(super) fn start_revision(
        &mut self,
        key: StackKey,
        revision: Arc<crate::cloudformation::state::Revision>,
        changed: Changed,
        settings: Settings,
    ) {
        let engine = &mut *self.engine;
        let (status, kind) = match changed {
            Changed { import: true, .. } => (StackStatus::ImportInProgress, "UPDATE_STACK"),
            Changed { creating: true, .. } => (StackStatus::CreateInProgress, "CREATE_STACK"),
            _ => (StackStatus::UpdateInProgress, "UPDATE_STACK"),
        };
        engine.adopt_revision(key, revision, !changed.creating);
        let now = engine.now;
        let stack = engine.stack(key);
        if changed.creating {
            stack.created = now;
        }
        stack.disable_rollback = settings.disable_rollback;
        stack.express = settings.express;
        stack.retain_except_on_create = settings.retain_except_on_create;
        if let Some(change_set) = &settings.change_set {
            stack.change_set_id = Some(change_set.clone());
        }
        engine.begin(key, kind, Phase::Apply, status, "User Initiated", settings);
    }
}

/// What a call says about the kind of a change set.
struct Flags {
    import_existing: bool,
    include_nested: bool,
    revert_drift: bool,
    express: Option<bool>,
}

impl Flags {
    fn of(parameters: &Parameters) -> Self {
        Self {
            import_existing: parameters.flag("ImportExistingResources"),
            include_nested: parameters.flag("IncludeNestedStacks"),
            revert_drift: parameters.get("DeploymentMode") == Some("REVERT_DRIFT"),
            express: (parameters.get("DeploymentConfig.Mode") == Some("EXPRESS"))
                .then(|| parameters.get("DeploymentConfig.DisableRollback") != Some("false")),
        }
    }
}
