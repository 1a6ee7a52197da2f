//! The checks of an account and region, against the simulator.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::Outcome;
use super::*;
use crate::assets::stage::Stage;
use crate::plan::Environment;

const REGION: &str = "us-east-1";

/// A stack of the app with a template; it is not deployed.
fn stack(stage: &Stage, template: Value) -> LookedStack {
    let located = Located {
        id: "app".to_owned(),
        name: "app".to_owned(),
        environment: Environment { account: stage.session.account().to_owned(), region: REGION.to_owned() },
        session: stage.session.clone(),
        execution_role: None,
    };
    let artifact = StackArtifact {
        id: "app".to_owned(),
        environment: String::new(),
        properties: formwork_assembly::manifest::StackProperties::default(),
        dependencies: Vec::new(),
    };
    let template_bytes = template.to_string().len();
    LookedStack { located, artifact, template, template_bytes }
}

async fn checks(stage: &Stage, template: Value) -> BTreeMap<(String, String), Check> {
    let mut looked = Looked::new(&stage.session, "formwork", None);
    looked.stacks.push(stack(stage, template));
    let checks = environment(&looked, &stage.runtime).await;
    checks.into_iter().map(|check| ((check.name.clone(), check.subject.clone()), check)).collect()
}

fn of<'c>(checks: &'c BTreeMap<(String, String), Check>, name: &str) -> &'c Check {
    let mut found = checks.values().filter(|check| check.name == name);
    found.next().unwrap_or_else(|| panic!("no {name} in {checks:#?}"))
}

fn resources_of(kind: &str, number: usize) -> Value {
    let resource = json!({ "Type": kind, "Properties": {} });
    let resources: serde_json::Map<String, Value> =
        (0..number).map(|index| (format!("R{index}"), resource.clone())).collect();
    json!({ "Resources": resources })
}

#[tokio::test(start_paused = true)]
async fn empty_account_has_nothing_in_the_way() {
    let stage = Stage::new("").await;
    let checks = checks(&stage, resources_of("AWS::SNS::Topic", 1)).await;
    let bad: Vec<_> = checks.values().filter(|check| check.outcome == Outcome::Failed).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert_eq!(of(&checks, "clock").detail, "as that of AWS");
    assert_eq!(of(&checks, "region").outcome, Outcome::Ok);
    assert_eq!(of(&checks, "resource-types").outcome, Outcome::Ok);
    assert_eq!(of(&checks, "bootstrap").outcome, Outcome::Skipped);
    assert!(of(&checks, "quota").detail.starts_with("0 of 2000 used"), "{checks:#?}");
}

/// Fault 8: the clock of this machine is wrong.
#[tokio::test(start_paused = true)]
async fn wrong_clock_is_told_with_its_difference() {
    // The question for the time is the one that nobody signs.
    let stage = Stage::with("", |request| {
        let unsigned = !request.headers().contains_key("authorization");
        let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(20);
        let date =
            jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&ahead).expect("a date");
        let answer = http::Response::builder().status(403).header("date", date);
        unsigned.then(|| answer.body(bytes::Bytes::new()).expect("an answer"))
    })
    .await;
    let checks = checks(&stage, json!({})).await;
    let clock = of(&checks, "clock");
    assert_eq!(clock.outcome, Outcome::Failed);
    assert!(clock.detail.contains(" s behind that of AWS"), "{}", clock.detail);
    assert!(clock.hint.is_some());
}

#[tokio::test(start_paused = true)]
async fn region_that_is_not_enabled_is_told_with_the_command() {
    let body = "<R><regionInfo><item><optInStatus>not-opted-in</optInStatus></item></regionInfo></R>";
    let stage = Stage::new(&format!("on DescribeRegions body \"{body}\"")).await;
    let checks = checks(&stage, json!({})).await;
    let region = of(&checks, "region");
    assert_eq!(region.outcome, Outcome::Failed);
    assert!(region.hint.as_deref().is_some_and(|hint| hint.contains("enable-region")), "{region:?}");
}

#[tokio::test(start_paused = true)]
async fn type_that_nobody_offers_is_told_with_its_stack() {
    let stage = Stage::new("").await;
    let checks = checks(&stage, resources_of("AWS::Nothing::AtAll", 2)).await;
    let check = of(&checks, "resource-types");
    assert_eq!(check.outcome, Outcome::Failed);
    assert_eq!(check.detail, "not offered in us-east-1; app uses it");
}

