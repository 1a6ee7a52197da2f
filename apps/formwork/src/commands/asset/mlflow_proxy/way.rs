//! The ways to build for Linux on one processor, and which of them this machine has.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::on_path;

/// Static, and without symbols, which nobody reads on an instance. The target is always named, so that what runs during
/// the build (build scripts, procedural macros) stays as it is.
const STATIC: &str = "-C target-feature=+crt-static -C strip=symbols";
/// The version of the C library that a binary of zig asks for at most: it cannot link that of GNU statically. Amazon Linux
/// 2023 has 2.34, Ubuntu 24.04 has 2.39.
const OLDEST_GLIBC: &str = "2.28";
/// The image that builds where there is no compiler that could, by its tag of the version that the sources ask for.
const IMAGE: &str = concat!("docker.io/library/rust:", env!("CARGO_PKG_RUST_VERSION"), "-bookworm");

/// How it can be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By cargo and the machine's own linker.
    Native,
    /// By cargo and a linker for the other processors.
    Cross {
        /// The linker.
        linker: &'static str,
    },
    /// By cargo-zigbuild, whose linker links for every processor.
    Zig,
    /// In a container, on emulated processors if need be.
    Container {
        /// The container program.
        program: &'static str,
    },
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native => f.write_str("cargo"),
            Self::Cross { linker } => write!(f, "cargo and {linker}"),
            Self::Zig => f.write_str("cargo-zigbuild"),
            Self::Container { program } => f.write_str(program),
        }
    }
}

/// What this machine has.
pub(super) struct Machine {
    /// Whether it runs Linux.
    pub(super) is_linux: bool,
    /// Its processors, as Rust names them.
    pub(super) processor: &'static str,
    path: Option<OsString>,
}

impl Machine {
    pub(super) fn here() -> Self {
        Self {
            is_linux: std::env::consts::OS == "linux",
            processor: std::env::consts::ARCH,
            path: std::env::var_os("PATH"),
        }
    }

    fn has(&self, program: &str) -> bool {
        on_path(self.path.clone(), program)
    }

    /// Whether Rust's own library is installed for a target.
    fn has_target(&self, target: &str) -> bool {
        let told = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
        told.ok()
            .filter(|told| told.status.success())
            .and_then(|told| String::from_utf8(told.stdout).ok())
            .is_some_and(|folder| Path::new(folder.trim()).is_dir())
    }
}

impl Way {
    /// The first way that can be gone.
    pub(super) fn choose(processor: &str, machine: &Machine) -> Option<Self> {
        if machine.has("cargo") {
            if machine.is_linux && machine.processor == processor {
                return Some(Self::Native);
            }
            if machine.has_target(&target_of(processor)) {
                let linker = linker_of(processor);
                if machine.has(linker) {
                    return Some(Self::Cross { linker });
                }
                if machine.has("cargo-zigbuild") {
                    return Some(Self::Zig);
                }
            }
        }
        ["docker", "podman"]
            .into_iter()
            .find(|program| machine.has(program))
            .map(|program| Self::Container { program })
    }

    /// What would open a way.
    pub(super) fn hints(processor: &str, machine: &Machine) -> String {
        let (target, linker) = (target_of(processor), linker_of(processor));
        let rust = if machine.has("cargo") { "" } else { "install Rust, then " };
        format!(
            "{rust}add the target by `rustup target add {target}` and install {linker} (Debian: gcc-{}-linux-gnu) or \
             cargo-zigbuild (`pip install cargo-zigbuild`), or install Docker",
            processor.replace('_', "-")
        )
    }
}

fn target_of(processor: &str) -> String {
    format!("{processor}-unknown-linux-gnu")
}

fn linker_of(processor: &str) -> &'static str {
    if processor == "aarch64" { "aarch64-linux-gnu-gcc" } else { "x86_64-linux-gnu-gcc" }
}

/// The profile of the workspace that optimises the proxy as a whole.
const PROFILE: &str = "proxy";

/// A build.
pub(super) struct Build<'a> {
    pub(super) processor: &'a str,
    pub(super) repository: &'a Path,
    pub(super) cache: &'a Path,
}

