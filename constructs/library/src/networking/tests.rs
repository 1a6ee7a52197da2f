//! Networks as they are synthesised.

mod endpoints;
mod existing;
mod reach;
mod rules;

use std::collections::BTreeSet;

use formwork::{
    App, AppProps, Diagnostic, Environment, KeyArn, Output, Scope, Severity, Stack, StackProps, Synthesis,
};
use serde_json::{Map, Value as Json, json};

use super::*;

/// A synthesised stack.
struct Synthesised {
    template: Json,
    diagnostics: Vec<Diagnostic>,
}

impl Synthesised {
    /// The resources of a type with their logical ids.
    fn all(&self, type_name: &str) -> Vec<(&str, &Json)> {
        let resources = self.template["Resources"].as_object().expect("resources");
        let of_type = resources.iter().filter(|(_, resource)| resource["Type"] == type_name);
        of_type.map(|(id, resource)| (id.as_str(), resource)).collect()
    }

    /// The properties of the resources of a type.
    fn properties(&self, type_name: &str) -> Vec<&Json> {
        self.all(type_name).into_iter().map(|(_, resource)| &resource["Properties"]).collect()
    }

    /// A property of each resource of a type, as text.
    fn texts(&self, type_name: &str, property: &str) -> BTreeSet<String> {
        self.properties(type_name).into_iter().map(|properties| text_of(&properties[property])).collect()
    }
}

fn text_of(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Object(map) if map.contains_key("Fn::Sub") => text_of(&map["Fn::Sub"]),
        other => other.to_string(),
    }
}

