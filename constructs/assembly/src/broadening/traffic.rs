//! Rules about traffic: security groups, network access lists, routes to the internet.
//!
//! Rules count by their group, wherever they are written: inside the group or as resources of their own.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cidr::{self, Cidr};
use super::reading::{Found, Guards, Reader, Resource, named_resource, shown};
use super::{BroadeningKind, Grant, What};

/// A rule that lets traffic pass.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    is_inbound: bool,
    /// `tcp`, `udp`, `icmp`, a number or `-1` for all.
    protocol: String,
    /// The first and last port, or type and code; nothing for all.
    ports: Option<(String, String)>,
    /// A range of addresses, a group, a prefix list.
    peer: String,
}

const ALL: &str = "-1";
/// Properties that name the other side, by direction.
const PEERS: [&str; 7] = [
    "CidrIp",
    "CidrIpv6",
    "SourceSecurityGroupId",
    "SourceSecurityGroupName",
    "SourcePrefixListId",
    "DestinationSecurityGroupId",
    "DestinationPrefixListId",
];

impl Rule {
    /// Whether this rule lets everything pass that another one does.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let protocol = self.protocol == ALL || self.protocol == other.protocol;
        let ports = match (&self.ports, &other.ports) {
            _ if self.protocol == ALL => true,
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(others)) => own == others || contains(own, others),
        };
        let peer = match (Cidr::parse(&self.peer), Cidr::parse(&other.peer)) {
            (Some(own), Some(other)) => own.contains(&other),
            _ => self.peer == other.peer,
        };
        self.is_inbound == other.is_inbound && protocol && ports && peer
    }

    fn what(&self) -> String {
        let protocol = if self.protocol == ALL { "all traffic" } else { self.protocol.as_str() };
        match &self.ports {
            _ if self.protocol == ALL => protocol.to_owned(),
            None => format!("all {protocol}"),
            Some((from, to)) if from == to => format!("{protocol} {}", shown(from)),
            Some((from, to)) => format!("{protocol} {}-{}", shown(from), shown(to)),
        }
    }

    fn who(&self) -> String {
        match cidr::is_everywhere(&self.peer) {
            true => format!("{} (anywhere)", self.peer),
            false => shown(&self.peer),
        }
    }

    /// The rule in plain words, with what it was before when it only grew.
    pub(super) fn words(&self, before: &[&Self]) -> String {
        let mut words = if self.is_inbound {
            format!("lets {} in from {}", self.what(), self.who())
        } else {
            format!("lets {} out to {}", self.what(), self.who())
        };
        let narrower: BTreeSet<String> = before
            .iter()
            .filter(|old| self.covers(old))
            .map(|old| format!("{} {}", old.what(), old.who()))
            .collect();
        if !narrower.is_empty() {
            let narrower: Vec<String> = narrower.into_iter().take(3).collect();
            words.push_str(&format!("; before: {}", narrower.join(", ")));
        }
        words
    }
}

fn contains(own: &(String, String), other: &(String, String)) -> bool {
    let number = |text: &String| text.parse::<i64>().ok();
    let numbers = (number(&own.0), number(&own.1), number(&other.0), number(&other.1));
    let (Some(from), Some(to), Some(other_from), Some(other_to)) = numbers else { return false };
    from == -1 || from <= other_from && other_to <= to
}

pub(super) fn grants(reader: &Reader<'_>, resource: &Resource<'_>, found: &mut Vec<Grant>) {
    match resource.kind {
        "AWS::EC2::SecurityGroup" => {
            for (property, is_inbound) in [("SecurityGroupIngress", true), ("SecurityGroupEgress", false)] {
                let rules = resource
                    .properties
                    .get(property)
                    .map(|rules| reader.items(rules, &resource.guards, &resource.pointer(&[property])));
                for rule in rules.unwrap_or_default() {
                    group_rule(reader, resource, &resource.id, &rule, is_inbound, found);
                }
            }
            default_egress(reader, resource, found);
        }
        "AWS::EC2::SecurityGroupIngress" | "AWS::EC2::SecurityGroupEgress" => {
            let group = ["GroupId", "GroupName"].iter().find_map(|name| resource.properties.get(*name));
            let group = group.map(|group| reader.text(group)).unwrap_or_default();
            let group = named_resource(&group).map_or(group.clone(), str::to_owned);
            let whole = Value::Object(resource.properties.clone());
            let rule =
                Found { value: &whole, guards: resource.guards.clone(), pointer: resource.pointer(&[]) };
            group_rule(reader, resource, &group, &rule, resource.kind.ends_with("Ingress"), found);
        }
        "AWS::EC2::NetworkAclEntry" => access_list_entry(reader, resource, found),
        "AWS::EC2::Route" => route(reader, resource, found),
        _ => {}
    }
}

fn grant(
    resource: &Resource<'_>,
    subject: &str,
    what: What,
    guards: Guards,
    pointer: String,
    words: String,
) -> Grant {
    Grant {
        subject: subject.to_owned(),
        what,
        guards,
        kind: BroadeningKind::Network,
        logical_id: resource.logical_id.to_owned(),
        resource_type: resource.kind.to_owned(),
        pointer,
        words,
    }
}

