//! What commands report as JSON: typed, with a published schema each, and sorted like everything that we write.
//!
//! The schemas lie in `docs/schemas`; a test below keeps them fresh.

#[cfg(feature = "engine")]
use std::collections::BTreeMap;

use formwork_assembly::{CloudAssembly, Diagnostic, Severity, StackArtifact, TemplateFile, json};
use schemars::JsonSchema;
use serde::Serialize;

use crate::failure::Failure;

/// A stack in a few figures.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StackReport {
    /// The id of its artifact in the assembly.
    pub(crate) id: String,
    /// The name in CloudFormation.
    pub(crate) name: String,
    /// Where it goes, such as `aws://unknown-account/us-east-1`.
    pub(crate) environment: String,
    /// The file of its template, relative to the assembly.
    pub(crate) template_file: String,
    /// The size of its template in bytes.
    pub(crate) template_bytes: usize,
    /// The number of its resources.
    pub(crate) resources: usize,
    /// The ids of the stacks that it needs, sorted.
    pub(crate) dependencies: Vec<String>,
}

impl StackReport {
    /// The region that the stack goes to, when it says one.
    pub(crate) fn region(&self) -> Option<&str> {
        self.environment.rsplit('/').next().filter(|region| *region != "unknown-region")
    }

    /// The account that the stack goes to, when it says one.
    #[cfg(feature = "engine")]
    pub(crate) fn account(&self) -> Option<&str> {
        let account = self.environment.strip_prefix("aws://")?.split('/').next()?;
        Some(account).filter(|account| *account != "unknown-account")
    }
}

/// A stack together with its template.
pub(crate) struct LoadedStack {
    pub(crate) report: StackReport,
    pub(crate) template: TemplateFile,
}

/// The stacks of an assembly with their templates, each after those that it needs.
///
/// # Errors
/// When the manifest or a template cannot be read.
pub(crate) fn load(assembly: &CloudAssembly) -> Result<Vec<LoadedStack>, Failure> {
    let load = |stack: StackArtifact| {
        let text = assembly.template_text(&stack)?;
        let template = TemplateFile::from_bytes(&stack.properties.template_file, text.as_bytes())
            .map_err(|error| Failure::Input(error.to_string()))?;
        let report = StackReport {
            name: stack.stack_name().to_owned(),
            environment: stack.environment,
            template_file: stack.properties.template_file,
            template_bytes: template.size_bytes(),
            resources: template.value()["Resources"].as_object().map_or(0, serde_json::Map::len),
            dependencies: stack.dependencies,
            id: stack.id,
        };
        Ok(LoadedStack { report, template })
    };
    assembly.stacks()?.into_iter().map(load).collect()
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SeverityReport {
    /// Worth knowing, nothing to change.
    Note,
    /// AWS accepts it, but it is likely to hurt.
    Warning,
    /// AWS refuses it, or it cannot mean what it says.
    Error,
}

/// A place in a file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SourceReport {
    /// The file.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: u32,
    /// The column, from 1.
    pub(crate) column: u32,
}

/// One finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FindingReport {
    /// How much it matters.
    pub(crate) severity: SeverityReport,
    /// The rule's name, such as `unknown-property`.
    pub(crate) rule: String,
    /// What is wrong.
    pub(crate) message: String,
    /// What to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// The path of the construct.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) construct_path: Option<String>,
    /// The stack or the template file that it was found in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) template: Option<String>,
    /// The place inside the template as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    /// The lines that made it, or the line of the file that it stands in.
    pub(crate) sources: Vec<SourceReport>,
}

impl From<&Diagnostic> for FindingReport {
    fn from(diagnostic: &Diagnostic) -> Self {
        let Diagnostic { severity, rule, message, hint, construct_path, template, pointer, sources } =
            diagnostic.clone();
        let source = |source: formwork_assembly::SourceLocation| SourceReport {
            file: source.file,
            line: source.line,
            column: source.column,
        };
        Self {
            severity: match severity {
                Severity::Note => SeverityReport::Note,
                Severity::Warning => SeverityReport::Warning,
                Severity::Error => SeverityReport::Error,
            },
            rule,
            message,
            hint,
            construct_path,
            template,
            pointer,
            sources: sources.into_iter().map(source).collect(),
        }
    }
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct FindingCounts {
    /// Findings that AWS would refuse.
    pub(crate) errors: usize,
    /// Findings that are likely to hurt.
    pub(crate) warnings: usize,
    /// Findings that are worth knowing.
    pub(crate) notes: usize,
}

impl FindingCounts {
    pub(crate) fn of(diagnostics: &[Diagnostic]) -> Self {
        let of = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        Self { errors: of(Severity::Error), warnings: of(Severity::Warning), notes: of(Severity::Note) }
    }

    /// `2 errors, 1 warning`; what there is none of is left out.
    pub(crate) fn text(self) -> String {
        let counts = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")];
        let shown: Vec<String> = counts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, noun)| crate::console::count(*number, noun))
            .collect();
        if shown.is_empty() { "no findings".to_owned() } else { shown.join(", ") }
    }
}

/// What `formwork synth --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "formwork synth --json")]
pub(crate) struct SynthReport {
    /// The directory of the assembly; nothing when there were errors, so that nothing was written.
    pub(crate) output: Option<String>,
    /// The stacks that were asked for, each after those that it needs.
    pub(crate) stacks: Vec<StackReport>,
    /// How many findings there are of each severity.
    pub(crate) counts: FindingCounts,
    /// What was found in the whole app.
    pub(crate) findings: Vec<FindingReport>,
    /// Seconds from the start of the command to its end.
    pub(crate) seconds: f64,
}

