//! The run: starts what may start, waits for ends, and says what came of it all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use formwork_assembly::CloudAssembly;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::calls::callers;
use super::options::ApplyOptions;
use super::report::{Ending, RunReport, StackReport};
use super::schedule::{Phase, Schedule, Skip, Step, Verdict};
use super::step::Work;
use crate::control::Wish;
use crate::error::{Class, EngineError};
use crate::event::{StackOutcome, What};
use crate::follow::{Finished, Places, Watchers};
use crate::journal::{Journal, kept};
use crate::plan::critical_path::seconds_of_stacks;
use crate::plan::model::{Command, Operation, Plan};
use crate::runtime::Runtime;

/// What the loop waits for.
enum Happened {
    /// A step ended after a time.
    Ended(Step, Box<Ending>, Duration),
    /// The removal of what a step's update replaced ended.
    Cleaned(Step, Box<Finished>),
    /// What was made for a step that is not begun is taken back, or why it is not.
    Discarded(Step, Option<String>),
}

/// Carries a plan out, or goes on with a run that was cut off: what the journal holds already is not done again.
///
/// Nothing is approved or checked here: the plan is fresh and approved. It is written into the journal unless it stands
/// there.
///
/// # Errors
/// When the run cannot begin. What fails later is in the report, for other stacks may have gone well.
pub async fn run(
    plan: &Plan,
    assembly: &CloudAssembly,
    options: &ApplyOptions,
    runtime: &Runtime,
    journal: &Journal,
) -> Result<RunReport, EngineError> {
    carry_out(plan, Some(assembly), options, runtime, journal, command(plan)).await
}

/// The word for what a plan does.
fn command(plan: &Plan) -> &'static str {
    match plan.command {
        Command::Deploy => "deploy",
        Command::Destroy => "destroy",
    }
}

/// Carries a plan out from wherever the journal leaves off.
pub(super) async fn carry_out(
    plan: &Plan,
    assembly: Option<&CloudAssembly>,
    options: &ApplyOptions,
    runtime: &Runtime,
    journal: &Journal,
    word: &str,
) -> Result<RunReport, EngineError> {
    let started = runtime.clock.elapsed();
    let history = journal.history();
    if history.options().is_none() {
        let kept = serde_json::to_value(options).unwrap_or_default();
        journal.began(word, &plan.assembly, kept)?;
    }
    if history.plan().is_none() {
        let value = serde_json::to_value(plan).map_err(|error| {
            EngineError::new(Class::Input, format!("the plan cannot be written down: {error}"))
        })?;
        let stacks: Vec<&str> = plan.stacks.iter().map(|stack| stack.id.as_str()).collect();
        let files = match assembly.filter(|_| plan.command == Command::Deploy) {
            Some(assembly) => kept::keep(journal, assembly, &stacks)?,
            None => BTreeMap::new(),
        };
        journal.approved_with(value, &options.approved_by, callers(plan, runtime).await, files)?;
    }
    let artifacts = assembly.and_then(|assembly| assembly.stacks().ok()).unwrap_or_default();
    let places = plan.stacks.iter().map(|stack| {
        let artifact = artifacts.iter().find(|artifact| artifact.id == stack.id);
        Arc::new(artifact.zip(assembly).map(|(it, assembly)| Places::of(assembly, it)).unwrap_or_default())
    });
    let work = Work {
        plan,
        assembly,
        options,
        runtime,
        journal,
        watchers: Watchers::new(runtime),
        history,
        running: Mutex::default(),
        places: places.collect(),
        estimates: seconds_of_stacks(plan, assembly),
    };
    let mut schedule =
        Schedule::of(plan, options.concurrency, options.fail_fast, |stack| work.estimate(stack))?;
    runtime.tell(What::RunStarted {
        // A plan that was written down was made by another run; what goes on is found by this one's journal.
        run: journal.run().to_owned(),
        command: word.to_owned(),
        stacks: plan.stacks.iter().map(|stack| stack.name.clone()).collect(),
    });
    // In a box, as this future would otherwise lie on the stack of whoever runs the run.
    let reports = Box::pin(work.run(&mut schedule)).await;
    let report = work.finish(reports, runtime.clock.elapsed().saturating_sub(started)).await;
    runtime.tell(What::RunFinished { code: report.code, seconds: report.seconds });
    Ok(report)
}

