//! The one call with so many parts that building it is a matter of its own.

use aws_sdk_cloudformation::operation::create_change_set::builders::CreateChangeSetFluentBuilder;
use aws_sdk_cloudformation::{Client, types};

use super::model::{NewChangeSet, ParameterValue, TemplateSource};

/// `CreateChangeSet` with everything that was asked for.
pub(super) fn create_request(sdk: &Client, new: &NewChangeSet, token: &str) -> CreateChangeSetFluentBuilder {
    let parameters = new.parameters.iter().map(|(name, value)| {
        let parameter = types::Parameter::builder().parameter_key(name);
        match value {
            ParameterValue::Value(value) => parameter.parameter_value(value).build(),
            ParameterValue::Previous => parameter.use_previous_value(true).build(),
        }
    });
    let parameters: Vec<_> = parameters.collect();
    let tags = new.tags.iter().map(|(key, value)| types::Tag::builder().key(key).value(value).build());
    let tags: Vec<_> = tags.collect();
    let imports = new.resources_to_import.iter().map(|resource| {
        types::ResourceToImport::builder()
            .logical_resource_id(&resource.logical_id)
            .resource_type(&resource.resource_type)
            .set_resource_identifier(Some(resource.identifier.clone().into_iter().collect()))
            .build()
    });
    let imports: Vec<_> = imports.collect();
    let capabilities: Vec<_> = new.capabilities.iter().map(|word| word.as_str().into()).collect();
    let rollback = new.rollback.as_ref().map(|rollback| {
        let triggers = rollback
            .alarm_arns
            .iter()
            .map(|arn| types::RollbackTrigger::builder().arn(arn).r#type("AWS::CloudWatch::Alarm").build());
        types::RollbackConfiguration::builder()
            .set_rollback_triggers(Some(triggers.collect()))
            .monitoring_time_in_minutes(i32::try_from(rollback.monitoring_minutes).unwrap_or(180))
            .build()
    });
    let request = match &new.template {
        TemplateSource::Body(text) => sdk.create_change_set().template_body(text),
        TemplateSource::Url(url) => sdk.create_change_set().template_url(url),
        TemplateSource::Previous => sdk.create_change_set().use_previous_template(true),
    };
    request
        .stack_name(&new.stack)
        .change_set_name(&new.name)
        .change_set_type(new.kind.as_str().into())
        .client_token(token)
        .set_parameters(some(parameters))
        // An empty list would leave the stack's tags as they are and cannot be sent.
        .set_tags(some(tags))
        .set_capabilities(some(capabilities))
        .set_notification_arns(Some(new.notification_arns.clone()))
        .set_role_arn(new.role_arn.clone())
        .set_description(new.description.clone())
        .set_resources_to_import(some(imports))
        .set_import_existing_resources(new.import_existing.then_some(true))
        .set_include_nested_stacks(new.include_nested.then_some(true))
        .set_deployment_mode(new.revert_drift.then_some(types::DeploymentMode::RevertDrift))
        .set_rollback_configuration(rollback)
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
