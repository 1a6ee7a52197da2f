//! What somebody has to be told of the server; its database and its tasks tell of themselves.

use formwork::Scope;

use super::MlflowServerProps;
use crate::alarms::{self, Rule};
use crate::load_balancer::{Forwarding, LoadBalancer};

#[track_caller]
pub(super) fn define(
    scope: Scope<'_>,
    props: &MlflowServerProps<'_>,
    balancer: &LoadBalancer,
    forwarding: &Forwarding,
) {
    let what_to_do = "Its log group has the reason; see docs/operations.md#load-balancers.";
    let rules: Vec<Rule> = balancer.rules(super::props::NAME, forwarding, what_to_do);
    alarms::define(scope, props.alarm_topic.as_ref(), rules);
}
