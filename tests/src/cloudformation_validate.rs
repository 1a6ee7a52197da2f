//! cloudformation-validate: AWS's own validator, by the Python package around its native library.
//!
//! It explodes with the number of conditions of a template, so that each template has a time limit; what passes the limit
//! is listed and left to cfn-lint alone.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::finding::{Finding, Level};
use crate::oracle::{self, OracleError};
use crate::process;

/// How long one template may take, over all regions.
const LIMIT: Duration = Duration::from_secs(60);

/// How long the start may take.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The validator.
#[derive(Clone, Debug)]
pub struct CloudformationValidate {
    python: PathBuf,
    limit: Duration,
}

/// What the validator said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validation {
    /// All findings, in the order of the templates.
    pub findings: Vec<Finding>,
    /// The templates that it did not finish within the limit.
    pub passed_limit: Vec<PathBuf>,
}

impl CloudformationValidate {
    /// The validator in the Python that `FORMWORK_CLOUDFORMATION_VALIDATE` names; without it nothing, after saying so.
    ///
    /// # Panics
    ///
    /// It is not there and judges are required.
    pub fn find() -> Option<Self> {
        oracle::find("cloudformation-validate", "FORMWORK_CLOUDFORMATION_VALIDATE")
            .map(|python| Self { python, limit: LIMIT })
    }

    /// The same with another limit for each template instead of 60 seconds.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// What it says about the templates in the regions.
    ///
    /// # Errors
    ///
    /// The validator could not do its work.
    pub fn check(&self, templates: &[PathBuf], regions: &[&str]) -> Result<Validation, OracleError> {
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/judge_by_cloudformation_validate.py");
        let templates: Vec<PathBuf> = templates.iter().map(std::path::absolute).collect::<Result<_, _>>()?;
        let request =
            json!({ "templates": templates, "regions": regions, "limit": self.limit.as_secs_f64() });
        let limit =
            START_LIMIT + (self.limit + START_LIMIT) * u32::try_from(templates.len()).unwrap_or(u32::MAX);
        let mut command = Command::new(&self.python);
        command.arg(script);
        let ended = process::run(&mut command, &request.to_string(), limit)?.succeeded()?;
        let mut validation = Validation::default();
        for line in ended.stdout.lines() {
            let answer: Answer = process::read_json(&ended.program, line)?;
            if answer.passed_limit {
                validation.passed_limit.push(answer.template.clone());
            }
            validation
                .findings
                .extend(answer.findings.into_iter().map(|said| said.into_finding(&answer.template)));
        }
        Ok(validation)
    }
}

#[derive(Deserialize)]
struct Answer {
    template: PathBuf,
    passed_limit: bool,
    findings: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    level: SaidLevel,
    rule: String,
    place: String,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum SaidLevel {
    Error,
    Warning,
    Informational,
}

impl Said {
    fn into_finding(self, template: &Path) -> Finding {
        Finding {
            template: template.to_path_buf(),
            level: match self.level {
                SaidLevel::Error => Level::Error,
                SaidLevel::Warning => Level::Warning,
                SaidLevel::Informational => Level::Informational,
            },
            rule: self.rule,
            place: self.place,
            message: self.message,
        }
    }
}
