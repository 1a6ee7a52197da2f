//! Roles and policies as they are synthesised.

use formwork::{App, AppProps, Diagnostic, IntoValue, RoleArn, Scope, Value, text};
use serde_json::{Value as Json, json};

use super::{
    KeyUser, PolicyDocument, Principal, Role, RoleProps, ServicePrincipal, Statement, note_key_policy,
};

const SERVICES: [ServicePrincipal; 4] = [
    ServicePrincipal::Ec2,
    ServicePrincipal::Lambda,
    ServicePrincipal::SageMaker,
    ServicePrincipal::VpcFlowLogs,
];

fn template(build: impl FnOnce(Scope<'_>)) -> Json {
    let app = App::new(AppProps::default());
    build(app.stack("iam"));
    let synthesis = app.synth().expect("no mistakes");
    assert!(synthesis.diagnostics.is_empty(), "{:?}", synthesis.diagnostics);
    synthesis.template("iam").expect("a template")
}

fn mistakes(build: impl FnOnce(Scope<'_>)) -> Vec<Diagnostic> {
    let app = App::new(AppProps::default());
    build(app.stack("iam"));
    app.synth().expect_err("mistakes").diagnostics
}

fn document(statement: Statement) -> Json {
    let mut document = Value::as_literal(&PolicyDocument::new([statement]).into_value()).expect("a literal");
    assert_eq!(document["Version"], "2012-10-17");
    document["Statement"][0].take()
}

fn role(scope: Scope<'_>, id: &str) -> Role {
    Role::for_service(scope, id, ServicePrincipal::SageMaker, RoleProps::default())
}

#[test]
fn every_service_may_assume_a_role_for_this_account_only() {
    for service in SERVICES {
        let template = template(|scope| {
            Role::for_service(scope, "Role", service, RoleProps::default());
        });
        let (_, role) = template["Resources"].as_object().and_then(|all| all.iter().next()).expect("a role");
        assert!(role["Properties"].get("RoleName").is_none(), "the name is CloudFormation's choice");
        let statement = &role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
        assert_eq!(statement["Principal"], json!({"Service": service.name()}));
        let conditions = statement["Condition"].as_object().expect("conditions");
        let (operator, keys) = conditions.iter().next().expect("one");
        assert!(operator.starts_with("StringEquals"), "{operator}");
        assert_eq!(keys, &json!({"aws:SourceAccount": {"Ref": "AWS::AccountId"}}));
    }
}

#[test]
fn a_service_can_be_held_to_things_of_an_arn() {
    for (service, operator) in
        [(ServicePrincipal::SageMaker, "ArnLike"), (ServicePrincipal::Lambda, "ArnLikeIfExists")]
    {
        let template = template(|scope| {
            let source_arn = Some("arn:aws:sagemaker:*:111122223333:domain/*".into_value());
            Role::for_service(scope, "Role", service, RoleProps { source_arn, ..RoleProps::default() });
        });
        let text = template.to_string();
        assert!(text.contains(&format!("\"{operator}\":{{\"aws:SourceArn\"")), "{text}");
    }
}

#[test]
fn a_statement_is_written_short_and_sorted() {
    let statement = Statement::allow(["s3:PutObject", "s3:GetObject", "s3:PutObject"])
        .sid("Objects")
        .on("arn:aws:s3:::a/*")
        .on("arn:aws:s3:::b/*")
        .when("StringEquals", "aws:PrincipalTag/team", "ml")
        .when_any("StringLike", "s3:prefix", ["a/*", "b/*"]);
    assert_eq!(
        document(statement),
        json!({
            "Sid": "Objects",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"],
            "Condition": {
                "StringEquals": {"aws:PrincipalTag/team": "ml"},
                "StringLike": {"s3:prefix": ["a/*", "b/*"]},
            },
        })
    );
    let short = document(Statement::deny(["s3:*"]).on("arn:aws:s3:::a"));
    assert_eq!(short, json!({"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::a"}));
}

#[test]
fn principals_are_grouped_by_kind() {
    let role = RoleArn::literal("arn:aws:iam::111122223333:role/one");
    let statement = Statement::allow(["sts:AssumeRole"])
        .principal(Principal::Service("ec2.amazonaws.com"))
        .principal(Principal::Role(role))
        .principal(Principal::Account("arn:aws:iam::111122223333:root".into_value()));
    assert_eq!(
        document(statement)["Principal"],
        json!({
            "AWS": ["arn:aws:iam::111122223333:role/one", "arn:aws:iam::111122223333:root"],
            "Service": "ec2.amazonaws.com",
        })
    );
    assert_eq!(document(Statement::deny(["s3:*"]).principal(Principal::Anyone))["Principal"], "*");
}

#[test]
fn a_grant_is_a_policy_where_it_is_given_and_makes_no_circle() {
    let app = App::new(AppProps::default());
    let (shared, user) = (app.stack("shared"), app.stack("user"));
    let shared_role = role(shared, "Role");
    shared.export(&shared_role.name);
    let other = Role::for_role(user, "Other", &shared_role, RoleProps::default());
    shared_role.grant(user, "MayAssume", [Statement::allow(["sts:AssumeRole"]).on(&other.arn)]);
    let synthesis = app.synth().expect("no circle");
    let shared_template = synthesis.template("shared").expect("a template");
    assert!(!shared_template.to_string().contains("AWS::IAM::Policy"), "the shared stack stays as it is");
    let user_template = synthesis.template("user").expect("a template");
    let policy = &user_template["Resources"]["MayAssume"]["Properties"];
    assert_eq!(policy["PolicyName"], "user-MayAssume");
    assert!(policy["Roles"][0]["Fn::ImportValue"].is_string(), "{policy}");
    let trust =
        &user_template["Resources"]["Other"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
    assert!(trust["Principal"]["AWS"]["Fn::ImportValue"].is_string(), "{trust}");
}

fn granted_to(role: impl FnOnce(Scope<'_>) -> Role, id: &str) -> Json {
    let template = template(|scope| {
        let role = role(scope);
        let bucket = text!("arn:aws:s3:::{}", "a");
        role.grant(scope.child("Some place"), id, [Statement::allow(["s3:ListBucket"]).on(bucket)]);
    });
    let resources = template["Resources"].as_object().expect("resources");
    let policy =
        resources.values().find(|resource| resource["Type"] == "AWS::IAM::Policy").expect("a policy");
    policy["Properties"]["PolicyName"].clone()
}

#[test]
fn names_of_policies_are_ones_that_iam_takes() {
    assert_eq!(granted_to(|scope| role(scope, "Role"), "Grant"), "iam-Some-place-Grant");
    let long = granted_to(|scope| role(scope, "Role"), &"g".repeat(200));
    assert_eq!(long, "g".repeat(128));
}

#[test]
fn policies_of_a_role_that_exists_already_differ_by_region() {
    let existing = |_: Scope<'_>| {
        Role::existing("studio".into_value(), RoleArn::literal("arn:aws:iam::111122223333:role/studio"))
    };
    assert_eq!(granted_to(existing, "Grant"), json!({"Fn::Sub": "iam-Some-place-Grant-${AWS::Region}"}));
}

#[test]
fn a_wildcard_without_a_reason_is_a_mistake() {
    let found = mistakes(|scope| {
        let statements = [
            Statement::allow(["s3:ListAllMyBuckets", "s3:ListBucket"]).on("*"),
            Statement::allow(["ec2:DescribeInstances"]).on_any_resource("EC2 cannot limit it"),
            Statement::deny(["s3:DeleteBucket"]).on("*"),
        ];
        role(scope, "Role").grant(scope, "Grant", statements);
    });
    let messages: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(
        messages,
        ["the policy statement for s3:ListAllMyBuckets, s3:ListBucket is about every resource"]
    );
    assert!(found[0].hint.as_deref().is_some_and(|hint| hint.contains("on_any_resource")), "{found:?}");
}

#[test]
fn statements_without_action_or_resource_are_mistakes() {
    let found = mistakes(|scope| {
        let statements = [Statement::allow([]).on("arn:aws:s3:::a"), Statement::allow(["s3:ListBucket"])];
        role(scope, "Role").grant(scope, "Grant", statements);
    });
    assert_eq!(found.len(), 2, "{found:?}");
}

fn buckets(count: usize) -> Statement {
    (0..count).fold(Statement::allow(["s3:ListBucket"]), |statement, number| {
        statement.on(format!("arn:aws:s3:::{number:0>86}"))
    })
}

#[test]
fn a_managed_policy_that_iam_refuses_is_a_mistake_at_its_construct() {
    // 101 characters for each bucket with its quotation marks and comma.
    let attach = |scope: Scope<'_>, count| {
        role(scope, "Role").attach(scope, "Policy", "Buckets", [buckets(count)]);
    };
    let policy = template(|scope| attach(scope, 55))["Resources"]["Policy"]["Properties"].clone();
    assert_eq!(policy["Description"], "Buckets");
    let length = policy["PolicyDocument"].to_string().len();
    assert!((5_600..6_144).contains(&length), "{length}");
    let found = mistakes(|scope| attach(scope, 61));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].rule, "policy-size");
    assert_eq!(found[0].construct_path.as_deref(), Some("iam/Policy"));
    assert!(found[0].message.contains("IAM takes 6144 of one"), "{}", found[0].message);
}

