//! Which step of a run may start: the graph of the stacks, and what has become of each.
//!
//! Pure: no time, no call. A step starts once all that it needs went well; a failure takes with it what needs it, and
//! nothing else.

use formwork_assembly::Graph;

use crate::error::{Class, EngineError};
use crate::plan::model::Plan;

/// A step of a run: a stack, or the second phase of one whose exports were kept at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Step {
    /// The stack's place in the plan.
    pub(super) stack: usize,
    /// Which phase.
    pub(super) phase: Phase,
}

/// The phases of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Phase {
    /// The one there is, or the first of two.
    First,
    /// The one in which kept exports go.
    Second,
}

/// How a step ended, as far as others care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// What needs it may start.
    Fine,
    /// What needs it never starts.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Ended(Verdict),
    Skipped,
}

/// The state of a run's steps.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    steps: Vec<Step>,
    needs: Vec<Vec<usize>>,
    needed_by: Vec<Vec<usize>>,
    /// The length of the longest way from the step to the end, in seconds as estimated.
    remaining: Vec<u64>,
    states: Vec<State>,
    concurrency: usize,
    fail_fast: bool,
    stopped: bool,
}

/// A step that will not start, and the stack whose end is the reason; none when the run was stopped.
pub(super) type Skip = (Step, Option<usize>);

impl Schedule {
    /// The steps of a plan. `seconds` estimates how long a stack takes: among steps that may start, the one on the
    /// longest way to the end comes first.
    ///
    /// # Errors
    /// When stacks need each other in a circle, which only a changed plan file can say.
    pub(super) fn of(
        plan: &Plan,
        concurrency: usize,
        fail_fast: bool,
        seconds: impl Fn(usize) -> u64,
    ) -> Result<Self, EngineError> {
        let stack_of = |id: &String| plan.stacks.iter().position(|stack| stack.id == *id);
        let mut graph = Graph::new();
        for (index, stack) in plan.stacks.iter().enumerate() {
            let first = Step { stack: index, phase: Phase::First };
            graph.add_node(first);
            for need in stack.needs.iter().filter_map(stack_of) {
                graph.add_edge(first, Step { stack: need, phase: Phase::First }, ());
            }
            let Some(phases) = stack.first_phase.as_ref().filter(|phases| phases.held_by.is_empty()) else {
                continue;
            };
            let second = Step { stack: index, phase: Phase::Second };
            graph.add_edge(second, first, ());
            for importer in phases.then_after.iter().filter_map(stack_of) {
                graph.add_edge(second, Step { stack: importer, phase: Phase::First }, ());
            }
        }
        let order: Vec<Step> = match graph.order() {
            Ok(order) => order.into_iter().copied().collect(),
            Err(_) => {
                return Err(EngineError::new(Class::Input, "the plan's stacks need each other in a circle")
                    .with_hint("make a new plan"));
            }
        };
        let place = |step: &Step| order.iter().position(|other| other == step);
        let needs: Vec<Vec<usize>> = order
            .iter()
            .map(|step| graph.needs(step).filter_map(|(need, ())| place(need)).collect())
            .collect();
        let mut needed_by = vec![Vec::new(); order.len()];
        for (index, needs) in needs.iter().enumerate() {
            needs.iter().for_each(|need: &usize| needed_by[*need].push(index));
        }
        let mut remaining = vec![0; order.len()];
        for index in (0..order.len()).rev() {
            let after = needed_by[index].iter().map(|later: &usize| remaining[*later]).max().unwrap_or(0);
            remaining[index] = after + seconds(order[index].stack);
        }
        let states = vec![State::Waiting; order.len()];
        let concurrency = concurrency.max(1);
        Ok(Self { steps: order, needs, needed_by, remaining, states, concurrency, fail_fast, stopped: false })
    }

    /// Takes the steps that start now.
    pub(super) fn start(&mut self) -> Vec<Step> {
        let running = self.states.iter().filter(|state| **state == State::Running).count();
        let room = self.concurrency.saturating_sub(running);
        if self.stopped || room == 0 {
            return Vec::new();
        }
        let fine = |need: &usize| self.states[*need] == State::Ended(Verdict::Fine);
        let mut ready: Vec<usize> = (0..self.steps.len())
            .filter(|index| self.states[*index] == State::Waiting && self.needs[*index].iter().all(fine))
            .collect();
        ready.sort_by_key(|index| std::cmp::Reverse(self.remaining[*index]));
        ready.truncate(room);
        for index in &ready {
            self.states[*index] = State::Running;
        }
        ready.into_iter().map(|index| self.steps[index]).collect()
    }

    /// Takes note of a step's end; the steps that therefore never start.
    pub(super) fn ended(&mut self, step: Step, verdict: Verdict) -> Vec<Skip> {
        let Some(index) = self.steps.iter().position(|other| *other == step) else { return Vec::new() };
        self.states[index] = State::Ended(verdict);
        if verdict == Verdict::Fine {
            return Vec::new();
        }
        let mut skipped = Vec::new();
        let mut failed = vec![index];
        while let Some(cause) = failed.pop() {
            for later in self.needed_by[cause].clone() {
                if self.states[later] == State::Waiting {
                    self.states[later] = State::Skipped;
                    skipped.push((self.steps[later], Some(step.stack)));
                    failed.push(later);
                }
            }
        }
        if self.fail_fast {
            skipped.extend(self.stop().into_iter().map(|(other, _)| (other, Some(step.stack))));
        }
        skipped
    }

    /// Starts nothing more; the steps that therefore never start.
    pub(super) fn stop(&mut self) -> Vec<Skip> {
        self.stopped = true;
        let mut skipped = Vec::new();
        for (step, state) in self.steps.iter().zip(&mut self.states) {
            if *state == State::Waiting {
                *state = State::Skipped;
                skipped.push((*step, None));
            }
        }
        skipped
    }
}
