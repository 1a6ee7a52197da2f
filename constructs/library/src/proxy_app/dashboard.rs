//! One page about the proxy: is it up, what is asked of it, how long does it take, and what goes wrong.

use formwork::{Expression, Json, Scope, Value, pseudo};
use formwork_resources::cloudwatch::CfnDashboard;
use serde_json::json;

use super::alarms::{NAMESPACE, Watched};
use crate::load_balancer::METRICS as BALANCER_NAMESPACE;

/// The places in the body that the stack fills in.
const REGION: &str = "@region@";
const BALANCER: &str = "@balancer@";
const TARGETS: &str = "@targets@";
const LOG_GROUP: &str = "@log-group@";

/// The width of a dashboard is 24; three pictures stand beside each other.
const WIDTH: u32 = 8;
const HEIGHT: u32 = 6;

pub(super) fn define(scope: Scope<'_>, watched: &Watched) {
    let places = [
        (REGION, pseudo::region()),
        (BALANCER, watched.balancer.clone()),
        (TARGETS, watched.targets.clone()),
        (LOG_GROUP, watched.log_group.clone()),
    ];
    CfnDashboard::new(filled(&body().to_string(), &places)).define(scope, "Dashboard");
}

fn body() -> Json {
    let pictures = [
        picture(
            "Requests a minute, by answer",
            "Sum",
            &[
                balancer("RequestCount", "all", "#1f77b4"),
                balancer("HTTPCode_Target_4XX_Count", "4xx", "#ff7f0e"),
                balancer("HTTPCode_Target_5XX_Count", "5xx of the proxy", "#d62728"),
                balancer("HTTPCode_ELB_5XX_Count", "5xx of the load balancer", "#9467bd"),
            ],
        ),
        picture(
            "Seconds until an answer begins",
            "p50",
            &[
                with(balancer("TargetResponseTime", "p50", "#1f77b4"), "p50"),
                with(balancer("TargetResponseTime", "p90", "#ff7f0e"), "p90"),
                with(balancer("TargetResponseTime", "p99", "#d62728"), "p99"),
            ],
        ),
        picture(
            "Instances",
            "Maximum",
            &[
                targets("HealthyHostCount", "healthy", "#2ca02c"),
                targets("UnHealthyHostCount", "unhealthy", "#d62728"),
            ],
        ),
        picture(
            "Failures of MLflow and of credentials",
            "Sum",
            &[
                proxy("UpstreamErrors", "MLflow", "#d62728"),
                proxy("CredentialRefreshFailures", "credentials", "#9467bd"),
            ],
        ),
        picture("Refused for who asked", "Sum", &[proxy("AuthenticationFailures", "not let in", "#ff7f0e")]),
        picture(
            "Bytes a minute through the load balancer",
            "Sum",
            &[balancer("ProcessedBytes", "both ways", "#1f77b4")],
        ),
    ];
    let mut widgets: Vec<Json> = (0u32..)
        .zip(pictures)
        .map(|(index, properties)| {
            placed("metric", (index % 3 * WIDTH, index / 3 * HEIGHT, WIDTH, HEIGHT), properties)
        })
        .collect();
    let below = 2 * HEIGHT;
    widgets.push(placed(
        "log",
        (0, below, 24, HEIGHT),
        lines(
            "Warnings and errors",
            "fields @timestamp, level, message, error, request_id | filter level in ['warn', 'error']",
        ),
    ));
    widgets.push(placed(
        "log",
        (0, below + HEIGHT, 24, HEIGHT),
        lines(
            "Who changed what",
            "fields @timestamp, user, role, route, ids, status, request_id | filter target = 'audit'",
        ),
    ));
    json!({ "widgets": widgets })
}

fn lines(title: &str, query: &str) -> Json {
    let query = format!("SOURCE '{LOG_GROUP}' | {query} | sort @timestamp desc | limit 50");
    json!({ "title": title, "region": REGION, "view": "table", "query": query })
}

fn placed(kind: &str, (x, y, width, height): (u32, u32, u32, u32), properties: Json) -> Json {
    json!({ "type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties })
}

fn picture(title: &str, statistic: &str, metrics: &[Json]) -> Json {
    json!({
        "title": title,
        "region": REGION,
        "view": "timeSeries",
        "stat": statistic,
        "period": 60,
        "metrics": metrics,
        "yAxis": { "left": { "min": 0, "showUnits": false } },
    })
}

fn balancer(name: &str, label: &str, color: &str) -> Json {
    json!([BALANCER_NAMESPACE, name, "LoadBalancer", BALANCER, { "label": label, "color": color }])
}

fn targets(name: &str, label: &str, color: &str) -> Json {
    let shown = json!({ "label": label, "color": color });
    json!([BALANCER_NAMESPACE, name, "TargetGroup", TARGETS, "LoadBalancer", BALANCER, shown])
}

fn proxy(name: &str, label: &str, color: &str) -> Json {
    json!([NAMESPACE, name, "LogGroup", LOG_GROUP, { "label": label, "color": color }])
}

/// The same metric by a statistic of its own.
fn with(mut metric: Json, statistic: &str) -> Json {
    if let Some(shown) = metric.as_array_mut().and_then(|parts| parts.last_mut()) {
        shown["stat"] = json!(statistic);
    }
    metric
}

/// A text with values in its places. None of the values can have a character that JSON escapes: they are names that AWS
/// gives.
fn filled(text: &str, places: &[(&str, Value<String>)]) -> Value<String> {
    let mut parts: Vec<Expression> = Vec::new();
    let mut rest = text;
    while let Some((at, place, value)) = places
        .iter()
        .filter_map(|(place, value)| Some((rest.find(place)?, place, value)))
        .min_by_key(|(at, ..)| *at)
    {
        parts.push(rest[..at].into());
        parts.push(value.clone().into_expression());
        rest = &rest[at + place.len()..];
    }
    parts.push(rest.into());
    Value::from_expression(Expression::Text(parts))
}
