//! The keys of the kit's own store: one that makes the bucket, one for MLflow, one for clients.
//!
//! Neither MLflow nor a client has the key that rules the store: theirs reach the one bucket and nothing else.

use serde_json::json;

use super::settings::{ComposeSettings, Uploads};
use crate::access_key::AccessKey;
use crate::error::KitError;
use crate::secrets::{Secret, Secrets, random_text};

const ADMIN: &str = "secrets/store_admin";
const SERVER: &str = "secrets/store_server";
const CLIENT: &str = "secrets/store_client";
const IDENTITIES: &str = "secrets/store_identities.json";

fn new_key(_: &Secrets) -> Result<String, KitError> {
    Ok(AccessKey { id: random_text(20)?, secret: random_text(40)? }.to_file())
}

pub(super) fn secrets(settings: &ComposeSettings) -> Vec<Secret> {
    let clients = (settings.uploads == Uploads::Direct).then(|| Secret::made(CLIENT, new_key));
    let keys = [Secret::made(ADMIN, new_key), Secret::made(SERVER, new_key)];
    keys.into_iter().chain(clients).chain([Secret::made(IDENTITIES, identities)]).collect()
}

pub(super) fn client_key(secrets: &Secrets) -> AccessKey {
    AccessKey::of_file(secrets.get(CLIENT))
}

/// Who may do what, as the store reads it.
fn identities(secrets: &Secrets) -> Result<String, KitError> {
    let in_bucket = ["Read:mlflow", "Write:mlflow", "List:mlflow", "Tagging:mlflow"];
    let identity = |name: &str, path: &str, actions: &[&str]| {
        let key = AccessKey::of_file(secrets.get(path));
        let credentials = json!([{ "accessKey": key.id, "secretKey": key.secret }]);
        json!({ "name": name, "credentials": credentials, "actions": actions })
    };
    let mut found = vec![identity("admin", ADMIN, &["Admin"]), identity("server", SERVER, &in_bucket)];
    if !secrets.get(CLIENT).is_empty() {
        found.push(identity("client", CLIENT, &in_bucket));
    }
    let text = serde_json::to_string_pretty(&json!({ "identities": found })).unwrap_or_default();
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(uploads: Uploads) -> Secrets {
        let mut known = Secrets::default();
        for secret in secrets(&ComposeSettings { uploads, ..ComposeSettings::default() }) {
            let value = secret.value(&known).unwrap();
            known.insert(secret.path, value);
        }
        known
    }

    #[test]
    fn nobody_but_the_one_that_makes_the_bucket_rules_the_store() {
        let known = made(Uploads::Direct);
        let found: serde_json::Value = serde_json::from_str(known.get(IDENTITIES)).unwrap();
        let identities = found["identities"].as_array().unwrap();
        let names: Vec<&str> = identities.iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["admin", "server", "client"], "and nobody without a key");
        for identity in &identities[1..] {
            let actions = identity["actions"].as_array().unwrap();
            assert!(
                actions.iter().all(|action| action.as_str().unwrap().ends_with(":mlflow")),
                "{actions:?}"
            );
        }
        let keys: std::collections::BTreeSet<&str> =
            identities.iter().map(|it| it["credentials"][0]["accessKey"].as_str().unwrap()).collect();
        assert_eq!(keys.len(), 3, "each has a key of its own");
        assert_eq!(client_key(&known).id, identities[2]["credentials"][0]["accessKey"]);
    }

    #[test]
    fn clients_have_no_key_when_mlflow_carries_artifacts() {
        let known = made(Uploads::Proxied);
        assert!(!known.get(IDENTITIES).contains("client"));
        assert_eq!(client_key(&known).id, "");
    }
}
