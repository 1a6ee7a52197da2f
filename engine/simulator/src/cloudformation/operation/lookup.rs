//! Where the functions of a template find values while a stack is worked on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::attributes;
use super::super::state::{Revision, StackKey, StackResource};
use super::super::template::evaluate::{Lookup, Pseudo, Scope, UNKNOWN};
use super::super::{Surroundings, World};

/// The values of one stack.
pub(crate) struct StackLookup<'l> {
    pub(crate) world: &'l World,
    pub(crate) around: &'l dyn Surroundings,
    pub(crate) account: &'l str,
    pub(crate) region: &'l str,
    pub(crate) pseudo: &'l Pseudo,
    pub(crate) resources: &'l BTreeMap<String, StackResource>,
    /// Resources whose values are not known yet, though there is something of that name: they will be replaced.
    pub(crate) uncertain: &'l BTreeSet<String>,
    pub(crate) strict: bool,
}

impl StackLookup<'_> {
    fn known(&self, id: &str) -> Option<&StackResource> {
        self.resources.get(id).filter(|it| it.exists() && !self.uncertain.contains(id))
    }
}

impl Lookup for StackLookup<'_> {
    fn reference(&self, id: &str) -> Option<Value> {
        self.known(id)?.physical_id.as_deref().map(Value::from)
    }

    fn attribute(&self, id: &str, name: &str) -> Result<Value, String> {
        let Some(resource) = self.known(id) else {
            return if self.strict {
                Err(format!("Template error: resource {id} has no attribute {name} yet"))
            } else {
                Ok(Value::from(UNKNOWN))
            };
        };
        if let Some(nested) = resource.nested {
            let output = name.strip_prefix("Outputs.").unwrap_or(name);
            let found = self.world.stacks[nested].outputs.iter().find(|it| it.key == output);
            return match found {
                Some(output) => Ok(Value::from(output.value.clone())),
                None if self.strict => Err(format!("Output {output} not found in stack {id}")),
                None => Ok(Value::from(UNKNOWN)),
            };
        }
        let physical_id = resource.physical_id.as_deref().unwrap_or_default();
        let kind = &resource.resource_type;
        attributes::attribute(kind, id, name, physical_id, &resource.properties, self.pseudo).ok_or_else(
            || format!("Template error: resource {id} does not support attribute type {name} in Fn::GetAtt"),
        )
    }

    fn import(&self, name: &str) -> Option<String> {
        self.world.export(self.account, self.region, name).map(|(_, value)| value.clone())
    }

    fn stack_output(&self, stack: &str, output: &str, region: Option<&str>) -> Option<String> {
        let key = self.world.find(self.account, region.unwrap_or(self.region), stack)?;
        let outputs = &self.world.stacks[key].outputs;
        outputs.iter().find(|it| it.key == output).map(|it| it.value.clone())
    }

    fn parameter(&self, name: &str) -> Option<String> {
        stored(self.around, self.account, self.region, name)
    }

    fn is_strict(&self) -> bool {
        self.strict
    }
}

/// The value of a parameter in SSM. Those of AWS itself (`/aws/service/…`, such as the newest image of a system) are there
/// in every account and region.
pub(crate) fn stored(around: &dyn Surroundings, account: &str, region: &str, name: &str) -> Option<String> {
    around.parameter(account, region, name).or_else(|| {
        let public = name.strip_prefix("/aws/service/")?;
        let image = public.contains("ami") || public.contains("image_id");
        Some(if image {
            format!("ami-0{}", attributes::hash(name))
        } else {
            format!("value-of-{}", attributes::hash(name))
        })
    })
}

/// Evaluates something for a stack: gives `work` the scope.
pub(crate) fn with_scope<T>(
    world: &World,
    around: &dyn Surroundings,
    key: StackKey,
    revision: &Revision,
    uncertain: Option<&BTreeSet<String>>,
    work: impl FnOnce(&Scope<'_>) -> T,
) -> T {
    let stack = &world.stacks[key];
    let pseudo = stack.pseudo(&revision.notification_arns);
    let none = BTreeSet::new();
    let lookup = StackLookup {
        world,
        around,
        account: &stack.account,
        region: &stack.region,
        pseudo: &pseudo,
        resources: &stack.resources,
        uncertain: uncertain.unwrap_or(&none),
        strict: uncertain.is_none(),
    };
    let scope = Scope {
        template: &revision.template.value,
        values: &revision.values,
        conditions: &revision.conditions,
        pseudo: &pseudo,
        lookup: &lookup,
    };
    work(&scope)
}
