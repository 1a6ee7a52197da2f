//! Events on a terminal: a line for each stack at work that changes in place, and what stays above it.
//!
//! The lines at work are one piece to indicatif, which moves the cursor; what stays is broken to the terminal's width
//! here, because what the terminal breaks by itself cannot be cleared again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use formwork_engine::event::{StackOutcome, What};
use formwork_engine::plan::Environment;
use formwork_engine::{Clock, Event};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::super::labels::Labels;
use super::row::{Row, columns, keep_end};
use super::words;
use crate::wrapping::wrapped;

/// How often the lines are drawn anew while nothing happens.
const TICK: Duration = Duration::from_millis(100);
/// A sign that something happens, in signs that every terminal has.
const SIGNS: [char; 4] = ['|', '/', '-', '\\'];
/// The columns of the sign and of the blank behind it.
const SIGN: usize = 2;
/// No more lines than these change in place: nobody reads more.
const MOST_LINES: usize = 24;

/// Whether a terminal looks on that can change lines in place. In a pipeline it would be kept as a log.
pub(super) fn is_possible() -> bool {
    is_possible_when_asked_for() && std::env::var_os("CI").is_none_or(|value| value.is_empty())
}

/// Whether a terminal looks on that can change lines in place at all.
pub(super) fn is_possible_when_asked_for() -> bool {
    let is_dumb = if cfg!(windows) {
        std::env::var_os("TERM").is_some_and(|term| term == "dumb")
    } else {
        std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
    };
    io::stderr().is_terminal() && !is_dumb
}

/// What is at work. Stacks come before assets, which are kept by their ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Stack(String, Option<Environment>),
    Asset(String),
}

impl Subject {
    fn name(&self, labels: &Labels) -> String {
        match self {
            Self::Stack(name, environment) => labels.label(name, environment.as_ref()),
            Self::Asset(id) => id.clone(),
        }
    }
}

/// The live form. It draws until it is dropped.
pub(super) struct Live(Arc<Mutex<Board>>);

struct Board {
    clock: Clock,
    rows: BTreeMap<Subject, Row>,
    /// The stacks whose end was told. What comes later is the removal of what was replaced, and has no end.
    ended: BTreeSet<Subject>,
    bar: Option<ProgressBar>,
    turn: usize,
    colour: bool,
    labels: Labels,
}

impl Live {
    /// Nothing is at work yet.
    pub(super) fn new(clock: Clock) -> Self {
        let colour = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        let board = Board {
            clock,
            rows: BTreeMap::new(),
            ended: BTreeSet::new(),
            bar: None,
            turn: 0,
            colour,
            labels: Labels::default(),
        };
        let board = Arc::new(Mutex::new(board));
        let weak = Arc::downgrade(&board);
        // Not a task of the event loop: planning and uploads may keep that busy for longer than a tick.
        thread::spawn(move || tick(&weak));
        Self(board)
    }

    /// Shows an event.
    pub(super) fn show(&self, event: &Event, labels: &Labels) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.labels.clone_from(labels);
        board.show(event);
    }

    /// Takes away what is at work: whoever writes next finds an empty line.
    pub(super) fn rest(&self) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.rows.clear();
        board.draw();
    }
}

fn tick(board: &Weak<Mutex<Board>>) {
    loop {
        thread::sleep(TICK);
        let Some(board) = board.upgrade() else { return };
        let mut board = board.lock().unwrap_or_else(PoisonError::into_inner);
        board.turn = board.turn.wrapping_add(1);
        board.draw();
    }
}

impl Board {
    fn show(&mut self, event: &Event) {
        let stays = self.take(event);
        self.draw();
        if stays && let Some(text) = words::text(event) {
            self.keep(event, &text);
        }
    }

    /// Takes an event in; whether it is to stay on the screen.
    fn take(&mut self, event: &Event) -> bool {
        let stack = Subject::Stack(event.stack.clone().unwrap_or_default(), event.environment.clone());
        let asset = |id: &str| Subject::Asset(format!("asset {}", words::short(id)));
        match &event.what {
            What::StackPlanning => self.put(stack, Row::new("planning", event.time)),
            What::StackPlanned { .. } => self.end(&stack),
            What::StackWaiting { reason } => {
                let since = self.since(&stack, event.time);
                self.put(stack, Row::new("waits", since).because(format!("for {reason}")))
            }
            What::StackStarted { operation, resources, typical_seconds } => {
                let typical = typical_seconds.map(Duration::from_secs);
                self.put(stack, Row::new(operation, event.time).expecting(*resources, typical))
            }
            What::Resource(resource) => {
                // Whoever follows a run of somebody else is not told its start.
                let mut late = Row::new("", event.time);
                let row = if self.ended.contains(&stack) {
                    &mut late
                } else {
                    self.rows.entry(stack).or_insert_with(|| Row::new("at work", event.time))
                };
                let is_news = row.take(resource, event.time);
                // What CloudFormation gives up because of another failure is not worth a line.
                let is_given_up =
                    resource.reason.as_deref().is_some_and(|reason| reason.contains("cancelled"));
                is_news && words::is_failed_status(&resource.status) && !is_given_up
            }
            What::StackFinished { .. } => {
                self.end(&stack);
                self.ended.insert(stack);
                true
            }
            What::AssetBuilding { asset: id, command } => {
                self.put(asset(id), Row::new("being made", event.time).because(format!("by {command}")))
            }
            What::AssetUploading { asset: id, bytes, sent } => {
                let since = self.since(&asset(id), event.time);
                let sent = format!("{} of {}", words::size(*sent), words::size(*bytes));
                self.put(asset(id), Row::new("uploading", since).because(sent))
            }
            What::AssetPresent { asset: id } => self.end(&asset(id)),
            What::AssetUploaded { asset: id, .. } => {
                self.end(&asset(id));
                true
            }
            What::RunFinished { .. } => {
                self.rows.clear();
                false
            }
            What::RunStarted { .. }
            | What::Identified { .. }
            | What::Diagnosed(_)
            | What::Throttled { .. }
            | What::Unreachable { .. }
            | What::Note { .. }
            | What::Warning { .. }
            | What::Detached { .. } => true,
        }
    }

