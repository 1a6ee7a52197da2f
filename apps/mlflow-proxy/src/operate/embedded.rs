//! The figures that alarms stand on, as log lines in CloudWatch's embedded metric format: the log group makes metrics of
//! them, without an agent and without another permission.
//!
//! The stack's alarms name these metrics, so names and dimensions are an agreement with `ProxyApp`.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::metrics::Sums;

/// The namespace of the metrics.
pub const NAMESPACE: &str = "Formwork/MlflowProxy";

/// Metrics with their units.
const METRICS: &[(&str, &str)] = &[
    ("Requests", "Count"),
    ("Errors5xx", "Count"),
    ("UpstreamErrors", "Count"),
    ("CredentialRefreshFailures", "Count"),
    ("AuthenticationFailures", "Count"),
    ("LatencyP99Milliseconds", "Milliseconds"),
];

/// The sums with what the credentials tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) sums: Sums,
    pub(super) credential_failures: u64,
}

/// The line for what happened between two moments.
pub(super) fn line(group: &str, now: SystemTime, before: &Figures, after: &Figures) -> String {
    let durations = after.sums.durations.since(&before.sums.durations);
    let since = |value: fn(&Figures) -> u64| value(after).saturating_sub(value(before));
    let mut body = json!({
        "LogGroup": group,
        "Requests": since(|figures| figures.sums.requests),
        "Errors5xx": since(|figures| figures.sums.errors),
        "UpstreamErrors": since(|figures| figures.sums.upstream_errors),
        "CredentialRefreshFailures": since(|figures| figures.credential_failures),
        "AuthenticationFailures": since(|figures| figures.sums.authentication_failures),
    });
    // Without a request there is no latency: a zero would pull averages down.
    let latency = durations.quantile(0.99);
    if let Some(milliseconds) = latency {
        body["LatencyP99Milliseconds"] = json!((milliseconds * 10.0).round() / 10.0);
    }
    let metrics: Vec<Value> = METRICS
        .iter()
        .filter(|(name, _)| body.get(name).is_some())
        .map(|(name, unit)| json!({ "Name": name, "Unit": unit }))
        .collect();
    let milliseconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    body["_aws"] = json!({
        "Timestamp": milliseconds,
        "CloudWatchMetrics": [{ "Namespace": NAMESPACE, "Dimensions": [["LogGroup"]], "Metrics": metrics }],
    });
    body.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{Method, StatusCode};

    use super::super::metrics::{AuthenticationFailure, Class, Metrics, UpstreamError};
    use super::*;

    #[test]
    fn a_line_tells_the_minute_and_declares_what_it_tells() {
        let metrics = Metrics::new();
        metrics.answered(Class::Mlflow, &Method::GET, StatusCode::OK, Duration::from_secs(100));
        let before = Figures { sums: metrics.sums(), credential_failures: 1 };
        for _ in 0..3 {
            metrics.answered(Class::Mlflow, &Method::GET, StatusCode::BAD_GATEWAY, Duration::from_millis(40));
        }
        metrics.upstream_error(UpstreamError::Connect);
        metrics.authentication_failed(AuthenticationFailure::Unknown);
        let after = Figures { sums: metrics.sums(), credential_failures: 3 };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(60);
        let line: Value = serde_json::from_str(&line("/proxy", now, &before, &after)).unwrap();

        assert_eq!(line["Requests"], 3);
        assert_eq!(line["Errors5xx"], 3);
        assert_eq!(line["UpstreamErrors"], 1);
        assert_eq!(line["CredentialRefreshFailures"], 2);
        assert_eq!(line["AuthenticationFailures"], 1);
        assert!((30.0..=50.0).contains(&line["LatencyP99Milliseconds"].as_f64().unwrap()), "{line}");
        assert_eq!(line["LogGroup"], "/proxy");
        assert_eq!(line["_aws"]["Timestamp"], 60_000);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], NAMESPACE);
        assert_eq!(directive["Dimensions"], json!([["LogGroup"]]));
        assert_eq!(directive["Metrics"].as_array().unwrap().len(), METRICS.len());
    }

    #[test]
    fn a_minute_without_requests_has_no_latency() {
        let nothing = Figures::default();
        let line: Value =
            serde_json::from_str(&line("/proxy", SystemTime::UNIX_EPOCH, &nothing, &nothing)).unwrap();
        assert_eq!(line["Requests"], 0);
        assert_eq!(line.get("LatencyP99Milliseconds"), None);
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().len(),
            METRICS.len() - 1
        );
    }
}
