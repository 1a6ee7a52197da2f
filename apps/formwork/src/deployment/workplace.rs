//! Where a run of the engine takes place: its runtime, its journal's directory, and what a signal means to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use formwork_engine::aws::{ConnectOptions, Sessions, Transport};
use formwork_engine::journal::{Journal, new_run_id};
use formwork_engine::{Clock, Control, Runtime, Wish};

use super::progress::Progress;
use crate::arguments::ProgressOptions;
use crate::console::Console;
use crate::failure::Failure;
use crate::interruption::{Answer, Answered};
use crate::settings::Settings;

/// The directory beside `formwork.toml` that keeps journals and locks.
const STATE_DIRECTORY: &str = ".formwork";

/// Where a run takes place.
pub(crate) struct Workplace {
    /// What the engine's parts share.
    pub(crate) engine: Runtime,
    /// The directory of journals and locks.
    pub(crate) state: PathBuf,
    progress: Arc<Progress>,
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
        let progress = Arc::new(Progress::new(progress.progress, console.is_quiet(), clock));
        let control = Control::default();
        let sessions = Sessions::new(ConnectOptions {
            profile: settings.profile.as_ref().map(|profile| profile.value.clone()),
            region: settings.region.as_ref().map(|region| region.value.clone()),
            transport,
            clock,
            listener: progress.clone(),
        });
        let signals = Answered::by({
            let (control, progress) = (control.clone(), progress.clone());
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
                    progress.rest();
                    Answer::End
                }
            }
        });
        let state = settings
            .project_file
            .as_deref()
            .and_then(Path::parent)
            .or_else(|| settings.output.parent())
            .unwrap_or(Path::new("."))
            .join(STATE_DIRECTORY);
        let engine = Runtime { clock, listener: progress.clone(), sessions, control };
        Self { engine, state, progress, tokio, _signals: signals }
    }

    /// Runs something of the engine to its end.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let outcome = self.tokio.block_on(future);
        self.progress.rest();
        outcome
    }

    /// Begins the journal of a new run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn journal(&self) -> Result<Journal, Failure> {
        let run = new_run_id(self.engine.clock.now());
        Ok(Journal::create(&self.journals(), &run)?)
    }

    /// The directory of the journals.
    pub(crate) fn journals(&self) -> PathBuf {
        self.state.join("journal")
    }
}

fn event_loop() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| Failure::File { action: "start", what: "the event loop".to_owned(), source })
}