impl<'r> Work<'r> {
    async fn run(&self, schedule: &mut Schedule) -> BTreeMap<usize, StackReport> {
        let mut reports = BTreeMap::new();
        let mut running: FuturesUnordered<BoxFuture<'_, Happened>> = FuturesUnordered::new();
        let control = &self.runtime.control;
        let mut stopping = false;
        let mut cancelled = false;
        loop {
            for step in schedule.start() {
                running.push(Box::pin(self.step(step)));
            }
            tokio::select! {
                biased;
                // First, because the watchers end as soon as they hear of it, and nothing may start in their place.
                () = control.reached(Wish::Detach), if !stopping => {
                    stopping = true;
                    let skipped = schedule.stop();
                    self.skip(skipped, &mut reports);
                }
                () = control.reached(Wish::Cancel), if !cancelled => {
                    cancelled = true;
                    self.cancel_running().await;
                }
                happened = running.next() => match happened {
                    Some(Happened::Ended(step, ending, time)) => {
                        let skipped = self.ended(schedule, step, &ending, time, &mut reports);
                        // Others go on meanwhile: their next steps do not wait for it.
                        for step in self.skip(skipped, &mut reports) {
                            running.push(Box::pin(self.discard(step)));
                        }
                        if let Some(cleanup) = ending.cleanup {
                            running.push(Box::pin(async move {
                                Happened::Cleaned(step, Box::new(cleanup.finished().await))
                            }));
                        }
                    }
                    Some(Happened::Cleaned(step, finished)) => self.cleaned(step, *finished, &mut reports),
                    Some(Happened::Discarded(step, why)) => self.discarded(step, why, &mut reports),
                    None => break,
                },
            }
        }
        if !cancelled && stopping && self.can_cancel() {
            let grace = self.options.cancel_grace;
            if self.runtime.clock.timeout(grace, control.reached(Wish::Cancel)).await.is_some() {
                self.cancel_running().await;
            }
        }
        reports
    }

    /// A step to its end.
    async fn step(&self, step: Step) -> Happened {
        let started = self.runtime.clock.elapsed();
        let result = match self.plan.command {
            Command::Deploy => self.deploy(step).await,
            Command::Destroy => self.destroy(step).await,
        };
        let ending = result.unwrap_or_else(Ending::error);
        Happened::Ended(step, Box::new(ending), self.runtime.clock.elapsed().saturating_sub(started))
    }

    fn ended(
        &self,
        schedule: &mut Schedule,
        step: Step,
        ending: &Ending,
        time: Duration,
        reports: &mut BTreeMap<usize, StackReport>,
    ) -> Vec<Skip> {
        let stack = self.stack(step);
        let before: f64 = reports.get(&step.stack).map_or(0.0, |report| report.seconds);
        let seconds = before + time.as_secs_f64();
        let second_comes = stack.first_phase.as_ref().is_some_and(|phases| phases.held_by.is_empty());
        let last = step.phase == Phase::Second || !second_comes || !ending.is_fine();
        self.tell_end(step, ending, seconds, last);
        let mut report = ending.report(&stack.id, &stack.name, &stack.environment, seconds);
        if let Some(first) = reports.remove(&step.stack) {
            report.warnings.splice(0..0, first.warnings);
            // A second phase with nothing to do does not undo what the first did.
            if report.outcome == StackOutcome::Unchanged {
                report.outcome = first.outcome;
            }
        }
        reports.insert(step.stack, report);
        schedule.ended(step, if ending.is_fine() { Verdict::Fine } else { Verdict::Failed })
    }

