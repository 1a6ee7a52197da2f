//! Why a command ends without success, and the exit code that says so.
//!
//! Exit codes are a contract with scripts and pipelines; they are the same for every command.

use std::io;

use formwork_assembly::AssemblyError;

/// The exit codes.
pub(crate) mod exit {
    /// Success, and also a reader that closed the pipe.
    pub(crate) const OK: u8 = 0;
    /// Errors in the input, or findings.
    pub(crate) const ERRORS: u8 = 1;
    /// Something would change, and that was asked.
    pub(crate) const CHANGES: u8 = 2;
    /// The command refused to do it.
    pub(crate) const REFUSED: u8 = 3;
    /// Failed, and somebody has to act.
    #[cfg(feature = "engine")]
    pub(crate) const NEEDS_ACTION: u8 = 5;
    /// Wrong usage or settings.
    pub(crate) const USAGE: u8 = 10;
}

/// Why a command ends without success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Errors were found, and have been shown.
    #[error("errors were found")]
    Findings,
    /// Settings are wrong, and what is wrong with them has been shown.
    #[error("settings are wrong")]
    SettingsFindings,
    /// An input is not what it should be.
    #[error("{0}")]
    Input(String),
    /// An argument or a setting is wrong.
    #[error("{0}")]
    Usage(String),
    /// What was asked for would lose something, and nothing was done.
    #[error("{0}")]
    Refused(String),
    /// The assembly's directory cannot be read, written or replaced.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    /// A file or directory other than the assembly's.
    #[error("cannot {action} {what}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        what: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// What has to be said has been said; the process ends with this code.
    #[error("the command ended with {0}")]
    Ended(u8),
    /// The engine could not do it.
    #[cfg(feature = "engine")]
    #[error("{}", with_hint(.0))]
    Engine(#[from] formwork_engine::EngineError),
    /// Standard output does not take what is written.
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
}

impl Failure {
    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => exit::OK,
            Self::Refused(_) | Self::Assembly(AssemblyError::NotAnAssembly { .. }) => exit::REFUSED,
            Self::Usage(_) | Self::SettingsFindings => exit::USAGE,
            Self::Ended(code) => *code,
            #[cfg(feature = "engine")]
            Self::Engine(error) => error.class.exit_code(),
            Self::Findings | Self::Input(_) | Self::Assembly(_) | Self::File { .. } | Self::Output(_) => {
                exit::ERRORS
            }
        }
    }

    /// Whether nothing is left to say: it has been shown, or nobody listens any more.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Self::Findings | Self::SettingsFindings | Self::Ended(_))
            || self.exit_code() == exit::OK
    }
}

/// The message with its hint on a line of its own.
#[cfg(feature = "engine")]
fn with_hint(error: &formwork_engine::EngineError) -> String {
    match &error.hint {
        Some(hint) => format!("{}\nhint: {hint}", error.message),
        None => error.message.clone(),
    }
}
