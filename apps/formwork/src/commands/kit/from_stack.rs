//! What a deployed S3-only stack has for an app outside of AWS: the place of artifacts, and the key that reaches it.

use formwork_engine::{Class, EngineError};
use formwork_kits::AccessKey;
use serde_json::{Value, json};

use super::deployed::Deployed;
use crate::arguments::Arguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::settings::Surroundings;

/// The output with `s3://bucket/prefix`.
const LOCATION: &str = "ArtifactLocation";
/// The output with the secret's ARN.
const SECRET: &str = "SecretArn";
/// The halves of the key in the secret.
const HALVES: [&str; 2] = ["AccessKey", "SecretAccessKey"];

/// What the stack has.
pub(super) struct Found {
    pub(super) location: String,
    pub(super) region: String,
    pub(super) key: AccessKey,
}

/// Reads the outputs of a stack, and the secret that they name.
///
/// # Errors
/// When there is no such stack, it is none of this kind, or the secret cannot be read.
pub(super) fn read(
    word: &str,
    arguments: &Arguments,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<Found, Failure> {
    let stack = Deployed::read(word, "s3-only", arguments, surroundings, console)?;
    let (location, secret) = (stack.output(LOCATION)?, stack.output(SECRET)?);
    let body = json!({ "SecretId": secret });
    let answer = stack.workplace.run(stack.session.call().json(
        "secretsmanager",
        "secretsmanager.GetSecretValue",
        &body,
    ));
    let answer = answer.map_err(|error| {
        let message = format!("cannot read the key in {secret}: {error}");
        EngineError::new(Class::Input, message)
            .with_hint("your identity needs secretsmanager:GetSecretValue on it")
    })?;
    let key = key(answer["SecretString"].as_str().unwrap_or_default()).ok_or_else(|| {
        let halves = HALVES.join(" and ");
        EngineError::new(Class::Input, format!("the secret {secret} holds no key: {halves} are wanted"))
    })?;
    Ok(Found { location, region: stack.session.region().to_owned(), key })
}

/// The key in the text of a secret.
fn key(text: &str) -> Option<AccessKey> {
    let document: Value = serde_json::from_str(text).ok()?;
    let [id, secret] = HALVES.map(|half| document[half].as_str().filter(|value| !value.is_empty()));
    Some(AccessKey { id: id?.to_owned(), secret: secret?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_two_halves() {
        let found = key(r#"{"AccessKey":"AKIAEXAMPLE","SecretAccessKey":"a/b+c"}"#).unwrap();
        assert_eq!((found.id.as_str(), found.secret.as_str()), ("AKIAEXAMPLE", "a/b+c"));
        for wrong in [
            "",
            "AKIAEXAMPLE",
            "{}",
            r#"{"AccessKey":"AKIAEXAMPLE"}"#,
            r#"{"AccessKey":"","SecretAccessKey":""}"#,
        ] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }
}
