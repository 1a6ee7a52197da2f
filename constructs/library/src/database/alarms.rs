//! What somebody has to be told of a database before it stops: a full disk, a processor, memory or connections that run
//! out.

use formwork::{Scope, Value};
use formwork_resources::cloudwatch::AlarmStatistic;

use super::{InstanceClass, PostgresProps};
use crate::alarms::{self, Metric, Missing, Rule, Statistic};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
const MIB: f64 = 1024.0 * 1024.0;

#[track_caller]
pub(super) fn define(scope: Scope<'_>, props: &PostgresProps<'_>, identifier: &Value<String>) {
    alarms::define(scope, props.alarm_topic.as_ref(), rules(props, identifier));
}

fn rules(props: &PostgresProps<'_>, identifier: &Value<String>) -> Vec<Rule> {
    let name = props.name;
    let figure = |figure: &'static str| Metric {
        namespace: "AWS/RDS",
        name: figure,
        dimensions: vec![("DBInstanceIdentifier", identifier.clone())],
    };
    let least_free = (f64::from(props.storage_gib) * 0.05).max(1.0) * GIB;
    let mut rules = vec![
        Rule {
            // A database that is stopped or gone reports nothing.
            missing: Missing::Breaching,
            ..Rule::below(
                "FreeStorageAlarm",
                format!(
                    "The disk of the database of {name} is nearly full, or the database does not run. Raise the limit to which it may grow; see docs/operations.md#databases."
                ),
                figure("FreeStorageSpace"),
                least_free,
                10,
            )
        },
        Rule::above(
            "ProcessorAlarm",
            format!(
                "The processor of the database of {name} has been busy for a quarter of an hour. Look for slow statements in its log, or take a larger instance class; see docs/operations.md#databases."
            ),
            figure("CPUUtilization"),
            90.0,
            15,
        ),
    ];
    let class = InstanceClass::parse(&props.instance_class);
    if let Some(mib) = class.and_then(|class| class.memory_mib) {
        rules.push(Rule::below(
            "MemoryAlarm",
            format!("The database of {name} has hardly any memory left. Take a larger instance class or fewer connections; see docs/operations.md#databases."),
            figure("FreeableMemory"),
            // Memory sizes are far below what a number of this kind holds exactly.
            (mib / 20) as f64 * MIB,
            15,
        ));
    }
    if let Some(most) = class.and_then(InstanceClass::max_connections) {
        rules.push(Rule {
            statistic: Statistic::Is(AlarmStatistic::MAXIMUM),
            ..Rule::above(
                "ConnectionsAlarm",
                format!("The database of {name} has nearly as many connections as it takes. Give services smaller pools, or take a larger instance class; see docs/operations.md#databases."),
                figure("DatabaseConnections"),
                (most * 8 / 10) as f64,
                5,
            )
        });
    }
    if class.is_some_and(|class| class.burstable) {
        rules.push(Rule::below(
            "CreditsAlarm",
            format!("The database of {name} has used up what its instance class gives it of a processor; more is charged. Take a larger class, or one that does not live on credits; see docs/operations.md#databases."),
            figure("CPUCreditBalance"),
            10.0,
            15,
        ));
    }
    rules
}
