//! Images, with a program for containers that only writes down what it is told.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{ContainerProgram, build_arguments};
use crate::assets::stage::{Stage, program};
use crate::error::Class;
use crate::event::What;

const HASH: &str = "0a1b";
const REGISTRY: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
/// `AWS:hunter2`
const TOKEN: &str = "QVdTOmh1bnRlcjI=";

/// Answers for ECR: the image is there once the program has pushed it.
fn registry(directory: &Path) -> impl Fn(&http::Request<Bytes>) -> Option<http::Response<Bytes>> + use<> {
    let pushed = directory.join("pushed");
    move |request| {
        let target = request.headers().get("x-amz-target")?.to_str().ok()?;
        let (status, body) = match target.strip_prefix("AmazonEC2ContainerRegistry_V20150921.")? {
            "GetAuthorizationToken" => (
                200,
                json!({ "authorizationData": [{ "authorizationToken": TOKEN, "proxyEndpoint": format!("https://{REGISTRY}") }] }),
            ),
            _ if request.body().windows(7).any(|bytes| bytes == b"missing") => {
                (400, json!({ "__type": "RepositoryNotFoundException", "message": "no such repository" }))
            }
            _ if pushed.exists() => (200, json!({ "imageDetails": [{ "imageDigest": "sha256:d" }] })),
            _ => (400, json!({ "__type": "ImageNotFoundException", "message": "no such image" })),
        };
        let response =
            http::Response::builder().status(status).header("content-type", "application/x-amz-json-1.1");
        response.body(Bytes::from(body.to_string())).ok()
    }
}

/// A program for containers that writes down its arguments and what it reads.
fn stand_in(directory: &Path) -> std::path::PathBuf {
    let text = format!(
        "cd {0}; echo \"$@\" >> calls; case $1 in login) cat >> secret;; push) touch pushed;; esac",
        directory.display()
    );
    program(directory, "docker", &text)
}

fn manifest(repository: &str, source: Value) -> Value {
    let destination = json!({ "repositoryName": repository, "imageTag": HASH });
    json!({
        "version": "36.0.0",
        "dockerImages": { HASH: { "source": source, "destinations": { "current": destination } } },
    })
}

/// An image is built, tagged and pushed after a login whose password stands on no command line.
#[tokio::test]
async fn image_is_built_and_pushed_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::with("", registry(directory.path())).await;
    stage.options.container_program = Some(stand_in(directory.path()));
    stage.write("image/Dockerfile", b"FROM scratch");
    let source = json!({ "directory": "image" });
    let assembly = stage.assembly_of(manifest("repo-${AWS::AccountId}", source), json!({}));
    let published = stage.publish(&assembly).await.expect("published");
    let calls = fs::read_to_string(directory.path().join("calls")).unwrap();
    let remote = format!("{REGISTRY}/repo-123456789012:{HASH}");
    assert_eq!(
        calls.lines().collect::<Vec<_>>(),
        [
            "build --tag formwork-asset-0a1b .".to_owned(),
            format!("login --username AWS --password-stdin {REGISTRY}"),
            format!("tag formwork-asset-0a1b {remote}"),
            format!("push {remote}"),
        ]
    );
    assert_eq!(fs::read_to_string(directory.path().join("secret")).unwrap(), "hunter2");
    assert_eq!(published.images[HASH].digest.as_deref(), Some("sha256:d"));
    stage.publish(&assembly).await.expect("present");
    assert_eq!(fs::read_to_string(directory.path().join("calls")).unwrap(), calls);
    // Fault 74: the password is in no event and not in the journal.
    let said = format!("{:?} {:?}", stage.told(), stage.journal.history());
    assert!(said.contains("PutImage") && !said.contains("hunter2") && !said.contains(TOKEN), "{said}");
}

/// Without a program for containers the message says what is missing, before anything is built.
#[tokio::test]
async fn missing_program_for_containers_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::with("", registry(directory.path())).await;
    stage.options.container_program = Some(directory.path().join("nowhere"));
    stage.write("image/Dockerfile", b"FROM scratch");
    let assembly = stage.assembly_of(manifest("repo", json!({ "directory": "image" })), json!({}));
    let error = stage.publish(&assembly).await.expect_err("no program");
    assert!(
        error.message.starts_with("cannot start") && error.message.contains("build asset 0a1b"),
        "{error}"
    );
    assert_eq!(error.class, Class::Usage);
}

