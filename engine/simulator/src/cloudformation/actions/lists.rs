//! Resources, exports, imports, limits and types.

use super::{Answer, Call, listed, render};
use crate::api::{ApiError, Content, Element};

impl Call<'_, '_> {
    pub(super) fn list_stack_resources(&mut self) -> Answer {
        let key = self.existing(|name| format!("Stack with id {name} does not exist"))?;
        let stack = &self.engine.world.stacks[key];
        let (page, next) = self.page(stack.resources.iter().collect(), 100)?;
        let items = page.into_iter().map(|(id, resource)| render::resource_summary(id, resource));
        Ok(listed("StackResourceSummaries", items, next))
    }

    pub(super) fn describe_stack_resources(&mut self) -> Answer {
        let physical = self.parameters.get("PhysicalResourceId");
        let logical = self.parameters.get("LogicalResourceId");
        let key = match (self.parameters.get("StackName"), physical) {
            (Some(_), _) => self.existing(|name| format!("Stack with id {name} does not exist"))?,
            (None, Some(physical)) => {
                let world = &*self.engine.world;
                let owner = world.living(&self.context.account, &self.context.region).find(|key| {
                    let mut resources = world.stacks[*key].resources.values();
                    resources.any(|it| it.physical_id.as_deref() == Some(physical))
                });
                owner.ok_or_else(|| ApiError::validation(format!("Stack for {physical} does not exist")))?
            }
            (None, None) => return Err(ApiError::validation("StackName must not be null")),
        };
        let stack = &self.engine.world.stacks[key];
        let items: Vec<_> = stack
            .resources
            .iter()
            .filter(|(id, _)| logical.is_none_or(|wanted| wanted == id.as_str()))
            .take(100)
            .map(|(id, resource)| render::resource(stack, id, resource))
            .collect();
        Ok(listed("StackResources", items, None))
    }

    pub(super) fn describe_stack_resource(&mut self) -> Answer {
        let key = self.existing(|name| format!("Stack '{name}' does not exist"))?;
        let id = self.parameters.required("LogicalResourceId")?;
        let stack = &self.engine.world.stacks[key];
        let Some(resource) = stack.resources.get(id) else {
            return Err(ApiError::validation(format!(
                "Resource {id} does not exist for stack {}",
                stack.name
            )));
        };
        Ok(vec![Element::of("StackResourceDetail", render::resource_detail(stack, id, resource))])
    }

    pub(super) fn list_exports(&mut self) -> Answer {
        let world = &*self.engine.world;
        let exports = world.all_exports(&self.context.account, &self.context.region).collect();
        let (page, next) = self.page(exports, 100)?;
        let items = page.into_iter().map(|(name, (key, value))| {
            vec![
                Element::text("ExportingStackId", &world.stacks[*key].id),
                Element::text("Name", name),
                Element::text("Value", value),
            ]
        });
        Ok(listed("Exports", items, next))
    }

    pub(super) fn list_imports(&mut self) -> Answer {
        let export = self.parameters.required("ExportName")?;
        let (account, region) = (&self.context.account, &self.context.region);
        let names = self.engine.world.importers(account, region, export);
        if names.is_empty() {
            return Err(ApiError::validation(format!("Export '{export}' is not imported by any stack.")));
        }
        let (page, next) = self.page(names, 100)?;
        let mut elements = vec![Element::list("Imports", page.into_iter().map(Content::Text))];
        elements.extend(next);
        Ok(elements)
    }

    pub(super) fn describe_account_limits(&mut self) -> Answer {
        let limits = [
            ("StackLimit", self.engine.world.options.stack_limit),
            ("StackOutputsLimit", 200),
            ("ConcurrentResourcesLimit", 2_500),
        ];
        let items = limits.map(|(name, value)| {
            vec![Element::text("Name", name), Element::text("Value", value.to_string())]
        });
        Ok(listed("AccountLimits", items, None))
    }

    pub(super) fn describe_type(&mut self) -> Answer {
        let name = match (self.parameters.get("TypeName"), self.parameters.get("Arn")) {
            (Some(name), _) => name.to_owned(),
            (None, Some(arn)) => arn.rsplit('/').next().unwrap_or_default().replace('-', "::"),
            (None, None) => return Err(ApiError::validation("TypeName or Arn must be specified")),
        };
        let region = &self.context.region;
        let here = formwork_schema::resource_type(&name)
            .filter(|facts| facts.available_in(region) != formwork_schema::Availability::No);
        if here.is_none() {
            return Err(ApiError::new(
                "TypeNotFoundException",
                format!("The type '{name}' cannot be found."),
            )
            .with_status(404));
        }
        let dashed = name.replace("::", "-");
        Ok(vec![
            Element::text(
                "Arn",
                format!("arn:{}:cloudformation:{region}::type/resource/{dashed}", self.context.partition),
            ),
            Element::text("Type", "RESOURCE"),
            Element::text("TypeName", name),
            Element::text("ProvisioningType", "FULLY_MUTABLE"),
            Element::text("DeprecatedStatus", "LIVE"),
            Element::text("Visibility", "PUBLIC"),
        ])
    }
}
