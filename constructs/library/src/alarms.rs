//! Alarms: what somebody has to be told of, as rows of a table.
//!
//! Every component has figures of its own and words of its own, but they are judged in the same way, a minute at a time.
//! The alarms are there with or without a topic; the description of each says what to look at.

use formwork::{Scope, TopicArn, Value};
use formwork_resources::cloudwatch::{
    AlarmComparisonOperator, AlarmStatistic, AlarmTreatMissingData, CfnAlarm, Dimension,
};

/// A figure of CloudWatch.
#[derive(Clone, Debug)]
pub struct Metric {
    /// The namespace, such as `AWS/ApplicationELB`.
    pub namespace: &'static str,
    /// The name in it.
    pub name: &'static str,
    /// What the figure is about: the names and values of its dimensions.
    pub dimensions: Vec<(&'static str, Value<String>)>,
}

/// What is taken of a minute's figures.
#[derive(Clone, Debug)]
pub enum Statistic {
    /// Their sum, average, least or greatest.
    Is(AlarmStatistic),
    /// A percentile, such as `p99`.
    Percentile(&'static str),
}

/// What is made of a minute that has no figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is well: nothing happened that could be counted.
    Fine,
    /// It is as bad as a wrong figure: what should report is gone.
    Breaching,
    /// It changes nothing.
    Ignored,
}

/// When an alarm goes off.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The id of the alarm in its scope.
    pub id: &'static str,
    /// What it means, and what to look at.
    pub about: String,
    /// The figure.
    pub metric: Metric,
    /// What is taken of a minute's figures.
    pub statistic: Statistic,
    /// The alarm goes off above this.
    pub threshold: f64,
    /// It goes off below the threshold instead.
    pub below: bool,
    /// So many minutes of so many.
    pub minutes: (i64, i64),
    /// What is made of a minute that has no figure.
    pub missing: Missing,
}

impl Rule {
    /// More than a number of something in three minutes of five. A minute without a figure is well.
    pub fn many(id: &'static str, about: impl Into<String>, metric: Metric, threshold: f64) -> Self {
        Self {
            id,
            about: about.into(),
            metric,
            statistic: Statistic::Is(AlarmStatistic::SUM),
            threshold,
            below: false,
            minutes: (3, 5),
            missing: Missing::Fine,
        }
    }

    /// A level, such as a share of a processor, that is passed by the average of each of so many minutes.
    pub fn above(
        id: &'static str,
        about: impl Into<String>,
        metric: Metric,
        threshold: f64,
        minutes: i64,
    ) -> Self {
        Self {
            statistic: Statistic::Is(AlarmStatistic::AVERAGE),
            minutes: (minutes, minutes),
            ..Self::many(id, about, metric, threshold)
        }
    }

    /// A level, such as the free space of a disk, that the average of each of so many minutes stays below.
    pub fn below(
        id: &'static str,
        about: impl Into<String>,
        metric: Metric,
        threshold: f64,
        minutes: i64,
    ) -> Self {
        Self { below: true, ..Self::above(id, about, metric, threshold, minutes) }
    }
}

/// Adds an alarm for each rule. A topic is told when one goes off and when it is over.
#[track_caller]
pub fn define(scope: Scope<'_>, topic: Option<&Value<TopicArn>>, rules: impl IntoIterator<Item = Rule>) {
    for rule in rules {
        let (breaching, looked_at) = rule.minutes;
        let operator = if rule.below {
            AlarmComparisonOperator::LESS_THAN_THRESHOLD
        } else {
            AlarmComparisonOperator::GREATER_THAN_THRESHOLD
        };
        let missing = match rule.missing {
            Missing::Fine => AlarmTreatMissingData::NOT_BREACHING,
            Missing::Breaching => AlarmTreatMissingData::BREACHING,
            Missing::Ignored => AlarmTreatMissingData::IGNORE,
        };
        let dimensions: Vec<Dimension> =
            rule.metric.dimensions.iter().map(|(name, value)| Dimension::new(value, *name)).collect();
        let mut alarm = CfnAlarm::new()
            .alarm_description(rule.about)
            .namespace(rule.metric.namespace)
            .metric_name(rule.metric.name)
            .dimensions(dimensions)
            .period(60)
            .datapoints_to_alarm(breaching)
            .evaluation_periods(looked_at)
            .comparison_operator(operator)
            .threshold(rule.threshold)
            .treat_missing_data(missing);
        alarm = match rule.statistic {
            Statistic::Is(statistic) => alarm.statistic(statistic),
            // Of a handful of requests no percentile means anything.
            Statistic::Percentile(percentile) => {
                alarm.extended_statistic(percentile).evaluate_low_sample_count_percentile("ignore")
            }
        };
        if let Some(topic) = topic {
            let topic = topic.retype::<String>();
            alarm = alarm.alarm_actions([&topic]).ok_actions([&topic]);
        }
        alarm.define(scope, rule.id);
    }
}
