//! What the region offers is asked before the first write, and only for what is still to be made.

use formwork_engine::Class;
use formwork_engine::event::What;
use serde_json::{Value, json};

use crate::case::{Case, Part, part, topic};

fn network(service: &str, zone: u8) -> Part {
    let endpoint = json!({
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": { "VpcId": { "Ref": "Vpc" }, "ServiceName": { "Fn::Sub": service } },
    });
    let subnet = json!({
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "VpcId": { "Ref": "Vpc" }, "CidrBlock": "10.0.0.0/24",
            "AvailabilityZone": { "Fn::Select": [zone, { "Fn::GetAZs": "" }] },
        },
    });
    let vpc = json!({ "Type": "AWS::EC2::VPC", "Properties": { "CidrBlock": "10.0.0.0/16" } });
    let resources: Value = json!({ "Vpc": vpc, "Endpoint": endpoint, "Subnet": subnet });
    part("net", &[], json!({ "Resources": resources }))
}

const S3: &str = "com.amazonaws.${AWS::Region}.s3";

fn asked(case: &Case) -> (usize, usize) {
    let simulator = case.account.simulator();
    let count = |operation: &str| simulator.log().calls(operation).count();
    (count("DescribeVpcEndpointServices"), count("DescribeAvailabilityZones"))
}

#[tokio::test(start_paused = true)]
async fn region_without_the_endpoint_service_or_the_zone_is_refused_before_any_write() {
    let mut case = Case::new("");
    let refused = case.plan(&[network("com.amazonaws.${AWS::Region}.nowhere", 3)]).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    for words in [
        "net/Endpoint: us-east-1 has no endpoint service com.amazonaws.us-east-1.nowhere",
        "net/Subnet: zone 4 of us-east-1 is wanted, and the account has 3: us-east-1a, us-east-1b, us-east-1c",
    ] {
        assert!(refused.message.contains(words), "{}", refused.message);
    }
    assert!(refused.hint.is_some());
    assert_eq!(case.writes(0), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn region_is_asked_once_and_only_about_what_is_still_to_be_made() {
    let mut case = Case::new("");
    case.plan(&[part("shop", &[], json!({ "Resources": { "Topic": topic("x") } }))]).await.unwrap();
    assert_eq!(asked(&case), (0, 0), "nothing of it asks the region");
    case.deploy(&[network(S3, 2)]).await;
    assert_eq!(asked(&case), (1, 1));
    let mut more = network(S3, 2);
    more.template["Resources"]["Topic"] = topic("more");
    case.plan(&[more]).await.unwrap();
    assert_eq!(asked(&case), (1, 1), "what is there is not asked for");
}

/// Which branch of a condition counts, and what another region serves, this region cannot be asked.
#[tokio::test(start_paused = true)]
async fn zone_below_a_condition_and_service_of_another_region_stop_nobody() {
    let mut case = Case::new("");
    let mut net = network("com.amazonaws.eu-west-1.nowhere", 0);
    let resources = &mut net.template["Resources"];
    resources["Endpoint"]["Properties"]["ServiceRegion"] = json!("eu-west-1");
    let zone = &mut resources["Subnet"]["Properties"]["AvailabilityZone"];
    *zone = json!({ "Fn::If": ["Wide", { "Fn::Select": [5, { "Fn::GetAZs": "" }] }, zone.clone()] });
    net.template["Conditions"] = json!({ "Wide": { "Fn::Equals": ["a", "b"] } });
    case.plan(&[net]).await.unwrap();
    let told = |event: &formwork_engine::Event| matches!(&event.what, What::Warning { message, .. } if message.contains("zone 6 of us-east-1 is wanted"));
    assert!(case.account.events().iter().any(told));
    assert_eq!(asked(&case), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn denied_question_about_the_region_stops_nobody() {
    let mut case = Case::new("on ec2:* error 403 UnauthorizedOperation \"You are not authorized\"");
    case.plan(&[network("com.amazonaws.${AWS::Region}.nowhere", 2)]).await.unwrap();
    let events = case.account.events();
    let notes = events.iter().filter(|event| {
        matches!(&event.what, What::Note { message } if message.starts_with("cannot tell whether us-east-1 has the"))
    });
    assert_eq!(notes.count(), 2);
}

/// Emulators answer with empty lists; that is no reason to refuse.
#[tokio::test(start_paused = true)]
async fn answer_without_what_every_region_has_is_not_believed() {
    let empty = "body \"<R><serviceNameSet/><availabilityZoneInfo/></R>\"";
    let mut case = Case::new(&format!("on ec2:* {empty}"));
    case.plan(&[network("com.amazonaws.${AWS::Region}.nowhere", 2)]).await.unwrap();
}