/// What `formwork list --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "formwork list --json")]
pub(crate) struct ListReport {
    /// The stacks that were asked for, each after those that it needs.
    pub(crate) stacks: Vec<StackReport>,
}

/// What `formwork context --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "formwork context --json")]
pub(crate) struct ContextReport {
    /// The settings of the command line itself.
    pub(crate) settings: Vec<SettingReport>,
    /// The settings that the app reads, by key.
    pub(crate) context: Vec<SettingReport>,
    /// What is wrong with them.
    pub(crate) findings: Vec<FindingReport>,
}

/// A setting.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SettingReport {
    /// Its name.
    pub(crate) key: String,
    /// Its value; null when it has none.
    pub(crate) value: serde_json::Value,
    /// Where it was set: `-c`, `formwork.toml:12`, `AWS_REGION`, `default`.
    pub(crate) origin: String,
    /// Its value when it is not set.
    pub(crate) default: serde_json::Value,
    /// The texts that it takes when they are a closed set; otherwise empty.
    pub(crate) choices: Vec<String>,
    /// What it means.
    pub(crate) description: String,
}

/// What `formwork validate --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "formwork validate --format json")]
pub(crate) struct ValidateReport {
    /// The files that were judged.
    pub(crate) files: Vec<String>,
    /// How many findings there are of each severity.
    pub(crate) counts: FindingCounts,
    /// What was found, by file and place.
    pub(crate) findings: Vec<FindingReport>,
}

/// What `formwork outputs --json` prints.
#[cfg(feature = "engine")]
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "formwork outputs --json")]
pub(crate) struct OutputsReport {
    /// The deployed stacks by name; by `NAME@REGION` or `NAME@ACCOUNT/REGION` where several have one name.
    pub(crate) stacks: BTreeMap<String, StackOutputsReport>,
}

/// The outputs of a stack.
#[cfg(feature = "engine")]
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StackOutputsReport {
    /// The stack's name.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) environment: formwork_engine::plan::Environment,
    /// The stack's status.
    pub(crate) status: String,
    /// The outputs by name.
    pub(crate) outputs: BTreeMap<String, OutputReport>,
}

/// An output.
#[cfg(feature = "engine")]
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OutputReport {
    /// The value.
    pub(crate) value: String,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// The name under which other stacks import it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) export_name: Option<String>,
}

/// What `formwork import STACK --json` prints.
#[cfg(feature = "engine")]
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "formwork import --json")]
pub(crate) struct ImportReport {
    /// The resources that the app's stack has and the deployed one has not.
    pub(crate) resources: Vec<formwork_engine::plan::Importable>,
}

/// A report as text.
pub(crate) fn to_text(report: &impl Serialize) -> String {
    json::to_text(&serde_json::to_value(report).expect("reports have string keys only"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use schemars::{Schema, schema_for};

    use super::*;
    use crate::settings::project_file::ProjectFileSchema;

    /// Set `FORMWORK_BLESS=1` to write the schemas anew.
    #[test]
    fn published_schemas_are_fresh() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
        let mut schemas: Vec<(&str, Schema)> = vec![
            ("context.json", schema_for!(ContextReport)),
            ("diff.json", schema_for!(crate::commands::diff::DiffReport)),
            ("formwork-toml.json", schema_for!(ProjectFileSchema)),
            ("kit.json", schema_for!(formwork_kits::Report)),
            ("list.json", schema_for!(ListReport)),
            ("synth.json", schema_for!(SynthReport)),
            ("validate.json", schema_for!(ValidateReport)),
        ];
        #[cfg(feature = "engine")]
        schemas.extend([
            ("doctor.json", schema_for!(crate::commands::DoctorReport)),
            ("drift.json", schema_for!(formwork_engine::drift::DriftReport)),
            ("audit.json", schema_for!(formwork_engine::audit::Audit)),
            ("event.json", schema_for!(formwork_engine::Event)),
            ("journal.json", schema_for!(formwork_engine::journal::Line)),
            ("gc.json", schema_for!(crate::commands::GcReport)),
            ("import.json", schema_for!(ImportReport)),
            ("outputs.json", schema_for!(OutputsReport)),
            ("status.json", schema_for!(crate::commands::deployment::status::StatusReport)),
            ("proxy-users.json", schema_for!(crate::commands::ProxyUsersReport)),
            ("mlflow-copy.json", schema_for!(formwork_engine::mlflow::CopyReport)),
            ("plan.json", schema_for!(formwork_engine::plan::Plan)),
            ("runs.json", schema_for!(crate::commands::RunsReport)),
        ]);
        schemas.sort_by_key(|(name, _)| *name);
        for (name, schema) in schemas {
            let text = json::to_text(schema.as_value());
            let path = folder.join(name);
            if std::env::var_os("FORMWORK_BLESS").is_some() {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&path, &text).unwrap();
            }
            let published = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(published, text, "docs/schemas/{name} is stale: run this test with FORMWORK_BLESS=1");
        }
    }

    #[test]
    fn counts_leave_out_what_there_is_none_of() {
        let counts = FindingCounts { errors: 2, warnings: 0, notes: 1 };
        assert_eq!(counts.text(), "2 errors, 1 note");
        assert_eq!(FindingCounts::default().text(), "no findings");
    }
}
