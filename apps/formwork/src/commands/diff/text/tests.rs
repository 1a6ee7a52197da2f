use serde_json::json;

use super::*;
use crate::commands::diff::before::OldStack;
use crate::commands::diff::comparison::compare;
use crate::report::StackReport;

fn report() -> DiffReport {
    let template = |name: &str, cidr: &str| {
        json!({ "Resources": {
            "Vpc": { "Type": "AWS::EC2::VPC", "Properties": { "CidrBlock": cidr } },
            "Subnet": { "Type": "AWS::EC2::Subnet", "Properties": { "VpcId": { "Ref": "Vpc" }, "CidrBlock": cidr } },
            "Table": { "Type": "AWS::DynamoDB::Table", "Properties": { "TableName": name } },
        } })
    };
    let stack = StackReport {
        id: "net".to_owned(),
        name: "a-rather-long-name-of-a-stack".to_owned(),
        environment: String::new(),
        template_file: String::new(),
        template_bytes: 0,
        resources: 2,
        dependencies: Vec::new(),
    };
    let before = OldStack { template: template("runs", "10.0.0.0/16"), ..OldStack::default() };
    let after = template("experiments-and-runs", "10.1.0.0/16");
    DiffReport { against: "old".to_owned(), stacks: vec![compare(&stack, Some(&before), Some(&after))] }
}

fn plain(width: Option<usize>) -> String {
    anstream::adapter::strip_str(&text(&report(), Look { width, is_verbose: false })).to_string()
}

#[test]
fn replacement_and_loss_are_told_with_their_reasons() {
    assert_eq!(
        plain(None),
        "\
~ a-rather-long-name-of-a-stack  3 replaced
    resources
      -/+ Subnet  AWS::EC2::Subnet  replaced
          CidrBlock: 10.0.0.0/16 -> 10.1.0.0/16  (needs a new resource)
          VpcId: changes with Vpc  (needs a new resource)
      -/+ Table  AWS::DynamoDB::Table  replaced
          ! data is lost: all items of the table are lost
          TableName: runs -> experiments-and-runs  (needs a new resource)
      -/+ Vpc  AWS::EC2::VPC  replaced
          CidrBlock: 10.0.0.0/16 -> 10.1.0.0/16  (needs a new resource)
"
    );
}

#[test]
fn every_width_is_respected_and_no_word_is_lost() {
    let whole: String = plain(None).split_whitespace().collect();
    for width in 20..120 {
        let text = plain(Some(width));
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
        assert_eq!(text.split_whitespace().collect::<String>(), whole);
    }
}
