//! What somebody has to be told of: failing requests, instances that do not answer, slowness, and credentials that
//! cannot be renewed.
//!
//! The alarms are there with or without a topic. Those of the load balancer see a proxy that is down; those of the
//! proxy's own figures, which it writes to its log group, say why requests fail. The description of each says what to
//! look at.

use formwork::{Scope, Value};
use formwork_resources::cloudwatch::{
    AlarmComparisonOperator, AlarmStatistic, AlarmTreatMissingData, CfnAlarm, Dimension,
};

use super::ProxyAppProps;

/// The namespace of the proxy's own figures. The proxy writes them in the embedded metric format by this name.
pub(super) const NAMESPACE: &str = "Formwork/MlflowProxy";
/// The namespace of the load balancer's figures.
pub(super) const BALANCER_NAMESPACE: &str = "AWS/ApplicationELB";

/// What the figures are about.
pub(super) struct Watched {
    /// The load balancer in the form of CloudWatch's metrics.
    pub(super) balancer: Value<String>,
    /// Its target group, likewise.
    pub(super) targets: Value<String>,
    /// The log group of the proxy.
    pub(super) log_group: Value<String>,
}

/// How a figure is judged, a minute at a time.
struct Rule {
    id: &'static str,
    about: &'static str,
    metric: Metric,
    statistic: Statistic,
    /// The alarm goes off above this, or below it.
    threshold: f64,
    below: bool,
    /// So many of so many minutes.
    minutes: (i64, i64),
    missing: AlarmTreatMissingData,
}

enum Metric {
    Balancer(&'static str),
    Targets(&'static str),
    Proxy(&'static str),
}

enum Statistic {
    Is(AlarmStatistic),
    Percentile(&'static str),
}

impl Rule {
    /// More than a few in three of five minutes.
    fn many(id: &'static str, about: &'static str, metric: Metric, threshold: f64) -> Self {
        Self {
            id,
            about,
            metric,
            statistic: Statistic::Is(AlarmStatistic::SUM),
            threshold,
            below: false,
            minutes: (3, 5),
            // A minute without requests has no figure.
            missing: AlarmTreatMissingData::NOT_BREACHING,
        }
    }
}

fn rules() -> Vec<Rule> {
    vec![
        Rule::many(
            "TargetErrorsAlarm",
            "The MLflow proxy answers with 5xx. Its log group has a line for each; `formwork doctor` tells what stands in the way.",
            Metric::Balancer("HTTPCode_Target_5XX_Count"),
            5.0,
        ),
        Rule::many(
            "BalancerErrorsAlarm",
            "The load balancer of the MLflow proxy answers with 5xx itself: no instance answers it. See `formwork doctor`.",
            Metric::Balancer("HTTPCode_ELB_5XX_Count"),
            5.0,
        ),
        Rule::many(
            "UpstreamErrorsAlarm",
            "Managed MLflow fails or cannot be reached by the MLflow proxy. `formwork status` shows how it is.",
            Metric::Proxy("UpstreamErrors"),
            5.0,
        ),
        Rule {
            minutes: (2, 5),
            ..Rule::many(
                "CredentialsAlarm",
                "The MLflow proxy cannot renew its credentials, and stops working when the last ones expire. `formwork doctor` checks its roles.",
                Metric::Proxy("CredentialRefreshFailures"),
                0.0,
            )
        },
        Rule {
            statistic: Statistic::Is(AlarmStatistic::MAXIMUM),
            minutes: (5, 5),
            ..Rule::many(
                "UnhealthyHostsAlarm",
                "An instance of the MLflow proxy does not answer its health check. `formwork doctor` tells what its code means.",
                Metric::Targets("UnHealthyHostCount"),
                0.0,
            )
        },
        Rule {
            statistic: Statistic::Is(AlarmStatistic::MAXIMUM),
            below: true,
            minutes: (2, 2),
            missing: AlarmTreatMissingData::BREACHING,
            ..Rule::many(
                "NoHealthyHostAlarm",
                "No instance of the MLflow proxy answers: nobody reaches MLflow. See `formwork doctor`.",
                Metric::Targets("HealthyHostCount"),
                1.0,
            )
        },
        Rule {
            statistic: Statistic::Percentile("p99"),
            minutes: (5, 5),
            ..Rule::many(
                "LatencyAlarm",
                "One request in a hundred waits 15 seconds or more for the MLflow proxy. Uploads of large artifacts count; `formwork status` shows how MLflow is.",
                Metric::Balancer("TargetResponseTime"),
                15.0,
            )
        },
    ]
}

pub(super) fn define(scope: Scope<'_>, props: &ProxyAppProps<'_>, watched: &Watched) {
    for rule in rules() {
        let (namespace, name, dimensions) = match rule.metric {
            Metric::Balancer(name) => {
                (BALANCER_NAMESPACE, name, vec![Dimension::new(&watched.balancer, "LoadBalancer")])
            }
            Metric::Targets(name) => {
                let balancer = Dimension::new(&watched.balancer, "LoadBalancer");
                (BALANCER_NAMESPACE, name, vec![balancer, Dimension::new(&watched.targets, "TargetGroup")])
            }
            Metric::Proxy(name) => (NAMESPACE, name, vec![Dimension::new(&watched.log_group, "LogGroup")]),
        };
        let (breaching, looked_at) = rule.minutes;
        let operator = if rule.below {
            AlarmComparisonOperator::LESS_THAN_THRESHOLD
        } else {
            AlarmComparisonOperator::GREATER_THAN_THRESHOLD
        };
        let mut alarm = CfnAlarm::new()
            .alarm_description(rule.about)
            .namespace(namespace)
            .metric_name(name)
            .dimensions(dimensions)
            .period(60)
            .datapoints_to_alarm(breaching)
            .evaluation_periods(looked_at)
            .comparison_operator(operator)
            .threshold(rule.threshold)
            .treat_missing_data(rule.missing);
        alarm = match rule.statistic {
            Statistic::Is(statistic) => alarm.statistic(statistic),
            // Of a handful of requests no percentile means anything.
            Statistic::Percentile(percentile) => {
                alarm.extended_statistic(percentile).evaluate_low_sample_count_percentile("ignore")
            }
        };
        if let Some(topic) = &props.alarm_topic {
            let topic = topic.retype::<String>();
            alarm = alarm.alarm_actions([&topic]).ok_actions([&topic]);
        }
        alarm.define(scope, rule.id);
    }
}
