//! What a deployed Metaflow tells beyond the outputs of its stack: the value of the key of its API.
//!
//! A template shows the key's id only, so that the value stands in no output, no plan and no journal.

mod migration;

pub use migration::{SchemaStatus, migrate, schema_status};

use crate::aws::{ErrorKind, Session};
use crate::error::{Class, EngineError};

/// The value of a key of Amazon API Gateway, by the key's id.
///
/// # Errors
/// When the key is not there, or the caller may not read it.
pub async fn api_key(session: &Session, id: &str) -> Result<String, EngineError> {
    // Ids are letters and digits; anything else would be another path.
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = format!("`{id}` is not the id of a key of API Gateway");
        return Err(EngineError::new(Class::Input, message));
    }
    let path = format!("/apikeys/{id}?includeValue=true");
    let asked = session.call().rest_json("apigateway", "GetApiKey", "GET", &path, None).await;
    let answer = asked.map_err(|error| {
        let hint = match error.kind {
            ErrorKind::NotFound => "`formwork drift` shows what was changed by hand",
            _ => "reading it needs the right to apigateway:GET on the key, which the role of those who run flows has",
        };
        EngineError::new(Class::NeedsAction, format!("the key {id} of the API cannot be read: {error}"))
            .with_hint(hint)
    })?;
    answer["value"].as_str().map(str::to_owned).ok_or_else(|| {
        EngineError::new(Class::NeedsAction, format!("API Gateway gave the key {id} without its value"))
    })
}