fn protocol(text: &str) -> String {
    match text.to_lowercase().as_str() {
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" => "icmpv6".to_owned(),
        "all" => ALL.to_owned(),
        other => other.to_owned(),
    }
}

fn group_rule(
    reader: &Reader<'_>,
    resource: &Resource<'_>,
    group: &str,
    rule: &Found<'_>,
    is_inbound: bool,
    found: &mut Vec<Grant>,
) {
    let text = |name: &str| rule.value.get(name).map(|value| reader.text(value));
    let ports = match (text("FromPort"), text("ToPort")) {
        (Some(from), Some(to)) => Some((from, to)),
        (Some(port), None) | (None, Some(port)) => Some((port.clone(), port)),
        (None, None) => None,
    };
    for name in PEERS {
        let Some(value) = rule.value.get(name) else { continue };
        for (peer, guards, pointer) in reader.texts(value, &rule.guards, &format!("{}/{name}", rule.pointer))
        {
            // The same group under two forms of its name.
            let peer = match named_resource(&peer) {
                Some(id) if reader.type_of(id) == Some("AWS::EC2::SecurityGroup") => {
                    format!("the group {id}")
                }
                _ => peer,
            };
            if cidr::is_nowhere(&peer) {
                continue;
            }
            let rule = Rule {
                is_inbound,
                protocol: protocol(&text("IpProtocol").unwrap_or_else(|| ALL.to_owned())),
                ports: ports.clone(),
                peer,
            };
            found.push(grant(resource, group, What::Rule(rule), guards, pointer, String::new()));
        }
    }
}

/// A group without rules for outbound traffic lets all of it out; a rule that is a resource of its own counts as well.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroupegress.html>
fn default_egress(reader: &Reader<'_>, resource: &Resource<'_>, found: &mut Vec<Grant>) {
    let has_own = resource.properties.contains_key("SecurityGroupEgress");
    let has_other = || {
        reader.resources().iter().any(|other| {
            other.kind == "AWS::EC2::SecurityGroupEgress"
                && other
                    .properties
                    .get("GroupId")
                    .is_some_and(|group| named_resource(&reader.text(group)) == Some(resource.id.as_str()))
        })
    };
    if has_own || has_other() {
        return;
    }
    for peer in ["0.0.0.0/0", "::/0"] {
        let rule = Rule { is_inbound: false, protocol: ALL.to_owned(), ports: None, peer: peer.to_owned() };
        found.push(grant(
            resource,
            &resource.id,
            What::Rule(rule),
            resource.guards.clone(),
            resource.pointer(&[]),
            String::new(),
        ));
    }
}

fn access_list_entry(reader: &Reader<'_>, resource: &Resource<'_>, found: &mut Vec<Grant>) {
    let text = |path: &[&str]| resource.property(path).map(|value| reader.text(value));
    let Some(peer) = text(&["CidrBlock"]).or_else(|| text(&["Ipv6CidrBlock"])) else { return };
    let list = text(&["NetworkAclId"]).unwrap_or_default();
    let list = named_resource(&list).map_or(list.clone(), str::to_owned);
    let ports = text(&["PortRange", "From"]).zip(text(&["PortRange", "To"]));
    let rule = Rule {
        is_inbound: text(&["Egress"]).as_deref() != Some("true"),
        protocol: protocol(&text(&["Protocol"]).unwrap_or_default()),
        ports,
        peer,
    };
    let (what, words) = if text(&["RuleAction"]).is_some_and(|action| action.eq_ignore_ascii_case("deny")) {
        let words = rule.words(&[]).replacen("lets", "no longer keeps", 1);
        (What::Limit(format!("{rule:?}")), words)
    } else {
        (What::Rule(rule), String::new())
    };
    found.push(grant(resource, &list, what, resource.guards.clone(), resource.pointer(&[]), words));
}

fn route(reader: &Reader<'_>, resource: &Resource<'_>, found: &mut Vec<Grant>) {
    let text = |name: &str| resource.properties.get(name).map(|value| reader.text(value));
    let Some(gateway) = text("GatewayId") else { return };
    let is_internet = gateway.starts_with("igw-")
        || named_resource(&gateway).and_then(|id| reader.type_of(id)) == Some("AWS::EC2::InternetGateway");
    if !is_internet {
        return;
    }
    let destination = ["DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"]
        .into_iter()
        .find_map(text)
        .unwrap_or_default();
    let table = text("RouteTableId").unwrap_or_default();
    let table = named_resource(&table).map_or(table.clone(), str::to_owned);
    let words = format!("routes {} to the internet", shown(&destination));
    let what = What::Item(format!("route {destination}"));
    found.push(grant(
        resource,
        &table,
        what,
        resource.guards.clone(),
        resource.pointer(&["GatewayId"]),
        words,
    ));
}
