//! Files that change or go while they are published.

use serde_json::json;

use super::support::{Stage, file};
use crate::error::Class;

/// Fault 63: the file is written to between its hashing and its sending.
#[tokio::test(start_paused = true)]
async fn file_that_changes_after_it_was_hashed_is_not_sent() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let publisher = stage.publisher();
    let content = content_of(&publisher, &stage, &assembly).await;
    stage.write("a.txt", b"CONTENT");
    let error = send(&publisher, &stage, &assembly, &content).await.expect_err("it changed");
    assert!(error.message.starts_with("asset a changed while it was published: "), "{error}");
    assert_eq!(error.class, Class::Input);
    assert_eq!(stage.count("PutObject"), 0);
}

/// Fault 63: the same with a file that goes in parts; what was sent is taken back.
#[tokio::test(start_paused = true)]
async fn large_file_that_changes_after_it_was_hashed_is_taken_back() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", &vec![1; (16 << 20) + 1]);
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let publisher = stage.publisher();
    let content = content_of(&publisher, &stage, &assembly).await;
    stage.write("a.txt", &vec![2; (16 << 20) + 1]);
    let error = send(&publisher, &stage, &assembly, &content).await.expect_err("it changed");
    assert!(error.message.starts_with("asset a changed while it was published: "), "{error}");
    assert_eq!(stage.count("CompleteMultipartUpload"), 0);
    assert_eq!(stage.count("AbortMultipartUpload"), 1);
}

type Assembly = (formwork_assembly::CloudAssembly, formwork_assembly::cloud_assembly::StackArtifact);

async fn content_of(
    publisher: &crate::assets::Publisher,
    stage: &Stage,
    assembly: &Assembly,
) -> crate::assets::source::Content {
    let manifest = crate::assets::of_stack(&assembly.0, &assembly.1).expect("a manifest").remove(0);
    publisher.content(&task(&manifest, stage, assembly)).await.expect("content")
}

async fn send(
    publisher: &crate::assets::Publisher,
    stage: &Stage,
    assembly: &Assembly,
    content: &crate::assets::source::Content,
) -> Result<crate::assets::PublishedAsset, crate::EngineError> {
    let manifest = crate::assets::of_stack(&assembly.0, &assembly.1).expect("a manifest").remove(0);
    let task = task(&manifest, stage, assembly);
    let key = crate::assets::place::PlaceKey::of(task.destination, &stage.session);
    let place = publisher.place(&key, &stage.session).await.expect("a place");
    publisher.upload(&task, &place, content).await
}

fn task<'a>(
    manifest: &'a formwork_assembly::asset_manifest::AssetManifest,
    stage: &'a Stage,
    assembly: &'a Assembly,
) -> crate::assets::Task<'a> {
    let asset = &manifest.files["a"];
    crate::assets::Task {
        id: "a",
        asset,
        destination: &asset.destinations["current"],
        digest: false,
        assembly: &assembly.0,
        session: &stage.session,
        journal: &stage.journal,
    }
}

/// Fault 65: the file of the assembly is gone.
#[tokio::test(start_paused = true)]
async fn missing_file_is_named() {
    let stage = Stage::new("bucket assets exists").await;
    let assembly = stage.assembly(json!({ "a": file("gone.txt", "a.txt") }), json!({}));
    let error = stage.publish(&assembly).await.expect_err("there is no file");
    assert!(
        error.message.contains("cannot read asset a from") && error.message.contains("gone.txt"),
        "{error}"
    );
    assert_eq!(error.hint.as_deref(), Some("synthesise again"));
}

/// Fault 65: paths have spaces, letters of all languages, and on Windows other separators.
#[tokio::test(start_paused = true)]
async fn paths_have_spaces_and_letters_of_all_languages() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("mit Leerzeichen/größe.txt", b"content");
    let files = json!({
        "a": file("mit Leerzeichen/größe.txt", "a.txt"),
        "b": file("mit Leerzeichen\\größe.txt", "b/ü b.txt"),
    });
    let assembly = stage.assembly(files, json!({}));
    stage.publish(&assembly).await.expect("published");
    assert_eq!(stage.object("a.txt").expect("the object"), "content");
    assert_eq!(stage.object("b/ü b.txt").expect("the object"), "content");
}

/// An assembly that somebody sends cannot have files outside of it published.
#[tokio::test(start_paused = true)]
async fn path_that_leads_out_of_the_assembly_is_refused() {
    let stage = Stage::new("bucket assets exists").await;
    for path in ["../../etc/passwd", "a/../../b", "..\\b"] {
        let assembly = stage.assembly(json!({ "a": file(path, "a.txt") }), json!({}));
        let error = stage.publish(&assembly).await.expect_err("refused");
        assert!(error.message.contains("leads out of the assembly"), "{error}");
    }
}

/// Fault 65: a directory that nobody may write, or a full disk, costs the copy for the next time and nothing else.
#[tokio::test]
async fn cache_that_cannot_be_written_does_no_harm() {
    let mut stage = Stage::new("bucket assets exists").await;
    stage.write("made", b"made");
    let made = stage.directory.path().join("made");
    let program =
        super::support::program(stage.directory.path(), "make", &format!("echo {}", made.display()));
    // A file stands where the directory would have to be.
    stage.options.cache = program.clone();
    let assembly = stage.assembly(json!({ "a": super::support::built(&program, &[], "a") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    assert_eq!(stage.object("a").expect("the object"), "made");
}