impl Build<'_> {
    pub(super) fn target(&self) -> String {
        target_of(self.processor)
    }

    /// Where the binary is afterwards.
    pub(super) fn output(&self, way: &Way) -> PathBuf {
        self.target_directory(way).join(self.target()).join(PROFILE).join("mlflow-proxy")
    }

    /// What containers build is theirs: their compiler is another one.
    fn target_directory(&self, way: &Way) -> PathBuf {
        match way {
            Way::Container { .. } => self.cache.join("container"),
            _ => self.cache.to_path_buf(),
        }
    }

    /// The command that builds.
    pub(super) fn command(&self, way: &Way) -> Command {
        let folder = self.target_directory(way);
        let mut command = match way {
            Way::Container { program } => return self.in_container(program, &folder),
            Way::Native | Way::Cross { .. } | Way::Zig => Command::new("cargo"),
        };
        let (verb, target) = match way {
            Way::Zig => ("zigbuild", format!("{}.{OLDEST_GLIBC}", self.target())),
            _ => ("build", self.target()),
        };
        command
            .args([verb, "--profile", PROFILE, "--locked", "--package", "mlflow-proxy", "--target", &target])
            .arg("--target-dir")
            .arg(folder)
            .current_dir(self.repository);
        match way {
            Way::Zig => command.env("RUSTFLAGS", "-C strip=symbols"),
            _ => command.env("RUSTFLAGS", STATIC),
        };
        if let Way::Cross { linker } = way {
            let name = self.target().to_uppercase().replace('-', "_");
            command.env(format!("CARGO_TARGET_{name}_LINKER"), linker);
            // What is written in C and assembler is compiled for the same processors.
            command.env(format!("CC_{}", self.target().replace('-', "_")), linker);
        }
        command
    }

    fn in_container(&self, program: &str, folder: &Path) -> Command {
        let platform = if self.processor == "aarch64" { "linux/arm64" } else { "linux/amd64" };
        let mut command = Command::new(program);
        command.args(["run", "--rm", "--platform", platform]);
        // Bind mounts by their own option: a path may have a colon in it.
        for (from, to, more) in [(self.repository, "/source", ",readonly"), (folder, "/target", "")] {
            let _ = std::fs::create_dir_all(from);
            command.arg("--mount");
            command.arg(format!("type=bind,source={},destination={to}{more}", from.display()));
        }
        command.args(["--env", "CARGO_HOME=/target/cargo", "--env"]).arg(format!("RUSTFLAGS={STATIC}"));
        command.args(["--workdir", "/source", IMAGE, "cargo", "build", "--profile", PROFILE, "--locked"]);
        command.args(["--package", "mlflow-proxy", "--target", &self.target(), "--target-dir", "/target"]);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(processor: &'static str) -> Build<'static> {
        Build { processor, repository: Path::new("/sources"), cache: Path::new("/cache") }
    }

    fn shown(command: &Command) -> String {
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        let set: Vec<_> = command
            .get_envs()
            .map(|(name, value)| {
                format!("{}={}", name.to_string_lossy(), value.unwrap_or_default().to_string_lossy())
            })
            .collect();
        format!("{} {} {}", set.join(" "), command.get_program().to_string_lossy(), words.join(" "))
    }

    #[test]
    fn each_way_builds_a_release_for_its_target() {
        let native = shown(&build("x86_64").command(&Way::Native));
        assert!(native.contains("RUSTFLAGS=-C target-feature=+crt-static"), "{native}");
        assert!(
            native.contains(
                "--profile proxy --locked --package mlflow-proxy --target x86_64-unknown-linux-gnu"
            ),
            "{native}"
        );
        let linker = "aarch64-linux-gnu-gcc";
        let cross = shown(&build("aarch64").command(&Way::Cross { linker }));
        for words in [
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc",
            "CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc",
            "+crt-static",
        ] {
            assert!(cross.contains(words), "{cross}");
        }
        let zig = shown(&build("aarch64").command(&Way::Zig));
        assert!(zig.contains("cargo zigbuild") && zig.contains("aarch64-unknown-linux-gnu.2.28"), "{zig}");
        assert!(!zig.contains("crt-static"), "zig cannot link the C library of GNU statically: {zig}");
        let way = Way::Container { program: "podman" };
        let container = build("aarch64");
        let command = shown(&container.command(&way));
        assert!(command.contains("podman run --rm --platform linux/arm64"), "{command}");
        assert!(command.contains("source=/sources,destination=/source,readonly"), "{command}");
        assert_eq!(
            container.output(&way),
            Path::new("/cache/container/aarch64-unknown-linux-gnu/proxy/mlflow-proxy")
        );
    }

    #[test]
    fn what_would_open_a_way_is_said() {
        let machine = Machine { is_linux: true, processor: "x86_64", path: None };
        assert_eq!(Way::choose("x86_64", &machine), None);
        let hints = Way::hints("aarch64", &machine);
        for words in
            ["install Rust", "rustup target add aarch64-unknown-linux-gnu", "cargo-zigbuild", "Docker"]
        {
            assert!(hints.contains(words), "{hints}");
        }
    }
}
