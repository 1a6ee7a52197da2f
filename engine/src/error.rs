//! What a run can fail with, and the exit code that says so.

use crate::aws;

/// Why a command of the engine did not do what was asked. The text is for people: lower case, the wrong value, what to
/// change; `hint` is shown on a line of its own.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// What kind of failure it is, which decides the exit code.
    pub class: Class,
    /// What is wrong.
    pub message: String,
    /// What to do, usually the next command.
    pub hint: Option<String>,
    /// The call that failed. Boxed, because every result carries the room that its error might take.
    #[source]
    pub source: Option<Box<aws::Error>>,
}

/// The kinds of failures; each has an exit code of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 1: the input is wrong: assembly, template, plan file.
    Input,
    /// 3: refused by a rule, or an approval is missing.
    Refused,
    /// 4: failed, and everything was taken back.
    RolledBack,
    /// 5: failed, and somebody has to act.
    NeedsAction,
    /// 6: CloudFormation goes on, nobody watches.
    Detached,
    /// 10: usage, settings or credentials.
    Usage,
    /// 130: interrupted twice.
    Interrupted,
}

impl Class {
    /// The exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Input => 1,
            Self::Refused => 3,
            Self::RolledBack => 4,
            Self::NeedsAction => 5,
            Self::Detached => 6,
            Self::Usage => 10,
            Self::Interrupted => 130,
        }
    }
}

impl EngineError {
    /// An error without a call behind it.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), hint: None, source: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the call that failed.
    #[must_use]
    pub fn with_source(mut self, source: aws::Error) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}

impl From<aws::Error> for EngineError {
    /// A call that failed before anything was started: who asks for credentials has to give some, everything else needs
    /// somebody's action.
    fn from(error: aws::Error) -> Self {
        let (class, hint) = match error.kind {
            aws::ErrorKind::Credentials => (
                Class::Usage,
                Some("name a profile with --profile, or set AWS_ACCESS_KEY_ID and its companions"),
            ),
            aws::ErrorKind::ExpiredCredentials => {
                (Class::Usage, Some("sign in again, such as by `aws sso login`, and repeat the command"))
            }
            aws::ErrorKind::Denied => (
                Class::NeedsAction,
                Some("`formwork bootstrap --show-policy` lists the rights that are needed"),
            ),
            aws::ErrorKind::Unreachable => (
                Class::NeedsAction,
                Some("look at the network, the proxy variables and the region, then repeat"),
            ),
            _ => (Class::NeedsAction, None),
        };
        Self { class, message: error.to_string(), hint: hint.map(str::to_owned), source: None }
    }
}
