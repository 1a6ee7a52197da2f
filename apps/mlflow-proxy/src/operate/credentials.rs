//! What the credentials tell: whether there are any, how often they were renewed, and until when they last.

use std::fmt;
use std::time::{Duration, SystemTime};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use crate::credentials::{Caches, CredentialState};

use super::exposition::family;
use super::metrics::CredentialKind;
use super::readiness::{Readiness, State};

/// How often renewing has failed, of whatever credentials.
pub(super) fn failures(caches: &Caches) -> u64 {
    // Without a role both are the same, which would count twice.
    let states = states(caches);
    let same = states[0].1 == states[1].1;
    states.iter().take(if same { 1 } else { 2 }).map(|(_, state)| state.failures).sum()
}

fn states(caches: &Caches) -> [(CredentialKind, CredentialState); 2] {
    [(CredentialKind::Base, caches.base.state()), (CredentialKind::Mlflow, caches.mlflow.state())]
}

/// Makes readiness depend on the credentials that sign requests to MLflow.
pub(super) fn watch(readiness: &Readiness, caches: &Caches) {
    let mlflow = caches.mlflow.clone();
    readiness.watch("credentials", move || told(&mlflow.state(), SystemTime::now()));
}

fn told(state: &CredentialState, now: SystemTime) -> State {
    let failing = state.error.as_ref().map(|error| error.kind());
    match (state.valid, failing) {
        (true, None) => State::ready("valid"),
        // They serve until they end.
        (true, Some(kind)) => {
            let left = state.expires.and_then(|end| end.duration_since(now).ok()).unwrap_or_default();
            State::ready(format!("valid for {} s, and renewing fails: {kind}", left.as_secs()))
        }
        (false, Some(kind)) => State::not_ready(format!("none: {kind}")),
        (false, None) => State::not_ready("not fetched yet"),
    }
}

/// The metrics of the credentials, made when somebody looks.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) caches: Caches,
}

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        let states = states(&self.caches);
        let of = |value: fn(&CredentialState) -> u64| {
            states.iter().map(move |(kind, state)| (kind.name(), value(state))).collect::<Vec<_>>()
        };
        let name = "mlflow_proxy_credential_refreshes";
        family(
            encoder,
            name,
            "How often credentials were fetched",
            "credentials",
            of(|state| state.refreshes),
        )?;
        let name = "mlflow_proxy_credential_refresh_failures";
        family(encoder, name, "How often fetching them failed", "credentials", of(|state| state.failures))?;
        let name = "mlflow_proxy_credentials_expire_seconds";
        let help = "Until when credentials last, since 1970; absent where they do not end";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (kind, state) in &states {
            let end = state.expires.and_then(|end| end.duration_since(SystemTime::UNIX_EPOCH).ok());
            if let Some(end) = end {
                let labels = [("credentials", kind.name())];
                metric.encode_family(&labels)?.encode_gauge(&seconds(end))?;
            }
        }
        Ok(())
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::CredentialsError;

    #[test]
    fn credentials_that_still_last_are_ready_although_renewing_fails() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let error = || Some(CredentialsError::Unreachable { why: "arn:aws:secret".to_owned() });
        let valid = CredentialState { valid: true, ..CredentialState::default() };
        assert_eq!(told(&valid, now), State::ready("valid"));
        let ending = CredentialState {
            valid: true,
            expires: Some(now + Duration::from_secs(30)),
            error: error(),
            ..CredentialState::default()
        };
        assert_eq!(told(&ending, now), State::ready("valid for 30 s, and renewing fails: unreachable"));
        let none = CredentialState { error: error(), ..CredentialState::default() };
        assert_eq!(told(&none, now), State::not_ready("none: unreachable"));
        assert!(!told(&CredentialState::default(), now).ready);
    }
}
