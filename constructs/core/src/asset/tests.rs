//! Assets: content hashes, deterministic archives and the three places they can go.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::{ArchiveEntry, Asset, CommandAsset, archive};
use crate::{App, AppProps, Context, Output, Synthesis};

/// A directory of its own for a test, removed when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("formwork-asset-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("inner")).expect("a writable temporary directory");
        fs::write(path.join("b.py"), "b").expect("a writable file");
        fs::write(path.join("inner/a.py"), "a").expect("a writable file");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn synth(context: Context, grow: impl FnOnce(&App)) -> Synthesis {
    let app = App::new(AppProps { context, ..AppProps::default() });
    grow(&app);
    app.synth().expect("no mistakes")
}

fn with_topic(app: &App, grow: impl FnOnce(crate::Scope<'_>) -> Asset) {
    let stack = app.stack("one");
    crate::CfnResource::new("AWS::SNS::Topic").define(stack, "Topic");
    let asset = grow(stack);
    Output::new(crate::text!("s3://{}/{}", &asset.bucket, &asset.key)).define(stack, "Where");
}

fn assets(synthesis: &Synthesis) -> Json {
    serde_json::from_slice(synthesis.files.get("one.assets.json").expect("a manifest")).expect("JSON")
}

#[test]
fn a_directory_is_the_same_archive_whatever_the_order_and_the_times() {
    let folder = Folder::new("order");
    let hash = |folder: &Folder| {
        let mut hash = String::new();
        let path = folder.0.clone();
        synth(Context::new(), |app| {
            with_topic(app, |stack| {
                let asset = Asset::directory(stack, "Code", &path, &["__pycache__"]);
                hash.clone_from(&asset.hash);
                asset
            });
        });
        hash
    };
    let first = hash(&folder);
    fs::create_dir_all(folder.0.join("__pycache__")).expect("a writable directory");
    fs::write(folder.0.join("__pycache__/x.pyc"), "x").expect("a writable file");
    fs::write(folder.0.join("b.py"), "b").expect("a writable file");
    assert_eq!(hash(&folder), first);
    fs::write(folder.0.join("b.py"), "changed").expect("a writable file");
    assert_ne!(hash(&folder), first);
}

#[test]
fn entries_are_sorted_so_that_their_order_does_not_matter() {
    let entry = |path: &str| ArchiveEntry { path: path.to_owned(), bytes: path.into(), executable: false };
    assert_eq!(archive(&[entry("a"), entry("b")]), archive(&[entry("b"), entry("a")]));
}

#[test]
fn the_bucket_is_a_parameter_that_the_manifest_names() {
    let synthesis =
        synth(Context::new(), |app| with_topic(app, |stack| Asset::bytes(stack, "Code", "x", "py")));
    let template = synthesis.template("one").expect("the stack");
    assert_eq!(
        template["Parameters"]["AssetBucket"]["Default"],
        json!("/formwork/bootstrap/formwork/bucket")
    );
    assert_eq!(template["Parameters"]["AssetBucket"]["Type"], json!("AWS::SSM::Parameter::Value<String>"));
    let assets = assets(&synthesis);
    let (hash, file) = assets["files"].as_object().expect("files").iter().next().expect("one file");
    let destination = &file["destinations"]["current"];
    assert_eq!(destination["bucketName"], json!("{{resolve:ssm:/formwork/bootstrap/formwork/bucket}}"));
    assert_eq!(destination["objectKey"], json!(format!("{hash}.py")));
    assert_eq!(synthesis.files.get(file["source"]["path"].as_str().expect("a path")), Some(b"x".as_slice()));
}

#[test]
fn two_assets_of_a_stack_share_the_parameter() {
    let synthesis = synth(Context::new(), |app| {
        with_topic(app, |stack| {
            Asset::bytes(stack, "Other", "y", "py");
            Asset::bytes(stack, "Code", "x", "py")
        });
    });
    assert_eq!(assets(&synthesis)["files"].as_object().expect("files").len(), 2);
}

#[test]
fn the_cdk_bucket_and_a_named_bucket_need_no_parameter() {
    let cdk = synth(Context::new().with("assets", "cdk"), |app| {
        with_topic(app, |stack| Asset::bytes(stack, "Code", "x", "py"));
    });
    let template = cdk.template("one").expect("the stack");
    assert!(template["Parameters"].get("AssetBucket").is_none());
    assert_eq!(
        template["Parameters"]["BootstrapVersion"]["Default"],
        json!("/cdk-bootstrap/hnb659fds/version")
    );
    assert!(template["Rules"]["CheckBootstrapVersion"].to_string().contains("BootstrapVersion"));
    let destination = assets(&cdk)["files"].as_object().expect("files").values().next().expect("one")["destinations"]
        ["current"]
        .clone();
    assert_eq!(destination["bucketName"], json!("cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"));
    let named = synth(Context::new().with("assets", "my-bucket"), |app| {
        with_topic(app, |stack| Asset::bytes(stack, "Code", "x", "py"));
    });
    let template = named.template("one").expect("the stack");
    assert!(
        template["Outputs"]["Where"]["Value"].as_str().expect("known text").starts_with("s3://my-bucket/")
    );
}

#[test]
fn a_command_is_listed_and_not_run() {
    let synthesis = synth(Context::new(), |app| {
        with_topic(app, |stack| {
            Asset::command(
                stack,
                "Layer",
                CommandAsset {
                    executable: vec!["no-such-program".into()],
                    source_hash: "0".repeat(64),
                    extension: "zip".into(),
                },
            )
        });
    });
    let file = &assets(&synthesis)["files"]["0".repeat(64)];
    assert_eq!(file["source"], json!({"executable": ["no-such-program"]}));
}

#[test]
fn an_unreadable_file_is_reported_with_its_path() {
    let app = App::new(AppProps::default());
    with_topic(&app, |stack| Asset::file(stack, "Code", "/no/such/file.py"));
    let error = app.synth().expect_err("there is a mistake");
    assert!(error.diagnostics[0].message.contains("/no/such/file.py"));
    assert_eq!(error.diagnostics[0].construct_path.as_deref(), Some("one/Code"));
}
