//! Auto Scaling groups, the instances in them, and the agents on those.

use serde_json::{Value, json};

use super::Services;
use super::network::{plain, text};
use crate::api::{ApiError, Content, Element, Parameters};
use crate::cloudformation::Context;
use crate::cloudformation::attributes::hash;

const GROUP: &str = "AWS::AutoScaling::AutoScalingGroup";
const INSTANCE: &str = "AWS::EC2::Instance";

impl Services {
    /// The instances that a group keeps running.
    pub(super) fn instances_of(&self, name: &str, group: &Value) -> Vec<String> {
        let number = |property: &str| match &group[property] {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let wanted = number("DesiredCapacity").or_else(|| number("MinSize")).unwrap_or_default();
        (1..=wanted).map(|index| format!("i-0{}", hash(&format!("{name}/{index}")))).collect()
    }

    /// All instances: those of groups and those that stacks made one by one.
    fn all_instances(&self, context: &Context) -> Vec<String> {
        let grouped = self.made(context, GROUP).flat_map(|(name, group)| self.instances_of(name, group));
        grouped.chain(self.made(context, INSTANCE).map(|(id, _)| id.to_owned())).collect()
    }

    /// Auto Scaling's operations.
    pub(super) fn groups(
        &mut self,
        context: &Context,
        action: &str,
        parameters: &Parameters,
    ) -> Result<Vec<Element>, ApiError> {
        if action != "DescribeAutoScalingGroups" {
            let message = format!("Could not find operation {action} for version 2011-01-01");
            return Err(ApiError::new("InvalidAction", message));
        }
        // Names of groups that do not exist are passed over.
        let names = parameters.list("AutoScalingGroupNames");
        let groups = self.made(context, GROUP).filter(|(name, _)| names.is_empty() || names.contains(name));
        let groups = groups.map(|(name, group)| {
            let instances = self.instances_of(name, group).into_iter().map(|id| {
                let (life, health) = match self.state(INSTANCE, &id) {
                    None => ("InService", "Healthy"),
                    Some(("pending", _)) => ("Pending", "Healthy"),
                    Some(_) => ("Terminating", "Unhealthy"),
                };
                Content::Elements(vec![
                    text("InstanceId", id),
                    text("LifecycleState", life),
                    text("HealthStatus", health),
                ])
            });
            let instances: Vec<Content> = instances.collect();
            Content::Elements(vec![
                text("AutoScalingGroupName", name),
                text("MinSize", number(&group["MinSize"])),
                text("MaxSize", number(&group["MaxSize"])),
                text("DesiredCapacity", instances.len().to_string()),
                Element::list("Instances", instances),
            ])
        });
        Ok(vec![Element::list("AutoScalingGroups", groups)])
    }

    /// The instances that a call of EC2 asks for.
    pub(super) fn instances(
        &self,
        context: &Context,
        parameters: &Parameters,
    ) -> Result<Vec<Vec<Element>>, ApiError> {
        let ids = parameters.numbered("InstanceId");
        let all = self.all_instances(context);
        if let Some(missing) = ids.iter().find(|id| !all.iter().any(|it| it == *id)) {
            let message = format!("The instance ID '{missing}' does not exist");
            return Err(ApiError::new("InvalidInstanceID.NotFound", message));
        }
        let filters = parameters.filters();
        let filter = filters.iter().find(|(name, _)| *name == "instance-id").map(|(_, values)| values);
        let asked = all
            .iter()
            .filter(|id| ids.is_empty() || ids.contains(&id.as_str()))
            .filter(|id| filter.is_none_or(|values| values.contains(&id.as_str())));
        let told = asked.map(|id| {
            let state = self.state(INSTANCE, id);
            let word = state.map_or("running", |(word, _)| word);
            let mut told = vec![
                text("instanceId", id),
                Element::of("instanceState", [text("code", code(word)), text("name", word)]),
            ];
            if let Some((_, Some(why))) = state {
                told.push(Element::of("stateReason", [text("code", "Client"), text("message", why)]));
            }
            told
        });
        Ok(told.collect())
    }

    /// `DescribeInstanceInformation` of Systems Manager: the instances whose agent has ever called.
    pub(super) fn agents(&self, context: &Context, input: &Value) -> Result<Value, ApiError> {
        let filter = |it: &&Value| it["Key"] == "InstanceIds";
        let wanted = input["Filters"].as_array().into_iter().flatten().find(filter).map(|it| &it["Values"]);
        let told = self.all_instances(context).into_iter().filter_map(|id| {
            let asked = wanted.is_none_or(|ids| ids.as_array().is_some_and(|ids| ids.contains(&json!(id))));
            let ping = self.state("AWS::SSM::ManagedInstance", &id).map_or("Online", |(word, _)| word);
            (asked && ping != "Missing").then(|| json!({ "InstanceId": id, "PingStatus": ping }))
        });
        Ok(json!({ "InstanceInformationList": told.collect::<Vec<_>>() }))
    }
}

/// EC2's code of an instance's state.
fn code(word: &str) -> &'static str {
    match word {
        "pending" => "0",
        "shutting-down" => "32",
        "terminated" => "48",
        "stopping" => "64",
        "stopped" => "80",
        _ => "16",
    }
}

fn number(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The instances that stand behind a target group: those of its groups, and those that it names.
pub(super) fn targets(services: &Services, context: &Context, arn: &str, group: &Value) -> Vec<String> {
    let of_groups = services
        .made(context, GROUP)
        .filter(|(_, found)| super::network::strings(found, "TargetGroupARNs").any(|it| it == arn))
        .flat_map(|(name, found)| services.instances_of(name, found));
    let named = group.get("Targets").and_then(Value::as_array).into_iter().flatten();
    of_groups.chain(named.map(|target| plain(target, "Id").to_owned())).collect()
}
