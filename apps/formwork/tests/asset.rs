//! `formwork asset`: what whoever publishes an assembly calls.

mod support;

use formwork_lambda_layers::boto3_layer::{Architecture, source_hash};
use support::{Done, Project};

#[test]
fn a_layer_that_was_built_once_is_not_built_again() {
    let folder = format!("cache/formwork/assets/boto3-layer/{}", source_hash(Architecture::Arm64));
    let project = Project::new().with(&format!("{folder}/boto3-1.2.3-arm64.zip"), "the layer");
    let layer = |architecture: &str| {
        let mut command = project.command(&["asset", "boto3-layer", "--architecture", architecture]);
        command.env("PATH", project.path()).env("XDG_CACHE_HOME", project.path().join("cache"));
        Done::of(command.output().unwrap())
    };
    let path = project.path().join(&folder).join("boto3-1.2.3-arm64.zip");
    let kept = layer("arm64").ends_with(0);
    assert_eq!(kept.stdout, format!("{}\n", path.display()));
    assert_eq!(kept.stderr, "");
    // The other architecture has to be built, and there is nothing on the path to build it with.
    let missing =
        layer("x86_64").ends_with(1).says("no tool could build the boto3 layer for x86_64").says("hint: ");
    assert_eq!(missing.stdout, "");
    layer("mips").ends_with(10).says("possible values: arm64, x86_64");
}