fn synth(region: Option<&str>, build: impl FnOnce(Scope<'_>)) -> Result<Synthesised, Vec<Diagnostic>> {
    let environment = Environment { account: None, region: region.map(str::to_owned) };
    let app = App::new(AppProps { environment, ..AppProps::default() });
    build(app.stack("net"));
    let Synthesis { files, diagnostics, .. } = app.synth().map_err(|error| error.diagnostics)?;
    let template = serde_json::from_slice(files.get("net.template.json").expect("a template")).expect("JSON");
    Ok(Synthesised { template, diagnostics })
}

/// What a network of some props becomes, without a warning.
fn network(props: NetworkingProps) -> Synthesised {
    network_in(None, props)
}

fn network_in(region: Option<&str>, props: NetworkingProps) -> Synthesised {
    let made = synth(region, |scope| {
        Networking::new(scope, "Networking", props);
    })
    .expect("no mistakes");
    let loud: Vec<_> = made.diagnostics.iter().filter(|one| one.severity != Severity::Note).collect();
    assert!(loud.is_empty(), "{loud:?}");
    made
}

fn messages(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect()
}

#[test]
fn the_default_has_three_tiers_in_two_zones() {
    let made = network(NetworkingProps::default());
    let vpc = made.properties("AWS::EC2::VPC")[0];
    assert_eq!(vpc["CidrBlock"], "10.20.0.0/16");
    assert_eq!((&vpc["EnableDnsHostnames"], &vpc["EnableDnsSupport"]), (&json!(true), &json!(true)));
    assert_eq!(
        made.texts("AWS::EC2::Subnet", "CidrBlock"),
        BTreeSet::from(
            [
                "10.20.0.0/22",
                "10.20.4.0/22",
                "10.20.16.0/24",
                "10.20.17.0/24",
                "10.20.20.0/24",
                "10.20.21.0/24"
            ]
            .map(str::to_owned)
        )
    );
    for subnet in made.properties("AWS::EC2::Subnet") {
        assert_eq!(subnet["MapPublicIpOnLaunch"], false);
        let zone = &subnet["AvailabilityZone"]["Fn::Select"];
        assert!(zone[0] == 0 || zone[0] == 1, "{zone}");
        assert_eq!(zone[1], json!({"Fn::GetAZs": {"Ref": "AWS::Region"}}));
    }
    assert_eq!(made.all("AWS::EC2::SubnetRouteTableAssociation").len(), 6);
    let outputs = made.template["Outputs"].as_object().expect("outputs");
    for id in ["VpcId", "VpcCidr", "PublicSubnetIds", "PrivateSubnetIds", "IsolatedSubnetIds", "NatAddresses"]
    {
        assert!(outputs.contains_key(id), "{id}");
    }
}

/// The targets of the routes to the internet by the logical id of their route table.
fn ways_out(made: &Synthesised) -> Map<String, Json> {
    let routes = made.properties("AWS::EC2::Route");
    routes
        .into_iter()
        .map(|route| {
            assert_eq!(route["DestinationCidrBlock"], "0.0.0.0/0");
            let table = route["RouteTableId"]["Ref"].as_str().expect("a table").to_owned();
            let target =
                if route["GatewayId"].is_null() { &route["NatGatewayId"] } else { &route["GatewayId"] };
            (table, target["Ref"].clone())
        })
        .collect()
}

#[test]
fn private_subnets_leave_through_the_nat_gateways_and_isolated_ones_not_at_all() {
    for (zones, nat_gateways, targets) in [(2, 1, 1), (2, 2, 2), (3, 2, 2), (4, 4, 4), (1, 1, 1)] {
        let made = network(NetworkingProps { zones, nat_gateways, ..NetworkingProps::default() });
        let ways_out = ways_out(&made);
        assert_eq!(
            ways_out.len(),
            usize::from(zones) + 1,
            "one for the public tier, one for each private subnet"
        );
        let through_nat: BTreeSet<String> = ways_out
            .values()
            .map(|target| target.to_string())
            .filter(|target| target.contains("Nat"))
            .collect();
        assert_eq!(through_nat.len(), targets, "{zones} zones, {nat_gateways} gateways");
        assert!(ways_out.keys().all(|table| !table.contains("Isolated")), "{ways_out:?}");
        assert_eq!(made.all("AWS::EC2::EIP").len(), usize::from(nat_gateways));
    }
}

#[test]
fn nat_waits_for_the_way_to_the_internet() {
    let made = network(NetworkingProps::default());
    let (route, _) =
        made.all("AWS::EC2::Route").into_iter().find(|(id, _)| id.contains("InternetRoute")).expect("it");
    assert_eq!(made.all("AWS::EC2::EIP")[0].1["DependsOn"], json!([route]));
    let (attachment, _) = made.all("AWS::EC2::VPCGatewayAttachment")[0];
    assert_eq!(made.template["Resources"][route]["DependsOn"], json!([attachment]));
}

#[test]
fn without_nat_no_private_subnet_has_a_way_out() {
    let made = network(NetworkingProps { nat_gateways: 0, ..NetworkingProps::default() });
    assert!(made.all("AWS::EC2::NatGateway").is_empty() && made.all("AWS::EC2::EIP").is_empty());
    let tables: Vec<String> = ways_out(&made).keys().cloned().collect();
    assert!(tables.len() == 1 && tables[0].contains("Public"), "{tables:?}");
    assert!(made.template["Outputs"].get("NatAddresses").is_none());
}

#[test]
fn flow_logs_are_written_by_a_role_for_this_account_only() {
    let key = KeyArn::literal("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab");
    let made = network(NetworkingProps {
        flow_logs: FlowLogs::All,
        flow_logs_kept_for_days: 90,
        log_key: Some(key),
        ..NetworkingProps::default()
    });
    assert_eq!(made.properties("AWS::EC2::FlowLog")[0]["TrafficType"], "ALL");
    assert_eq!(
        messages(&made.diagnostics),
        ["the policy of the key has to let logs.REGION.amazonaws.com use it"]
    );
    let (_, group) = made.all("AWS::Logs::LogGroup")[0];
    assert_eq!(
        (&group["DeletionPolicy"], &group["UpdateReplacePolicy"]),
        (&json!("Retain"), &json!("Retain"))
    );
    assert_eq!(group["Properties"]["RetentionInDays"], 90);
    assert!(text_of(&group["Properties"]["KmsKeyId"]).ends_with("1234567890ab"));
    let trust = &made.properties("AWS::IAM::Role")[0]["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Condition"]["StringEquals"]["aws:SourceAccount"], json!({"Ref": "AWS::AccountId"}));
    assert_eq!(
        text_of(&trust["Condition"]["ArnLike"]["aws:SourceArn"]),
        "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpc-flow-log/*"
    );
    let statement = &made.properties("AWS::IAM::Policy")[0]["PolicyDocument"]["Statement"][0];
    assert!(text_of(&statement["Resource"]).contains("FlowLogsGroup"), "{statement}");
    assert_eq!(
        network(NetworkingProps::default()).properties("AWS::EC2::FlowLog")[0]["TrafficType"],
        "REJECT"
    );
    let off = network(NetworkingProps { flow_logs: FlowLogs::Off, ..NetworkingProps::default() });
    assert!(off.all("AWS::EC2::FlowLog").is_empty() && off.all("AWS::IAM::Role").is_empty());
}

