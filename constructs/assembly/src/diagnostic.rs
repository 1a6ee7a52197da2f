//! What is wrong, where, and what to do: the one form in which every part reports a mistake.
//!
//! A diagnostic is data, so that the same finding can be printed, written to `diagnostics.json` or turned into SARIF.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, nothing to change.
    Note,
    /// AWS accepts it, but it is likely to hurt.
    Warning,
    /// AWS refuses it, or it cannot mean what it says.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceLocation {
    /// The file, relative to its crate's workspace or to its package in the registry.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// The rule's name in kebab case, such as `unknown-property`.
    pub rule: String,
    /// One sentence in lower case without a full stop, which names the wrong value.
    pub message: String,
    /// What to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The path of the construct, such as `networking/Networking/Vpc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub construct_path: Option<String>,
    /// The stack or the template file that it was found in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The place inside the template as a JSON pointer (RFC 6901), such as `/Resources/Vpc/Properties/CidrBlock`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The lines that made it: the resource first, then each construct around it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceLocation>,
}

impl Diagnostic {
    /// A finding of a severity by a rule.
    pub fn new(severity: Severity, rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity,
            rule: rule.into(),
            message: message.into(),
            hint: None,
            construct_path: None,
            template: None,
            pointer: None,
            sources: Vec::new(),
        }
    }

    /// An error by a rule.
    pub fn error(rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, message)
    }

    /// Adds what to change.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the place inside the template.
    #[must_use]
    pub fn with_pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    /// The form for people: `error[rule]: message`, then where, then the hint, each on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity, self.rule, self.message)?;
        match (&self.construct_path, &self.template) {
            (Some(path), _) if !path.is_empty() => write!(f, "\n  at {path}")?,
            (_, Some(template)) => write!(f, "\n  in {template}")?,
            // What is about the app as a whole has no place in it.
            _ => {}
        }
        if let Some(pointer) = self.pointer.as_deref().filter(|pointer| !pointer.is_empty()) {
            write!(f, "\n  at {pointer}")?;
        }
        for source in &self.sources {
            write!(f, "\n  --> {source}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_what_where_and_what_to_do() {
        let mut diagnostic =
            Diagnostic::error("unknown-property", "`A` is not a property").with_hint("did you mean `B`?");
        assert_eq!(
            diagnostic.to_string(),
            "error[unknown-property]: `A` is not a property\nhint: did you mean `B`?"
        );
        diagnostic.construct_path = Some("stack/Topic".to_owned());
        diagnostic.sources.push(SourceLocation { file: "src/main.rs".to_owned(), line: 3, column: 5 });
        assert_eq!(
            diagnostic.to_string(),
            "error[unknown-property]: `A` is not a property\n  at stack/Topic\n  --> src/main.rs:3:5\nhint: did you mean `B`?"
        );
    }

    #[test]
    fn a_finding_about_the_whole_app_names_no_empty_place() {
        let mut diagnostic = Diagnostic::error("settings", "nothing to make");
        diagnostic.construct_path = Some(String::new());
        assert_eq!(diagnostic.to_string(), "error[settings]: nothing to make");
    }
}
