//! The one approval of a plan.

use std::collections::BTreeSet;

use formwork_engine::plan::approval::{self, Policy};
use formwork_engine::plan::{Command, LossKind, Plan};

use super::Workplace;
use crate::arguments::{AllowedLoss, ApprovalOptions, RequireApproval};
use crate::failure::Failure;

/// The options of a command that asks about any change, unless nothing is to be asked about at all.
pub(crate) fn asking(options: &ApprovalOptions) -> ApprovalOptions {
    let require_approval = match options.require_approval {
        RequireApproval::Never => RequireApproval::Never,
        RequireApproval::Broadening | RequireApproval::AnyChange => RequireApproval::AnyChange,
    };
    ApprovalOptions { require_approval, ..options.clone() }
}

/// Approves a plan, or says why not. Gives who approved: `--yes`, `prompt`, or the policy.
///
/// # Errors
/// When data would be lost that is not allowed to be, when nobody can be asked, or when the answer is no.
pub(crate) fn approve(
    plan: &Plan,
    options: &ApprovalOptions,
    workplace: &Workplace,
) -> Result<&'static str, Failure> {
    let policy = match options.require_approval {
        RequireApproval::Never => Policy::Never,
        RequireApproval::Broadening => Policy::Broadening,
        RequireApproval::AnyChange => Policy::AnyChange,
    };
    let allow: BTreeSet<LossKind> = options
        .allow
        .iter()
        .map(|loss| match loss {
            AllowedLoss::Replace => LossKind::Replace,
            AllowedLoss::Delete => LossKind::Delete,
        })
        .collect();
    let needs = approval::needs(plan, policy, &allow);
    needs.refuse_losses()?;
    if !needs.approval {
        return Ok("policy");
    }
    if options.yes {
        return Ok("--yes");
    }
    let question = match plan.command {
        Command::Destroy => "the stacks above would be deleted",
        Command::Deploy if !needs.broadenings.is_empty() => "the plan above lets rights or reachability grow",
        Command::Deploy => "the plan above would be carried out",
    };
    workplace.confirm(question, "look at the plan, then say --yes")?;
    Ok("prompt")
}
