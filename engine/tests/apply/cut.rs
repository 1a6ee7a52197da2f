//! The process ends at every record of its journal, before and after the call that the record is about. Resuming leads
//! to the state of a run that was never cut, and no call has taken effect twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use formwork_engine::apply;
use formwork_engine::aws::cloudformation::StackStatus;
use formwork_engine::journal::{Journal, Record};
use formwork_engine::plan::Command;

use crate::case::{Case, Part, RUN, four, part};

/// What an account holds, as far as two runs can be compared: by stack its status, outputs, tags and template.
async fn state(case: &Case) -> BTreeMap<String, (StackStatus, Vec<String>, Vec<String>, Option<String>)> {
    let session = case.session().await;
    let client = session.cloudformation();
    let mut state = BTreeMap::new();
    for summary in client.list_stacks(StackStatus::ALL).await.unwrap() {
        if summary.status == StackStatus::DeleteComplete {
            continue;
        }
        let Some(stack) = client.stack(&summary.id).await.unwrap() else { continue };
        let template = client.template(&summary.id).await.unwrap();
        let outputs = stack.outputs.keys().cloned().collect();
        let tags = stack.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        state.insert(summary.name, (stack.status, outputs, tags, template));
    }
    state
}

/// What took effect: the calls that begin an operation, each with its token.
fn operations(case: &Case) -> usize {
    ["ExecuteChangeSet", "DeleteStack", "UpdateTerminationProtection"].iter().map(|it| case.effects(it)).sum()
}

/// The tokens that were sent, by operation: a repetition sends none of its own.
fn tokens(case: &Case) -> BTreeMap<String, usize> {
    let simulator = case.account.simulator();
    let mut tokens: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in simulator.log().entries() {
        let counts =
            ["CreateChangeSet", "ExecuteChangeSet", "DeleteStack"].contains(&entry.operation.as_str());
        if let (true, Some(token)) = (counts, &entry.token) {
            tokens.entry(entry.operation.clone()).or_default().insert(token.clone());
        }
    }
    tokens.into_iter().map(|(operation, tokens)| (operation, tokens.len())).collect()
}

struct Scenario {
    script: &'static str,
    before: Vec<Part>,
    command: Command,
    parts: Vec<Part>,
}

impl Scenario {
    async fn account(&self) -> Case {
        let case = Case::new(self.script);
        if !self.before.is_empty() {
            let report = case.run_as("20260101-000000-aaaa", Command::Deploy, &self.before).await;
            assert_eq!(report.code, 0, "{report:#?}");
        }
        case
    }

    async fn run(&self, case: &Case, journal: &Journal) -> Option<u8> {
        let runtime = case.next_process();
        let work = async {
            let plan = case.plan(self.command, &self.parts, journal).await.ok()?;
            let assembly = case.assembly(&self.parts);
            let report = apply::run(&plan, &assembly, &case.options, &runtime, journal).await.ok()?;
            Some(report.code)
        };
        tokio::select! {
            biased;
            () = journal.was_cut() => None,
            code = work => code,
        }
    }

    /// Cuts the run at every record, and resumes it.
    async fn sweep(&self) {
        let whole = self.account().await;
        let journal = Journal::in_memory_of(RUN, Default::default());
        let code = self.run(&whole, &journal).await.unwrap();
        let (expected, effects, sent) = (state(&whole).await, operations(&whole), tokens(&whole));
        let history = journal.history();
        let records = history.lines.len() as u64;
        assert!(records > 4);
        // Planning is cut where everything is new; elsewhere the cuts begin with the approval.
        let approved = history.lines.iter().position(|line| matches!(line.record, Record::Approved { .. }));
        let first = if self.before.is_empty() { 1 } else { approved.unwrap() as u64 + 1 };
        // The process ends before the call of a record, or after it: then the next record is missing.
        let before = (first..=records).map(|record| (record, true));
        let calls = history
            .lines
            .iter()
            .filter(|line| line.sequence >= first && matches!(line.record, Record::Intent { .. }));
        let after: Vec<(u64, bool)> = calls.map(|line| (line.sequence + 1, false)).collect();
        for (record, written) in before.chain(after) {
            let at = format!("cut at record {record} of {records}, written: {written}");
            let case = self.account().await;
            let journal = Journal::in_memory_of(RUN, Default::default());
            journal.cut_at(record, written);
            self.run(&case, &journal).await;
            let history = journal.history();
            let resumed = Journal::in_memory_of(RUN, history.clone());
            if history.plan().is_none() {
                // Nothing was approved yet: there is nothing to resume, and the next run starts anew.
                let report = case.run_as("20260102-111111-bbbb", self.command, &self.parts).await;
                assert_eq!(report.code, code, "{at}: {report:#?}");
                assert_eq!(state(&case).await, expected, "{at}");
                continue;
            }
            let assembly = case.assembly(&self.parts);
            let ended = history.summary("run".as_ref()).ended.is_some();
            if !ended {
                let runtime = case.next_process();
                let report = apply::resume(&resumed, Some(&assembly), None, &runtime).await.unwrap();
                assert_eq!(report.code, code, "{at}: {report:#?}\n{history:#?}");
            }
            // CloudFormation clears away what an update replaced, whether somebody waits for it or not.
            tokio::time::sleep(Duration::from_secs(600)).await;
            assert_eq!(state(&case).await, expected, "{at}");
            assert_eq!(operations(&case), effects, "{at}: {history:#?}");
            assert_eq!(tokens(&case), sent, "{at}: {history:#?}");
        }
    }
}

