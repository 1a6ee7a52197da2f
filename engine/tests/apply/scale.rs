//! How much is asked, and how fast: the bounds that hold whatever the number of stacks.
//!
//! The stacks are those of the platform over and over again: a network, a domain and a proxy on it, an application on the
//! domain. What they take is what the simulator's table says of their types, so that the longest way is known exactly.

use std::collections::BTreeMap;
use std::time::Duration;

use formwork_engine::apply;
use formwork_engine::journal::Journal;
use formwork_engine::plan::Command;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::case::{Case, Part, RUN, part};

const ROLE: &str = "arn:aws:iam::123456789012:role/a";

/// A name for as long as the test runs.
fn name(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// What is made in the four stacks of a group, besides their topics.
struct Kinds {
    net: &'static str,
    domain: &'static str,
    app: &'static str,
    proxy: &'static str,
}

/// A group whose longest way is about a minute.
const SHORT: Kinds = Kinds {
    net: "AWS::S3::Bucket",
    domain: "AWS::IAM::Role",
    app: "AWS::DynamoDB::Table",
    proxy: "AWS::SNS::Topic",
};

/// A group that takes as long as the platform with a tracking server does.
const LONG: Kinds = Kinds {
    net: "AWS::EC2::NatGateway",
    domain: "AWS::SageMaker::Domain",
    app: "AWS::SageMaker::MlflowTrackingServer",
    proxy: "AWS::AutoScaling::AutoScalingGroup",
};

fn with(kind: &'static str, mut part: Part) -> Part {
    let properties = match kind {
        "AWS::IAM::Role" => json!({"AssumeRolePolicyDocument": {}}),
        "AWS::DynamoDB::Table" => json!({"KeySchema": []}),
        "AWS::EC2::NatGateway" => json!({"SubnetId": "subnet-1"}),
        "AWS::SageMaker::Domain" => {
            json!({"AuthMode": "IAM", "DomainName": part.id, "DefaultUserSettings": {"ExecutionRole": ROLE}})
        }
        "AWS::SageMaker::MlflowTrackingServer" => {
            json!({"ArtifactStoreUri": "s3://a", "RoleArn": ROLE, "TrackingServerName": part.id})
        }
        "AWS::AutoScaling::AutoScalingGroup" => json!({"MaxSize": "1", "MinSize": "1"}),
        _ => json!({}),
    };
    part.template["Resources"]["Main"] = json!({"Type": kind, "Properties": properties});
    part
}

fn groups(count: usize, kinds: &Kinds) -> Vec<Part> {
    let mut parts = Vec::new();
    for group in 0..count {
        let [net, domain, app, proxy] =
            ["net", "domain", "app", "proxy"].map(|word| name(format!("{word}{group:03}")));
        parts.push(with(kinds.net, part(net, &[], "one")));
        parts.push(with(kinds.domain, part(domain, name_list(net), "one")));
        parts.push(with(kinds.app, part(app, name_list(domain), "one")));
        parts.push(with(kinds.proxy, part(proxy, name_list(net), "one")));
    }
    parts
}

fn name_list(one: &'static str) -> &'static [&'static str] {
    Box::leak(vec![one].into_boxed_slice())
}

/// What a run took, and what it asked.
struct Figures {
    wall: f64,
    critical_path: f64,
    requests: usize,
    reads: usize,
    most_reads_in_a_second: usize,
    by_operation: BTreeMap<String, usize>,
}

/// The longest way through the stacks by what CloudFormation itself took: for each its change set and its operation.
async fn critical_path(case: &Case, parts: &[Part]) -> f64 {
    let change_set = 4.0;
    let mut ends: BTreeMap<&str, f64> = BTreeMap::new();
    let session = case.session().await;
    for part in parts {
        let arn = case.stack(part.id).await.unwrap().id;
        let events = session.cloudformation().events(&arn, None).await.unwrap().events;
        let own = |status: &str| -> Timestamp {
            events
                .iter()
                .find(|it| it.logical_id == part.id && it.status == status)
                .unwrap_or_else(|| panic!("{status} of {}", part.id))
                .timestamp
        };
        let took = own("CREATE_COMPLETE").duration_since(own("CREATE_IN_PROGRESS")).as_secs_f64();
        let before = part.needs.iter().map(|need| ends[need]).fold(0.0, f64::max);
        ends.insert(part.id, before + change_set + took);
    }
    ends.into_values().fold(0.0, f64::max)
}

async fn measure(count: usize, kinds: &Kinds) -> Figures {
    let parts = groups(count / 4, kinds);
    let mut case = Case::new("");
    case.options.concurrency = count;
    let assembly = case.assembly(&parts);
    let journal = Journal::in_memory_of(RUN, Default::default());
    let started = case.runtime().clock.elapsed();
    let plan = case.plan(Command::Deploy, &parts, &journal).await.unwrap();
    let report = apply::run(&plan, &assembly, &case.options, case.runtime(), &journal).await.unwrap();
    let wall = (case.runtime().clock.elapsed() - started).as_secs_f64();
    assert_eq!(report.code, 0, "{report:#?}");
    let (requests, reads, most_reads_in_a_second, by_operation) = {
        let simulator = case.account.simulator();
        let log = simulator.log();
        let mut by_operation = BTreeMap::new();
        for entry in log.entries() {
            *by_operation.entry(entry.operation.clone()).or_default() += 1;
        }
        let second = Duration::from_secs(1);
        let reads = log.entries().iter().filter(|entry| !entry.mutating).count();
        (log.entries().len(), reads, log.most_within(second, |entry| !entry.mutating), by_operation)
    };
    let critical_path = critical_path(&case, &parts).await;
    Figures { wall, critical_path, requests, reads, most_reads_in_a_second, by_operation }
}

/// The peak of this process's memory in megabytes, where the system tells.
fn peak_megabytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}

/// The figures of `cargo xtask bench deploy`, as a line of JSON: in virtual time, of as many stacks as
/// `FORMWORK_BENCH_STACKS` says.
#[tokio::test(start_paused = true)]
#[ignore = "measures, and asserts nothing"]
async fn figures() {
    let count = std::env::var("FORMWORK_BENCH_STACKS").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
    let short = std::env::var("FORMWORK_BENCH_SHORT").is_ok();
    let figures = measure(count, if short { &SHORT } else { &LONG }).await;
    let line: Value = json!({
        "stacks": count,
        "wall": figures.wall,
        "criticalPath": figures.critical_path,
        "requests": figures.requests,
        "reads": figures.reads,
        "mostReadsInASecond": figures.most_reads_in_a_second,
        "operations": figures.by_operation,
        "peakMegabytes": peak_megabytes(),
    });
    println!("figures: {line}");
}

/// What is asked does not grow with the time that stacks take: half an hour is a few times a minute.
#[tokio::test(start_paused = true)]
async fn half_an_hour_is_followed_with_few_requests() {
    for (count, most) in [(4, 140), (40, 560)] {
        let figures = measure(count, &LONG).await;
        assert!(figures.critical_path > 1800.0, "{}", figures.critical_path);
        let ratio = figures.wall / figures.critical_path;
        assert!(ratio <= 1.05, "{ratio}: {} s for {} s", figures.wall, figures.critical_path);
        assert!(figures.requests <= most, "{} requests: {:?}", figures.requests, figures.by_operation);
        assert!(figures.most_reads_in_a_second <= 8);
    }
}

/// Fault 76: the number of stacks does not make the account's rate. The bounds are those of `docs/benchmarks.md`.
#[tokio::test(start_paused = true)]
async fn forty_stacks_take_hardly_longer_than_their_longest_way_and_ask_little() {
    let figures = measure(40, &SHORT).await;
    assert!(figures.most_reads_in_a_second <= 8, "{} reads in a second", figures.most_reads_in_a_second);
    let ratio = figures.wall / figures.critical_path;
    assert!(ratio <= 1.1, "{ratio}: {} s for {} s", figures.wall, figures.critical_path);
    assert!(figures.requests <= 40 * 7, "{} requests: {:?}", figures.requests, figures.by_operation);
    assert_eq!(figures.by_operation["CreateChangeSet"], 40);
    assert!(figures.by_operation["DescribeChangeSet"] <= 50, "{:?}", figures.by_operation);
}

#[tokio::test(start_paused = true)]
async fn four_stacks_take_hardly_longer_than_their_longest_way() {
    let figures = measure(4, &SHORT).await;
    let ratio = figures.wall / figures.critical_path;
    assert!(ratio <= 1.06, "{ratio}: {} s for {} s", figures.wall, figures.critical_path);
    assert!(figures.requests <= 90, "{} requests: {:?}", figures.requests, figures.by_operation);
}
