//! Elastic Load Balancing: load balancers, target groups and how their targets are.

use serde_json::Value;

use super::Services;
use super::compute::targets;
use super::network::{plain, text};
use crate::api::{ApiError, Content, Element, Parameters};
use crate::cloudformation::Context;

const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const LISTENER: &str = "AWS::ElasticLoadBalancingV2::Listener";
const GROUP: &str = "AWS::ElasticLoadBalancingV2::TargetGroup";

impl Services {
    /// The operations of load balancing.
    pub(super) fn load_balancing(
        &mut self,
        context: &Context,
        action: &str,
        parameters: &Parameters,
    ) -> Result<Vec<Element>, ApiError> {
        match action {
            "DescribeLoadBalancers" => {
                let asked =
                    self.by_arn(context, BALANCER, "LoadBalancer", &parameters.list("LoadBalancerArns"))?;
                let told = asked.into_iter().map(|(arn, found)| {
                    let state = self.state(BALANCER, arn);
                    let mut how = vec![text("Code", state.map_or("active", |(word, _)| word))];
                    how.extend(state.and_then(|(_, reason)| reason).map(|why| text("Reason", why)));
                    let host = arn.rsplit('/').nth(1).unwrap_or(arn).to_lowercase();
                    Content::Elements(vec![
                        text("LoadBalancerArn", arn),
                        text("DNSName", format!("{host}-1234567890.{}.elb.amazonaws.com", context.region)),
                        text(
                            "Scheme",
                            found.get("Scheme").and_then(Value::as_str).unwrap_or("internet-facing"),
                        ),
                        Element::of("State", how),
                    ])
                });
                Ok(vec![Element::list("LoadBalancers", told)])
            }
            "DescribeListeners" => {
                let balancer = parameters.required("LoadBalancerArn")?;
                let told =
                    self.made(context, LISTENER).filter(|(_, it)| plain(it, "LoadBalancerArn") == balancer);
                let told = told.map(|(arn, found)| {
                    let port =
                        found["Port"].as_str().map_or_else(|| found["Port"].to_string(), str::to_owned);
                    Content::Elements(vec![
                        text("ListenerArn", arn),
                        text("LoadBalancerArn", balancer),
                        text("Port", port),
                        text("Protocol", plain(found, "Protocol")),
                    ])
                });
                Ok(vec![Element::list("Listeners", told)])
            }
            "DescribeTargetGroups" => {
                let asked =
                    self.by_arn(context, GROUP, "Target group", &parameters.list("TargetGroupArns"))?;
                let told = asked.into_iter().map(|(arn, found)| {
                    Content::Elements(vec![
                        text("TargetGroupArn", arn),
                        text("Port", port(found)),
                        text("HealthCheckPath", plain(found, "HealthCheckPath")),
                    ])
                });
                Ok(vec![Element::list("TargetGroups", told)])
            }
            "DescribeTargetHealth" => self.target_health(context, parameters.required("TargetGroupArn")?),
            _ => Err(ApiError::new(
                "InvalidAction",
                format!("Could not find operation {action} for version 2015-12-01"),
            )),
        }
    }

    fn target_health(&self, context: &Context, arn: &str) -> Result<Vec<Element>, ApiError> {
        let asked = self.by_arn(context, GROUP, "Target group", &[arn])?;
        let mut told = Vec::new();
        for (arn, found) in asked {
            for target in targets(self, context, arn, found) {
                let state = self.state(GROUP, arn);
                let mut health = vec![text("State", state.map_or("healthy", |(word, _)| word))];
                if let Some((_, Some(reason))) = state {
                    health.push(text("Reason", reason));
                }
                told.push(Content::Elements(vec![
                    Element::of("Target", [text("Id", target), text("Port", port(found))]),
                    Element::of("TargetHealth", health),
                ]));
            }
        }
        Ok(vec![Element::list("TargetHealthDescriptions", told)])
    }

    /// Resources of a type by their ARNs; all of them without one.
    fn by_arn<'s>(
        &'s self,
        context: &'s Context,
        resource_type: &'s str,
        words: &str,
        arns: &[&str],
    ) -> Result<Vec<(&'s str, &'s Value)>, ApiError> {
        let all: Vec<(&str, &Value)> = self.made(context, resource_type).collect();
        if let Some(missing) = arns.iter().find(|arn| !all.iter().any(|(it, _)| it == *arn)) {
            let code = if resource_type == GROUP { "TargetGroupNotFound" } else { "LoadBalancerNotFound" };
            return Err(ApiError::new(code, format!("{words}s '[{missing}]' not found")));
        }
        Ok(all.into_iter().filter(|(arn, _)| arns.is_empty() || arns.contains(arn)).collect())
    }
}

fn port(group: &Value) -> String {
    match &group["Port"] {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => "80".to_owned(),
    }
}
