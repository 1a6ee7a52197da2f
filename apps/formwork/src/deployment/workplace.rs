//! Where a run of the engine takes place: its runtime, its journal's directory, and what a signal means to it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use formwork_engine::aws::{ConnectOptions, Sessions, Transport};
use formwork_engine::journal::{EventLog, Journal, new_run_id};
use formwork_engine::lock::RunLock;
use formwork_engine::{Class, Clock, Control, EngineError, Event, Listener, Runtime, Wish};

use super::progress::Progress;
use super::prompt;
use crate::arguments::{ProgressForm, ProgressOptions};
use crate::console::Console;
use crate::failure::Failure;
use crate::interruption::{Answer, Answered};
use crate::settings::{Application, Settings};

/// The directory beside `formwork.toml` that keeps journals and locks.
const STATE_DIRECTORY: &str = ".formwork";

/// Where a run takes place.
pub(crate) struct Workplace {
    /// What the engine's parts share.
    pub(crate) engine: Runtime,
    /// The directory of journals and locks.
    pub(crate) state: PathBuf,
    told: Arc<Told>,
    tokio: tokio::runtime::Runtime,
    _signals: Answered,
}

impl Workplace {
    /// In an account of AWS, or in whatever the endpoint variables name.
    ///
    /// # Errors
    /// When the operating system gives no event loop.
    pub(crate) fn in_account(
        settings: &Settings,
        progress: &ProgressOptions,
        console: &Console,
    ) -> Result<Self, Failure> {
        let tokio = event_loop()?;
        let clock = tokio.block_on(async { Clock::real() });
        Ok(Self::over(tokio, clock, Transport::Network, settings, progress, console))
    }

    /// In an account that is simulated in this process.
    ///
    /// # Errors
    /// When the operating system gives no event loop.
    pub(crate) fn rehearsal(
        settings: &Settings,
        speed: f64,
        transport: impl FnOnce(Clock) -> Transport,
        progress: &ProgressOptions,
        console: &Console,
    ) -> Result<Self, Failure> {
        let tokio = event_loop()?;
        let clock = tokio.block_on(async { Clock::scaled(speed) });
        Ok(Self::over(tokio, clock, transport(clock), settings, progress, console))
    }

    fn over(
        tokio: tokio::runtime::Runtime,
        clock: Clock,
        transport: Transport,
        settings: &Settings,
        progress: &ProgressOptions,
        console: &Console,
    ) -> Self {
        if progress.progress == Some(ProgressForm::Json) {
            console.give_output_to_events();
        }
        let progress = Progress::new(progress.progress, console.is_quiet(), clock);
        let told = Arc::new(Told { progress, log: OnceLock::new() });
        let control = Control::default();
        let sessions = Sessions::new(ConnectOptions {
            profile: settings.profile.as_ref().map(|profile| profile.value.clone()),
            region: settings.region.as_ref().map(|region| region.value.clone()),
            transport,
            clock,
            listener: told.clone(),
        });
        let signals = Answered::by({
            let (control, told) = (control.clone(), told.clone());
            move || match control.wish() {
                Wish::Continue => {
                    control.raise(Wish::Detach);
                    Answer::GoOn
                }
                Wish::Detach => {
                    control.raise(Wish::Cancel);
                    Answer::GoOn
                }
                Wish::Cancel => {
                    told.progress.rest();
                    Answer::End
                }
            }
        });
        let state = state_directory(settings);
        let engine = Runtime { clock, listener: told.clone(), sessions, control };
        Self { engine, state, told, tokio, _signals: signals }
    }

    /// Whether events are shown to people, as lines or in place.
    pub(crate) fn tells_people(&self) -> bool {
        self.told.progress.is_for_people()
    }