#[test]
fn inline_policies_count_together_whoever_grants_them() {
    let grant = |scope: Scope<'_>, grants: usize| {
        let role = role(scope, "Role");
        for number in 0..grants {
            role.clone().grant(scope, &format!("Grant{number}"), [buckets(30)]);
        }
    };
    template(|scope| grant(scope, 3));
    let found = mistakes(|scope| grant(scope, 4));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].construct_path.as_deref(), Some("iam/Grant3"));
    assert!(found[0].message.contains("10240 of a role"), "{}", found[0].message);
}

#[test]
fn a_policy_is_as_long_as_its_json_with_values_as_long_as_they_become() {
    let literal = PolicyDocument::new([Statement::allow(["s3:ListBucket", "s3:GetObject"])
        .sid("Objects")
        .on("arn:aws:s3:::a")
        .when("StringEquals", "aws:PrincipalTag/team", "ml")]);
    let json = literal.clone().into_value().as_literal().expect("a literal");
    assert_eq!(literal.characters(), json.to_string().len());
    let with_values = |resource: Value<String>| {
        PolicyDocument::new([Statement::allow(["s3:ListBucket"]).on(resource)]).characters()
    };
    let account = with_values(text!("arn:aws:s3:::{}", formwork::pseudo::account_id()));
    assert_eq!(account, with_values("arn:aws:s3:::111122223333".into_value()));
}

