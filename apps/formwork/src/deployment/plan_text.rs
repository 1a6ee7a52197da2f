//! A plan for people: what happens to which stack, what is lost, where rights grow.
//!
//! Marks repeat what words say: `+` made, `~` changed, `-` deleted, `!` data or rights.

use std::fmt::Write as _;

use formwork_engine::aws::cloudformation::{ChangeAction, ChangeDetail, Replacement, ResourceChange};
use formwork_engine::plan::{Operation, Plan, StackPlan, removal};

use super::labels::Labels;
use super::progress::words::size;
use crate::console::count;

/// How many resources of a new stack are listed one by one before only their number is told.
const LISTED: usize = 12;

/// How many grants of a new stack are listed one by one before only their number is told.
const LISTED_GRANTS: usize = 3;

/// The whole plan.
pub(crate) fn text(plan: &Plan, verbose: bool) -> String {
    let mut text = String::new();
    for planned in &plan.environments {
        let environment = &planned.environment;
        let _ = writeln!(
            text,
            "account {}, region {}, as {}",
            environment.account, environment.region, planned.identity
        );
    }
    text.push_str(&below_the_head(plan, verbose));
    text
}

/// The plan without the accounts and regions at its head.
pub(crate) fn below_the_head(plan: &Plan, verbose: bool) -> String {
    let mut text = String::new();
    let labels = Labels::of(plan.stacks.iter().map(|stack| &stack.environment));
    for stack in &plan.stacks {
        text.push('\n');
        text.push_str(&stack_text(stack, &labels, verbose));
    }
    text.push('\n');
    text.push_str(&summary(plan));
    text
}

/// What happens in all, in one line.
pub(crate) fn summary(plan: &Plan) -> String {
    let number = |operation: &[Operation]| {
        plan.stacks.iter().filter(|stack| operation.contains(&stack.operation)).count()
    };
    let parts = [
        (number(&[Operation::Create, Operation::Recreate]), "to create"),
        (number(&[Operation::Update]), "to update"),
        (number(&[Operation::Import]), "to import into"),
        (number(&[Operation::Delete]), "to delete"),
        (number(&[Operation::Nothing]), "unchanged"),
    ];
    let shown: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{} {words}", count(*number, "stack")))
        .collect();
    if shown.is_empty() { "nothing to do\n".to_owned() } else { format!("{}\n", shown.join(", ")) }
}

/// Whether a plan would change anything.
pub(crate) fn changes_something(plan: &Plan) -> bool {
    plan.stacks.iter().any(|stack| stack.operation != Operation::Nothing)
}

fn stack_text(stack: &StackPlan, labels: &Labels, verbose: bool) -> String {
    let mut text = String::new();
    let (mark, words) = match stack.operation {
        Operation::Create => ('+', "create"),
        Operation::Recreate => ('+', "delete what is left of a failed creation, then create"),
        Operation::Update => ('~', "update"),
        Operation::Import => ('+', "import"),
        Operation::Nothing => ('=', "nothing to change"),
        Operation::Delete => ('-', "delete"),
    };
    let label = labels.label(&stack.name, Some(&stack.environment));
    let _ = write!(text, "{mark} {label}  {words}");
    if !stack.changes.is_empty() {
        let _ = write!(text, ": {}", count(stack.changes.len(), "resource"));
    }
    text.push('\n');
    if let Some(reason) = &stack.provisional {
        let _ = writeln!(text, "    provisional: {reason}");
    }
    let additions = stack.changes.iter().filter(|change| change.action == ChangeAction::Add).count();
    let hide_additions = !verbose && additions > LISTED;
    for change in &stack.changes {
        if !(hide_additions && change.action == ChangeAction::Add) {
            change_text(&mut text, change, verbose);
        }
    }
    if hide_additions {
        let _ = writeln!(text, "    + {} (-v lists them)", count(additions, "new resource"));
    }
    for loss in &stack.losses {
        let _ = writeln!(text, "    ! {}", loss.words);
    }
    for removal in &stack.removals {
        let _ = writeln!(text, "    - first removed: {}", removal::words(removal));
    }
    for left in &stack.left {
        let id = left.physical_id.as_ref().map(|id| format!(", {id}")).unwrap_or_default();
        let cost = left.cost.as_ref().map(|cost| format!("; {cost}")).unwrap_or_default();
        let _ = writeln!(text, "    = {} ({}{id}) stays{cost}", left.logical_id, left.resource_type);
    }
    // Everything that a new stack grants is new: its number says enough, and -v lists it.
    let is_new = matches!(stack.operation, Operation::Create | Operation::Recreate);
    let condensed = is_new && !verbose && stack.broadenings.len() > LISTED_GRANTS;
    if condensed {
        let _ = writeln!(
            text,
            "    ! {} of rights or reachability (-v lists them)",
            count(stack.broadenings.len(), "grant")
        );
    }
    for broadening in stack.broadenings.iter().filter(|_| !condensed) {
        let _ = writeln!(
            text,
            "    ! {} ({}): {}",
            broadening.logical_id, broadening.resource_type, broadening.words
        );
    }
    if let Some(phase) = &stack.first_phase {
        for (export, importers) in &phase.kept_exports {
            let _ =
                writeln!(text, "    export {export} is kept until {} no longer use it", importers.join(", "));
        }
    }
    for asset in &stack.assets {
        if let Some(bytes) = asset.bytes
            && verbose
        {
            let _ = writeln!(text, "    asset s3://{}/{}, {}", asset.bucket, asset.key, size(bytes));
        }
    }
    for note in &stack.notes {
        let _ = writeln!(text, "    note: {note}");
    }
    text
}