    fn put(&mut self, subject: Subject, row: Row) -> bool {
        self.ended.remove(&subject);
        self.rows.insert(subject, row);
        false
    }

    fn end(&mut self, subject: &Subject) -> bool {
        self.rows.remove(subject);
        false
    }

    fn since(&self, subject: &Subject, otherwise: Timestamp) -> Timestamp {
        self.rows.get(subject).map_or(otherwise, Row::started)
    }

    /// Draws what is at work, or clears where it was.
    fn draw(&mut self) {
        if self.rows.is_empty() {
            if let Some(bar) = self.bar.take() {
                bar.finish_and_clear();
            }
            return;
        }
        let (width, height) = size();
        let text = self.text(width, height);
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.with_style(ProgressStyle::with_template("{msg}").expect("the template is well formed"))
        });
        bar.set_message(text);
    }

    /// The lines of what is at work.
    fn text(&self, width: usize, height: usize) -> String {
        let now = self.clock.now();
        let most = height.saturating_sub(2).clamp(1, MOST_LINES);
        let mut rows: Vec<(&Subject, &Row)> = self.rows.iter().collect();
        rows.sort_by_key(|(_, row)| (!row.is_at_work(), row.started()));
        let shown = if rows.len() > most { most - 1 } else { rows.len() };
        let hidden = rows.len() - shown;
        let shown: Vec<(String, &Row)> =
            rows[..shown].iter().map(|(subject, row)| (subject.name(&self.labels), *row)).collect();
        let column = shown.iter().map(|(name, _)| columns(name)).max().unwrap_or(0);
        let sign = SIGNS[self.turn % SIGNS.len()];
        let sign = self.paint(AnsiColor::Cyan.on_default(), &sign.to_string());
        let mut lines: Vec<String> = shown
            .iter()
            .map(|(name, row)| {
                let glance = row.glance(name, now);
                format!("{sign} {}", glance.line(width.saturating_sub(SIGN), column))
            })
            .collect();
        if hidden > 0 {
            lines.push(keep_end(&format!("  and {hidden} more"), width));
        }
        lines.join("\n")
    }

    /// Writes what stays, above what is at work.
    fn keep(&self, event: &Event, text: &str) {
        let (width, _) = size();
        let stack = self.labels.of_event(event).map(|stack| format!("{stack}  ")).unwrap_or_default();
        let mut lines = text.lines();
        let mut shown = wrapped(0, &format!("{stack}{}", lines.next().unwrap_or_default()), Some(width));
        for line in lines {
            shown.push_str(&wrapped(2, line, Some(width)));
        }
        for (word, style) in emphasis(event) {
            shown = shown.replacen(word, &self.paint(style, word), 1);
        }
        match &self.bar {
            Some(bar) => bar.println(shown.trim_end_matches('\n')),
            // Nothing is left to do when nobody reads; the run itself must not end by it.
            None => {
                let _ = io::stderr().lock().write_all(shown.as_bytes());
            }
        }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// The words of an event that are repeated by colour.
fn emphasis(event: &Event) -> Vec<(&'static str, Style)> {
    let hint = ("hint:", Style::new().bold());
    let bold = |color: AnsiColor| color.on_default().bold();
    match &event.what {
        What::StackFinished { outcome, .. } => match outcome {
            StackOutcome::Deployed => vec![("deployed", bold(AnsiColor::Green))],
            StackOutcome::Deleted => vec![("deleted", bold(AnsiColor::Green))],
            StackOutcome::RolledBack | StackOutcome::Failed => vec![("failed", bold(AnsiColor::Red))],
            StackOutcome::Unchanged | StackOutcome::Skipped | StackOutcome::Detached => Vec::new(),
        },
        What::Diagnosed(_) => vec![(" failed:", bold(AnsiColor::Red)), hint],
        What::Resource(_) => vec![("_FAILED", bold(AnsiColor::Red))],
        What::Warning { .. } => vec![("warning:", bold(AnsiColor::Yellow)), hint],
        _ => Vec::new(),
    }
}

/// The terminal's columns and rows; the usual ones where it does not say.
fn size() -> (usize, usize) {
    terminal_size::terminal_size_of(io::stderr())
        .map_or((80, 24), |(terminal_size::Width(columns), terminal_size::Height(rows))| {
            (columns.into(), rows.into())
        })
}
