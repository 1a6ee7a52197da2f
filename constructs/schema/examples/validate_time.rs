//! How long it takes a fresh process to read and validate a template: `validate_time FILE [REGION]`.
//!
//! Nothing is warm: the packed facts are inflated, the patterns are compiled and the file is read within the time shown.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use formwork_assembly::{Severity, TemplateFile};
use formwork_schema::{Options, validate_template};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (path, region) = match arguments.as_slice() {
        [path] => (path, None),
        [path, region] => (path, Some(region.as_str())),
        _ => {
            eprintln!("error: give the path of a template and, if you like, a region");
            return ExitCode::from(10);
        }
    };
    let start = Instant::now();
    let file = match TemplateFile::read(Path::new(path)) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("{}", error.to_diagnostic());
            return ExitCode::FAILURE;
        }
    };
    let read = start.elapsed();
    let options = Options { region, size_bytes: Some(file.size_bytes()) };
    let findings = validate_template(file.value(), &options);
    let all = start.elapsed();
    for finding in &findings {
        let hint = finding.hint.iter().map(|hint| format!(" ({hint})")).collect::<String>();
        eprintln!("{}[{}] {}: {}{hint}", finding.severity, finding.rule, finding.pointer, finding.message);
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    println!(
        "{path}: {:.1} ms (reading {:.1} ms, validating {:.1} ms), {errors} errors in {} findings",
        all.as_secs_f64() * 1e3,
        read.as_secs_f64() * 1e3,
        (all - read).as_secs_f64() * 1e3,
        findings.len()
    );
    if errors == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
