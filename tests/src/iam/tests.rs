//! The evaluator against policies whose outcome IAM's guide tells.

use serde_json::{Value as Json, json};

use super::*;

fn role(statements: Json) -> Role {
    let template = json!({"Resources": {
        "Role01234567": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        }]}}},
        "Other": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": ["other"], "PolicyDocument": {"Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
        ]}}},
        "Policy": {"Type": "AWS::IAM::Policy", "Properties": {
            "Roles": [{"Ref": "Role01234567"}], "PolicyDocument": {"Statement": statements},
        }},
    }});
    Role::named(&template, "stack", "Role")
}

fn ask(role: &Role, action: &str, resource: &str, context: &[(&str, &str)]) -> Verdict {
    role.verdict(&Request { action, resource, context })
}

#[test]
fn nothing_is_allowed_unless_a_statement_of_the_role_says_so() {
    let role =
        role(json!([{"Effect": "Allow", "Action": "s3:Get*", "Resource": {"Fn::Sub": "${Bucket.Arn}/a/*"}}]));
    assert_eq!(ask(&role, "s3:GetObject", "{Bucket.Arn}/a/b", &[]), Verdict::Allowed);
    assert_eq!(ask(&role, "S3:getobject", "{Bucket.Arn}/a/b", &[]), Verdict::Allowed);
    assert_eq!(ask(&role, "s3:PutObject", "{Bucket.Arn}/a/b", &[]), Verdict::NotAllowed);
    assert_eq!(ask(&role, "s3:GetObject", "{Bucket.Arn}/b", &[]), Verdict::NotAllowed);
    assert_eq!(ask(&role, "s3:GetObject", "{Bucket.Arn}", &[]), Verdict::NotAllowed);
}

#[test]
fn a_denial_wins() {
    let role = role(json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*",
         "Condition": {"StringNotEquals": {"s3:authType": "REST-HEADER"}}},
    ]));
    assert_eq!(ask(&role, "s3:GetObject", "x", &[("s3:authType", "REST-QUERY-STRING")]), Verdict::Denied);
    assert_eq!(ask(&role, "s3:GetObject", "x", &[("s3:authType", "REST-HEADER")]), Verdict::Allowed);
    assert_eq!(ask(&role, "s3:GetObject", "x", &[]), Verdict::Denied, "an absent key is not equal");
    assert_eq!(role.on_everything(), ["*"]);
}

#[test]
fn conditions_all_have_to_hold() {
    let role = role(json!([{
        "Effect": "Allow", "Action": "iam:PassRole", "Resource": {"Fn::GetAtt": ["Job", "Arn"]},
        "Condition": {
            "StringEquals": {"iam:PassedToService": ["a.amazonaws.com", "b.amazonaws.com"]},
            "StringLikeIfExists": {"aws:PrincipalTag/team": "data*"},
        },
    }]));
    let with = |context: &[(&str, &str)]| ask(&role, "iam:PassRole", "{Job.Arn}", context);
    assert_eq!(with(&[("iam:passedtoservice", "b.amazonaws.com")]), Verdict::Allowed);
    assert_eq!(with(&[("iam:PassedToService", "c.amazonaws.com")]), Verdict::NotAllowed);
    assert_eq!(with(&[]), Verdict::NotAllowed);
    assert_eq!(
        with(&[("iam:PassedToService", "a.amazonaws.com"), ("aws:PrincipalTag/team", "web")]),
        Verdict::NotAllowed
    );
}

#[test]
fn trust_is_of_the_named_and_on_their_conditions() {
    let role = role(json!([]));
    assert!(role.trusts("ec2.amazonaws.com", &[("aws:SourceAccount", ACCOUNT)]));
    assert!(!role.trusts("ec2.amazonaws.com", &[("aws:SourceAccount", "999999999999")]));
    assert!(!role.trusts("lambda.amazonaws.com", &[("aws:SourceAccount", ACCOUNT)]));
}

#[test]
#[should_panic(expected = "NotAction is not understood")]
fn what_is_not_understood_is_no_guess() {
    let role = role(json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]));
    ask(&role, "s3:GetObject", "x", &[]);
}

#[test]
fn patterns_stand_for_any_characters() {
    for (pattern, text) in
        [("*", ""), ("a*c", "abbc"), ("a*b*", "axbxb"), ("a?c", "abc"), ("rule/x_*", "rule/x_")]
    {
        assert!(is_like(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [("a", "ab"), ("a?c", "ac"), ("a*c", "abd"), ("", "a")] {
        assert!(!is_like(pattern, text), "{pattern} {text}");
    }
}
