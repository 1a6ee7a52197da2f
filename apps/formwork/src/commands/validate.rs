//! `formwork validate`: checks of CloudFormation templates, whoever wrote them.
//!
//! All files are judged, whatever is wrong with one of them, and all findings are told in one of three formats.

mod sarif;
mod text;

use std::io::Read;
use std::path::Path;

use formwork_assembly::template_file::READABLE_BYTES;
use formwork_assembly::{Diagnostic, Severity, SourceLocation, TemplateFile};
use formwork_schema::{Options, validate_template};

use crate::application::{make_strict, no_region};
use crate::arguments::{FindingsFormat, ValidateArguments};
use crate::console::{Console, count, hidden_notes};
use crate::failure::Failure;
use crate::report::{FindingCounts, FindingReport, ValidateReport, to_text};
use crate::settings::{Settings, Surroundings};

/// The name of standard input in findings.
const STANDARD_INPUT: &str = "stdin";

pub(crate) fn run(
    arguments: &ValidateArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let region = settings.region.as_ref().map(|region| region.value.as_str());
    let mut diagnostics = settings.warnings.clone();
    if region.is_none() {
        diagnostics.push(no_region());
    }
    let mut files = Vec::new();
    for path in &arguments.templates {
        let (name, file) = read(path);
        files.push(name);
        match file {
            Ok(file) => diagnostics.extend(findings(&file, region)),
            Err(unreadable) => diagnostics.push(unreadable),
        }
    }
    if settings.strict {
        make_strict(&mut diagnostics);
    }
    let counts = FindingCounts::of(&diagnostics);
    console.data(&match arguments.format {
        FindingsFormat::Text => text::text(&diagnostics, console),
        FindingsFormat::Sarif => sarif::text(&diagnostics, &surroundings.directory),
        FindingsFormat::Json => to_text(&ValidateReport {
            files: files.clone(),
            counts,
            findings: diagnostics.iter().map(FindingReport::from).collect(),
        }),
    })?;
    console.talk(&format!("{}: {}\n", count(files.len(), "template"), counts.text()));
    console.talk(&hidden_notes(counts, console));
    if counts.errors == 0 { Ok(()) } else { Err(Failure::Findings) }
}

/// Reads a template, and gives the name that findings use for it.
fn read(path: &Path) -> (String, Result<TemplateFile, Diagnostic>) {
    if path != Path::new("-") {
        let name = path.display().to_string();
        let read = TemplateFile::read(path).map_err(|error| error.to_diagnostic());
        return (name, read);
    }
    let mut bytes = Vec::new();
    // One byte more than is read at all, so that what is too large is told as such.
    let limit = READABLE_BYTES as u64 + 1;
    let read = match std::io::stdin().lock().take(limit).read_to_end(&mut bytes) {
        Ok(_) => TemplateFile::from_bytes(STANDARD_INPUT, &bytes).map_err(|error| error.to_diagnostic()),
        Err(error) => {
            let mut found = Diagnostic::error("template-file", format!("the file cannot be read: {error}"));
            found.template = Some(STANDARD_INPUT.to_owned());
            Err(found)
        }
    };
    (STANDARD_INPUT.to_owned(), read)
}

/// What is wrong with a template, with the place of each finding in its file.
pub(crate) fn findings(file: &TemplateFile, region: Option<&str>) -> Vec<Diagnostic> {
    let options = Options { region, size_bytes: Some(file.size_bytes()) };
    let mut found: Vec<Diagnostic> = validate_template(file.value(), &options)
        .into_iter()
        .map(|finding| {
            let mut diagnostic = Diagnostic::new(finding.severity, finding.rule, finding.message);
            diagnostic.hint = finding.hint;
            diagnostic.template = Some(file.name().to_owned());
            diagnostic.sources.push(source(file, &finding.pointer));
            diagnostic.pointer = Some(finding.pointer);
            diagnostic
        })
        .collect();
    if let Some(place) = file.first_alias() {
        let message = "the file has a YAML alias, which CloudFormation refuses";
        let hint = "write the value out, or let `aws cloudformation package` do so before you deploy";
        let mut diagnostic = Diagnostic::new(Severity::Warning, "yaml-alias", message).with_hint(hint);
        diagnostic.template = Some(file.name().to_owned());
        diagnostic.sources.push(SourceLocation {
            file: file.name().to_owned(),
            line: place.line,
            column: place.column,
        });
        found.push(diagnostic);
    }
    found.sort_by_key(|diagnostic| diagnostic.sources.first().map(|place| (place.line, place.column)));
    found
}

fn source(file: &TemplateFile, pointer: &str) -> SourceLocation {
    let place = file.place(pointer);
    SourceLocation { file: file.name().to_owned(), line: place.line, column: place.column }
}
