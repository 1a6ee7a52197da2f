//! Findings as SARIF 2.1.0, the format that code scanning tools read
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use formwork::{Diagnostic, Severity};
use formwork_assembly::json;
use serde_json::{Value as Json, json};

/// The whole log with one run.
pub(super) fn text(diagnostics: &[Diagnostic], directory: &Path) -> String {
    let rules: BTreeSet<&str> = diagnostics.iter().map(|diagnostic| diagnostic.rule.as_str()).collect();
    let rules: Vec<&str> = rules.into_iter().collect();
    let results: Vec<Json> =
        diagnostics.iter().map(|diagnostic| result(diagnostic, &rules, directory)).collect();
    json::to_text(&json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "columnKind": "unicodeCodePoints",
            "tool": { "driver": {
                "name": "formwork",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| json!({ "id": rule })).collect::<Vec<_>>(),
            } },
            "results": results,
        }],
    }))
}

fn result(diagnostic: &Diagnostic, rules: &[&str], directory: &Path) -> Json {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let message = match &diagnostic.hint {
        Some(hint) => format!("{}\nhint: {hint}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let mut result = json!({
        "ruleId": diagnostic.rule,
        "ruleIndex": rules.iter().position(|rule| *rule == diagnostic.rule),
        "level": level,
        "message": { "text": message },
    });
    if let Some(file) = &diagnostic.template {
        let mut location =
            json!({ "physicalLocation": { "artifactLocation": { "uri": uri(file, directory) } } });
        if let Some(place) = diagnostic.sources.first() {
            location["physicalLocation"]["region"] =
                json!({ "startLine": place.line, "startColumn": place.column });
        }
        if let Some(pointer) = &diagnostic.pointer {
            location["logicalLocations"] = json!([{ "fullyQualifiedName": pointer }]);
        }
        result["locations"] = json!([location]);
    }
    result
}

/// A file as a URI reference: relative where it is below the current directory, as repositories want it.
fn uri(file: &str, directory: &Path) -> String {
    let path = Path::new(file);
    let path = path.strip_prefix(directory).unwrap_or(path);
    let path = path.strip_prefix(".").unwrap_or(path);
    let mut uri = if path.is_absolute() { "file://".to_owned() } else { String::new() };
    for byte in path.to_string_lossy().replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use formwork::SourceLocation;

    #[test]
    fn a_log_names_rules_places_and_levels() {
        let mut found = Diagnostic::error("unknown-type", "no such type").with_hint("did you mean it?");
        found.template = Some("a b.json".to_owned());
        found.pointer = Some("/Resources/A/Type".to_owned());
        found.sources.push(SourceLocation { file: "a b.json".to_owned(), line: 3, column: 7 });
        let other = Diagnostic::new(Severity::Warning, "another-rule", "odd");
        let log: Json = serde_json::from_str(&text(&[found, other], Path::new("/here"))).unwrap();
        let run = &log["runs"][0];
        assert_eq!(log["version"], "2.1.0");
        assert_eq!(
            run["tool"]["driver"]["rules"],
            json!([{ "id": "another-rule" }, { "id": "unknown-type" }])
        );
        assert_eq!(
            run["results"][0],
            json!({
                "ruleId": "unknown-type",
                "ruleIndex": 1,
                "level": "error",
                "message": { "text": "no such type\nhint: did you mean it?" },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": "a%20b.json" },
                        "region": { "startLine": 3, "startColumn": 7 },
                    },
                    "logicalLocations": [{ "fullyQualifiedName": "/Resources/A/Type" }],
                }],
            })
        );
        assert_eq!(run["results"][1]["level"], "warning");
        assert!(run["results"][1].get("locations").is_none());
    }

    #[test]
    fn paths_become_uri_references() {
        let here = Path::new("/here");
        for (file, wanted) in [
            ("./templates/a.yaml", "templates/a.yaml"),
            ("/here/a.yaml", "a.yaml"),
            ("/there/ä.yaml", "file:///there/%C3%A4.yaml"),
            ("../up.json", "../up.json"),
        ] {
            assert_eq!(uri(file, here), wanted);
        }
    }
}
