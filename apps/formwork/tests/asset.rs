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

/// A machine for building: the program in a folder of its own, and stand-ins of the tools that it finds on its path.
#[cfg(unix)]
struct Workshop(Project);

#[cfg(unix)]
impl Workshop {
    fn new() -> Self {
        let workshop = Self(Project::new().with("bin/mlflow-proxy-linux-arm64", "the proxy"));
        std::fs::copy(env!("CARGO_BIN_EXE_formwork"), workshop.0.path().join("bin/formwork"))
            .expect("the program can be copied");
        workshop
    }

    /// A tool that tells how it was called, and leaves a binary where it was told to.
    fn tool(self, name: &str, body: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let path = self.0.path().join("tools").join(name);
        let workshop = Self(self.0.with(&format!("tools/{name}"), format!("#!/bin/sh\n{body}\n")));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
            .expect("it can be made runnable");
        workshop
    }

    /// Cargo, which builds nothing and ends as it is told to.
    fn cargo(self) -> Self {
        self.tool(
            "cargo",
            r#"echo "cargo $* RUSTFLAGS=$RUSTFLAGS"
while [ $# -gt 0 ]; do
  case "$1" in --target) target="${2%.2.28}" ;; --target-dir) folder="$2" ;; esac
  shift
done
[ "${CARGO_ENDS_WITH:-0}" = 0 ] || exit "$CARGO_ENDS_WITH"
[ -n "$LEAVES_NOTHING" ] || { mkdir -p "$folder/$target/proxy"; echo binary >"$folder/$target/proxy/mlflow-proxy"; }"#,
        )
    }

    fn with_sources(self) -> Self {
        Self(self.0.with("apps/mlflow-proxy/Cargo.toml", ""))
    }

    fn proxy(&self, architecture: &str, environment: &[(&str, &str)]) -> Done {
        let folder = self.0.path();
        let mut command = std::process::Command::new(folder.join("bin/formwork"));
        command.args(["asset", "mlflow-proxy", "--architecture", architecture]).current_dir(folder);
        // Nothing but the stand-ins: the machine of the test may have Docker or a linker for other processors.
        let programs = folder.join("programs");
        std::fs::create_dir_all(&programs).expect("a folder for programs");
        for name in ["sh", "mkdir", "echo"] {
            let _ = std::os::unix::fs::symlink(format!("/bin/{name}"), programs.join(name));
        }
        let path = format!("{}:{}", folder.join("tools").display(), programs.display());
        command.env_clear().env("PATH", path).env("HOME", folder).envs(environment.iter().copied());
        Done::of(command.output().expect("the program starts"))
    }

    fn built(&self, place: &str) -> String {
        format!("{}\n", self.0.path().join(".cache/formwork/assets/mlflow-proxy").join(place).display())
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn the_proxy_is_taken_from_beside_the_program_or_built_from_sources() {
    let workshop = Workshop::new().cargo();
    let beside = workshop.proxy("arm64", &[]).ends_with(0);
    let prebuilt = workshop.0.path().join("bin/mlflow-proxy-linux-arm64");
    assert_eq!(beside.stdout, format!("{}\n", prebuilt.display()));
    assert_eq!(beside.stderr, "", "nothing is built, and no compiler asked");
    workshop.proxy("amd64", &[]).ends_with(1).says("there are no sources to build the MLflow proxy from");

    let workshop = workshop.with_sources();
    let built = workshop
        .proxy("amd64", &[("RUSTFLAGS", "-C target-cpu=native")])
        .ends_with(0)
        .says("--package mlflow-proxy --target x86_64-unknown-linux-gnu")
        .says("RUSTFLAGS=-C target-feature=+crt-static")
        .says("0.0 MB");
    assert_eq!(built.stdout, workshop.built("x86_64-unknown-linux-gnu/proxy/mlflow-proxy"));
    let failed = workshop.proxy("amd64", &[("CARGO_ENDS_WITH", "101")]).ends_with(1);
    assert_eq!(failed.says("cargo could not build the MLflow proxy").stdout, "");
    let place = workshop.built("x86_64-unknown-linux-gnu/proxy/mlflow-proxy");
    std::fs::remove_file(place.trim_end()).unwrap();
    workshop.proxy("amd64", &[("LEAVES_NOTHING", "1")]).ends_with(1).says("which was built");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn for_other_processors_the_first_way_that_is_there_is_gone() {
    let workshop = || {
        let workshop = Workshop::new().with_sources();
        std::fs::remove_file(workshop.0.path().join("bin/mlflow-proxy-linux-arm64")).unwrap();
        workshop
    };
    let target = "aarch64-unknown-linux-gnu/proxy/mlflow-proxy";
    // A compiler that has the target has a folder for it.
    let with_target = || workshop().cargo().tool("rustc", "echo .");
    let none = workshop().cargo().proxy("arm64", &[]).ends_with(1);
    let none = none.says("nothing here can build the MLflow proxy for aarch64");
    let none =
        none.says("rustup target add aarch64-unknown-linux-gnu").says("mlflow-proxy-linux-arm64 beside");
    assert_eq!(none.stdout, "");
    with_target().proxy("arm64", &[]).ends_with(1).says("gcc-aarch64-linux-gnu").says("cargo-zigbuild");

    let zig = with_target().tool("cargo-zigbuild", "true");
    let built = zig.proxy("arm64", &[]).ends_with(0).says("cargo zigbuild --profile proxy");
    assert_eq!(built.stdout, zig.built(target));
    let cross = with_target().tool("cargo-zigbuild", "true").tool("aarch64-linux-gnu-gcc", "true");
    cross.proxy("arm64", &[]).ends_with(0).says("with cargo and aarch64-linux-gnu-gcc").says("+crt-static");

    let docker = workshop().tool("docker", "echo \"docker $*\"; exit 125");
    docker
        .proxy("arm64", &[])
        .ends_with(1)
        .says("docker run --rm --platform linux/arm64")
        .says("docker could not build the MLflow proxy");
}
