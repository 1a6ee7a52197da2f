//! One mistake in a template, without the place that only the caller knows.

use formwork_assembly::Severity;

/// A finding of the validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The rule's name in kebab case, such as `unknown-property`.
    pub rule: &'static str,
    /// The place as a JSON pointer (RFC 6901): below `Properties` from the validator of a resource, below the template
    /// from the validator of a template.
    pub pointer: String,
    /// One sentence in lower case without a full stop, which names the wrong value.
    pub message: String,
    /// What to change.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding of a severity.
    pub fn new(
        severity: Severity,
        rule: &'static str,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { severity, rule, pointer: pointer.into(), message: message.into(), hint: None }
    }

    /// An error.
    pub fn error(rule: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, pointer, message)
    }

    /// A warning.
    pub fn warning(rule: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, pointer, message)
    }

    /// A note.
    pub fn note(rule: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, rule, pointer, message)
    }

    /// Adds what to change.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
