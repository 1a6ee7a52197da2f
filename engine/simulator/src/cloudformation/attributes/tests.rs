//! Tests of the forms of ids and attributes.

use super::*;

fn pseudo() -> Pseudo {
    Pseudo {
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        partition: "aws".to_owned(),
        stack_name: "net".to_owned(),
        ..Pseudo::default()
    }
}

fn made(resource_type: &str, properties: &Value) -> String {
    physical_id(resource_type, "It", &pseudo(), properties, &mut Ids::new(1))
}

#[test]
fn ids_have_the_form_of_their_type() {
    assert!(made("AWS::EC2::VPC", &json!({})).starts_with("vpc-0"));
    assert!(made("AWS::EC2::NatGateway", &json!({})).starts_with("nat-0"));
    let bucket = made("AWS::S3::Bucket", &json!({}));
    assert!(bucket.starts_with("net-it-") && bucket == bucket.to_lowercase(), "{bucket}");
    assert_eq!(made("AWS::S3::Bucket", &json!({"BucketName": "mine"})), "mine");
    assert!(made("AWS::IAM::Role", &json!({})).starts_with("net-It-"));
    let balancer = made("AWS::ElasticLoadBalancingV2::LoadBalancer", &json!({"Name": "front"}));
    assert!(balancer.starts_with("arn:aws:elasticloadbalancing:eu-west-1:123456789012:"), "{balancer}");
}

#[test]
fn attributes_have_the_form_of_their_name() {
    let get = |kind: &str, name: &str, id: &str| {
        attribute(kind, "It", name, id, &json!({}), &pseudo()).map(|value| plain(&value))
    };
    assert_eq!(get("AWS::IAM::Role", "Arn", "net-It-X").unwrap(), "arn:aws:iam::123456789012:role/net-It-X");
    assert_eq!(get("AWS::S3::Bucket", "Arn", "mine").unwrap(), "arn:aws:s3:::mine");
    assert_eq!(get("AWS::EC2::VPC", "VpcId", "vpc-1").unwrap(), "vpc-1");
    assert_eq!(get("AWS::EC2::VPC", "Nothing", "vpc-1"), None);
    let cidr = attribute(
        "AWS::EC2::VPC",
        "It",
        "CidrBlock",
        "vpc-1",
        &json!({"CidrBlock": "10.9.0.0/16"}),
        &pseudo(),
    );
    assert_eq!(cidr, Some(json!("10.9.0.0/16")));
}

#[test]
fn every_attribute_of_every_type_has_a_value() {
    for name in
        ["AWS::SageMaker::Domain", "AWS::SageMaker::MlflowApp", "AWS::RDS::DBInstance", "AWS::EC2::EIP"]
    {
        let id = made(name, &json!({}));
        for attribute_name in facts(name).unwrap().attributes().keys() {
            assert!(
                attribute(name, "It", attribute_name, &id, &json!({}), &pseudo()).is_some(),
                "{attribute_name}"
            );
        }
    }
}