    /// Runs something of the engine to its end.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let outcome = self.tokio.block_on(future);
        self.told.progress.rest();
        outcome
    }

    /// Runs something that only reads: the first signal ends it, for nothing is lost by that.
    ///
    /// # Errors
    /// What the reading fails with, or the interruption.
    pub(crate) fn read<T, E>(&self, future: impl Future<Output = Result<T, E>>) -> Result<T, Failure>
    where
        EngineError: From<E>,
    {
        self.until(Wish::Detach, future)
    }

    /// Makes a plan: the first signal is the engine's to answer, which ends with what it is about; the second ends it.
    ///
    /// # Errors
    /// What the planning fails with, or the interruption.
    pub(crate) fn plan<T>(&self, future: impl Future<Output = Result<T, EngineError>>) -> Result<T, Failure> {
        self.until(Wish::Cancel, future)
    }

    fn until<T, E>(&self, wish: Wish, future: impl Future<Output = Result<T, E>>) -> Result<T, Failure>
    where
        EngineError: From<E>,
    {
        self.run(async {
            tokio::select! {
                outcome = future => Ok(outcome.map_err(EngineError::from)?),
                () = self.engine.control.reached(wish) => Err(interrupted()),
            }
        })
    }

    /// Asks a question on the terminal. A signal is no.
    ///
    /// # Errors
    /// When nobody can be asked or the answer is no (exit code 3), or a signal came (130).
    pub(crate) fn confirm(&self, question: &str, way_out: &str) -> Result<(), Failure> {
        prompt::confirm(question, way_out, &|| self.is_interrupted())
    }

    /// Asks for a new password on the terminal, or reads it from standard input.
    ///
    /// # Errors
    /// When there is none, the two that are typed differ, or a signal came (130).
    pub(crate) fn password(&self, name: &str) -> Result<String, Failure> {
        prompt::password(name, &|| self.is_interrupted())
    }

    fn is_interrupted(&self) -> bool {
        self.engine.control.wish() != Wish::Continue
    }

    /// Begins the journal of a new run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn journal(&self) -> Result<Journal, Failure> {
        self.journal_of(&new_run_id(self.engine.clock.now()))
    }

    /// Begins the journal of a run that has its id.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn journal_of(&self, run: &str) -> Result<Journal, Failure> {
        let journal = Journal::create(&self.journals(), run)?;
        self.keep_events(&journal);
        Ok(journal)
    }

    /// Writes the events from now on beside a journal, for whoever looks back.
    pub(crate) fn keep_events(&self, journal: &Journal) {
        let _ = self.told.log.set(EventLog::beside(journal));
    }

    /// The directory of the journals.
    pub(crate) fn journals(&self) -> PathBuf {
        journals(&self.state)
    }
}

/// The directory of the journals, for commands that reach no account.
pub(crate) fn journals_of(settings: &Settings) -> PathBuf {
    journals(&state_directory(settings))
}

fn journals(state: &Path) -> PathBuf {
    state.join("journal")
}

/// Who is told what happens: whoever looks on, and the file beside the journal once there is one.
struct Told {
    progress: Progress,
    log: OnceLock<EventLog>,
}

impl Listener for Told {
    fn tell(&self, event: Event) {
        if let Some(log) = self.log.get() {
            log.tell(event.clone());
        }
        self.progress.tell(event);
    }
}

/// Gives a new run its id and locks the assembly for it. Before the app is run: a run that goes on still reads the
/// assembly that would be replaced.
///
/// # Errors
/// When another run is at work on the assembly.
pub(crate) fn begin(settings: &Settings) -> Result<(String, RunLock), Failure> {
    let run = new_run_id(jiff::Timestamp::now());
    let directory = match &settings.application {
        Application::Assembly(directory) => directory,
        _ => &settings.output,
    };
    let lock = RunLock::acquire(&state_directory(settings), directory, &run)?;
    Ok((run, lock))
}

fn state_directory(settings: &Settings) -> PathBuf {
    settings
        .project_file
        .as_deref()
        .and_then(Path::parent)
        .or_else(|| settings.output.parent())
        .unwrap_or(Path::new("."))
        .join(STATE_DIRECTORY)
}

pub(super) fn interrupted() -> Failure {
    EngineError::new(Class::Interrupted, "interrupted").into()
}

fn event_loop() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| Failure::File { action: "start", what: "the event loop".to_owned(), source })
}
