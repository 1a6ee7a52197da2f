//! Instances, the groups that keep them running, and the agents by which they are reached.

use serde_json::{Value, json};

use super::{ec2, given, text};
use crate::aws::xml::Element;
use crate::aws::{Error, Session};

/// An instance of an Auto Scaling group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its id.
    pub(crate) id: String,
    /// Where it is in its life, such as `InService`.
    pub(crate) life: String,
    /// `Healthy` or `Unhealthy`.
    pub(crate) health: String,
}

/// An Auto Scaling group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// How many instances it is to have.
    pub(crate) desired: usize,
    /// The instances that it has.
    pub(crate) members: Vec<Member>,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    /// Its id.
    pub(crate) id: String,
    /// EC2's word.
    pub(crate) state: String,
    /// Why, if EC2 says so.
    pub(crate) reason: Option<String>,
}

/// An Auto Scaling group by its name; nothing when it is gone.
pub(crate) async fn group(session: &Session, name: &str) -> Result<Option<Group>, Error> {
    let asked = [("AutoScalingGroupNames.member.1".to_owned(), name.to_owned())];
    let answer =
        session.call().query("autoscaling", "DescribeAutoScalingGroups", "2011-01-01", &asked).await?;
    let Some(group) = answer.find("AutoScalingGroups").and_then(|list| list.children.first()) else {
        return Ok(None);
    };
    let member = |item: &Element| Member {
        id: text(item, "InstanceId"),
        life: text(item, "LifecycleState"),
        health: text(item, "HealthStatus"),
    };
    let desired = text(group, "DesiredCapacity").parse().unwrap_or_default();
    Ok(Some(Group { desired, members: group.members("Instances").map(member).collect() }))
}

/// Instances by their ids; those that are gone for an hour are left out.
pub(crate) async fn instances(session: &Session, ids: &[&str]) -> Result<Vec<Instance>, Error> {
    let reservations = ec2(session, "DescribeInstances", "reservationSet", "instance-id", ids).await?;
    let one = |item: &Element| Instance {
        id: text(item, "instanceId"),
        state: item.child("instanceState").map(|state| text(state, "name")).unwrap_or_default(),
        reason: item.child("stateReason").and_then(|reason| given(reason, "message")),
    };
    Ok(reservations.iter().flat_map(|it| it.members("instancesSet")).map(one).collect())
}

/// The agents of Systems Manager on instances: ids and `Online`, `ConnectionLost` or `Inactive`. An instance whose agent
/// has never called is left out.
pub(crate) async fn agents(session: &Session, ids: &[&str]) -> Result<Vec<(String, String)>, Error> {
    let mut agents = Vec::new();
    // Systems Manager takes 100 values in a filter.
    for ids in ids.chunks(100) {
        let mut page: Option<String> = None;
        loop {
            let mut body = json!({ "Filters": [{ "Key": "InstanceIds", "Values": ids }] });
            if let Some(page) = &page {
                body["NextToken"] = page.as_str().into();
            }
            let answer = session.call().json("ssm", "AmazonSSM.DescribeInstanceInformation", &body).await?;
            let word = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
            let found = answer["InstanceInformationList"].as_array().into_iter().flatten();
            agents.extend(found.map(|item| (word(item, "InstanceId"), word(item, "PingStatus"))));
            let next = answer["NextToken"].as_str().filter(|token| !token.is_empty()).map(str::to_owned);
            if next.is_none() || next == page {
                break;
            }
            page = next;
        }
    }
    Ok(agents)
}
