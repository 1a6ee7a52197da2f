//! Goes on with a run that was cut off or detached.

use formwork_assembly::CloudAssembly;

use super::attach::approved_plan;
use super::calls::callers;
use super::options::ApplyOptions;
use super::report::RunReport;
use super::run::carry_out;
use crate::error::{Class, EngineError};
use crate::journal::{Journal, kept};
use crate::runtime::Runtime;

/// Goes on with the run of an opened journal: looks at what was begun, repeats with the same token what may or may not
/// have been carried out, watches what runs, and does the rest.
///
/// Stacks whose change set is still to be made need the assembly: the one that the run kept beside its journal, or else
/// the given one. It must be the one that was approved, which its templates' digests tell. Without options those that
/// the run began with hold.
///
/// # Errors
/// When the run was never approved or has ended, what it kept is not what was approved, or the journal cannot be
/// written.
pub async fn resume(
    journal: &Journal,
    assembly: Option<&CloudAssembly>,
    options: Option<&ApplyOptions>,
    runtime: &Runtime,
) -> Result<RunReport, EngineError> {
    let history = journal.history();
    let plan = approved_plan(&history)?;
    let summary = history.summary(journal.path().unwrap_or(std::path::Path::new(journal.run())));
    if let Some(code) = summary.ended {
        return Err(EngineError::new(
            Class::Refused,
            format!("run {} has ended with exit code {code}: there is nothing to resume", journal.run()),
        )
        .with_hint("start anew with `formwork deploy`"));
    }
    let kept = history.options().and_then(|options| serde_json::from_value(options.clone()).ok());
    let options = options.cloned().or(kept).unwrap_or_default();
    let own = kept::open(journal)?;
    let assembly = own.as_ref().or(assembly);
    journal.resumed(callers(&plan, runtime).await)?;
    carry_out(&plan, assembly, &options, runtime, journal, "resume").await
}
