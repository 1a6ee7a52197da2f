//! Clients that are not ours, unmodified, against the simulator: what it says about our engine is worth something only
//! when it satisfies those who know the real services.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use formwork::Synthesis;
use formwork_simulator::server::{ServeOptions, Served};
use formwork_simulator::services::ResourceKey;
use formwork_simulator::{Simulator, SimulatorOptions};
use formwork_tests::variants::{Variant, shown};
use formwork_tests::{Boto3, Cdk, repository_root};

const REGION: &str = "eu-west-1";

fn serve(script: &str, speed: f64) -> Served {
    let script = script.parse().unwrap_or_else(|error| panic!("{error}"));
    let options = SimulatorOptions { region: REGION.to_owned(), script, ..SimulatorOptions::default() };
    let serve = ServeOptions { speed, ..ServeOptions::default() };
    Served::start(Simulator::new(options), serve).expect("a free port")
}

fn script(name: &str) -> PathBuf {
    repository_root().join("tests/clients").join(name)
}

/// The operations that were done and changed something, in order.
fn effects(served: &Served) -> Vec<String> {
    served.with(|simulator| simulator.log().effects().map(|entry| entry.operation.clone()).collect())
}

#[test]
fn boto3_is_satisfied_with_storage_tokens_and_parameters() {
    let Some(boto3) = Boto3::find() else { return };
    let served = serve(
        "bucket squatted owner 999999999999\nbucket far region ap-southeast-2\nbucket strict requires-encryption\n\
         bucket locked kms-denied\nbucket torn corrupts",
        1.0,
    );
    let ended =
        boto3.run(&script("storage.py"), served.endpoint(), REGION).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ended.stdout, "done\n");
}

#[test]
fn boto3_and_its_waiters_are_satisfied_with_stacks() {
    let Some(boto3) = Boto3::find() else { return };
    let served = serve("resource doomed/Doomed fail \"it fails on purpose\"", 30.0);
    let ended = boto3
        .run(&script("cloudformation.py"), served.endpoint(), REGION)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ended.stdout, "done\n");
}

/// The folder of programs with one that stands in for the command that builds the proxy.
fn programs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let program = folder.path().join("formwork");
    fs::write(&program, "#!/bin/sh\necho a proxy of more than 22 bytes, which CDK takes for an empty archive > \"$TMPDIR/proxy\"\necho \"$TMPDIR/proxy\"\n")
        .expect("a writable file");
    make_executable(&program);
    folder
}

#[cfg(unix)]
fn make_executable(program: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("a file of our own");
}

#[cfg(not(unix))]
fn make_executable(_program: &Path) {}

#[test]
fn the_cdk_command_line_deploys_and_destroys_our_assembly() {
    let Some(cdk) = Cdk::find() else { return };
    let variant = Variant {
        name: "serverless-cdk",
        about: "the serverless app with assets in the buckets of CDK's bootstrap stack",
        context: &[("mlflowType", "serverless"), ("assets", "cdk")],
    };
    let synthesis = variant.synth(None).unwrap_or_else(|error| panic!("{}", shown(&error)));
    let folder = tempfile::tempdir().expect("a temporary directory");
    synthesis.files.write(folder.path()).expect("a writable directory");
    let served = serve("", 300.0);
    let programs = programs();
    let run = |arguments: &[&str]| {
        cdk.against(served.endpoint(), REGION, programs.path(), folder.path(), arguments)
            .unwrap_or_else(|error| panic!("{error}"));
    };
    let digest = format!("sagemaker-infra-proxyapp-serverless:ProxyBinarySha256={}", "0".repeat(64));
    let deploy = [
        "deploy",
        "--all",
        "--require-approval",
        "never",
        "--concurrency",
        "4",
        "--parameters",
        digest.as_str(),
    ];

    run(&["bootstrap", "aws://123456789012/eu-west-1"]);
    let count = |operation: &str| effects(&served).iter().filter(|it| *it == operation).count();
    assert_eq!((count("CreateChangeSet"), count("ExecuteChangeSet")), (1, 1));
    let bootstrapped = made(&served);

    run(&deploy);
    assert_eq!((count("CreateChangeSet"), count("ExecuteChangeSet")), (5, 5));
    let bucket = "cdk-hnb659fds-assets-123456789012-eu-west-1";
    let uploaded = served.with(|simulator| {
        simulator.services_mut().storage.bucket(bucket).map(|bucket| bucket.objects.len()).unwrap_or_default()
    });
    assert_eq!(uploaded, 1, "the proxy is published");

    // The same again: nothing is executed, and nothing is uploaded twice.
    run(&deploy);
    assert_eq!((count("ExecuteChangeSet"), count("PutObject")), (5, 1));

    run(&["destroy", "--all", "--force"]);
    assert_eq!(count("DeleteStack"), 4);
    let left = made(&served).into_iter().filter(|resource| !bootstrapped.contains(resource));
    let kinds: BTreeSet<String> = left.map(|(_, _, kind, _)| kind).collect();
    assert_eq!(kinds, retained(&synthesis), "only what is retained stays");
}

fn made(served: &Served) -> BTreeSet<ResourceKey> {
    served.with(|simulator| simulator.services_mut().resources.keys().cloned().collect())
}

/// The types that templates want to keep when their stack goes.
fn retained(synthesis: &Synthesis) -> BTreeSet<String> {
    let templates = synthesis.stacks.iter().filter_map(|stack| synthesis.template(&stack.id));
    let resources =
        templates.filter_map(|template| template.get("Resources")?.as_object().cloned()).flatten();
    resources
        .filter(|(_, resource)| resource.get("DeletionPolicy").is_some_and(|policy| *policy != "Delete"))
        .filter_map(|(_, resource)| resource.get("Type")?.as_str().map(str::to_owned))
        .collect()
}
