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

#[cfg(unix)]
#[test]
fn the_proxy_is_taken_from_beside_the_program_or_built_from_sources() {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;
    let project = Project::new()
        .with("bin/mlflow-proxy-linux-arm64", "the proxy")
        .with("tools/cargo", "#!/bin/sh\necho \"cargo $*\"\nexit ${CARGO_ENDS_WITH:-0}\n");
    let formwork = project.path().join("bin/formwork");
    fs::copy(env!("CARGO_BIN_EXE_formwork"), &formwork).unwrap();
    let cargo = project.path().join("tools/cargo");
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let proxy = |architecture: &str, ends_with: &str| {
        let mut command = Command::new(&formwork);
        command.args(["asset", "mlflow-proxy", "--architecture", architecture]).current_dir(project.path());
        let tools = format!("{}:/usr/bin:/bin", project.path().join("tools").display());
        command.env_clear().env("PATH", tools).env("HOME", project.path()).env("CARGO_ENDS_WITH", ends_with);
        Done::of(command.output().unwrap())
    };
    let beside = proxy("arm64", "0").ends_with(0);
    assert_eq!(beside.stdout, format!("{}\n", project.path().join("bin/mlflow-proxy-linux-arm64").display()));
    proxy("amd64", "0").ends_with(1).says("there are no sources to build the MLflow proxy from");
    let package = project.path().join("apps/mlflow-proxy");
    fs::create_dir_all(&package).unwrap();
    fs::write(package.join("Cargo.toml"), "").unwrap();
    let built =
        proxy("amd64", "0").ends_with(0).says("--package mlflow-proxy --target x86_64-unknown-linux-gnu");
    let path = ".cache/formwork/assets/mlflow-proxy/x86_64-unknown-linux-gnu/release/mlflow-proxy";
    assert_eq!(built.stdout, format!("{}\n", project.path().join(path).display()));
    let failed = proxy("amd64", "1").ends_with(1).says("hint: cargo's messages are above");
    assert_eq!(failed.stdout, "");
}
