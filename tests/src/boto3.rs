//! boto3, the AWS SDK for Python, as a client of the simulator.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::oracle::{self, OracleError};
use crate::process::{self, Ended};

/// How long one script may take; the longest waits for a minute in all.
const LIMIT: Duration = Duration::from_secs(240);

/// A Python that has boto3.
#[derive(Clone, Debug)]
pub struct Boto3 {
    python: PathBuf,
}

impl Boto3 {
    /// The Python that `FORMWORK_BOTO3` names; without it nothing, after saying so.
    ///
    /// # Panics
    ///
    /// It is not there and foreign programs are required.
    pub fn find() -> Option<Self> {
        oracle::find("boto3", "FORMWORK_BOTO3").map(|python| Self { python })
    }

    /// Runs a script against an endpoint, as a user whom nobody knows.
    ///
    /// # Errors
    ///
    /// The script failed, could not be started, or did not end in time.
    pub fn run(&self, script: &Path, endpoint: &str, region: &str) -> Result<Ended, OracleError> {
        let home = tempfile::tempdir()?;
        let mut command = Command::new(&self.python);
        command.arg(script).current_dir(home.path());
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).env("HOME", home.path());
        command.env("PYTHONDONTWRITEBYTECODE", "1").envs(client_environment(endpoint, region));
        process::run(&mut command, "", LIMIT)?.succeeded()
    }
}

/// What makes an AWS client talk to an endpoint on this machine and to nothing else.
pub(crate) fn client_environment(endpoint: &str, region: &str) -> [(&'static str, String); 7] {
    [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIASIMULATED0000000".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "not-a-secret".to_owned()),
        ("AWS_REGION", region.to_owned()),
        ("AWS_DEFAULT_REGION", region.to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("NO_PROXY", "127.0.0.1".to_owned()),
    ]
}