/// Fault 69: four stacks are made.
#[tokio::test(start_paused = true)]
async fn a_creation_cut_anywhere_ends_as_if_it_had_not_been() {
    Scenario { script: "", before: Vec::new(), command: Command::Deploy, parts: four("one") }.sweep().await;
}

/// Fault 69: two stacks are changed, one of which fails and is rolled back.
#[tokio::test(start_paused = true)]
async fn an_update_cut_anywhere_ends_as_if_it_had_not_been() {
    let script = "resource proxy/Topic update-fails \"no\"";
    let parts = |text| vec![part("net", &[], text), part("proxy", &["net"], text)];
    Scenario { script, before: parts("one"), command: Command::Deploy, parts: parts("two") }.sweep().await;
}

/// Fault 69: an export goes in two phases.
#[tokio::test(start_paused = true)]
async fn two_phases_cut_anywhere_end_as_if_they_had_not_been() {
    let before = vec![part("net", &[], "one"), part("app", &["net"], "one")];
    let mut net = part("net", &[], "one");
    net.template["Outputs"] = serde_json::json!({"Other": {"Value": "x"}});
    let mut app = part("app", &[], "one");
    app.needs = vec!["net"];
    Scenario { script: "", before, command: Command::Deploy, parts: vec![net, app] }.sweep().await;
}

/// Fault 69: two stacks are deleted.
#[tokio::test(start_paused = true)]
async fn a_destruction_cut_anywhere_ends_as_if_it_had_not_been() {
    let parts = || vec![part("net", &[], "one"), part("app", &["net"], "one")];
    Scenario { script: "", before: parts(), command: Command::Destroy, parts: parts() }.sweep().await;
}

/// Fault 69: the repetition after a role was not known everywhere.
#[tokio::test(start_paused = true)]
async fn a_repeated_creation_cut_anywhere_ends_as_if_it_had_not_been() {
    let script =
        "resource net/Topic#1 fail \"The role defined for the function cannot be assumed by Lambda.\"";
    Scenario { script, before: Vec::new(), command: Command::Deploy, parts: vec![part("net", &[], "one")] }
        .sweep()
        .await;
}

/// Fault 69 and 70, on disk: the power goes, the last line is torn, and another process opens the journal.
#[tokio::test(start_paused = true)]
async fn a_run_is_resumed_from_a_torn_file() {
    let parts = vec![part("net", &[], "one"), part("app", &["net"], "one")];
    let scenario = Scenario { script: "", before: Vec::new(), command: Command::Deploy, parts };
    for record in [7, 9, 12] {
        let case = scenario.account().await;
        let directory = case.directory.path().join("journal");
        let journal = Journal::create(&directory, RUN).unwrap();
        journal.cut_at(record, true);
        scenario.run(&case, &journal).await;
        let path = journal.path().unwrap().to_owned();
        let refused = Journal::open(&directory, RUN).unwrap_err();
        assert!(refused.message.contains("another process"), "{}", refused.message);
        drop(journal);
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(b"{\"sequence\":");
        std::fs::write(&path, text).unwrap();

        assert_eq!(formwork_engine::journal::latest(&directory).unwrap().run, RUN);
        let resumed = Journal::open(&directory, RUN).unwrap();
        let assembly = case.assembly(&scenario.parts);
        let report = apply::resume(&resumed, Some(&assembly), None, &case.next_process()).await.unwrap();
        assert_eq!(report.code, 0, "{record}: {report:#?}");
        assert_eq!(case.effects("ExecuteChangeSet"), 2, "{record}");
        assert!(formwork_engine::journal::latest(&directory).is_none());
    }
}

/// Fault 75: the clock of the machine jumped; what a journal says of times decides nothing.
#[tokio::test(start_paused = true)]
async fn a_journal_with_wrong_times_is_resumed_all_the_same() {
    let scenario = Scenario {
        script: "",
        before: Vec::new(),
        command: Command::Deploy,
        parts: vec![part("net", &[], "one")],
    };
    for time in ["1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
        let case = scenario.account().await;
        let journal = Journal::in_memory_of(RUN, Default::default());
        journal.cut_at(8, true);
        scenario.run(&case, &journal).await;
        let mut history = journal.history();
        history.lines.iter_mut().for_each(|line| line.time = time.parse().unwrap());
        let resumed = Journal::in_memory_of(RUN, history);
        let assembly = case.assembly(&scenario.parts);
        let report = apply::resume(&resumed, Some(&assembly), None, &case.next_process()).await.unwrap();
        assert_eq!(report.code, 0, "{report:#?}");
        assert_eq!(case.effects("ExecuteChangeSet"), 1);
    }
}