    /// Reports stacks that are not begun, and says of which of them what was made for them is to be taken back.
    fn skip(&self, skipped: Vec<Skip>, reports: &mut BTreeMap<usize, StackReport>) -> Vec<Step> {
        let mut made = Vec::new();
        for (step, cause) in skipped {
            let stack = self.stack(step);
            let mut ending = Ending::new(StackOutcome::Skipped);
            let detached = cause.is_none()
                || cause
                    .and_then(|cause| reports.get(&cause))
                    .is_some_and(|it| it.outcome == StackOutcome::Detached);
            ending.message = Some(match cause {
                Some(cause) => {
                    format!("not started, because stack {} did not go well", self.plan.stacks[cause].name)
                }
                None => "not started, because the run was asked to stop".to_owned(),
            });
            if detached {
                // The run is not over for it: `resume` starts it.
                ending.class = Some(Class::Detached);
            } else if step.phase == Phase::First && stack.change_set.is_some() {
                made.push(step);
            }
            if step.phase == Phase::Second {
                if let Some(report) = reports.get_mut(&step.stack) {
                    report
                        .warnings
                        .extend(ending.message.map(|why| format!("exports are kept for now: {why}")));
                    report.code =
                        RunReport::worst_code(report.code, ending.class.map_or(0, Class::exit_code));
                }
                continue;
            }
            self.tell_end(step, &ending, 0.0, true);
            reports.insert(step.stack, ending.report(&stack.id, &stack.name, &stack.environment, 0.0));
        }
        made
    }

    /// Takes back what was made for a step that is not begun.
    async fn discard(&self, step: Step) -> Happened {
        let stack = self.stack(step);
        let done = match self.session(stack).await {
            Ok(session) => super::discard::discard_stack(stack, &session, self.journal).await,
            Err(error) => Err(error),
        };
        Happened::Discarded(step, done.err().map(|error| error.message))
    }

    fn discarded(&self, step: Step, why: Option<String>, reports: &mut BTreeMap<usize, StackReport>) {
        let Some(why) = why else { return };
        let message = format!("its change set is left: {why}");
        let hint = Some("`formwork gc` deletes it once it is old enough".to_owned());
        self.runtime.tell_of(self.stack(step), What::Warning { message: message.clone(), hint });
        if let Some(report) = reports.get_mut(&step.stack) {
            report.warnings.push(message);
        }
    }

    fn cleaned(&self, step: Step, finished: Finished, reports: &mut BTreeMap<usize, StackReport>) {
        let Some(report) = reports.get_mut(&step.stack) else { return };
        let stack = self.stack(step);
        for message in finished.warnings {
            self.runtime.tell_of(stack, What::Warning { message: message.clone(), hint: None });
            report.warnings.push(message);
        }
        if let Some(reason) = finished.detached {
            report
                .warnings
                .push(format!("the removal of what was replaced goes on, nobody watches: {reason}"));
        } else {
            report.status = Some(finished.status);
        }
    }

    async fn finish(&self, mut reports: BTreeMap<usize, StackReport>, time: Duration) -> RunReport {
        let wish = self.runtime.control.wish();
        for (index, stack) in self.plan.stacks.iter().enumerate() {
            reports.entry(index).or_insert_with(|| {
                let outcome = if stack.operation == Operation::Nothing {
                    StackOutcome::Unchanged
                } else {
                    StackOutcome::Skipped
                };
                Ending::new(outcome).report(&stack.id, &stack.name, &stack.environment, 0.0)
            });
        }
        let stacks: Vec<StackReport> = reports.into_values().collect();
        super::kept_outputs::keep(&stacks, self.assembly, self.journal);
        let mut code = RunReport::worst(&stacks);
        let mut detached = stacks
            .iter()
            .find(|stack| stack.code == Class::Detached.exit_code())
            .map(|stack| stack.message.clone().unwrap_or_else(|| "nobody watches".to_owned()));
        match wish {
            Wish::Continue => {}
            Wish::Detach if code == Class::Detached.exit_code() => {
                detached = Some("the run was asked to detach".to_owned());
            }
            Wish::Detach => {}
            Wish::Cancel => {
                code = Class::Interrupted.exit_code();
                detached = Some("the run was interrupted".to_owned());
            }
        }
        match &detached {
            Some(reason) => {
                self.journal.detached(reason);
                self.runtime.tell(What::Detached { reason: reason.clone() });
            }
            None => self.journal.ended(code),
        }
        RunReport { run: self.journal.run().to_owned(), stacks, seconds: time.as_secs_f64(), detached, code }
    }
}
