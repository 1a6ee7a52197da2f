//! Parameters with `NoEcho` whose values would be shown all the same.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>: values in
//! metadata and outputs are not masked.

use formwork_assembly::ReferenceKind;
use serde_json::Value;

use super::context::Context;
use super::sections::scalar_text;

pub(super) fn check(context: &mut Context<'_>) {
    let hidden = |name: &str| {
        let no_echo = context.parameters.get(name).and_then(|parameter: &&Value| parameter.get("NoEcho"));
        no_echo.and_then(scalar_text).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    };
    let mut found = Vec::new();
    for reference in &context.references.list {
        let names = matches!(reference.kind, ReferenceKind::Ref | ReferenceKind::Sub)
            && reference.attribute.is_none();
        let shown = match reference.section {
            "Outputs" => "an output",
            "Resources" if reference.pointer.split('/').nth(3) == Some("Metadata") => "metadata",
            _ => continue,
        };
        if names && hidden(reference.target) {
            let message = format!("the secret parameter `{}` is shown in {shown}", reference.target);
            found.push((reference.pointer.clone(), message));
        }
    }
    for (place, message) in found {
        context.warning("shown-secret", place, message).hint =
            Some("values there are not masked: refer to a secret of Secrets Manager".to_owned());
    }
}
