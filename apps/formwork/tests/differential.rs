//! The same assembly deployed by the cdk command line and by ours, each to a simulated account of its own: both end in
//! the same stacks.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bytes::Bytes;
use formwork_assembly::TemplateFile;
use formwork_simulator::api::Element;
use formwork_simulator::protocol::xml;
use formwork_simulator::server::{ServeOptions, Served};
use formwork_simulator::{Reply, Request, Simulator, SimulatorOptions};
use formwork_tests::Cdk;
use serde_json::Value as Json;
use support::{Done, Project};

const REGION: &str = "eu-west-1";

/// The platform without its proxy, whose binary nobody has to build for this.
const STACKS: [&str; 3] =
    ["sagemaker-infra-networking", "sagemaker-infra-sagemaker-domain", "sagemaker-infra-mlflow-serverless"];

/// What is the same after both: everything that is not an id, a time or who did it.
#[derive(Debug, PartialEq)]
struct Deployed {
    status: Option<String>,
    role: Option<String>,
    outputs: BTreeSet<(String, String)>,
    tags: BTreeMap<String, String>,
    resources: BTreeSet<(String, String, String)>,
    template: Json,
}

fn account() -> Served {
    let script = "parameter /cdk-bootstrap/hnb659fds/version 30\n\
                  bucket cdk-hnb659fds-assets-123456789012-eu-west-1 exists";
    let script = script.parse().unwrap();
    let options = SimulatorOptions { script, region: REGION.to_owned(), ..SimulatorOptions::default() };
    let serve = ServeOptions { speed: 300.0, ..ServeOptions::default() };
    Served::start(Simulator::new(options), serve).unwrap()
}

/// Asks CloudFormation itself: the members of the result.
fn ask(served: &Served, action: &str, stack: &str) -> Element {
    let request: Request = http::Request::post("/")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/cloudformation/aws4_request, \
             SignedHeaders=host, Signature=00",
        )
        .body(Bytes::from(format!("Action={action}&StackName={stack}")))
        .unwrap();
    served.with(|simulator| {
        let now = simulator.log().entries().last().unwrap().time;
        let Reply::Answer { response, .. } = simulator.respond(now, &request) else { panic!("no answer") };
        let answer = xml::parse(std::str::from_utf8(response.body()).unwrap()).unwrap();
        answer.child(&format!("{action}Result")).unwrap().clone()
    })
}

/// The texts of two fields of each member of a list.
fn pairs<C: FromIterator<(String, String)>>(list: Option<&Element>, first: &str, second: &str) -> C {
    let text = |member: &Element, name: &str| member.child_text(name).unwrap_or_default().to_owned();
    list.into_iter().flat_map(Element::children).map(|it| (text(it, first), text(it, second))).collect()
}

fn deployed(served: &Served, stack: &str) -> Deployed {
    let described = ask(served, "DescribeStacks", stack);
    let described = &described.child("Stacks").unwrap().children()[0];
    let listed = ask(served, "ListStackResources", stack);
    let text = |member: &Element, name: &str| member.child_text(name).unwrap_or_default().to_owned();
    let resources = listed.child("StackResourceSummaries").unwrap().children().iter();
    let template = ask(served, "GetTemplate", stack).child_text("TemplateBody").unwrap().to_owned();
    // One sends YAML and one JSON.
    let template = TemplateFile::from_bytes("template", template.as_bytes()).unwrap().into_value();
    Deployed {
        status: described.child_text("StackStatus").map(str::to_owned),
        role: described.child_text("RoleARN").map(str::to_owned),
        outputs: pairs(described.child("Outputs"), "OutputKey", "ExportName"),
        tags: pairs(described.child("Tags"), "Key", "Value"),
        resources: resources
            .map(|it| (text(it, "LogicalResourceId"), text(it, "ResourceType"), text(it, "ResourceStatus")))
            .collect(),
        template,
    }
}

#[test]
fn cdk_and_formwork_end_in_the_same_stacks() {
    let Some(cdk) = Cdk::find() else { return };
    let project = Project::new();
    let context = ["-c", "mlflowType=serverless", "-c", "components=mlflow", "-c", "assets=cdk"];
    project.run(&[&["synth", "--output", "assembly"][..], &context].concat()).ends_with(0);
    let assembly = project.path().join("assembly");

    let theirs = account();
    let deploy = ["deploy", "--all", "--require-approval", "never", "--concurrency", "3"];
    cdk.against(theirs.endpoint(), REGION, Path::new("/nowhere"), &assembly, &deploy)
        .unwrap_or_else(|error| panic!("{error}"));

    let ours = account();
    let mut command = project.command(&["deploy", "--app", "assembly", "--yes"]);
    command
        .env("AWS_ENDPOINT_URL", ours.endpoint())
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "an example of a secret key")
        .env("AWS_REGION", REGION)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    Done::of(command.output().unwrap()).ends_with(0).says("3 stacks deployed");

    for stack in STACKS {
        let theirs = deployed(&theirs, stack);
        let mut ours = deployed(&ours, stack);
        assert!(ours.tags.remove("formwork:owner").is_some(), "{stack} says whose it is: {:?}", ours.tags);
        assert_eq!(ours, theirs, "{stack}");
        assert_eq!(ours.status.as_deref(), Some("CREATE_COMPLETE"), "{stack}");
    }
    let requests = |served: &Served| served.with(|simulator| simulator.log().entries().len());
    assert!(requests(&ours) <= requests(&theirs), "{} and {}", requests(&ours), requests(&theirs));
}
