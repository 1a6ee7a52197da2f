//! Runs the tasks of a phase: each begins when what it waits for has ended well.

use std::collections::BTreeMap;

use super::super::state::StackKey;
use super::{Engine, Job, Phase, Step, Task, TaskState};

impl Task {
    pub(super) fn new(logical_id: &str, job: Job) -> Self {
        Self {
            logical_id: logical_id.to_owned(),
            job,
            state: TaskState::Waiting,
            waits: 0,
            needed_by: Vec::new(),
            outcome: None,
            verb: "CREATE",
            failure: None,
        }
    }
}

impl Engine<'_> {
    /// Gives the phase its tasks and begins those that wait for nothing. An edge goes from a task to one that it waits for.
    pub(super) fn run(&mut self, key: StackKey, mut tasks: Vec<Task>, edges: &[(usize, usize)]) {
        for (from, to) in edges {
            tasks[*from].waits += 1;
            tasks[*to].needed_by.push(*from);
        }
        let ready: Vec<usize> = (0..tasks.len()).filter(|index| tasks[*index].waits == 0).collect();
        let operation = self.operation(key);
        operation.open = tasks.len();
        operation.tasks = tasks;
        operation.failed.clear();
        if ready.is_empty() {
            return self.close_phase(key);
        }
        self.start(key, ready);
    }

    /// Starts tasks, and those that become ready because a task needs no time.
    pub(super) fn start(&mut self, key: StackKey, ready: Vec<usize>) {
        let serial = self.operation(key).serial;
        let mut ready = std::collections::VecDeque::from(ready);
        while let Some(index) = ready.pop_front() {
            let task = &mut self.operation(key).tasks[index];
            if task.state != TaskState::Waiting {
                continue;
            }
            task.state = TaskState::Running;
            let at_once = self.start_task(key, index);
            // A failure may have ended the phase.
            if !self.is_current(key, serial) {
                return;
            }
            if at_once {
                ready.extend(self.mark_done(key, index));
            }
        }
        self.close_if_over(key);
    }

    pub(super) fn is_current(&self, key: StackKey, serial: u64) -> bool {
        self.world.stacks[key].operation.as_ref().is_some_and(|operation| operation.serial == serial)
    }

    /// Marks a task as done and gives those that wait for nothing any more.
    pub(super) fn mark_done(&mut self, key: StackKey, index: usize) -> Vec<usize> {
        let operation = self.operation(key);
        operation.tasks[index].state = TaskState::Done;
        operation.open -= 1;
        let followers = std::mem::take(&mut operation.tasks[index].needed_by);
        let mut ready = Vec::new();
        for &follower in &followers {
            let task = &mut operation.tasks[follower];
            task.waits -= 1;
            if task.waits == 0 && task.state == TaskState::Waiting {
                ready.push(follower);
            }
        }
        ready
    }

    /// A task has ended well.
    pub(super) fn succeed(&mut self, key: StackKey, index: usize) {
        let ready = self.mark_done(key, index);
        self.start(key, ready);
    }

    /// A task has failed: what waits for it will never begin.
    pub(super) fn mark_failed(&mut self, key: StackKey, index: usize) {
        let operation = self.operation(key);
        let task = &mut operation.tasks[index];
        task.state = TaskState::Failed;
        operation.open -= 1;
        let failure = (operation.tasks[index].verb, operation.tasks[index].logical_id.clone());
        operation.failed.push(failure);
        let mut open = operation.tasks[index].needed_by.clone();
        while let Some(next) = open.pop() {
            let task = &mut operation.tasks[next];
            if task.state == TaskState::Waiting {
                task.state = TaskState::Blocked;
                operation.open -= 1;
                open.extend(operation.tasks[next].needed_by.clone());
            }
        }
    }

    /// Stops everything that waits or runs, because the phase has failed.
    pub(super) fn cancel_rest(&mut self, key: StackKey) {
        let count = self.operation(key).tasks.len();
        for index in 0..count {
            match self.operation(key).tasks[index].state {
                TaskState::Waiting => {
                    let operation = self.operation(key);
                    operation.tasks[index].state = TaskState::Blocked;
                    operation.open -= 1;
                }
                TaskState::Running => self.cancel_task(key, index),
                _ => {}
            }
        }
    }

    pub(super) fn close_if_over(&mut self, key: StackKey) {
        if self.world.stacks[key].operation.as_ref().is_some_and(|operation| operation.open == 0) {
            self.close_phase(key);
        }
    }

    /// Has the phase end a moment later.
    pub(super) fn close_phase(&mut self, key: StackKey) {
        let wait = self.brief(1) + self.monitoring(key);
        let operation = self.operation(key);
        let serial = operation.serial;
        self.after(wait, Step::End { stack: key, serial });
    }

    /// How long alarms are watched before the operation counts as done.
    fn monitoring(&mut self, key: StackKey) -> std::time::Duration {
        let operation = self.operation(key);
        let watched =
            operation.phase == Phase::Apply && operation.failed.is_empty() && operation.reason.is_none();
        let minutes = if watched { self.target(key).rollback.minutes.unwrap_or_default() } else { 0 };
        self.brief(u64::from(minutes) * 60)
    }

    /// The edges among tasks by the names that each needs, or the other way round for deletions.
    pub(super) fn edges<'t>(
        tasks: &'t [Task],
        needs: impl Fn(&'t Task) -> Vec<&'t str>,
        reversed: bool,
    ) -> Vec<(usize, usize)> {
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, task) in tasks.iter().enumerate() {
            places.entry(&task.logical_id).or_default().push(index);
        }
        let mut edges = Vec::new();
        for (index, task) in tasks.iter().enumerate() {
            for needed in needs(task) {
                for &other in places.get(needed).into_iter().flatten().filter(|other| **other != index) {
                    edges.push(if reversed { (other, index) } else { (index, other) });
                }
            }
        }
        edges
    }
}
