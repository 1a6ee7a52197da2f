//! Templates: told, summed up, checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Answer, Call};
use crate::api::{ApiError, Content, Element};
use crate::cloudformation::template::Template;
use crate::cloudformation::template::parameters::plain;

impl Call<'_, '_> {
    pub(super) fn get_template(&mut self) -> Answer {
        let template = if self.parameters.get("ChangeSetName").is_some() {
            let (key, index) = self.change_set()?;
            Some(Arc::clone(&self.engine.world.stacks[key].change_sets[index].revision.template))
        } else {
            let key = self.existing(|name| format!("Stack with id {name} does not exist"))?;
            self.engine.world.stacks[key].revision.as_ref().map(|it| Arc::clone(&it.template))
        };
        let text = template.map(|it| it.text.clone()).unwrap_or_default();
        // Without a transform both stages are what was sent.
        Ok(vec![
            Element::text("TemplateBody", text),
            Element::list(
                "StagesAvailable",
                ["Original", "Processed"].map(|it| Content::Text(it.to_owned())),
            ),
        ])
    }

    /// The template that the call shows or names.
    fn shown_template(&self) -> Result<Arc<Template>, ApiError> {
        match self.parameters.get("StackName") {
            Some(_) => {
                let key = self.existing(|name| format!("Stack with id {name} does not exist"))?;
                let revision = self.engine.world.stacks[key].revision.as_ref();
                revision
                    .map(|it| Arc::clone(&it.template))
                    .ok_or_else(|| ApiError::validation("The stack has no template yet"))
            }
            None => Template::parse(&self.template(None)?),
        }
    }

    pub(super) fn validate_template(&mut self) -> Answer {
        let template = Template::parse(&self.template(None)?)?;
        let mut elements = vec![Element::list(
            "Parameters",
            template.parameters().map(|(name, declaration)| {
                let mut parts = vec![Element::text("ParameterKey", name)];
                parts.extend(declaration.get("Default").map(|it| Element::text("DefaultValue", plain(it))));
                parts.push(Element::text("NoEcho", no_echo(declaration)));
                parts.extend(description(declaration));
                Content::Elements(parts)
            }),
        )];
        elements.extend(common(&template));
        Ok(elements)
    }

    pub(super) fn get_template_summary(&mut self) -> Answer {
        let template = self.shown_template()?;
        let mut elements = vec![Element::list(
            "Parameters",
            template.parameters().map(|(name, declaration)| {
                let mut parts = vec![Element::text("ParameterKey", name)];
                parts.extend(declaration.get("Default").map(|it| Element::text("DefaultValue", plain(it))));
                let kind = declaration.get("Type").map(plain).unwrap_or_default();
                parts.push(Element::text("ParameterType", kind));
                parts.push(Element::text("NoEcho", no_echo(declaration)));
                parts.extend(description(declaration));
                let allowed = declaration.get("AllowedValues").and_then(Value::as_array);
                let values = allowed.into_iter().flatten().map(|it| Content::Text(plain(it)));
                parts.push(Element::of(
                    "ParameterConstraints",
                    allowed.map(|_| Element::list("AllowedValues", values)),
                ));
                Content::Elements(parts)
            }),
        )];
        elements.extend(common(&template));
        let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, _) in template.resources() {
            kinds.entry(template.resource_type(id)).or_default().push(id);
        }
        let texts =
            |names: &[&str]| names.iter().map(|it| Content::Text((*it).to_owned())).collect::<Vec<_>>();
        let names: Vec<&str> = kinds.keys().copied().collect();
        elements.push(Element::list("ResourceTypes", texts(&names)));
        elements.push(Element::text(
            "Version",
            template.value.get("AWSTemplateFormatVersion").map_or_else(|| "2010-09-09".to_owned(), plain),
        ));
        if let Some(metadata) = template.value.get("Metadata") {
            elements.push(Element::text("Metadata", metadata.to_string()));
        }
        let identified = kinds.iter().filter_map(|(kind, ids)| {
            let identifiers = formwork_schema::resource_type(kind)?.primary_identifier();
            let identifiers: Vec<&str> = identifiers.iter().map(String::as_str).collect();
            Some(Content::Elements(vec![
                Element::text("ResourceType", *kind),
                Element::list("LogicalResourceIds", texts(ids)),
                Element::list("ResourceIdentifiers", texts(&identifiers)),
            ]))
        });
        elements.push(Element::list("ResourceIdentifierSummaries", identified));
        Ok(elements)
    }
}

fn no_echo(declaration: &Value) -> &'static str {
    if declaration.get("NoEcho").map(plain).as_deref() == Some("true") { "true" } else { "false" }
}

fn description(declaration: &Value) -> Option<Element> {
    declaration.get("Description").map(|it| Element::text("Description", plain(it)))
}

fn common(template: &Template) -> Vec<Element> {
    let mut elements = Vec::new();
    elements.extend(template.description().map(|text| Element::text("Description", text)));
    let (capabilities, reason) = template.capabilities();
    elements
        .push(Element::list("Capabilities", capabilities.iter().map(|it| Content::Text((*it).to_owned()))));
    elements.extend(reason.map(|text| Element::text("CapabilitiesReason", text)));
    let transforms = template.transforms();
    elements.push(Element::list(
        "DeclaredTransforms",
        transforms.iter().map(|it| Content::Text((*it).to_owned())),
    ));
    elements
}
