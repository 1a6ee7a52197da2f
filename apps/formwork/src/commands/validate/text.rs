//! Findings as lines for people: the place first, as compilers and editors have it.

use std::fmt::Write as _;

use formwork::Diagnostic;

use crate::console::{Console, styled};

/// `file:line:column: severity[rule]: message`, and the hint beneath.
pub(super) fn text(diagnostics: &[Diagnostic], console: &Console) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics.iter().filter(|diagnostic| console.shows(diagnostic.severity)) {
        let Diagnostic { severity, rule, message, .. } = diagnostic;
        match (diagnostic.sources.first(), &diagnostic.template) {
            (Some(place), _) => {
                let _ = write!(text, "{place}: ");
            }
            (None, Some(file)) => {
                let _ = write!(text, "{file}: ");
            }
            (None, None) => {}
        }
        let mut what = format!("{severity}[{rule}]: {message}\n");
        if let Some(hint) = &diagnostic.hint {
            let _ = writeln!(what, "hint: {hint}");
        }
        text.push_str(&styled(&what, *severity));
    }
    text
}
