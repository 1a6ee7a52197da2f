//! The metrics in the text form of OpenMetrics, which Prometheus and others read.
//!
//! Made at each look from the counters, so that counting itself knows nothing of names and labels.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::credentials::Caches;

use super::credentials::Told;
use super::metrics::Metrics;
use super::process;

/// The content type of [`Exposition::text`].
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All that is told to Prometheus.
#[derive(Debug)]
pub(super) struct Exposition {
    registry: Registry,
}

impl Exposition {
    /// Over the counters, and over the credentials once there are any.
    pub(super) fn new(metrics: Arc<Metrics>, caches: Option<Caches>) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Counters { metrics, started: SystemTime::now() }));
        if let Some(caches) = caches {
            registry.register_collector(Box::new(Told { caches }));
        }
        Self { registry }
    }

    /// The text.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(16 << 10);
        // Writing into a string cannot fail; the encoder's own type can only pass such a failure on.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

#[derive(Debug)]
struct Counters {
    metrics: Arc<Metrics>,
    started: SystemTime,
}

/// A counter of one value.
fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let value = ConstCounter::new(value);
    value.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> fmt::Result {
    let value = ConstGauge::new(value);
    value.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

/// A counter with one label.
pub(super) fn family(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: impl IntoIterator<Item = (&'static str, u64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (value, count) in values {
        metric.encode_family(&[(label, value)])?.encode_counter::<NoLabelSet, u64, u64>(&count, None)?;
    }
    Ok(())
}

impl Collector for Counters {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let metrics = &self.metrics;
        let encoder = &mut encoder;
        {
            let help = "Answers by what they were for";
            let mut metric =
                encoder.encode_descriptor("mlflow_proxy_requests", help, None, MetricType::Counter)?;
            for (class, method, status, count) in metrics.requests() {
                let status = if status == 0 { "other".to_owned() } else { status.to_string() };
                let labels = [("class", class.name()), ("method", method), ("status", &status)];
                metric.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(&count, None)?;
            }
        }
        {
            let name = "mlflow_proxy_request_duration_seconds";
            let help = "Time from the head of a request to the head of its answer";
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
            for (class, snapshot) in metrics.durations() {
                if snapshot.count() > 0 {
                    let labels = [("class", class.name())];
                    let mut metric = metric.encode_family(&labels)?;
                    let (seconds, count) = (snapshot.seconds(), snapshot.count());
                    metric.encode_histogram::<NoLabelSet>(seconds, count, &snapshot.buckets(), None)?;
                }
            }
        }
        family(
            encoder,
            "mlflow_proxy_upstream_errors",
            "Failures of MLflow or the bucket",
            "kind",
            metrics.upstream_errors().map(|(kind, count)| (kind.name(), count)),
        )?;
        family(
            encoder,
            "mlflow_proxy_authentication_failures",
            "Requests whose sender was not let in",
            "reason",
            metrics.authentication_failures().map(|(reason, count)| (reason.name(), count)),
        )?;
        for (name, help, value) in [
            ("mlflow_proxy_received_bytes", "Bytes of bodies from clients", &metrics.bytes_in),
            ("mlflow_proxy_sent_bytes", "Bytes of bodies to clients", &metrics.bytes_out),
            (
                "mlflow_proxy_connections_refused",
                "Connections closed at once, too many being open",
                &metrics.connections_refused,
            ),
            ("mlflow_proxy_rate_limited", "Requests above somebody's rate", &metrics.rate_limited),
            ("mlflow_proxy_retries", "Requests that were sent again", &metrics.retries),
            ("mlflow_proxy_log_events_shipped", "Lines sent to the log group", &metrics.log_events_shipped),
            ("mlflow_proxy_log_events_dropped", "Log lines that were lost", &metrics.log_events_dropped),
        ] {
            counter(encoder, name, help, value.get())?;
        }
        for (name, help, value) in [
            ("mlflow_proxy_requests_in_flight", "Requests under way", &metrics.in_flight),
            ("mlflow_proxy_connections", "Connections of clients", &metrics.connections),
            ("mlflow_proxy_spooled_bytes", "Bytes of bodies in temporary files", &metrics.spooled_bytes),
        ] {
            gauge(encoder, name, help, value.get())?;
        }
        {
            let mut metric = encoder.encode_descriptor(
                "mlflow_proxy_build_info",
                "The running version",
                None,
                MetricType::Gauge,
            )?;
            metric.encode_family(&[("version", env!("CARGO_PKG_VERSION"))])?.encode_gauge(&1_i64)?;
        }
        process::encode(encoder, self.started)
    }
}
