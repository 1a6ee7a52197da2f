//! Instances: that groups have as many as they are to have, that these run, and that their agents answer.

use super::super::{Check, Outcome};
use super::unread;
use crate::components::services::compute;
use crate::components::{Found, Health, words};

/// The checks of a stack's groups and instances.
pub(super) async fn checks(found: &Found) -> Vec<Check> {
    let session = &found.located.session;
    let mut checks = Vec::new();
    let mut ids: Vec<String> = found.of_type("AWS::EC2::Instance").map(|(_, id)| id.to_owned()).collect();
    for (_, name) in found.of_type("AWS::AutoScaling::AutoScalingGroup") {
        match compute::group(session, name).await {
            Err(error) => checks.push(unread("instances", name, found, &error)),
            Ok(None) => {
                let stack = &found.located.name;
                let check =
                    Check::failed("instances", name, format!("stack {stack} made the group, and it is gone"));
                checks.push(check.with_hint(format!("`formwork drift {stack} --revert` makes it again")));
            }
            Ok(Some(group)) => {
                checks.push(enough(name, &group));
                ids.extend(group.members.into_iter().map(|member| member.id));
            }
        }
    }
    if ids.is_empty() {
        return checks;
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    match compute::instances(session, &ids).await {
        Err(error) => checks.push(unread("instance-state", &found.located.name, found, &error)),
        Ok(states) => {
            for id in &ids {
                checks.push(state(id, states.iter().find(|it| it.id == *id)));
            }
            let running: Vec<&str> =
                states.iter().filter(|it| it.state == "running").map(|it| it.id.as_str()).collect();
            checks.extend(agents(found, &running).await);
        }
    }
    checks
}

fn enough(name: &str, group: &compute::Group) -> Check {
    const NAME: &str = "instances";
    let serves = |member: &&compute::Member| member.life == "InService" && member.health == "Healthy";
    let good = group.members.iter().filter(serves).count();
    let detail = format!("{good} of {} are in service", group.desired);
    let look =
        format!("`aws autoscaling describe-scaling-activities --auto-scaling-group-name {name}` tells why");
    match good {
        _ if good >= group.desired && good > 0 => Check::ok(NAME, name, detail),
        0 if group.desired == 0 => Check::warning(NAME, name, "it is to have no instance, so that nobody answers")
            .with_hint(format!("`aws autoscaling set-desired-capacity --auto-scaling-group-name {name} --desired-capacity 1` starts one")),
        0 => Check::failed(NAME, name, detail).with_hint(look),
        _ => Check::warning(NAME, name, detail).with_hint(look),
    }
}

fn state(id: &str, instance: Option<&compute::Instance>) -> Check {
    const NAME: &str = "instance-state";
    let Some(instance) = instance else {
        return Check::failed(NAME, id, "it is gone").with_hint(
            "its group starts another one; a single instance comes back by `formwork drift --revert`",
        );
    };
    let reason = instance.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let detail = format!("{}{reason}", instance.state);
    match words::instance(&instance.state) {
        Health::Healthy => Check::ok(NAME, id, detail),
        Health::Changing => {
            Check::warning(NAME, id, detail).with_hint("wait a minute, then `formwork doctor` again")
        }
        Health::Unhealthy if instance.state == "stopped" => Check::failed(NAME, id, detail)
            .with_hint(format!("`aws ec2 start-instances --instance-ids {id}` starts it")),
        Health::Unhealthy => Check::failed(NAME, id, detail)
            .with_hint(format!("`aws ec2 get-console-output --instance-id {id} --latest` shows its end")),
        _ => Check::new(NAME, id, Outcome::Unknown, detail),
    }
}

/// Without its agent nobody gets a shell on an instance, since it has no key and no open port.
async fn agents(found: &Found, ids: &[&str]) -> Vec<Check> {
    const NAME: &str = "session-manager-agent";
    if ids.is_empty() {
        return Vec::new();
    }
    let agents = match compute::agents(&found.located.session, ids).await {
        Err(error) => return vec![Check::unknown(NAME, &found.located.name, &error)],
        Ok(agents) => agents,
    };
    let one = |id: &&str| {
        let word = agents.iter().find(|(it, _)| it == id).map(|(_, word)| word.as_str());
        let hint = "the instance needs a way to ssm and ssmmessages (NAT or endpoints) and the rights of its role; \
                    `aws ec2 get-console-output` shows its boot";
        match word {
            Some("Online") => Check::ok(NAME, *id, "online"),
            Some(word) => {
                Check::warning(NAME, *id, format!("{word}: no shell can be opened")).with_hint(hint)
            }
            None => Check::warning(NAME, *id, "the agent has never called: no shell can be opened")
                .with_hint(hint),
        }
    };
    ids.iter().map(one).collect()
}