#[test]
fn whom_a_key_has_to_allow_is_noted_with_the_region_as_far_as_it_is_known() {
    let app = App::new(AppProps::default());
    let stack = app.stack("iam");
    role(stack, "Role");
    note_key_policy(stack, &[KeyUser::CloudWatchLogs, KeyUser::AutoScaling]);
    note_key_policy(stack, &[]);
    let found = app.synth().expect("no mistakes").diagnostics;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0].message,
        "the policy of the key has to let logs.REGION.amazonaws.com and the role AWSServiceRoleForAutoScaling use it"
    );
    let hint = found[0].hint.as_deref().expect("a hint");
    assert!(hint.contains("kms:CreateGrant") && hint.contains("kms:Encrypt*"), "{hint}");
}

#[test]
fn a_role_trusts_those_who_are_named_and_nobody_else() {
    let trusting = |arns: Vec<&str>| {
        let app = App::new(AppProps::default());
        let stack = app.stack("iam");
        let arns = arns.into_iter().map(IntoValue::into_value);
        Role::for_principals(stack, "Role", arns, RoleProps::default());
        app.synth().map(|synthesis| synthesis.template("iam").expect("the stack").to_string())
    };
    let template =
        trusting(vec!["arn:aws:iam::111122223333:role/team/science", "arn:aws:iam::111122223333:root"]);
    assert!(template.expect("no mistakes").contains(":role/team/science"));
    for wrong in [vec!["*"], vec![], vec!["arn:aws:iam::111122223333:role/*"], vec!["111122223333"]] {
        let error = trusting(wrong.clone()).expect_err("it is refused");
        assert_eq!(error.diagnostics[0].rule, "trusted-principal", "{wrong:?}");
    }
}
