use super::*;

/// All that is wrong with settings, one text each.
fn findings(change: impl FnOnce(&mut ComposeSettings)) -> Vec<String> {
    let mut settings = ComposeSettings::default();
    change(&mut settings);
    match check(&settings) {
        Ok(()) => Vec::new(),
        Err(KitError::Settings(found)) => found,
        Err(other) => panic!("{other}"),
    }
}

/// The one finding, which has the words, and a hint on a line of its own.
fn refused(words: &str, change: impl FnOnce(&mut ComposeSettings)) {
    let found = findings(change);
    assert_eq!(found.len(), 1, "{words}: {found:?}");
    assert!(found[0].contains(words) && found[0].contains("\nhint: "), "{}", found[0]);
}

fn outside(settings: &mut ComposeSettings) {
    settings.listen = "0.0.0.0".to_owned();
}

fn store(settings: &mut ComposeSettings) {
    settings.uploads = Uploads::Direct;
    settings.tls = Tls::Files;
}

#[test]
fn the_defaults_are_fine_and_are_closed_to_the_world() {
    assert!(findings(|_| {}).is_empty());
    assert_eq!(ComposeSettings::default().listen, "127.0.0.1");
}

#[test]
fn nothing_is_published_without_tls_unless_that_is_said() {
    refused("without TLS", outside);
    refused("without TLS", |it| it.listen = "192.168.1.10".to_owned());
    assert!(findings(|it| (outside(it), it.tls = Tls::Files).0).is_empty());
    assert!(findings(|it| (outside(it), it.allow_insecure = true).0).is_empty());
    assert!(findings(|it| it.listen = "::1".to_owned()).is_empty());
    refused("is no address", |it| it.listen = "localhost".to_owned());
}

#[test]
fn the_store_is_published_with_tls_only() {
    assert!(findings(store).is_empty());
    refused("the store, and its keys", |it| it.uploads = Uploads::Direct);
    // Something in front speaks TLS for MLflow, but nothing does for the store.
    refused("the store, and its keys", |it| (it.uploads = Uploads::Direct, it.allow_insecure = true).0);
    refused("both 9443", |it| (store(it), it.port = 9443).0);
    refused("cannot be direct", |it| (store(it), it.artifacts = Artifacts::Local).0);
}

#[test]
fn a_place_of_artifacts_fits_its_kind() {
    let place = |artifacts, location: &'static str| {
        move |it: &mut ComposeSettings| {
            it.artifacts = artifacts;
            it.artifact_location = location.to_owned();
        }
    };
    assert!(findings(place(Artifacts::S3, "s3://bucket/some/prefix")).is_empty());
    assert!(findings(place(Artifacts::S3, "s3://bucket")).is_empty());
    let azure = "wasbs://artifacts@account.blob.core.windows.net/mlflow";
    assert!(findings(place(Artifacts::Azure, azure)).is_empty());
    refused("no place in S3", place(Artifacts::S3, ""));
    refused("no place in S3", place(Artifacts::S3, "bucket/prefix"));
    refused("no place in S3", place(Artifacts::S3, "s3://bucket/a\"b"));
    refused("no place in Azure", place(Artifacts::Azure, "wasbs://account.blob.core.windows.net"));
    refused("no meaning", place(Artifacts::Store, "s3://bucket"));
    refused("s3Endpoint has no meaning", |it| it.s3_endpoint = "https://s3.example.com".to_owned());
    refused("is no address", |it| {
        place(Artifacts::S3, "s3://bucket")(it);
        it.s3_endpoint = "s3.example.com".to_owned();
    });
}

#[test]
fn a_database_is_here_or_has_a_host() {
    let external = |host: &'static str| {
        move |it: &mut ComposeSettings| {
            it.database = Database::External;
            it.database_host = host.to_owned();
        }
    };
    assert!(findings(external("db.example.com")).is_empty());
    refused("databaseHost", external(""));
    refused("databaseHost", |it| it.database_host = "db.example.com".to_owned());
    refused("databaseTls `prefer`", |it| it.database_tls = "prefer".to_owned());
}

#[test]
fn what_could_mean_something_in_a_file_is_refused() {
    for bad in ["a\"b", "a b", "a;b", "$a", "a\nb", "a/b", "a:b", "", "-a", "{{a}}"] {
        refused("cannot be used", |it| it.user = bad.to_owned());
        refused("cannot be used", |it| it.database_name = bad.to_owned());
        refused("no name of a host", |it| it.hosts = vec![bad.to_owned()]);
        assert!(!findings(|it| it.s3_region = bad.to_owned()).is_empty());
    }
    for bad in ["nginx", "nginx:latest", "nginx:1.30 alpine", "nginx:1.30\nuser: root", "nginx:$TAG", ""] {
        refused("is not pinned", |it| it.nginx_image = bad.to_owned());
    }
    for bad in ["mlflow", "/", "/mlflow/", "//a", "/a b", "/a;", "/$uri", "/../a"] {
        refused("is no path", |it| it.prefix = bad.to_owned());
    }
    assert!(findings(|it| it.prefix = String::new()).is_empty());
    assert!(findings(|it| it.prefix = "/ml/flow".to_owned()).is_empty());
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let found = findings(|it| {
        it.hosts.clear();
        it.listen = "everywhere".to_owned();
        it.workers = 0;
        it.port = 0;
        it.name = "Capital".to_owned();
        it.store_image = "minio/minio".to_owned();
    });
    assert_eq!(found.len(), 6, "{found:?}");
}
