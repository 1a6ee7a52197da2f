//! What CloudFormation asks of the services around it.
//!
//! Buckets, parameters and roles that a stack makes are there for other callers too; everything else is kept by type and
//! physical id, for the small answers of other services.

use serde_json::Value;

use super::{ResourceKey, Services};
use crate::cloudformation::{Resource, Surroundings};

impl Surroundings for Services {
    fn parameter(&self, account: &str, region: &str, name: &str) -> Option<String> {
        self.parameters.value(account, region, name)
    }

    fn template(&self, account: &str, region: &str, url: &str) -> Result<String, String> {
        self.storage.template(account, region, url)
    }

    fn create(&mut self, resource: &Resource<'_>) -> Result<(), String> {
        match resource.resource_type {
            "AWS::S3::Bucket" => self.storage.make_for_stack(resource)?,
            "AWS::SSM::Parameter" => {
                let value = resource.properties.get("Value").and_then(Value::as_str).unwrap_or_default();
                self.parameters.make_for_stack(
                    resource.account,
                    resource.region,
                    resource.physical_id,
                    value,
                )?;
            }
            _ => {}
        }
        self.resources.insert(key(resource), resource.properties.clone());
        Ok(())
    }

    fn update(&mut self, resource: &Resource<'_>) -> Result<(), String> {
        match resource.resource_type {
            "AWS::S3::Bucket" => self.storage.change_for_stack(resource),
            "AWS::SSM::Parameter" => {
                let value = resource.properties.get("Value").and_then(Value::as_str).unwrap_or_default();
                self.parameters.put(resource.account, resource.region, resource.physical_id, value);
            }
            _ => {}
        }
        self.resources.insert(key(resource), resource.properties.clone());
        Ok(())
    }

    fn delete(&mut self, resource: &Resource<'_>) -> Result<(), String> {
        match resource.resource_type {
            "AWS::S3::Bucket" => self.storage.delete_for_stack(resource.physical_id)?,
            "AWS::SageMaker::Domain" => self.studio.keeps_domain(resource.physical_id)?,
            "AWS::ECR::Repository" => {
                let name = resource.physical_id;
                let empties = resource.properties.get("EmptyOnDelete").and_then(Value::as_bool) == Some(true);
                if !empties && !self.images.tags(name).is_empty() {
                    return Err(format!(
                        "The repository with name '{name}' in registry with id '{}' cannot be deleted because it still \
                         contains images",
                        resource.account
                    ));
                }
                self.images.remove(name);
            }
            "AWS::SSM::Parameter" => {
                self.parameters.remove(resource.account, resource.region, resource.physical_id);
            }
            _ => {}
        }
        self.resources.remove(&key(resource));
        Ok(())
    }
}

fn key(resource: &Resource<'_>) -> ResourceKey {
    (
        resource.account.to_owned(),
        resource.region.to_owned(),
        resource.resource_type.to_owned(),
        resource.physical_id.to_owned(),
    )
}
