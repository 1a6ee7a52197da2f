use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::write::{WriteOptions, write};

fn example() -> HerokuSettings {
    HerokuSettings {
        app: "my-mlflow".to_owned(),
        host: "my-mlflow-0123.herokuapp.com".to_owned(),
        s3_location: "s3://bucket/prefix".to_owned(),
        ..HerokuSettings::default()
    }
}

fn text_of(settings: &HerokuSettings, path: &str) -> String {
    let mut secrets = Secrets::default();
    secrets.insert(PASSWORD, "the password".to_owned());
    let owner = crate::Owner { user: 1, group: 1 };
    let made = files(settings, &Place { secrets, owner }).unwrap();
    made.into_iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path}")).text
}

#[test]
fn what_a_stack_gave_becomes_variables_that_nobody_else_reads() {
    let folder = tempfile::tempdir().unwrap();
    let key = AccessKey { id: "AKIAEXAMPLE".to_owned(), secret: "a/b+c".to_owned() };
    write(&kit(&example(), Some(key)).unwrap(), folder.path(), &WriteOptions::default()).unwrap();
    let path = folder.path().join(CONFIG);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let vars: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(vars["AWS_ACCESS_KEY_ID"], "AKIAEXAMPLE");
    assert_eq!(vars["AWS_SECRET_ACCESS_KEY"], "a/b+c");
    assert_eq!(vars["S3_LOCATION"], "s3://bucket/prefix");
    assert_eq!(vars["MLFLOW_HOSTS"], "my-mlflow-0123.herokuapp.com");
    assert_eq!(vars["BASIC_AUTH_PASSWORD"].as_str().unwrap().len(), 32);
    let ignored = fs::read_to_string(folder.path().join(".gitignore")).unwrap();
    assert!(ignored.contains("secrets/") && ignored.contains(".env.client"));
}

#[test]
fn a_variable_that_is_not_known_is_left_alone() {
    let vars = config_vars(&HerokuSettings::default(), None, &AccessKey::default());
    let names: Vec<&String> = vars.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["AWS_DEFAULT_REGION", "BASIC_AUTH_USER"],
        "an empty value would take away what is set"
    );
}

#[test]
fn a_dyno_has_the_memory_that_mlflow_needs() {
    let size = |dyno: &str| check(&HerokuSettings { dyno: dyno.to_owned(), ..example() });
    assert!(size("standard-2x").is_ok());
    for small in ["eco", "basic", "standard-1x", "huge"] {
        assert!(size(small).unwrap_err().to_string().contains("too small"), "{small}");
    }
}

#[test]
fn wrong_settings_are_told_at_once() {
    let wrong = HerokuSettings {
        app: "My App".to_owned(),
        host: "https://a".to_owned(),
        user: "a:b".to_owned(),
        s3_location: "bucket".to_owned(),
        database_plan: "heroku-redis:mini".to_owned(),
        ..example()
    };
    let Err(KitError::Settings(found)) = check(&wrong) else { panic!("they are taken") };
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn the_ports_are_left_to_the_dyno_and_nginxs_own_variables_stay() {
    let text = text_of(&example(), "nginx.conf");
    for word in ["listen @PORT@;", "127.0.0.1:@MLFLOW_PORT@", "auth_basic_user_file @USERS@;"] {
        assert!(text.contains(word), "{word}");
    }
    for variable in ["$http_host", "$proxy_add_x_forwarded_for", "$request_uri", "$http_x_forwarded_proto"] {
        assert!(text.contains(variable), "{variable}");
    }
    assert!(!text.contains("resolver "), "the address of MLflow is no name");
}

#[test]
fn the_manifest_names_what_the_run_program_wants() {
    let app: Value = serde_json::from_str(&text_of(&example(), "app.json")).unwrap();
    let program = include_str!("../../heroku/run.py");
    for name in app["env"].as_object().unwrap().keys() {
        let is_read = program.contains(&format!("\"{name}\"")) || name.starts_with("AWS_");
        assert!(is_read, "{name}");
    }
    for name in [
        "S3_LOCATION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "BASIC_AUTH_USER",
        "BASIC_AUTH_PASSWORD",
    ] {
        assert_eq!(app["env"][name]["required"], true, "{name}");
    }
    assert_eq!(app["env"]["BASIC_AUTH_PASSWORD"]["generator"], "secret");
    assert_eq!(app["stack"], "container");
    assert_eq!(app["addons"][0]["plan"], "heroku-postgresql:essential-0");
    assert_eq!(app["formation"]["web"]["size"], "standard-2x");
    assert!(!app.to_string().contains("the password"));
}
