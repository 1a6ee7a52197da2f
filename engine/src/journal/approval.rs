//! Writing down who answers for a run: who approved its plan, and who went on with it.
//!
//! Neither needs to be who planned: a pipeline plans with one role, and a person carries the plan out.

use std::collections::BTreeMap;

use super::{Journal, Record};
use crate::error::EngineError;
use crate::plan::model::PlannedEnvironment;

impl Journal {
    /// Writes down the plan that was approved.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn approved(&self, plan: serde_json::Value, by: &str) -> Result<(), EngineError> {
        self.approved_with(plan, by, Vec::new(), BTreeMap::new())
    }

    /// Writes down the plan that was approved, by whom, and what was kept of its assembly.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn approved_with(
        &self,
        plan: serde_json::Value,
        by: &str,
        callers: Vec<PlannedEnvironment>,
        files: BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        self.surely(Record::Approved { plan, by: by.to_owned(), callers, files })
    }

    /// Writes down who goes on with the run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn resumed(&self, callers: Vec<PlannedEnvironment>) -> Result<(), EngineError> {
        self.surely(Record::Resumed { callers })
    }
}
