//! Networks that exist already.

use super::*;

const VPC: &str = "vpc-0a1b2c3d4e5f67890";
const SUBNETS: [&str; 2] = ["subnet-0a1b2c3d4e5f67890", "subnet-0a1b2c3d"];

fn existing(change: impl FnOnce(&mut ExistingNetwork)) -> Result<Synthesised, Vec<Diagnostic>> {
    let mut network = ExistingNetwork {
        vpc_id: VPC.to_owned(),
        subnet_ids: SUBNETS.map(str::to_owned).into(),
        vpc_cidr: Some("10.0.0.0/16".to_owned()),
        ..ExistingNetwork::default()
    };
    change(&mut network);
    synth(None, |scope| {
        let network = Networking::existing(scope, "Networking", network);
        let group = security_group(scope, "Group", &network.vpc_id, "A group");
        network.allow_endpoints(scope, "Endpoints", &group);
    })
}

#[test]
fn its_ids_are_used_as_they_are() {
    let made = existing(|_| ()).expect("no mistakes");
    assert_eq!(made.all("AWS::EC2::SecurityGroup").len(), 1);
    assert_eq!(made.template["Resources"].as_object().expect("resources").len(), 1, "nothing else is made");
    assert_eq!(made.properties("AWS::EC2::SecurityGroup")[0]["VpcId"], VPC);
}

#[test]
fn wrong_ids_are_named() {
    let found = existing(|network| {
        network.vpc_id = "vpc-xyz".to_owned();
        network.subnet_ids = vec!["subnet-1".to_owned(), SUBNETS[0].to_owned()];
        network.vpc_cidr = Some("10.0.0.1/16".to_owned());
    })
    .err()
    .expect("mistakes");
    assert_eq!(
        messages(&found)[..3],
        [
            "`vpc-xyz` is not the id of a VPC",
            "`subnet-1` is not the id of a subnet",
            "the address block of the existing VPC: `10.0.0.1/16` starts inside a /16 block, not at its first address",
        ]
    );
    assert!(found[0].hint.as_deref().expect("a hint").contains("8 or 17"), "{found:?}");
}

#[test]
fn it_needs_two_subnets_and_each_once() {
    let one = existing(|network| network.subnet_ids.truncate(1)).err().expect("a mistake");
    assert_eq!(
        messages(&one),
        [format!("the subnet ids of `{VPC}` name 1 of the 2 subnets that are needed")]
    );
    let none = existing(|network| network.subnet_ids.clear()).err().expect("a mistake");
    assert_eq!(
        messages(&none),
        [format!("the subnet ids of `{VPC}` name 0 of the 2 subnets that are needed")]
    );
    let twice = existing(|network| network.subnet_ids.push(SUBNETS[0].to_owned())).err().expect("a mistake");
    assert_eq!(messages(&twice), [format!("the subnet ids of `{VPC}` name a subnet twice")]);
    let public =
        existing(|network| network.public_subnet_ids = vec![SUBNETS[0].to_owned()]).err().expect("a mistake");
    assert_eq!(
        messages(&public),
        [format!("the public subnet ids of `{VPC}` name 1 of the 2 subnets that are needed")]
    );
}
