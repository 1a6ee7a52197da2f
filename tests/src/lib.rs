//! What tests that cross crates share: the foreign programs that judge what we write, and how to ask them.
//!
//! Each judge is found by environment variables that `cargo xtask test` sets, after it has installed the pinned versions.
//! Without them (a plain `cargo test`) a test prints that it skips and why; with `FORMWORK_REQUIRE_ORACLES` it fails.
//!
//! ```no_run
//! use formwork_tests::{CfnLint, Level};
//!
//! let Some(judge) = CfnLint::find() else { return };
//! let findings = judge.check(&["template.json".into()], &["us-east-1"]).expect("cfn-lint runs");
//! assert!(findings.iter().all(|finding| finding.level < Level::Warning));
//! ```

mod boto3;
mod cdk;
mod cfn_lint;
mod cloudformation_validate;
mod emulator;
mod finding;
pub mod iam;
pub mod mutations;
mod oracle;
pub mod pairwise;
mod process;
mod repository;
mod shell_scripts;
mod shellcheck;
pub mod variants;

pub use boto3::Boto3;
pub use cdk::{Cdk, ListedStack};
pub use cfn_lint::CfnLint;
pub use cloudformation_validate::{CloudformationValidate, Validation};
pub use emulator::{Emulated, Emulator};
pub use finding::{Finding, Level, distinct};
pub use oracle::{OracleError, is_slow_run};
pub use process::Ended;
pub use repository::{Package, Workspace, repository_root, tracked_files};
pub use shell_scripts::ShellScript;
pub use shellcheck::ShellCheck;
