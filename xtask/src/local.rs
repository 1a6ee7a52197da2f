//! `cargo xtask local`: both modes of the platform, deployed to an emulator of AWS on this machine.
//!
//! The emulator is ministack, started by a launcher that adds what our stacks need (`tests/emulator/launcher.py`).
//! Every step is the real `formwork` binary with the exit code that it must end with: what is tried here is what a user
//! does, without an account.

mod emulator;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use emulator::Emulator;

use crate::paths::Paths;
use crate::run::{output, run};
use crate::setup;
use crate::test::cargo;

/// The account that the emulator takes from the access key.
const ACCOUNT: &str = "123456789012";
/// The regions of the walk.
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
/// A resource that only two NAT gateways need.
const SECOND_GATEWAY: &str = "NetworkingNat2GatewayC2B73F01";

/// Starts the emulator, walks through a deployment's life in it, and stops it again.
///
/// # Errors
///
/// The set-up fails, or a step ends with another exit code than it should.
pub(crate) fn walk(paths: &Paths, program: Program) -> Result<(), String> {
    setup::emulator(paths)?;
    let folder = paths.join(".tools/local");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let program = program.place(paths, &folder)?;
    let emulator = Emulator::start(paths, &folder)?;
    let walk = Walk { program, folder, emulator };
    for region in REGIONS {
        walk.bootstrap(region)?;
        walk.life(region)?;
    }
    walk.both_regions()?;
    println!("both modes were deployed, changed, repaired and deleted in {}", REGIONS.join(" and "));
    Ok(())
}

/// Which build of the command line is walked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// A build of its own.
    Alone,
    /// The build that the tests have made: its features are those of all crates together, so that a build of its own
    /// would compile the AWS SDK once more.
    OfTests,
}

impl Program {
    /// Puts the command line beside a stand-in for the proxy's binary, which no instance here will run.
    fn place(self, paths: &Paths, folder: &Path) -> Result<PathBuf, String> {
        let build: &[&str] = match self {
            Self::Alone => &["build", "--quiet", "--package", "formwork-cli", "--bin", "formwork"],
            Self::OfTests => &["test", "--quiet", "--workspace", "--no-run"],
        };
        run(cargo(paths).args(build))?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| paths.join("target"), PathBuf::from);
        let program = folder.join("formwork");
        let built = paths.root.join(target).join("debug/formwork");
        fs::copy(&built, &program).map_err(|error| format!("cannot copy {}: {error}", built.display()))?;
        let stand_in = folder.join("mlflow-proxy-linux-amd64");
        fs::write(&stand_in, "no instance runs this\n")
            .map_err(|error| format!("cannot write {}: {error}", stand_in.display()))?;
        Ok(program)
    }
}

struct Walk {
    program: PathBuf,
    folder: PathBuf,
    emulator: Emulator,
}

impl Walk {
    /// Runs `formwork` in a region.
    fn formwork(&self, region: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder);
        self.emulator.environment(&mut command, region);
        command
    }

    fn expect(&self, region: &str, code: i32, arguments: &[&str]) -> Result<(), String> {
        println!("$ formwork {}", arguments.join(" "));
        let status = self.formwork(region, arguments).status();
        let status = status.map_err(|error| format!("cannot start formwork: {error}"))?;
        if status.code() == Some(code) {
            return Ok(());
        }
        Err(format!(
            "`formwork {}` in {region} ended with {status}, not with {code}\nthe emulator's log is {}",
            arguments.join(" "),
            self.emulator.log().display()
        ))
    }

    fn bootstrap(&self, region: &str) -> Result<(), String> {
        self.expect(region, 0, &["bootstrap", &format!("aws://{ACCOUNT}/{region}"), "--yes"])
    }

    /// The life of both modes in a region.
    fn life(&self, region: &str) -> Result<(), String> {
        let (tracking, serverless) = ("mlflowType=tracking", "mlflowType=serverless");
        self.expect(region, 2, &["plan", "--detailed-exitcode", "-c", tracking])?;
        self.deploy(region, 0, &[tracking])?;
        self.expect(region, 0, &["plan", "--detailed-exitcode", "-c", tracking])?;
        self.deploy(region, 0, &[tracking])?;
        // The shared stacks are there already.
        self.deploy(region, 0, &[serverless])?;
        self.expect(region, 0, &["outputs", "-c", serverless])?;
        self.is_there(region, &["networking", "sagemaker-domain", "mlflow-tracking", "mlflow-serverless"])?;
        // A changed property fails, is taken back, and goes through once the quota is raised.
        self.emulator.fail(
            SECOND_GATEWAY,
            "The maximum number of addresses has been reached (AddressLimitExceeded)",
        )?;
        self.deploy(region, 4, &[serverless, "natGateways=2"])?;
        self.emulator.fail_nothing()?;
        self.deploy(region, 0, &[serverless, "natGateways=2"])?;
        // A custom resource, whose handler really runs, takes the place of the native one.
        self.expect(
            region,
            0,
            &[
                "deploy",
                "--yes",
                "--allow",
                "replace,delete",
                "-c",
                serverless,
                "-c",
                "natGateways=2",
                "-c",
                "provisioner=custom",
            ],
        )?;
        self.destroy(region, tracking)?;
        self.is_there(
            region,
            &["networking", "sagemaker-domain", "mlflow-serverless", "proxyapp-serverless"],
        )?;
        self.is_gone(region, &["mlflow-tracking", "proxyapp-tracking"])
    }

    /// What is left in one region does not go with the other.
    fn both_regions(&self) -> Result<(), String> {
        for region in REGIONS {
            self.destroy(region, "mlflowType=serverless")?;
            self.is_gone(
                region,
                &["networking", "sagemaker-domain", "mlflow-serverless", "proxyapp-serverless"],
            )?;
            if region == REGIONS[0] {
                self.is_there(REGIONS[1], &["networking", "sagemaker-domain", "mlflow-serverless"])?;
            }
        }
        Ok(())
    }

    fn deploy(&self, region: &str, code: i32, context: &[&str]) -> Result<(), String> {
        let mut arguments = vec!["deploy", "--require-approval", "never"];
        arguments.extend(context.iter().flat_map(|value| ["-c", value]));
        self.expect(region, code, &arguments)
    }

    fn destroy(&self, region: &str, mode: &str) -> Result<(), String> {
        self.expect(region, 0, &["destroy", "--yes", "--allow", "delete", "-c", mode])
    }

    fn is_there(&self, region: &str, stacks: &[&str]) -> Result<(), String> {
        self.look(region, stacks, true)
    }

    fn is_gone(&self, region: &str, stacks: &[&str]) -> Result<(), String> {
        self.look(region, stacks, false)
    }

    /// Asks the emulator itself, by another client than ours.
    fn look(&self, region: &str, stacks: &[&str], wanted: bool) -> Result<(), String> {
        let mut command = self.emulator.python("stacks.py");
        self.emulator.environment(&mut command, region);
        let found = output(&mut command)?;
        for stack in stacks {
            let name = format!("sagemaker-infra-{stack} ");
            if found.lines().any(|line| line.starts_with(&name)) != wanted {
                let word = if wanted { "missing from" } else { "still in" };
                return Err(format!("{name}is {word} {region}:\n{found}"));
            }
        }
        Ok(())
    }
}