/// A build that fails is told with what the program said.
#[tokio::test]
async fn failing_build_is_quoted() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::with("", registry(directory.path())).await;
    stage.options.container_program =
        Some(program(directory.path(), "docker", "echo 'COPY failed: no such file' >&2; exit 1"));
    stage.write("image/Dockerfile", b"FROM scratch");
    let assembly = stage.assembly_of(manifest("repo", json!({ "directory": "image" })), json!({}));
    let error = stage.publish(&assembly).await.expect_err("it fails");
    assert!(error.message.ends_with("COPY failed: no such file"), "{error}");
}

/// Fault 57: there is no repository.
#[tokio::test]
async fn missing_repository_names_the_bootstrap_command() {
    let directory = tempfile::tempdir().unwrap();
    let stage = Stage::with("", registry(directory.path())).await;
    let assembly = stage.assembly_of(manifest("missing", json!({ "directory": "image" })), json!({}));
    let error = stage.publish(&assembly).await.expect_err("no repository");
    assert!(error.message.contains("is account 123456789012 bootstrapped in us-east-1?"), "{error}");
    assert_eq!(error.class, Class::Refused);
}

/// An image may also come from a program of the app, which prints its name.
#[tokio::test]
async fn image_may_come_from_a_program() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::with("", registry(directory.path())).await;
    stage.options.container_program = Some(stand_in(directory.path()));
    let maker = program(directory.path(), "make", "echo local:latest");
    let source = json!({ "executable": [maker] });
    let assembly = stage.assembly_of(manifest("repo", source), json!({}));
    stage.publish(&assembly).await.expect("published");
    let calls = fs::read_to_string(directory.path().join("calls")).unwrap();
    assert!(calls.contains(&format!("tag local:latest {REGISTRY}/repo:{HASH}")), "{calls}");
    assert!(stage.told().iter().any(|what| matches!(what, What::AssetBuilding { .. })));
}

/// A rehearsal builds and pushes nothing, and needs no repository for that.
#[tokio::test(start_paused = true)]
async fn rehearsal_builds_no_image() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::with("", registry(directory.path())).await;
    stage.options.stand_ins = true;
    for repository in ["repo", "repository-that-nobody-made"] {
        let assembly = stage.assembly_of(manifest(repository, json!({ "directory": "image" })), json!({}));
        let published = stage.publish(&assembly).await.expect("published");
        assert_eq!(published.images[HASH].digest, None);
    }
}

/// Everything that a manifest can say of a build becomes an argument.
#[test]
fn all_that_a_manifest_says_becomes_an_argument() {
    let source = serde_json::from_value(json!({
        "directory": "d", "dockerFile": "Dockerfile.arm", "dockerBuildTarget": "final", "networkMode": "host",
        "platform": "linux/arm64", "dockerBuildArgs": { "A": "1" }, "dockerBuildContexts": { "c": "dir" },
        "dockerBuildSecrets": { "s": "src=file" }, "dockerBuildSsh": "default", "dockerOutputs": ["type=docker"],
        "cacheFrom": [{ "type": "registry", "params": { "ref": "r" } }], "cacheTo": { "type": "gha" },
        "cacheDisabled": true,
    }))
    .expect("a source");
    assert_eq!(
        build_arguments(&source, "t").join(" "),
        "build --build-arg A=1 --build-context c=dir --secret id=s,src=file --ssh default --target final \
         --file Dockerfile.arm --network host --platform linux/arm64 --cache-to type=gha --output type=docker \
         --cache-from type=registry,ref=r --tag t --no-cache ."
    );
}

#[test]
fn named_program_comes_first() {
    let named = std::path::PathBuf::from("/opt/bin/nerdctl");
    assert_eq!(ContainerProgram::find(Some(named.clone())), Some(ContainerProgram(named)));
}
