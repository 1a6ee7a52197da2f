//! The client against sockets that misbehave, calls against a fake service, and the settings of both.

mod calls;
mod certificate;
mod client;

use super::*;
use crate::settings::testing::read_and_tell;

fn read(values: &[(&str, &str)]) -> (Settings, Vec<String>) {
    read_and_tell(values, Settings::read)
}

#[test]
fn services_answer_in_their_region_or_where_the_settings_say() {
    let (settings, _) = read(&[]);
    for (service, host) in [
        (Service::Sts, "https://sts.us-gov-west-1.amazonaws.com/"),
        (Service::SecretsManager, "https://secretsmanager.us-gov-west-1.amazonaws.com/"),
        (Service::SageMaker, "https://api.sagemaker.us-gov-west-1.amazonaws.com/"),
        (Service::Logs, "https://logs.us-gov-west-1.amazonaws.com/"),
    ] {
        assert_eq!(settings.endpoints.of(service, "us-gov-west-1"), host);
    }
    let all = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
    let (settings, mistakes) = read(&[all, ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")]);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    assert_eq!(settings.endpoints.of(Service::Sts, "us-east-1"), "http://127.0.0.1:1/");
    assert_eq!(settings.endpoints.of(Service::Logs, "us-east-1"), "http://127.0.0.1:4566/");
    let (_, mistakes) = read(&[("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "logs")]);
    assert!(
        mistakes[0].starts_with("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS cannot be used: `logs`"),
        "{mistakes:?}"
    );
}

#[test]
fn a_bundle_is_looked_at_when_the_settings_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("good"), certificate::Own::new("localhost").pem()).unwrap();
    std::fs::write(path("none"), "no certificate").unwrap();
    std::fs::write(path("bad"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let good = path("good");
    let (settings, mistakes) = read(&[("SSL_CERT_FILE", &good), ("MLFLOW_PROXY_CA_BUNDLE", &good)]);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    assert_eq!(settings.roots.len(), 2);
    for name in ["none", "bad", "missing"] {
        let (_, mistakes) = read(&[("MLFLOW_PROXY_CA_BUNDLE", &path(name))]);
        assert!(mistakes[0].starts_with("MLFLOW_PROXY_CA_BUNDLE names `"), "{name}: {mistakes:?}");
    }
}

#[test]
fn chance_stays_in_its_bounds_and_differs() {
    let numbers = (0..100).map(|_| jitter()).collect::<Vec<_>>();
    assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
    assert!(numbers.iter().any(|number| *number < 0.5) && numbers.iter().any(|number| *number > 0.5));
}