#[test]
fn the_template_is_the_same_whoever_uses_the_network() {
    let template = |used: bool| {
        let app = App::new(AppProps::default());
        let network = Networking::new(app.stack("net"), "Networking", NetworkingProps::default());
        if used {
            let other = app.stack("other");
            security_group(other, "Group", &network.vpc_id, "A group");
            for (index, subnet) in network.private_subnets.iter().enumerate() {
                Output::new(subnet).define(other, &format!("Subnet{index}"));
            }
            Output::new(network.vpc_cidr.as_ref().expect("its own")).define(other, "Cidr");
        }
        app.synth().expect("no mistakes").template("net").expect("a template")
    };
    assert_eq!(template(false), template(true));
}

#[test]
fn every_combination_synthesises_without_a_warning() {
    for zones in 1..=MAX_ZONES {
        for nat_gateways in 0..=zones {
            for endpoints in [EndpointPreset::None, EndpointPreset::Minimal, EndpointPreset::Studio] {
                network(NetworkingProps { zones, nat_gateways, endpoints, ..NetworkingProps::default() });
            }
        }
    }
}

#[test]
fn every_recorded_region_has_every_endpoint_of_the_presets() {
    for (region, _) in regions::RECORD {
        let props = NetworkingProps { endpoints: EndpointPreset::Studio, ..NetworkingProps::default() };
        network_in(Some(region), props);
    }
}

#[test]
fn mistakes_are_reported_all_at_once_with_the_way_out() {
    let found = synth(None, |scope| {
        let wrong = NetworkingProps {
            cidr: "10.20.0.0/27".to_owned(),
            zones: 5,
            nat_gateways: 6,
            ..NetworkingProps::default()
        };
        Networking::new(scope, "Networking", wrong);
    })
    .err()
    .expect("mistakes");
    assert_eq!(
        messages(&found),
        [
            "a network in 5 zones is not possible",
            "6 NAT gateways are too many for 4 zones",
            "cidr: `10.20.0.0/27` is too small for public, private and isolated subnets in 4 zones",
        ]
    );
    assert!(found.iter().all(|one| one.construct_path.as_deref() == Some("net/Networking")), "{found:?}");
    assert!(found.iter().all(|one| one.hint.is_some() && !one.sources.is_empty()), "{found:?}");
}

#[test]
fn the_range_of_dockers_bridge_is_warned_of() {
    let made = synth(None, |scope| {
        Networking::new(
            scope,
            "N",
            NetworkingProps { cidr: "172.17.0.0/16".to_owned(), ..NetworkingProps::default() },
        );
    })
    .expect("AWS takes it");
    assert_eq!(made.diagnostics.len(), 1);
    assert!(made.diagnostics[0].message.starts_with("`172.17.0.0/16` overlaps"), "{:?}", made.diagnostics);
}

#[test]
fn more_zones_than_a_region_has_are_warned_of() {
    let made = synth(Some("us-west-1"), |scope| {
        let props =
            NetworkingProps { zones: 3, endpoints: EndpointPreset::None, ..NetworkingProps::default() };
        Networking::new(scope, "Networking", props);
    })
    .expect("no error");
    assert_eq!(messages(&made.diagnostics), ["us-west-1 had 2 zones for an account on 2023-09-21, not 3"]);
}

#[test]
fn resources_have_names_for_the_console() {
    let app = App::new(AppProps::default());
    let props = StackProps { stack_name: Some("team-network".to_owned()), ..StackProps::default() };
    let stack = Stack::define(app.root(), "net", props);
    Networking::new(stack, "Networking", NetworkingProps::default());
    let template = app.synth().expect("no mistakes").template("net").expect("a template");
    assert!(template.to_string().contains("team-network-private-1"), "{template}");
}