fn change_text(text: &mut String, change: &ResourceChange, verbose: bool) {
    let (mark, words) = match (&change.action, &change.replacement) {
        (ChangeAction::Add, _) if is(change, "DELETED") => ("+", "  made again"),
        (ChangeAction::Add, _) => ("+", ""),
        (ChangeAction::Remove, _) => (
            "-",
            if change.policy_action.as_deref() == Some("Retain") { "  let go of, kept" } else { "  deleted" },
        ),
        (ChangeAction::Import, _) => ("+", "  taken in"),
        // The template was changed to what there is: nothing happens to the resource.
        (ChangeAction::SyncWithActual, _) => ("=", "  is so already, only noted"),
        (_, Some(Replacement::True)) => ("-/+", "  replaced"),
        (_, Some(Replacement::Conditional)) => ("~", "  changed, perhaps replaced"),
        _ if is(change, "MODIFIED") => ("~", "  set back"),
        _ => ("~", "  changed"),
    };
    let _ = writeln!(text, "    {mark} {}  {}{words}", change.logical_id, change.resource_type);
    if let Some("UNKNOWN" | "UNSUPPORTED" | "NOT_CHECKED") = change.drift.as_deref() {
        text.push_str("        what it really is could not be read: drift of it stays\n");
    }
    for detail in &change.details {
        if let Some(line) = detail_text(detail, verbose) {
            let _ = writeln!(text, "        {line}");
        }
    }
}

/// Whether a change set that takes drift back found this of a resource.
fn is(change: &ResourceChange, drift: &str) -> bool {
    change.drift.as_deref() == Some(drift)
}

fn detail_text(detail: &ChangeDetail, verbose: bool) -> Option<String> {
    let name =
        detail.path.clone().or_else(|| detail.name.clone()).unwrap_or_else(|| detail.attribute.clone());
    let shown = |value: &Option<String>| value.as_deref().map(|value| shortened(value, verbose));
    let mut line = match (shown(&detail.before), shown(&detail.after)) {
        (Some(before), Some(after)) => format!("{name}: {before} -> {after}"),
        (None, Some(after)) => format!("{name}: {after}"),
        (Some(before), None) => format!("{name}: {before} -> nothing"),
        (None, None) => name,
    };
    if detail.recreation.as_deref() == Some("Always") {
        line.push_str("  (needs a new resource)");
    }
    if let Some(cause) = &detail.cause {
        let _ = write!(line, "  (because of {cause})");
    }
    Some(line)
}

pub(crate) fn shortened(value: &str, verbose: bool) -> String {
    const WIDTH: usize = 60;
    let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
    if verbose || line.chars().count() <= WIDTH {
        return line;
    }
    let start: String = line.chars().take(WIDTH - 1).collect();
    format!("{start}…")
}