#[tokio::test(start_paused = true)]
async fn bootstrap_stack_that_the_app_needs_has_to_be_there_and_its_bucket_ours() {
    let parameter = "/formwork/bootstrap/formwork/bucket";
    let template = json!({ "Parameters": { "AssetBucket": { "Default": parameter } }, "Resources": {} });
    let stage = Stage::new("").await;
    let missing = checks(&stage, template.clone()).await;
    let check = of(&missing, "bootstrap");
    assert_eq!(check.outcome, Outcome::Failed);
    assert!(
        check.hint.as_deref().is_some_and(|hint| hint.contains("formwork bootstrap aws://")),
        "{check:?}"
    );

    stage.script("parameter /formwork/bootstrap/formwork/version 1");
    stage.script("parameter /formwork/bootstrap/formwork/bucket assets");
    stage.script("bucket assets owner 999999999999");
    let squatted = checks(&stage, template.clone()).await;
    assert_eq!(of(&squatted, "bootstrap").outcome, Outcome::Ok);
    let bucket = of(&squatted, "asset-bucket");
    assert_eq!(bucket.outcome, Outcome::Failed);
    assert!(bucket.detail.contains("does not belong to account"), "{}", bucket.detail);
    let gone = squatted.values().find(|check| check.subject == "formwork-formwork-execution-us-east-1");
    assert_eq!(gone.map(|check| check.outcome), Some(Outcome::Failed), "{squatted:#?}");
}

#[tokio::test(start_paused = true)]
async fn roles_that_nobody_may_assume_are_told() {
    let stage = Stage::new("role * denied").await;
    stage.script("parameter /formwork/bootstrap/formwork/version 1");
    let checks = checks(&stage, json!({})).await;
    let role = checks.values().find(|check| check.subject == "formwork-formwork-plan-us-east-1");
    // The stack was never made, so that the roles are gone and not only closed.
    assert_eq!(role.map(|role| (role.outcome, role.detail.as_str())), Some((Outcome::Failed, "is gone")));
    let hint = role.and_then(|role| role.hint.as_deref()).unwrap_or_default();
    assert!(hint.starts_with("run `formwork bootstrap aws://") && !hint.contains("--qualifier"), "{hint}");
}

