//! What the assembly says about a stack, read once: template, digest, parameters, exports, imports, assets.

use formwork_assembly::{AssemblyError, CloudAssembly, StackArtifact, TemplateFile};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{Class, EngineError};

/// A stack as the assembly has it.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// The artifact.
    pub(crate) artifact: StackArtifact,
    /// The template's bytes as CloudFormation gets them.
    pub(crate) text: String,
    /// The template in long form.
    pub(crate) template: Value,
    /// The SHA-256 of the bytes, in hex.
    pub(crate) sha256: String,
    /// What the artifact says beyond [`formwork_assembly::manifest::StackProperties`].
    pub(crate) more: MoreProperties,
}

/// Properties of a stack artifact that only other tools write.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MoreProperties {
    /// What `sts:ExternalId` the role wants.
    pub(crate) assume_role_external_id: Option<String>,
    /// The topics that are told of the stack's events.
    pub(crate) notification_arns: Vec<String>,
}

impl Input {
    /// The name in CloudFormation.
    pub(crate) fn name(&self) -> &str {
        self.artifact.stack_name()
    }

    /// The entries of a section of the template.
    pub(crate) fn section<'t>(&'t self, section: &str) -> impl Iterator<Item = (&'t str, &'t Value)> {
        entries(&self.template, section)
    }

    /// The account and region of the artifact, each when it is known.
    ///
    /// # Errors
    /// When the environment is none.
    pub(crate) fn environment(&self) -> Result<(Option<&str>, Option<&str>), EngineError> {
        let environment = self.artifact.environment.as_str();
        let known = |part: &'static str| move |text: &&str| *text != part && !text.is_empty();
        if environment.is_empty() {
            return Ok((None, None));
        }
        let parts = environment.strip_prefix("aws://").and_then(|rest| rest.split_once('/'));
        let Some((account, region)) = parts else {
            let message = format!(
                "stack {}: the environment `{environment}` is not aws://ACCOUNT/REGION",
                self.artifact.id
            );
            return Err(EngineError::new(Class::Input, message));
        };
        Ok((Some(account).filter(known("unknown-account")), Some(region).filter(known("unknown-region"))))
    }
}

/// The entries of a section of a template.
pub(crate) fn entries<'t>(template: &'t Value, section: &str) -> impl Iterator<Item = (&'t str, &'t Value)> {
    let content = template.get(section).and_then(Value::as_object);
    content.into_iter().flatten().map(|(name, body)| (name.as_str(), body))
}

/// The SHA-256 of bytes, in hex.
pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes.as_ref()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An error of the assembly as one of the engine.
pub(crate) fn assembly_error(error: &AssemblyError) -> EngineError {
    EngineError::new(Class::Input, error.to_string())
        .with_hint("run `formwork synth` to write the assembly anew")
}

/// Reads the stacks of an assembly, in the order of their dependencies.
///
/// # Errors
/// When a file cannot be read, is no template, or the dependencies form a circle.
pub(crate) fn read(assembly: &CloudAssembly) -> Result<Vec<Input>, EngineError> {
    let stacks = assembly.stacks().map_err(|error| assembly_error(&error))?;
    stacks.into_iter().map(|artifact| read_stack(assembly, artifact)).collect()
}

/// Reads one stack of an assembly; nothing when there is none of the id.
///
/// # Errors
/// As [`read`], and only this stack's template is looked at.
pub(crate) fn read_one(assembly: &CloudAssembly, id: &str) -> Result<Option<Input>, EngineError> {
    let stacks = assembly.stacks().map_err(|error| assembly_error(&error))?;
    let found = stacks.into_iter().find(|artifact| artifact.id == id);
    found.map(|artifact| read_stack(assembly, artifact)).transpose()
}

fn read_stack(assembly: &CloudAssembly, artifact: StackArtifact) -> Result<Input, EngineError> {
    let text = assembly.template_text(&artifact).map_err(|error| assembly_error(&error))?;
    let template = parse(&artifact.properties.template_file, &text)?;
    let raw = assembly.manifest().artifacts.get(&artifact.id);
    let more = raw.and_then(|raw| MoreProperties::deserialize(&raw.properties).ok()).unwrap_or_default();
    let sha256 = sha256(&text);
    Ok(Input { artifact, text, template, sha256, more })
}

/// A template's text in long form.
///
/// # Errors
/// When it is no template.
pub(crate) fn parse(name: &str, text: &str) -> Result<Value, EngineError> {
    TemplateFile::from_bytes(name, text.as_bytes()).map(TemplateFile::into_value).map_err(|error| {
        let mut refused = EngineError::new(Class::Input, error.to_string());
        refused.hint = error.hint;
        refused
    })
}
