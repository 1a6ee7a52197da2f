//! Random stacks, random faults that do no harm, random ends of the process: the end is what a model says.

use std::collections::BTreeSet;

use formwork_engine::apply;
use formwork_engine::event::StackOutcome;
use formwork_engine::journal::Journal;
use formwork_engine::plan::Command;
use proptest::prelude::*;

use crate::case::{Case, Part, RUN, of, part};

const NAMES: [&str; 5] = ["s0", "s1", "s2", "s3", "s4"];

/// Faults after which a deployment ends as if they had not been.
const HARMLESS: [&str; 9] = [
    "on ExecuteChangeSet#1 accept-then-drop",
    "on ExecuteChangeSet#2 accept-then-error 500 InternalFailure",
    "on ExecuteChangeSet#1-2 throttle",
    "on CreateChangeSet#2 accept-then-drop",
    "on DescribeStacks#3-6 throttle",
    "on DescribeStackEvents reorder",
    "on DescribeStackEvents duplicate",
    "on * between 10s and 40s refuse",
    "on DescribeStacks between 5s and 60s stale 4s",
];

#[derive(Clone, Debug)]
struct Story {
    needs: Vec<Vec<prop::sample::Index>>,
    slow: Vec<u64>,
    fails: Option<prop::sample::Index>,
    faults: Vec<prop::sample::Index>,
    concurrency: usize,
    cut: Option<(u64, bool)>,
}

fn story() -> impl Strategy<Value = Story> {
    let needs = prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..=5);
    (
        needs,
        prop::collection::vec(1u64..200, 5),
        prop::option::of(any::<prop::sample::Index>()),
        prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        1usize..4,
        prop::option::of((1u64..40, any::<bool>())),
    )
        .prop_map(|(needs, slow, fails, faults, concurrency, cut)| Story {
            needs,
            slow,
            fails,
            faults,
            concurrency,
            cut,
        })
}

async fn told(story: &Story) -> Result<(), TestCaseError> {
    let mut parts: Vec<Part> = Vec::new();
    let mut wanted: Vec<BTreeSet<usize>> = Vec::new();
    for (index, needs) in story.needs.iter().enumerate() {
        let before: BTreeSet<usize> =
            needs.iter().filter(|_| index > 0).map(|need| need.index(index)).collect();
        let names: Vec<&'static str> = before.iter().map(|need| NAMES[*need]).collect();
        parts.push(part(NAMES[index], &names, "one"));
        wanted.push(before);
    }
    let failing = story.fails.map(|fails| fails.index(parts.len()));
    let mut script = String::new();
    for (index, _) in parts.iter().enumerate() {
        let name = NAMES[index];
        match failing {
            Some(failing) if failing == index => {
                script.push_str(&format!("resource {name}/Topic create-fails \"no\"\n"));
            }
            _ => script.push_str(&format!("resource {name}/Topic slow {}s\n", story.slow[index])),
        }
    }
    for fault in &story.faults {
        script.push_str(HARMLESS[fault.index(HARMLESS.len())]);
        script.push('\n');
    }
    let mut case = Case::new(&script);
    case.options.concurrency = story.concurrency;
    let journal = Journal::in_memory_of(RUN, Default::default());
    if let Some((record, written)) = story.cut {
        journal.cut_at(record, written);
    }
    let assembly = case.assembly(&parts);
    let work = async {
        let plan = case.plan(Command::Deploy, &parts, &journal).await.ok()?;
        apply::run(&plan, &assembly, &case.options, case.runtime(), &journal).await.ok()
    };
    let report = tokio::select! {
        biased;
        () = journal.was_cut() => None,
        report = work => report,
    };
    let cut = tokio::select! {
        biased;
        () = journal.was_cut() => true,
        () = std::future::ready(()) => false,
    };
    let history = journal.history();
    // Cut after its very last record, the run has ended: nobody saw the report, and there is nothing to resume.
    let ended = history.summary(std::path::Path::new(RUN)).ended.is_some();
    let report = match report {
        Some(report) if !cut || ended => report,
        None if ended => return Ok(()),
        _ if history.plan().is_some() => {
            let resumed = Journal::in_memory_of(RUN, history);
            apply::resume(&resumed, Some(&assembly), None, &case.next_process()).await.unwrap()
        }
        _ => case.run_as("20260102-111111-bbbb", Command::Deploy, &parts).await,
    };
    let mut bad: BTreeSet<usize> = failing.into_iter().collect();
    for index in 0..parts.len() {
        let expected = if failing == Some(index) {
            StackOutcome::RolledBack
        } else if wanted[index].iter().any(|need| bad.contains(need)) {
            bad.insert(index);
            StackOutcome::Skipped
        } else {
            StackOutcome::Deployed
        };
        prop_assert_eq!(
            of(&report, NAMES[index]).outcome,
            expected,
            "{}: {:#?}\n{}",
            NAMES[index],
            report,
            script
        );
    }
    prop_assert_eq!(report.code, if failing.is_some() { 4 } else { 0 });
    let executed = parts.len() - bad.len() + usize::from(failing.is_some());
    prop_assert_eq!(case.effects("ExecuteChangeSet"), executed, "{}", script);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Fault 16, 17, 20, 45 and 69 together, in random orders.
    #[test]
    fn every_story_ends_as_its_stacks_allow(story in story()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(told(&story))?;
    }
}
