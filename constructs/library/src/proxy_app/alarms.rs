//! What somebody has to be told of: failing requests, instances that do not answer, slowness, and credentials that
//! cannot be renewed.
//!
//! The alarms of the load balancer see a proxy that is down; those of the proxy's own figures, which it writes to its
//! log group, say why requests fail.

use formwork::Value;
use formwork_resources::cloudwatch::AlarmStatistic;

use crate::alarms::{Metric, Missing, Rule, Statistic};
use crate::load_balancer::METRICS as BALANCER_NAMESPACE;

/// The namespace of the proxy's own figures. The proxy writes them in the embedded metric format by this name.
pub(super) const NAMESPACE: &str = "Formwork/MlflowProxy";

/// What the figures are about.
pub(super) struct Watched {
    /// The load balancer in the form of CloudWatch's metrics.
    pub(super) balancer: Value<String>,
    /// Its target group, likewise.
    pub(super) targets: Value<String>,
    /// The log group of the proxy.
    pub(super) log_group: Value<String>,
}

impl Watched {
    fn balancer(&self, name: &'static str) -> Metric {
        let dimensions = vec![("LoadBalancer", self.balancer.clone())];
        Metric { namespace: BALANCER_NAMESPACE, name, dimensions }
    }

    fn targets(&self, name: &'static str) -> Metric {
        let dimensions = vec![("LoadBalancer", self.balancer.clone()), ("TargetGroup", self.targets.clone())];
        Metric { namespace: BALANCER_NAMESPACE, name, dimensions }
    }

    fn proxy(&self, name: &'static str) -> Metric {
        Metric { namespace: NAMESPACE, name, dimensions: vec![("LogGroup", self.log_group.clone())] }
    }
}

pub(super) fn rules(watched: &Watched) -> Vec<Rule> {
    vec![
        Rule::many(
            "TargetErrorsAlarm",
            "The MLflow proxy answers with 5xx. Its log group has a line for each; `formwork doctor` tells what stands in the way.",
            watched.balancer("HTTPCode_Target_5XX_Count"),
            5.0,
        ),
        Rule::many(
            "BalancerErrorsAlarm",
            "The load balancer of the MLflow proxy answers with 5xx itself: no instance answers it. See `formwork doctor`.",
            watched.balancer("HTTPCode_ELB_5XX_Count"),
            5.0,
        ),
        Rule::many(
            "UpstreamErrorsAlarm",
            "Managed MLflow fails or cannot be reached by the MLflow proxy. `formwork status` shows how it is.",
            watched.proxy("UpstreamErrors"),
            5.0,
        ),
        Rule {
            minutes: (2, 5),
            ..Rule::many(
                "CredentialsAlarm",
                "The MLflow proxy cannot renew its credentials, and stops working when the last ones expire. `formwork doctor` checks its roles.",
                watched.proxy("CredentialRefreshFailures"),
                0.0,
            )
        },
        Rule {
            statistic: Statistic::Is(AlarmStatistic::MAXIMUM),
            minutes: (5, 5),
            ..Rule::many(
                "UnhealthyHostsAlarm",
                "An instance of the MLflow proxy does not answer its health check. `formwork doctor` tells what its code means.",
                watched.targets("UnHealthyHostCount"),
                0.0,
            )
        },
        Rule {
            statistic: Statistic::Is(AlarmStatistic::MAXIMUM),
            below: true,
            minutes: (2, 2),
            missing: Missing::Breaching,
            ..Rule::many(
                "NoHealthyHostAlarm",
                "No instance of the MLflow proxy answers: nobody reaches MLflow. See `formwork doctor`.",
                watched.targets("HealthyHostCount"),
                1.0,
            )
        },
        Rule {
            statistic: Statistic::Percentile("p99"),
            minutes: (5, 5),
            ..Rule::many(
                "LatencyAlarm",
                "One request in a hundred waits 15 seconds or more for the MLflow proxy. Uploads of large artifacts count; `formwork status` shows how MLflow is.",
                watched.balancer("TargetResponseTime"),
                15.0,
            )
        },
    ]
}
