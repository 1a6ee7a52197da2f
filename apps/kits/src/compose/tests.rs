use super::*;
use crate::kit::{FileMode, Owner};

fn place(settings: &ComposeSettings) -> Place {
    let mut known = Secrets::default();
    for secret in secrets(settings) {
        let value = secret.value(&known).unwrap();
        known.insert(secret.path, value);
    }
    Place { secrets: known, owner: Owner { user: 1000, group: 1001 } }
}

/// The files of a kit by their paths.
fn made(change: impl FnOnce(&mut ComposeSettings)) -> (ComposeSettings, Place, Vec<KitFile>) {
    let mut settings = ComposeSettings::default();
    change(&mut settings);
    check::check(&settings).unwrap();
    let place = place(&settings);
    let files = files(&settings, &place).unwrap();
    (settings, place, files)
}

fn text<'f>(files: &'f [KitFile], path: &str) -> &'f str {
    files
        .iter()
        .find(|file| file.path == path)
        .map(|file| file.text.as_str())
        .unwrap_or_else(|| panic!("{path}"))
}

fn direct(settings: &mut ComposeSettings) {
    settings.tls = Tls::Files;
    settings.uploads = Uploads::Direct;
}

#[test]
fn no_secret_is_in_a_file_that_others_may_read() {
    for change in [|_: &mut ComposeSettings| {}, direct] {
        let (_, place, files) = made(change);
        let values: Vec<String> =
            [PASSWORD, DATABASE_PASSWORD].map(|path| place.secrets.get(path).to_owned()).into();
        let key = store::client_key(&place.secrets).secret;
        for file in files.iter().filter(|file| file.mode != FileMode::Private) {
            let found =
                values.iter().chain([&key]).find(|it| !it.is_empty() && file.text.contains(it.as_str()));
            assert_eq!(found, None, "{}", file.path);
        }
        assert!(text(&files, ".env.client").contains(values[0].as_str()));
    }
}

#[test]
fn the_settings_survive_their_file() {
    let (settings, ..) = made(|it| {
        direct(it);
        it.hosts = vec!["mlops.example.com".to_owned(), "10.0.0.1".to_owned()];
        it.port = 443;
    });
    let kit = kit(&settings).unwrap();
    assert_eq!(toml::from_str::<ComposeSettings>(&kit.settings).unwrap(), settings);
}

#[test]
fn clients_get_the_address_that_the_server_answers_to() {
    let (_, place, files) = made(|it| {
        direct(it);
        it.hosts = vec!["mlops.example.com".to_owned()];
        it.listen = "0.0.0.0".to_owned();
        it.port = 443;
    });
    let client = text(&files, ".env.client");
    assert!(client.contains("MLFLOW_TRACKING_URI=https://mlops.example.com/mlflow\n"), "{client}");
    assert!(client.contains("MLFLOW_S3_ENDPOINT_URL=https://mlops.example.com:9443\n"), "{client}");
    let key = store::client_key(&place.secrets);
    assert!(client.contains(&format!("AWS_ACCESS_KEY_ID={}\n", key.id)) && !key.id.is_empty());
    let compose = text(&files, "compose.yaml");
    assert!(compose.contains("MLFLOW_SERVER_ALLOWED_HOSTS: mlops.example.com,mlops.example.com:443\n"));
    assert!(compose.contains("MLFLOW_SERVER_CORS_ALLOWED_ORIGINS: https://mlops.example.com\n"));

    let (.., files) = made(|_| {});
    assert!(text(&files, ".env.client").contains("MLFLOW_TRACKING_URI=http://localhost:5001/mlflow\n"));
    assert!(!text(&files, ".env.client").contains("AWS_"), "MLflow carries artifacts");
}

#[test]
fn the_owner_of_the_secrets_runs_the_containers() {
    let (.., files) = made(|_| {});
    assert!(text(&files, ".env").contains("KIT_OWNER=1000:1001\n"));
}

#[test]
fn scripts_run_and_everything_is_ignored_that_git_must_not_have() {
    let (.., files) = made(|_| {});
    let scripts: Vec<&str> =
        files.iter().filter(|file| file.mode == FileMode::Script).map(|file| file.path.as_str()).collect();
    assert_eq!(scripts, ["serve", "bucket.py"]);
    let ignored = text(&files, ".gitignore");
    for path in ["secrets/", "data/", ".env\n", ".env.client", "backups/"] {
        assert!(ignored.contains(path), "{path}");
    }
}
