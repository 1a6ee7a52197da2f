//! Whether the settings of the Compose kit make sense, each by itself and together.
//!
//! What passes is made of signs that need no quoting in YAML, nginx's configuration, a shell or a make file.

use std::net::IpAddr;

use super::settings::{Artifacts, ComposeSettings, Database, Tls, Uploads};
use crate::checks::{Findings, is_host, is_image, is_word};
use crate::error::KitError;

/// What libpq takes as `sslmode` and protects against somebody who listens.
const DATABASE_TLS: [&str; 4] = ["verify-full", "verify-ca", "require", "disable"];

pub(super) fn check(settings: &ComposeSettings) -> Result<(), KitError> {
    let mut findings = Findings::default();
    alone(settings, &mut findings);
    published(settings, &mut findings);
    artifacts(settings, &mut findings);
    database(settings, &mut findings);
    findings.finish()
}

fn alone(settings: &ComposeSettings, findings: &mut Findings) {
    let words = [("name", &settings.name), ("user", &settings.user)];
    for (key, value) in words.into_iter().filter(|(_, value)| !is_word(value, "-_")) {
        let hint = "letters, digits, `-` and `_`, beginning with a letter or digit";
        findings.add(format!("{key} `{value}` cannot be used"), hint);
    }
    if settings.name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        findings
            .add(format!("name `{}` has capital letters", settings.name), "Compose takes small ones only");
    }
    let images = [
        ("postgresImage", &settings.postgres_image),
        ("nginxImage", &settings.nginx_image),
        ("storeImage", &settings.store_image),
    ];
    for (key, image) in images.into_iter().filter(|(_, image)| !is_image(image)) {
        let hint = "name a version or a digest, as in postgres:18-alpine; `latest` changes without a word";
        findings.add(format!("{key} `{image}` is not pinned"), hint);
    }
    let prefix = &settings.prefix;
    let is_path = |path: &str| path.split('/').all(|part| is_word(part, "-_."));
    if !prefix.is_empty() && !prefix.strip_prefix('/').is_some_and(is_path) {
        findings.add(format!("prefix `{prefix}` is no path"), "write it as /mlflow, or empty for none");
    }
    if !(1..=64).contains(&settings.workers) {
        findings.add(format!("workers is {}", settings.workers), "between 1 and 64; each takes about 300 MB");
    }
}

fn published(settings: &ComposeSettings, findings: &mut Findings) {
    for host in settings.hosts.iter().filter(|host| !is_host(host)) {
        findings.add(format!("`{host}` in hosts is no name of a host"), "without a scheme, a port or a path");
    }
    if settings.hosts.is_empty() {
        findings.add("hosts is empty".to_owned(), "name what people will call the server by");
    }
    for (key, port) in [("port", settings.port), ("storePort", settings.store_port)] {
        if port == 0 {
            findings.add(format!("{key} is 0"), "between 1 and 65535");
        }
    }
    let Ok(address) = settings.listen.parse::<IpAddr>() else {
        let hint = "127.0.0.1 for this machine alone, 0.0.0.0 for every network";
        findings.add(format!("listen `{}` is no address", settings.listen), hint);
        return;
    };
    let is_open = !address.is_loopback() && settings.tls == Tls::None;
    if is_open && !settings.allow_insecure {
        findings.add(
            format!("{address} would be published without TLS, so that passwords could be read on the way"),
            "tls = \"files\" (--tls files); or allowInsecure = true where something else in front speaks TLS",
        );
    }
}

fn artifacts(settings: &ComposeSettings, findings: &mut Findings) {
    let location = &settings.artifact_location;
    match settings.artifacts {
        Artifacts::S3 if !is_bucket(location) => findings.add(
            format!("artifactLocation `{location}` is no place in S3"),
            "write it as s3://bucket/prefix",
        ),
        Artifacts::Azure if !is_blob_container(location) => findings.add(
            format!("artifactLocation `{location}` is no place in Azure Blob Storage"),
            "write it as wasbs://container@account.blob.core.windows.net/path",
        ),
        Artifacts::Store | Artifacts::Local if !location.is_empty() => findings.add(
            format!("artifactLocation `{location}` has no meaning with artifacts kept here"),
            "leave it out, or say artifacts = \"s3\" or \"azure\"",
        ),
        _ => {}
    }
    let endpoint = &settings.s3_endpoint;
    if !endpoint.is_empty() && settings.artifacts != Artifacts::S3 {
        findings.add("s3Endpoint has no meaning without artifacts = \"s3\"".to_owned(), "leave it out");
    }
    let is_url = |url: &str| {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        rest.is_some_and(|rest| rest.split(':').count() <= 2 && rest.split(':').all(is_host))
    };
    if !endpoint.is_empty() && !is_url(endpoint) {
        findings.add(
            format!("s3Endpoint `{endpoint}` is no address"),
            "write it as https://host or https://host:port",
        );
    }
    if !is_word(&settings.s3_region, "-") {
        findings.add(format!("s3Region `{}` is no region", settings.s3_region), "such as us-east-1");
    }
    if settings.uploads == Uploads::Proxied {
        return;
    }
    match settings.artifacts {
        Artifacts::Local => findings.add(
            "clients cannot reach a folder of the server, so that uploads cannot be direct".to_owned(),
            "uploads = \"proxied\", or artifacts = \"store\", \"s3\" or \"azure\"",
        ),
        Artifacts::Store if settings.tls == Tls::None => findings.add(
            "direct uploads publish the store, and its keys would go over the network without TLS".to_owned(),
            "tls = \"files\" (--tls files)",
        ),
        Artifacts::Store if settings.store_port == settings.port => findings.add(
            format!("port and storePort are both {}", settings.port),
            "give the store a port of its own",
        ),
        _ => {}
    }
}

fn database(settings: &ComposeSettings, findings: &mut Findings) {
    for (key, value) in [("databaseName", &settings.database_name), ("databaseUser", &settings.database_user)]
    {
        if !is_word(value, "-_") {
            let hint = "letters, digits, `-` and `_`, beginning with a letter or digit";
            findings.add(format!("{key} `{value}` cannot be used"), hint);
        }
    }
    if !DATABASE_TLS.contains(&settings.database_tls.as_str()) {
        let hint = DATABASE_TLS.join(", ");
        findings.add(format!("databaseTls `{}` is unknown", settings.database_tls), &hint);
    }
    match settings.database {
        Database::External if !is_host(&settings.database_host) => findings.add(
            format!("databaseHost `{}` is no name of a host", settings.database_host),
            "an external database needs its host",
        ),
        Database::Container if !settings.database_host.is_empty() => findings.add(
            "databaseHost has no meaning with a database of the kit".to_owned(),
            "database = \"external\" (--database external)",
        ),
        _ => {}
    }
}

fn is_bucket(location: &str) -> bool {
    location.strip_prefix("s3://").is_some_and(is_bucket_and_path)
}

fn is_bucket_and_path(text: &str) -> bool {
    text.trim_end_matches('/').split('/').all(|part| is_word(part, "-_.=+"))
}

fn is_blob_container(location: &str) -> bool {
    let Some((container, rest)) = location.strip_prefix("wasbs://").and_then(|it| it.split_once('@')) else {
        return false;
    };
    let (account, path) = rest.split_once('/').unwrap_or((rest, ""));
    is_word(container, "-") && is_host(account) && (path.is_empty() || is_bucket_and_path(path))
}

#[cfg(test)]
mod tests;
