//! From a request to the end of a run: planned, shown, approved once, carried out, told.
//!
//! Every command that changes stacks goes this way, so that none forgets to leave things as they were: whoever declines
//! finds neither change sets nor empty stacks behind, and a journal that nobody goes on with.

use std::path::Path;

use formwork_assembly::CloudAssembly;
use formwork_engine::apply::{self, ApplyOptions};
use formwork_engine::journal::Journal;
use formwork_engine::plan::{self, Plan, PlanRequest};

use super::approve::approve;
use super::summary::{GoingOn, conclude_as};
use super::{Workplace, plan_text};
use crate::arguments::{ApprovalOptions, RequireApproval};
use crate::console::Console;
use crate::failure::Failure;

/// A run that is about to begin.
#[derive(Clone, Copy)]
pub(crate) struct Undertaking<'a> {
    /// Where it takes place.
    pub(crate) workplace: &'a Workplace,
    /// What is written down of it.
    pub(crate) journal: &'a Journal,
    /// What it is about.
    pub(crate) assembly: &'a CloudAssembly,
    /// Who looks on.
    pub(crate) console: &'a Console,
}

impl Undertaking<'_> {
    /// Makes the plan.
    ///
    /// # Errors
    /// What the planning fails with, or the interruption; the journal is ended by that.
    pub(crate) fn plan(&self, request: &PlanRequest) -> Result<Plan, Failure> {
        let planned = plan::make(request, self.assembly, &self.workplace.engine, self.journal);
        self.workplace.plan(planned).inspect_err(|failure| self.journal.ended(failure.exit_code()))
    }

    /// Makes the plan, has it approved, and carries it out. The options say everything but who approved.
    ///
    /// # Errors
    /// When the plan cannot be made or is declined, or when not all of it could be done.
    pub(crate) fn deploy(
        &self,
        request: &PlanRequest,
        approval: &ApprovalOptions,
        options: ApplyOptions,
        outputs_file: Option<&Path>,
    ) -> Result<(), Failure> {
        let plan = self.plan(request)?;
        self.go_through_with(&plan, approval, options, outputs_file)
    }

    /// Shows a plan that was just made, has it approved, and carries it out; when it is declined, nothing of it is left.
    ///
    /// # Errors
    /// When the plan is declined, or when not all of it could be done.
    pub(crate) fn go_through_with(
        &self,
        plan: &Plan,
        approval: &ApprovalOptions,
        options: ApplyOptions,
        outputs_file: Option<&Path>,
    ) -> Result<(), Failure> {
        self.show(plan);
        let by = self.decide(plan, approval).inspect_err(|_| {
            // Change sets that nobody wants, and the shells of new stacks, are not left behind.
            self.workplace.run(apply::discard(plan, &self.workplace.engine, self.journal));
        });
        let by = by.inspect_err(|failure| self.journal.ended(failure.exit_code()))?;
        self.carry_out(plan, approved(by, approval, options), outputs_file)
    }

    /// Has a plan that was made before approved, and carries it out. Whoever declines can still apply it later.
    ///
    /// # Errors
    /// When the plan does not fit any more or is declined, or when not all of it could be done.
    pub(crate) fn apply(
        &self,
        plan: &Plan,
        approval: &ApprovalOptions,
        options: ApplyOptions,
        outputs_file: Option<&Path>,
    ) -> Result<(), Failure> {
        self.console.talk(&plan_text::text(plan, self.console.is_verbose()));
        let fresh = plan::check_fresh(plan, self.assembly, &self.workplace.engine);
        let by = self.workplace.plan(fresh).and_then(|()| self.decide(plan, approval));
        let by = by.inspect_err(|failure| self.journal.ended(failure.exit_code()))?;
        self.carry_out(plan, approved(by, approval, options), outputs_file)
    }

    /// Shows a plan below what was told while it was made.
    pub(crate) fn show(&self, plan: &Plan) {
        let text = plan_text::below_the_head(plan, self.console.is_verbose());
        // Events that are data tell people nothing.
        let text = match self.workplace.tells_people() {
            true => text,
            false => plan_text::text(plan, self.console.is_verbose()),
        };
        self.console.talk(&text);
    }

    /// Carries an approved plan out, and tells what came of it.
    ///
    /// # Errors
    /// When not all of it could be done.
    pub(crate) fn carry_out(
        &self,
        plan: &Plan,
        options: ApplyOptions,
        outputs_file: Option<&Path>,
    ) -> Result<(), Failure> {
        let run = apply::run(plan, self.assembly, &options, &self.workplace.engine, self.journal);
        let going_on = if self.journal.path().is_some() { GoingOn::Resume } else { GoingOn::Rehearse };
        conclude_as(&self.workplace.run(run)?, going_on, outputs_file, self.console)
    }

    fn decide(&self, plan: &Plan, approval: &ApprovalOptions) -> Result<&'static str, Failure> {
        approve(plan, approval, self.workplace)
    }
}

/// The options of a run that somebody has approved. Who asks for no approval of what grows gets none later either.
fn approved(by: &str, approval: &ApprovalOptions, options: ApplyOptions) -> ApplyOptions {
    let may_broaden = approval.require_approval == RequireApproval::Never;
    ApplyOptions { approved_by: by.to_owned(), may_broaden, ..options }
}