/// What a role or a bootstrap stack comes back by is a command line, with the qualifier that it goes by.
#[tokio::test(start_paused = true)]
async fn the_command_that_brings_back_what_is_gone_names_program_and_qualifier() {
    let stage = Stage::new("role * denied").await;
    stage.script("parameter /formwork/bootstrap/team/version 1");
    let mut looked = Looked::new(&stage.session, "team", None);
    for (role, parameter) in [
        ("cdk-hnb659fds-deploy-role", "/cdk-bootstrap/hnb659fds/version"),
        ("cdk-mine-deploy-role", "/cdk-bootstrap/mine/version"),
        ("deployer", "/our/version"),
    ] {
        let mut stack = stack(&stage, json!({}));
        let properties = &mut stack.artifact.properties;
        properties.assume_role_arn = Some(format!("arn:aws:iam::{}:role/{role}", stage.session.account()));
        properties.bootstrap_stack_version_ssm_parameter = Some(parameter.to_owned());
        properties.requires_bootstrap_stack_version = Some(6);
        looked.stacks.push(stack);
    }
    let checks = environment(&looked, &stage.runtime).await;
    let place = looked.place();
    for (subject, hint) in [
        ("formwork-team-plan-us-east-1", format!("run `formwork bootstrap {place} --qualifier team`")),
        ("formwork-team-execution-us-east-1", format!("run `formwork bootstrap {place} --qualifier team`")),
        ("cdk-hnb659fds-deploy-role", format!("run `cdk bootstrap {place}`")),
        ("cdk-mine-deploy-role", format!("run `cdk bootstrap {place} --qualifier mine`")),
        ("/cdk-bootstrap/mine/version", format!("run `cdk bootstrap {place} --qualifier mine`")),
        ("deployer", "make the role anew under its old name, or let the app name another one".to_owned()),
        ("/our/version", format!("set up {place} with what writes this parameter")),
    ] {
        let check = checks.iter().find(|check| check.subject == subject);
        assert_eq!(
            check.and_then(|check| check.hint.as_deref()),
            Some(hint.as_str()),
            "{subject}: {checks:#?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn quotas_count_what_is_used_and_what_is_still_to_be_made() {
    let stage = Stage::new("").await;
    let full = checks(&stage, resources_of("AWS::EC2::VPC", 6)).await;
    let vpcs = &full[&("quota".to_owned(), "VPCs per Region".to_owned())];
    assert_eq!(vpcs.outcome, Outcome::Failed);
    assert_eq!(vpcs.detail, "0 of 5 used, 6 more needed");
    assert!(vpcs.hint.as_deref().is_some_and(|hint| hint.contains("--quota-code L-F678F1CE")), "{vpcs:?}");
    let exact = checks(&stage, resources_of("AWS::EC2::EIP", 5)).await;
    let addresses = &exact[&("quota".to_owned(), "EC2-VPC Elastic IPs".to_owned())];
    assert_eq!(addresses.outcome, Outcome::Warning);
    assert!(
        !exact.contains_key(&("quota".to_owned(), "VPCs per Region".to_owned())),
        "not touched, not asked"
    );
}

#[tokio::test(start_paused = true)]
async fn reserved_executions_have_to_leave_a_hundred() {
    let stage = Stage::new("").await;
    let function =
        json!({ "Type": "AWS::Lambda::Function", "Properties": { "ReservedConcurrentExecutions": 950 } });
    let checks = checks(&stage, json!({ "Resources": { "Function": function } })).await;
    let executions = &checks[&("quota".to_owned(), "Concurrent executions".to_owned())];
    assert_eq!(executions.outcome, Outcome::Failed, "{executions:?}");
}

/// What the caller may not ask is neither right nor wrong.
#[tokio::test(start_paused = true)]
async fn denied_questions_are_told_as_such() {
    let stage = Stage::new("").await;
    stage.script(
        "on ec2:* error 403 UnauthorizedOperation\non servicequotas:* error 400 AccessDeniedException",
    );
    stage.script("on iam:* error 403 AccessDenied\non ssm:* error 400 AccessDeniedException");
    stage.script("on DescribeAccountLimits error 403 AccessDenied");
    let checks = checks(&stage, resources_of("AWS::EC2::VPC", 1)).await;
    for name in ["region", "quota", "bootstrap"] {
        let check = of(&checks, name);
        assert_eq!(check.outcome, Outcome::Unknown, "{check:?}");
        assert!(check.detail.ends_with("is denied") && check.hint.is_some(), "{check:?}");
    }
    assert!(checks.values().all(|check| check.outcome != Outcome::Failed), "{checks:#?}");
}

#[tokio::test(start_paused = true)]
async fn database_engines_are_judged_by_the_day_of_their_standard_support() {
    let stage = Stage::new("").await;
    let database = |version: &str| {
        let properties = json!({ "Engine": "postgres", "EngineVersion": version });
        json!({ "Resources": { "Db": { "Type": "AWS::RDS::DBInstance", "Properties": properties } } })
    };
    let outcome = async |version: &str| {
        let checks = checks(&stage, database(version)).await;
        of(&checks, "database-engine").outcome
    };
    assert_eq!(outcome("16.4").await, Outcome::Ok);
    assert_eq!(outcome("9.6").await, Outcome::Failed);
    stage.script("on DescribeDBMajorEngineVersions body \"<R><DBMajorEngineVersions><m><MajorEngineVersion>11</MajorEngineVersion><SupportedEngineLifecycles><l><LifecycleSupportName>open-source-rds-standard-support</LifecycleSupportName><LifecycleSupportEndDate>2024-02-29T23:59:59Z</LifecycleSupportEndDate></l></SupportedEngineLifecycles></m></DBMajorEngineVersions></R>\"");
    assert_eq!(outcome("11.22").await, Outcome::Warning);
}

#[test]
fn runtimes_are_judged_by_the_day() {
    let template = |runtime: &str| json!({ "Resources": { "F": { "Type": "AWS::Lambda::Function", "Properties": { "Runtime": runtime } } } });
    let judge = |name: &str, day: &str| {
        let template = template(name);
        let now = format!("{day}T00:00:00Z").parse().expect("a time");
        runtimes([("app", &template)], now).remove(0)
    };
    let facts = formwork_schema::runtime("python3.7").expect("in the table");
    let ended = facts.update_blocked.as_deref().or(facts.create_blocked.as_deref()).expect("has ended");
    let check = judge("python3.7", ended);
    assert_eq!(check.outcome, Outcome::Failed);
    assert!(check.detail.ends_with("app/F") && check.hint.is_some(), "{check:?}");
    assert_eq!(judge("python3.7", "2015-01-01").outcome, Outcome::Ok);
    assert_eq!(judge("provided.al2099", "2026-01-01").detail, "no end is announced");
}
