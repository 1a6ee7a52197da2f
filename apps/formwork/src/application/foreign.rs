//! Assemblies that were made before, by us or by the AWS CDK.

use std::path::Path;

use formwork_assembly::cloud_assembly::{CONTEXT_SCHEMA_FILE, DIAGNOSTICS_FILE, MANIFEST_FILE, read_json};
use formwork_assembly::{CloudAssembly, Diagnostic};

use super::Answer;
use crate::commands::validate::findings;
use crate::failure::Failure;
use crate::report::load;

/// Reads what lies beside the templates.
pub(super) fn read(directory: &Path) -> Result<Answer, Failure> {
    if !directory.join(MANIFEST_FILE).is_file() {
        let hint = "name a directory that `formwork synth` or `cdk synth` wrote, or a command line";
        let shown = directory.display();
        return Err(Failure::Usage(format!(
            "{shown} holds no assembly: there is no {MANIFEST_FILE}\nhint: {hint}"
        )));
    }
    let diagnostics = match directory.join(DIAGNOSTICS_FILE) {
        path if path.is_file() => read_json(&path, "list of findings")?,
        _ => Vec::new(),
    };
    let context_schema = match directory.join(CONTEXT_SCHEMA_FILE) {
        path if path.is_file() => Some(read_json(&path, "schema of the context")?),
        _ => None,
    };
    Ok(Answer { diagnostics, context_schema })
}

/// Checks the templates of an assembly that says nothing about findings: its maker did not look for any.
pub(super) fn judge(assembly: &CloudAssembly, diagnostics: &mut Vec<Diagnostic>) -> Result<(), Failure> {
    for stack in load(assembly)? {
        let region = stack.report.region();
        diagnostics.extend(findings(&stack.template, region));
    }
    Ok(())
}
