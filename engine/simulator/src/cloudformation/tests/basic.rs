//! The life of a stack on the happy path.

use super::{Bench, elapsed};
use std::time::Duration;

pub(in crate::cloudformation) const NETWORK: &str = r#"{
  "Parameters": {"Cidr": {"Type": "String", "Default": "10.0.0.0/16"}},
  "Resources": {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": {"Ref": "Cidr"}}},
    "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {
      "VpcId": {"Ref": "Vpc"}, "CidrBlock": {"Fn::Select": [1, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 4, 8]}]}}},
    "Topic": {"Type": "AWS::SNS::Topic"}
  },
  "Outputs": {"VpcId": {"Value": {"Ref": "Vpc"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-vpc"}}}}
}"#;

#[test]
fn a_stack_is_made_told_and_deleted() {
    let mut bench = Bench::new();
    let change_set = bench.change_set("net", "CREATE", NETWORK, &[]);
    assert_eq!(bench.status("net"), "REVIEW_IN_PROGRESS");
    assert_eq!(bench.changes(&change_set), ["Add Subnet", "Add Topic", "Add Vpc"]);

    let begun = bench.now;
    bench.execute(&change_set, &[("ClientRequestToken", "token-1")]);
    assert_eq!(bench.status("net"), "CREATE_IN_PROGRESS");
    bench.settle();
    assert_eq!(bench.status("net"), "CREATE_COMPLETE");
    // 3 to begin, 12 for the network, 5 for the subnet, 1 to end.
    assert_eq!(elapsed(begun, bench.now), Duration::from_secs(21));
    assert_eq!(
        bench.events("net"),
        [
            "net REVIEW_IN_PROGRESS: User Initiated",
            "net CREATE_IN_PROGRESS: User Initiated",
            "Topic CREATE_IN_PROGRESS",
            "Vpc CREATE_IN_PROGRESS",
            "Topic CREATE_IN_PROGRESS: Resource creation Initiated",
            "Vpc CREATE_IN_PROGRESS: Resource creation Initiated",
            "Topic CREATE_COMPLETE",
            "Vpc CREATE_COMPLETE",
            "Subnet CREATE_IN_PROGRESS",
            "Subnet CREATE_IN_PROGRESS: Resource creation Initiated",
            "Subnet CREATE_COMPLETE",
            "net CREATE_COMPLETE",
        ]
    );
    assert!(bench.output("net", "VpcId").starts_with("vpc-0"));
    let exports = bench.call("ListExports", &[]).unwrap();
    assert_eq!(exports.text("Name"), "net-vpc");

    let id = bench.call("DescribeStacks", &[("StackName", "net")]).unwrap().text("StackId");
    bench.call("DeleteStack", &[("StackName", "net")]).unwrap();
    bench.settle();
    assert_eq!(bench.status("net"), "ValidationError: Stack with id net does not exist");
    assert_eq!(bench.status(&id), "DELETE_COMPLETE");
    assert!(bench.call("ListExports", &[]).unwrap().members("Exports").is_empty());
}

#[test]
fn an_update_changes_only_what_differs_and_cleans_up_what_is_gone() {
    let mut bench = Bench::new();
    assert_eq!(bench.deploy("net", NETWORK), "CREATE_COMPLETE");
    let before = bench.output("net", "VpcId");
    let changed = NETWORK
        .replace("10.0.0.0/16", "10.9.0.0/16")
        .replace(r#""Topic": {"Type": "AWS::SNS::Topic"}"#, r#""Queue": {"Type": "AWS::SQS::Queue"}"#);
    let change_set = bench.change_set("net", "UPDATE", &changed, &[]);
    assert_eq!(
        bench.changes(&change_set),
        ["Add Queue", "Modify Subnet Conditional", "Remove Topic", "Modify Vpc True"]
    );
    let seen = bench.events("net").len();
    bench.execute(&change_set, &[]);
    bench.settle();
    assert_eq!(bench.status("net"), "UPDATE_COMPLETE");
    assert_ne!(bench.output("net", "VpcId"), before);
    let events = bench.events("net").split_off(seen);
    assert_eq!(events[0], "net UPDATE_IN_PROGRESS: User Initiated");
    assert_eq!(
        events[events.len() - 8..],
        [
            "net UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "Subnet DELETE_IN_PROGRESS",
            "Topic DELETE_IN_PROGRESS",
            "Topic DELETE_COMPLETE",
            "Subnet DELETE_COMPLETE",
            "Vpc DELETE_IN_PROGRESS",
            "Vpc DELETE_COMPLETE",
            "net UPDATE_COMPLETE",
        ]
    );
}

#[test]
fn a_change_set_without_changes_fails_with_the_words_that_tools_look_for() {
    let mut bench = Bench::new();
    bench.deploy("net", NETWORK);
    let change_set = bench.change_set("net", "UPDATE", NETWORK, &[]);
    let told = bench.call("DescribeChangeSet", &[("ChangeSetName", &change_set)]).unwrap();
    assert_eq!(told.text("Status"), "FAILED");
    assert_eq!(
        told.text("StatusReason"),
        "The submitted information didn't contain changes. Submit different information to create a change set."
    );
    let refused = bench.refused("UpdateStack", &[("StackName", "net"), ("TemplateBody", NETWORK)]);
    assert_eq!(refused, "ValidationError: No updates are to be performed.");
}
