//! cfn-lint: AWS's linter, whose errors are what CloudFormation refuses.
//!
//! Python and the schemas take seconds to load, so that many templates are judged by one process, and by as many processes
//! as there are processors.

use std::num::NonZero;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use crate::finding::{Finding, Level};
use crate::oracle::{self, OracleError};
use crate::process;

/// How long one template may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Bits of the exit status that stand for findings of each level; any other status is a failure of the program.
const FINDING_BITS: i32 = 2 | 4 | 8;

/// The linter.
#[derive(Clone, Debug)]
pub struct CfnLint {
    program: PathBuf,
}

impl CfnLint {
    /// The linter that `FORMWORK_CFN_LINT` names; without it nothing, after saying so.
    ///
    /// # Panics
    ///
    /// It is not there and judges are required.
    pub fn find() -> Option<Self> {
        oracle::find("cfn-lint", "FORMWORK_CFN_LINT").map(|program| Self { program })
    }

    /// All findings about the templates in the regions, in the order of the templates.
    ///
    /// # Errors
    ///
    /// The linter could not do its work.
    pub fn check(&self, templates: &[PathBuf], regions: &[&str]) -> Result<Vec<Finding>, OracleError> {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let share = templates.len().div_ceil(processors).max(1);
        let shares: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = templates
                .chunks(share)
                .map(|templates| scope.spawn(move || self.check_in_one_process(templates, regions)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("asking the linter does not panic"))
                .collect()
        });
        shares.into_iter().collect::<Result<Vec<_>, _>>().map(|shares| shares.concat())
    }

    fn check_in_one_process(
        &self,
        templates: &[PathBuf],
        regions: &[&str],
    ) -> Result<Vec<Finding>, OracleError> {
        let mut command = Command::new(&self.program);
        // Its settings file is looked for in the working folder and at home: an empty one leaves the defaults.
        let empty = tempfile::tempdir()?;
        let templates: Vec<PathBuf> = templates.iter().map(std::path::absolute).collect::<Result<_, _>>()?;
        command.args(["--format", "json", "--regions"]).args(regions).arg("--").args(&templates);
        command.current_dir(empty.path()).env("HOME", empty.path());
        let limit = LIMIT * u32::try_from(templates.len()).unwrap_or(u32::MAX);
        let ended = process::run(&mut command, "", limit)?;
        if ended.status.code().is_none_or(|code| code & !FINDING_BITS != 0) {
            return Err(ended.failed());
        }
        let matches: Vec<Match> = ended.json()?;
        if matches.iter().any(|found| found.filename.is_none()) {
            return Err(ended.failed());
        }
        let mut findings: Vec<Finding> = matches.into_iter().map(Finding::from).collect();
        findings.sort();
        findings.sort_by_key(|finding| templates.iter().position(|template| *template == finding.template));
        Ok(findings)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Match {
    /// Nothing when it is about how the linter was called.
    filename: Option<PathBuf>,
    level: MatchLevel,
    location: Location,
    message: String,
    rule: Rule,
}

#[derive(Deserialize)]
enum MatchLevel {
    Error,
    Warning,
    Informational,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Location {
    path: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    id: String,
}

impl From<Match> for Finding {
    fn from(from: Match) -> Self {
        let steps = from.location.path.unwrap_or_default();
        let steps = steps.iter().map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned));
        Self {
            template: from.filename.unwrap_or_default(),
            level: match from.level {
                MatchLevel::Error => Level::Error,
                MatchLevel::Warning => Level::Warning,
                MatchLevel::Informational => Level::Informational,
            },
            rule: from.rule.id,
            place: steps.collect::<Vec<_>>().join("/"),
            message: from.message,
        }
    }
}
