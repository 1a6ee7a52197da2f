//! What the system knows about this process, under the names that every Prometheus exporter uses.

use std::fmt;
use std::time::SystemTime;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// The bytes of memory that are in use now. Source: `VmRSS` of proc(5).
pub(super) fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// How many files and sockets are open.
fn open_files() -> Option<i64> {
    // The folder that is read is itself one of them.
    let count = std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    i64::try_from(count).ok()
}

/// Writes what is known; what is not is left out.
pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, started: SystemTime) -> fmt::Result {
    let started = started.duration_since(SystemTime::UNIX_EPOCH).ok().map(|time| time.as_secs() as i64);
    for (name, help, value) in [
        ("process_resident_memory_bytes", "Memory in use", resident_bytes()),
        ("process_open_fds", "Open files and sockets", open_files()),
        ("process_start_time_seconds", "When the process started, since 1970", started),
    ] {
        if let Some(value) = value {
            let value = ConstGauge::new(value);
            value.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
    }
    Ok(())
}
