use serde_json::json;

use super::*;
use crate::aws::cloudformation::{ChangeAction, ChangeDetail};
use crate::plan::testing::plan;

fn group(range: Value) -> Value {
    json!({"Resources": {"Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
        "GroupDescription": "x",
        "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": range}]
    }}}})
}

fn range_changes(before: &str, after: &str) -> Vec<ResourceChange> {
    let detail = ChangeDetail {
        attribute: "Properties".to_owned(),
        path: Some("/Properties/SecurityGroupIngress/0/CidrIp".to_owned()),
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
        ..ChangeDetail::default()
    };
    vec![ResourceChange {
        action: ChangeAction::Modify,
        logical_id: "Group".to_owned(),
        physical_id: None,
        resource_type: "AWS::EC2::SecurityGroup".to_owned(),
        replacement: None,
        policy_action: None,
        scope: Vec::new(),
        details: vec![detail],
        nested_change_set: None,
        drift: None,
    }]
}

/// The template is the same before and after; what it imports is not.
#[test]
fn an_imported_range_that_becomes_the_world_is_found() {
    let template = group(json!({"Fn::ImportValue": "net-range"}));
    let side = Side::of(&template);
    assert_eq!(growth(side, side, &[]), []);
    let found = growth(side, side, &range_changes("10.0.0.0/8", "0.0.0.0/0"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].words.contains("0.0.0.0/0"), "{found:?}");
    assert_eq!(growth(side, side, &range_changes("0.0.0.0/0", "10.0.0.0/8")), []);
    assert_eq!(growth(side, side, &range_changes("10.0.0.0/8", NOT_KNOWN_YET)), []);
}

/// What was approved with an unknown value is not refused because the value is known now; anything else is.
#[test]
fn only_what_nobody_approved_is_beyond_a_plan() {
    let (none, now) = (BTreeMap::new(), BTreeMap::from([("Range".to_owned(), "0.0.0.0/0".to_owned())]));
    let mut new = group(json!({"Ref": "Range"}));
    new["Parameters"] = json!({"Range": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/range"}});
    let old = Side::of(&Value::Null);
    let mut plan = plan().stacks.remove(0);
    assert_ne!(beyond(&plan, old, &new, &none, &now, &[]), Vec::<String>::new());
    plan.broadenings = broadenings(old, Side { template: &new, parameters: &none })
        .into_iter()
        .map(|it| crate::plan::Broadening {
            logical_id: it.logical_id,
            resource_type: it.resource_type,
            words: it.words,
        })
        .collect();
    assert_eq!(beyond(&plan, old, &new, &none, &now, &[]), Vec::<String>::new());
    new["Resources"]["Open"] = group(json!("0.0.0.0/0"))["Resources"]["Group"].clone();
    let more = beyond(&plan, old, &new, &none, &now, &[]);
    assert!(
        !more.is_empty() && more.iter().all(|it| it.starts_with("Open (AWS::EC2::SecurityGroup)")),
        "{more:?}"
    );
}
