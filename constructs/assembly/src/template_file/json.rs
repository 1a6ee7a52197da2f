//! Templates in JSON.
//!
//! The parser keeps the last of two equal keys in silence, where CloudFormation refuses the template. The positions are
//! therefore read at once: they see every key.

use serde_json::Value;

use super::positions::{Place, Positions};
use super::{Fault, TemplateFormat, TemplateProblem};

pub(super) fn parse(text: &str) -> Result<(Value, Positions), Fault> {
    let value = serde_json::from_str(text).map_err(|error| fault(&error))?;
    let positions = Positions::of(text, TemplateFormat::Json);
    match positions.duplicate_key() {
        Some(fault) => Err(fault),
        None => Ok((value, positions)),
    }
}

fn fault(error: &serde_json::Error) -> Fault {
    let place = Place::new(error.line(), error.column().max(1));
    let message = error.to_string();
    let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason).to_owned();
    if reason == "recursion limit exceeded" {
        return Fault::new(TemplateProblem::TooDeep).at(Some(place));
    }
    let hint = match reason.as_str() {
        "trailing comma" => Some("remove the comma after the last entry"),
        "trailing characters" => Some("a template is one JSON document: remove what follows it"),
        "key must be a string" => Some("write keys in double quotes, without comments"),
        "control character (\\u0000-\\u001F) found while parsing a string" => {
            Some("write line breaks in a text as `\\n`")
        }
        reason if reason.starts_with("EOF") => {
            Some("the file ends too early: a bracket or a quote is not closed")
        }
        _ => None,
    };
    let fault = Fault::new(TemplateProblem::Syntax { format: "JSON", reason }).at(Some(place));
    match hint {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}
