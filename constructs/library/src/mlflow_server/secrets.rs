//! The secrets of the server itself. Secrets Manager makes them, and nothing changes them by itself: a server reads a
//! secret once, when it starts.

use formwork::{KeyArn, RemovalPolicy, Resource, Scope, SecretArn, Value};
use formwork_resources::secretsmanager::{CfnSecret, GenerateSecretString};
use serde_json::json;

use super::program::ADMINISTRATOR;
use super::{MlflowServerProps, ServerAuthentication};

/// Letters and digits: a password is typed, pasted into variables and put into addresses.
const PASSWORD_LENGTH: i64 = 32;
const KEY_LENGTH: i64 = 64;

/// The secrets that a server with users has.
pub(super) enum OwnSecrets {
    /// There are no users.
    None,
    /// There are users.
    Users {
        /// The name and the first password of the administrator.
        administrator: Value<SecretArn>,
        /// What signs the forms of MLflow's pages for users. It has to be the same in all processes.
        session_key: Value<SecretArn>,
        /// The key that encrypts both, when it is not AWS's own.
        key: Option<Value<KeyArn>>,
    },
}

impl OwnSecrets {
    #[track_caller]
    pub(super) fn new(scope: Scope<'_>, props: &MlflowServerProps<'_>) -> Self {
        if props.authentication != ServerAuthentication::Basic {
            return Self::None;
        }
        let generate = || GenerateSecretString::new().exclude_punctuation(true);
        let password = generate()
            .secret_string_template(json!({ "username": ADMINISTRATOR }).to_string())
            .generate_string_key("password")
            .password_length(PASSWORD_LENGTH);
        let define = |id, about: &str, generated| {
            let mut secret = CfnSecret::new().description(about).generate_secret_string(generated);
            if let Some(key) = &props.key {
                secret = secret.kms_key_id(key);
            }
            // The users are in the database, whose snapshot a new administrator can be put into.
            secret.removal_policy(RemovalPolicy::Delete).define(scope, id).id()
        };
        let about = "The name and first password of the administrator of the MLflow server";
        let administrator = define("Administrator", about, password);
        let about = "What signs the forms of the MLflow server's pages";
        let session_key = define("SessionKey", about, generate().password_length(KEY_LENGTH));
        Self::Users { administrator, session_key, key: props.key.clone() }
    }
}
