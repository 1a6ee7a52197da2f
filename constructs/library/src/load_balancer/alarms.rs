//! What somebody has to be told of whatever stands behind a load balancer.

use formwork::Value;
use formwork_resources::cloudwatch::AlarmStatistic;

use super::{Forwarding, LoadBalancer};
use crate::alarms::{Metric, Missing, Rule, Statistic};

/// The namespace of a load balancer's metrics.
pub const METRICS: &str = "AWS/ApplicationELB";

impl LoadBalancer {
    /// A figure of the load balancer.
    pub fn metric(&self, name: &'static str) -> Metric {
        of(name, vec![("LoadBalancer", self.full_name.clone())])
    }

    /// A figure of one of its target groups.
    pub fn target_metric(&self, forwarding: &Forwarding, name: &'static str) -> Metric {
        let balancer = ("LoadBalancer", self.full_name.clone());
        of(name, vec![balancer, ("TargetGroup", forwarding.full_name.clone())])
    }

    /// Alarms of a service behind it: `name` is what it is called, `advice` a sentence that says what to look at.
    pub fn rules(&self, name: &str, forwarding: &Forwarding, advice: &str) -> Vec<Rule> {
        vec![
            Rule::many(
                "TargetErrorsAlarm",
                format!("Answers of {name} are 5xx. {advice}"),
                self.target_metric(forwarding, "HTTPCode_Target_5XX_Count"),
                5.0,
            ),
            Rule::many(
                "BalancerErrorsAlarm",
                format!(
                    "The load balancer of {name} answers with 5xx itself: nothing behind it does. {advice}"
                ),
                self.metric("HTTPCode_ELB_5XX_Count"),
                5.0,
            ),
            Rule {
                statistic: Statistic::Is(AlarmStatistic::MAXIMUM),
                below: true,
                minutes: (2, 2),
                missing: Missing::Breaching,
                ..Rule::many(
                    "NoHealthyTargetAlarm",
                    format!(
                        "Nothing behind the load balancer of {name} is well: nobody reaches it. {advice}"
                    ),
                    self.target_metric(forwarding, "HealthyHostCount"),
                    1.0,
                )
            },
            Rule {
                statistic: Statistic::Percentile("p99"),
                minutes: (5, 5),
                ..Rule::many(
                    "LatencyAlarm",
                    format!("One request in a hundred waits 15 seconds or more for {name}. {advice}"),
                    self.target_metric(forwarding, "TargetResponseTime"),
                    15.0,
                )
            },
        ]
    }
}

fn of(name: &'static str, dimensions: Vec<(&'static str, Value<String>)>) -> Metric {
    Metric { namespace: METRICS, name, dimensions }
}
