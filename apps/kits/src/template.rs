//! Filling in the templates: MiniJinja, strict about what is not known, and without any escaping.
//!
//! Settings are checked before: what comes into a template is made of signs that mean nothing in YAML, nginx or a shell.

use std::net::Ipv4Addr;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::error::KitError;

/// Fills in a template.
///
/// # Errors
/// When the template is wrong, or names something that the values lack.
pub fn render(name: &str, template: &str, values: impl Serialize) -> Result<String, KitError> {
    let wrong =
        |error: minijinja::Error| KitError::Template { name: name.to_owned(), why: format!("{error:#}") };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build().map_err(wrong)?);
    environment.add_test("ipv4", |text: &str| text.parse::<Ipv4Addr>().is_ok());
    environment.render_named_str(name, template, Serde(values)).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks_leave_no_empty_lines_and_nothing_is_escaped() {
        let text = "a\n  {% if yes %}\n  b: {{ value }}\n  {% endif %}\nc\n";
        assert_eq!(render("t", text, json!({"yes": true, "value": "<&'>"})).unwrap(), "a\n  b: <&'>\nc\n");
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        let error = render("compose.yaml", "{{ missing }}", json!({})).unwrap_err();
        assert!(error.to_string().starts_with("the template compose.yaml cannot be filled in"), "{error}");
    }
}
