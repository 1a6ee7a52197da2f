//! Security groups and the rules between them.

use super::*;

#[test]
fn groups_that_name_each_other_are_no_circle_and_start_closed() {
    let made = synth(None, |scope| {
        let network = Networking::new(scope, "Networking", NetworkingProps::default());
        let left = security_group(scope, "Left", &network.vpc_id, "The left");
        let right = security_group(scope, "Right", &network.vpc_id, "The right");
        allow_between(scope, "LeftToRight", &left, &right, TcpPorts::one(5000), "Requests");
        allow_between(scope, "RightToLeft", &right, &left, TcpPorts::range(8192, 65535), "Answers");
        allow_between(scope, "Itself", &left, &left, TcpPorts::one(2049), "Shared files");
        network.allow_endpoints(scope, "LeftToEndpoints", &left);
        allow_https_out(scope, "RightOut", &right, "Calls to AWS");
        allow_from_block(scope, "FromOffice", "203.0.113.0/24", &left, HTTPS, "From the office");
    })
    .expect("a circle would be an error");
    assert!(made.diagnostics.is_empty(), "{:?}", made.diagnostics);
    for group in made.properties("AWS::EC2::SecurityGroup") {
        assert!(group.get("SecurityGroupIngress").is_none());
        assert_eq!(
            group["SecurityGroupEgress"],
            json!([{
                "CidrIp": "127.0.0.1/32", "IpProtocol": "-1", "Description": "Nothing: keeps the default rule away",
            }])
        );
    }
    let outward = made.properties("AWS::EC2::SecurityGroupEgress");
    let ports: BTreeSet<(i64, i64)> = outward
        .iter()
        .map(|rule| (rule["FromPort"].as_i64().expect("a port"), rule["ToPort"].as_i64().expect("a port")))
        .collect();
    assert_eq!(ports, BTreeSet::from([(443, 443), (2049, 2049), (5000, 5000), (8192, 65535)]));
    let anywhere: Vec<_> = outward.iter().filter(|rule| rule["CidrIp"] == "0.0.0.0/0").collect();
    assert!(anywhere.len() == 1 && anywhere[0]["FromPort"] == 443, "{anywhere:?}");
    let inward = made.properties("AWS::EC2::SecurityGroupIngress");
    assert!(inward.iter().all(|rule| rule["CidrIp"] != "0.0.0.0/0"), "nothing is open to the world");
}

#[test]
fn a_rule_in_another_stack_points_the_way_the_code_does() {
    let app = App::new(AppProps::default());
    let network = Networking::new(app.stack("net"), "Networking", NetworkingProps::default());
    let other = app.stack("other");
    let group = security_group(other, "Group", &network.vpc_id, "A group");
    network.allow_endpoints(other, "Endpoints", &group);
    let synthesis = app.synth().expect("no circle");
    let order: Vec<_> = synthesis.stacks.iter().map(|stack| stack.id.as_str()).collect();
    assert_eq!(order, ["net", "other"]);
}
