//! What somebody has to be told of a service: that no task runs, or that its tasks have too little.

use formwork::{Scope, Value};
use formwork_resources::cloudwatch::AlarmStatistic;

use super::ContainerServiceProps;
use crate::alarms::{self, Metric, Missing, Rule, Statistic};

#[track_caller]
pub(super) fn define(
    scope: Scope<'_>,
    props: &ContainerServiceProps<'_>,
    cluster: &Value<String>,
    service: &Value<String>,
) {
    let name = props.name;
    let figure = |figure: &'static str| Metric {
        namespace: "AWS/ECS",
        name: figure,
        dimensions: vec![("ClusterName", cluster.clone()), ("ServiceName", service.clone())],
    };
    let rules = [
        Rule {
            statistic: Statistic::Is(AlarmStatistic::SAMPLE_COUNT),
            // Without a task there is no figure at all.
            missing: Missing::Breaching,
            ..Rule::below(
                "NoTaskAlarm",
                format!(
                    "No task of {name} runs. The events of the service and its log tell why; see docs/operations.md#services-of-containers."
                ),
                figure("CPUUtilization"),
                1.0,
                5,
            )
        },
        Rule::above(
            "ProcessorAlarm",
            format!(
                "The processors of {name} have been busy for a quarter of an hour. Give its tasks more, or more tasks; see docs/operations.md#services-of-containers."
            ),
            figure("CPUUtilization"),
            90.0,
            15,
        ),
        Rule::above(
            "MemoryAlarm",
            format!(
                "The memory of {name} is nearly full; a task that has none left is killed. Give its tasks more; see docs/operations.md#services-of-containers."
            ),
            figure("MemoryUtilization"),
            90.0,
            5,
        ),
    ];
    alarms::define(scope, props.alarm_topic.as_ref(), rules);
}
