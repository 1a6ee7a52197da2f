//! The toggles of Metaflow, every two of them together: each combination synthesises, and in a slow run cfn-lint finds
//! nothing in what it makes.

use formwork::{App, AppProps, Context, Severity};
use formwork_tests::pairwise::combinations;
use formwork_tests::variants::REGIONS;
use formwork_tests::{CfnLint, Level, is_slow_run};

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:operators";

/// What a setting can be; an empty text leaves it out.
const TOGGLES: &[(&str, &[&str])] = &[
    (
        "metaflowParts",
        &[
            "datastore",
            "metadata",
            "datastore,metadata,compute",
            "datastore,compute,step-functions",
            "datastore,metadata,compute,step-functions,ui,notebook",
        ],
    ),
    ("metaflowCompute", &["ec2", "spot", "fargate", "ec2,spot,fargate,gpu"]),
    ("metaflowApi", &["none", "public", "private"]),
    ("profile", &["dev", "production"]),
    ("metaflowPrincipals", &["", "arn:aws:iam::123456789012:role/Scientists"]),
    ("metaflowBucket", &["", "flows-of-the-team"]),
    ("kmsKeyArn", &["", KEY]),
    ("alarmTopicArn", &["", TOPIC]),
    ("vpcId", &["", "vpc-0123456789abcdef0"]),
    ("crossStackReferences", &["strong", "weak"]),
];

/// A combination as it can be meant: without what its parts would ignore, and with what they need.
fn context(row: &[usize]) -> Context {
    let mut chosen: Vec<(&str, &str)> =
        TOGGLES.iter().zip(row).map(|((key, states), state)| (*key, states[*state])).collect();
    chosen.push(("components", "metaflow"));
    let parts = chosen[0].1.to_owned();
    let has = |part: &str| parts.split(',').any(|one| one == part);
    chosen.retain(|(key, value)| {
        !value.is_empty()
            && (*key != "metaflowCompute" || has("compute"))
            && (*key != "metaflowBucket" || parts.starts_with("datastore,"))
            && (*key != "metaflowApi" || has("metadata"))
    });
    let is = |wanted: (&str, &str)| chosen.contains(&wanted);
    let mut more = Vec::new();
    if is(("metaflowApi", "public")) {
        more.push(("allowCidrs", "203.0.113.0/24"));
    }
    if has("ui") {
        more.extend([("metaflowUiDomainName", "metaflow.example.com"), ("hostedZoneId", "Z0123456789ABC")]);
    }
    if is(("vpcId", "vpc-0123456789abcdef0")) {
        more.push(("subnetIds", "subnet-0123456789abcdef0,subnet-0123456789abcdef1"));
        more.push(("vpcCidr", "10.0.0.0/16"));
    }
    let mut context = Context::new();
    for (key, value) in chosen.into_iter().chain(more) {
        context.set(key, value, "-c");
    }
    context
}

#[test]
fn every_two_toggles_go_together() {
    let judge = if is_slow_run() { CfnLint::find() } else { None };
    let folder = tempfile::tempdir().expect("a temporary directory");
    let sizes: Vec<usize> = TOGGLES.iter().map(|(_, states)| states.len()).collect();
    let mut written = Vec::new();
    for row in combinations(&sizes) {
        let app = App::new(AppProps { context: context(&row), ..AppProps::default() });
        formwork_ml_platform::build(&app);
        let shown = |row: &[usize]| format!("{:?}", context(row).iter().collect::<Vec<_>>());
        let synthesis = app.synth().unwrap_or_else(|error| {
            let found: Vec<String> = error.diagnostics.iter().map(ToString::to_string).collect();
            panic!("{}\n{}", shown(&row), found.join("\n\n"))
        });
        let warned: Vec<_> =
            synthesis.diagnostics.iter().filter(|found| found.severity >= Severity::Warning).collect();
        assert!(warned.is_empty(), "{}\n{warned:#?}", shown(&row));
        let template = synthesis.template("sagemaker-infra-metaflow").expect("the stack of Metaflow");
        let path = folder.path().join(format!("{}.json", written.len()));
        std::fs::write(&path, template.to_string()).expect("a writable file");
        written.push(path);
    }
    assert!(written.len() >= 20, "{}", written.len());
    let Some(judge) = judge else { return };
    let findings = judge.check(&written, &REGIONS).expect("cfn-lint runs");
    let bad: Vec<_> = findings.iter().filter(|finding| finding.level >= Level::Warning).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}
