use super::*;
use crate::plan::testing::plan;

fn losing(by: LossKind) -> Plan {
    let mut plan = plan();
    plan.stacks[0].losses.push(super::super::model::Loss {
        logical_id: "Runs".to_owned(),
        resource_type: "AWS::SageMaker::MlflowApp".to_owned(),
        by,
        words: "Runs (AWS::SageMaker::MlflowApp) is replaced: all runs are lost".to_owned(),
    });
    plan
}

fn broadening() -> Plan {
    let mut plan = plan();
    plan.stacks[0].broadenings.push(Broadening {
        logical_id: "Role".to_owned(),
        resource_type: "AWS::IAM::Role".to_owned(),
        words: "allows s3:* on *".to_owned(),
    });
    plan
}

/// Fault 55: a replacement of a stateful resource is blocked whatever the policy is, and only `--allow replace` frees it.
#[test]
fn losses_need_their_own_word_whatever_else_is_said() {
    for policy in [Policy::Never, Policy::Broadening, Policy::AnyChange] {
        let blocked = needs(&losing(LossKind::Replace), policy, &BTreeSet::from([LossKind::Delete]));
        let refused = blocked.refuse_losses().unwrap_err();
        assert_eq!(refused.class, Class::Refused);
        assert!(refused.message.contains("all runs are lost"));
        assert!(refused.hint.unwrap().contains("--allow replace"));
        let free = needs(&losing(LossKind::Replace), policy, &BTreeSet::from([LossKind::Replace]));
        free.refuse_losses().unwrap();
        assert_eq!(free.allowed.len(), 1);
    }
}

#[test]
fn the_policy_says_what_is_asked_about() {
    let asked = |plan: &Plan, policy| needs(plan, policy, &BTreeSet::new()).approval;
    assert!(!asked(&plan(), Policy::Never) && !asked(&plan(), Policy::Broadening));
    assert!(asked(&plan(), Policy::AnyChange));
    assert!(asked(&broadening(), Policy::Broadening) && !asked(&broadening(), Policy::Never));
}

#[test]
fn nothing_to_do_needs_no_approval() {
    let mut plan = broadening();
    plan.stacks[0].operation = Operation::Nothing;
    assert_eq!(needs(&plan, Policy::AnyChange, &BTreeSet::new()), Needs::default());
}

#[test]
fn a_destruction_and_a_takeover_are_always_asked_about() {
    let mut destroy = plan();
    destroy.command = Command::Destroy;
    assert!(needs(&destroy, Policy::Never, &BTreeSet::new()).approval);
    let mut takeover = plan();
    takeover.options.adopt = true;
    takeover.stacks[0].adopted = true;
    takeover.stacks[0].base = Some(super::super::settle::base(&super::super::testing::stack(
        "shop",
        crate::aws::cloudformation::StackStatus::CreateComplete,
    )));
    assert!(needs(&takeover, Policy::Never, &BTreeSet::new()).approval);
}

/// Fault 37: what stays of a failed creation is asked about before the rest of it is deleted.
#[test]
fn something_left_of_a_failed_creation_is_asked_about() {
    let mut plan = plan();
    plan.stacks[0].operation = Operation::Recreate;
    assert!(!needs(&plan, Policy::Broadening, &BTreeSet::new()).approval);
    plan.stacks[0].left.push(super::super::model::Left {
        logical_id: "Data".to_owned(),
        resource_type: "AWS::S3::Bucket".to_owned(),
        physical_id: Some("data".to_owned()),
        cost: None,
    });
    assert!(needs(&plan, Policy::Broadening, &BTreeSet::new()).approval);
    assert!(!needs(&plan, Policy::Never, &BTreeSet::new()).approval);
}
