//! The AWS CDK command line as a reader of our assemblies.
//!
//! It runs offline and knows no user: an empty home folder, no credentials, no version check, no notices, no telemetry.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use crate::boto3::client_environment;
use crate::oracle::{self, OracleError};
use crate::process::{self, Ended};

/// How long one command may take; it takes two seconds on an idle machine.
const LIMIT: Duration = Duration::from_secs(120);

/// How long a deployment may take: it looks every few seconds whether a stack is done.
const DEPLOYMENT_LIMIT: Duration = Duration::from_secs(300);

/// A stack as `cdk list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedStack {
    /// Its display name, followed by its stack name in parentheses where that is another.
    pub id: String,
    /// The stacks that it depends on, shown in the same way.
    pub dependencies: Vec<String>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    dependencies: Vec<Listed>,
}

/// The AWS CDK command line.
#[derive(Clone, Debug)]
pub struct Cdk {
    script: PathBuf,
}

impl Cdk {
    /// The command line whose JavaScript file `FORMWORK_CDK` names (`FORMWORK_NODE` or `node` runs it); without it
    /// nothing, after saying so.
    ///
    /// # Panics
    ///
    /// It is not there and judges are required.
    pub fn find() -> Option<Self> {
        oracle::find("the AWS CDK command line", "FORMWORK_CDK").map(|script| Self { script })
    }

    /// The stacks of an assembly, in the order of its manifest.
    ///
    /// # Errors
    ///
    /// The command line refuses the assembly, or could not be run.
    pub fn list(&self, assembly: &Path) -> Result<Vec<ListedStack>, OracleError> {
        let listed: Vec<Listed> =
            self.succeed(assembly, &["list", "--show-dependencies", "--json"])?.json()?;
        let stack = |listed: Listed| ListedStack {
            id: listed.id,
            dependencies: listed.dependencies.into_iter().map(|dependency| dependency.id).collect(),
        };
        Ok(listed.into_iter().map(stack).collect())
    }

    /// The template of one stack as JSON.
    ///
    /// # Errors
    ///
    /// The command line refuses the assembly or the stack, or could not be run.
    pub fn synth(&self, assembly: &Path, stack: &str) -> Result<serde_json::Value, OracleError> {
        self.succeed(assembly, &["synth", stack, "--json"])?.json()
    }

    /// The differences between a stack of an assembly and a template file, as text; empty when there are none.
    ///
    /// # Errors
    ///
    /// The command line refuses the assembly or the template, or could not be run.
    pub fn diff(&self, assembly: &Path, stack: &str, template: &Path) -> Result<String, OracleError> {
        let template = std::path::absolute(template)?;
        let template = template.to_string_lossy();
        let ended = self.succeed(assembly, &["diff", "--exclusively", stack, "--template", &template])?;
        let text = format!("{}{}", ended.stdout, ended.stderr);
        Ok(if text.contains("There were no differences") { String::new() } else { text })
    }

    /// Any command with an assembly as its app.
    ///
    /// # Errors
    ///
    /// It could not be started, or did not end in time.
    pub fn run(&self, assembly: &Path, arguments: &[&str]) -> Result<Ended, OracleError> {
        let home = tempfile::tempdir()?;
        process::run(&mut self.command(assembly, arguments, home.path())?, "", LIMIT)
    }

    /// Any command with an assembly as its app, for an account that an endpoint on this machine simulates. Programs that
    /// the assembly names are looked for in `programs` first.
    ///
    /// # Errors
    ///
    /// It failed, could not be started, or did not end in time.
    pub fn against(
        &self,
        endpoint: &str,
        region: &str,
        programs: &Path,
        assembly: &Path,
        arguments: &[&str],
    ) -> Result<Ended, OracleError> {
        let home = tempfile::tempdir()?;
        let mut command = self.command(assembly, arguments, home.path())?;
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(programs.to_path_buf()).chain(env::split_paths(&path));
        let path = env::join_paths(folders).map_err(std::io::Error::other)?;
        command.env("PATH", path).env_remove("HTTPS_PROXY").envs(client_environment(endpoint, region));
        let ended = process::run(&mut command, "", DEPLOYMENT_LIMIT)?;
        Ended { program: format!("cdk {}", arguments.join(" ")), ..ended }.succeeded()
    }

    fn command(&self, assembly: &Path, arguments: &[&str], home: &Path) -> Result<Command, OracleError> {
        let node = env::var_os("FORMWORK_NODE").unwrap_or_else(|| "node".into());
        let mut command = Command::new(node);
        command.arg(&self.script).args(arguments).arg("--app").arg(std::path::absolute(assembly)?);
        command.args(["--no-notices", "--no-color"]).current_dir(home);
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).env("HOME", home);
        // In CI it writes to standard output whatever is not an error.
        command
            .env("CI", "true")
            .env("CDK_DISABLE_VERSION_CHECK", "1")
            .env("CDK_DISABLE_CLI_TELEMETRY", "true");
        // Whatever it might still look for is not there.
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("HTTPS_PROXY", "http://127.0.0.1:9");
        Ok(command)
    }

    fn succeed(&self, assembly: &Path, arguments: &[&str]) -> Result<Ended, OracleError> {
        let ended = self.run(assembly, arguments)?;
        Ended { program: format!("cdk {}", arguments.join(" ")), ..ended }.succeeded()
    }
}
