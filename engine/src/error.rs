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
    /// A call that failed before anything was started.
    fn from(error: aws::Error) -> Self {
        let told = Self::of_call(error.to_string(), &error, Moment::Before);
        // The message says all that the source would.
        Self { source: None, ..told }
    }
}

/// When a call failed, which decides whether anything is left to go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the command has started anything.
    Before,
    /// While CloudFormation may be at work for the command.
    During,
}

impl Class {
    /// The class of a call that failed: one rule for every command.
    ///
    /// | the call failed because | before anything was started | while a run goes on |
    /// |---|---|---|
    /// | there are no credentials, or they have expired | 10 | 6 |
    /// | network, service or throttling let nothing through | 5 | 6 |
    /// | what was asked is wrong as it is, or lacks a capability | 1 | 5 |
    /// | the caller may not, and everything else | 5 | 5 |
    ///
    /// One thing is refused with 3 instead: a bucket that may be somebody else's, which S3 tells by a denial as well.
    pub fn of_call(kind: &aws::ErrorKind, moment: Moment) -> Self {
        use aws::ErrorKind as Kind;
        match (kind, moment) {
            (Kind::Credentials | Kind::ExpiredCredentials, Moment::Before) => Self::Usage,
            (Kind::Credentials | Kind::ExpiredCredentials, Moment::During) => Self::Detached,
            (Kind::Unreachable | Kind::Protocol | Kind::Throttled { .. }, Moment::During) => Self::Detached,
            (Kind::Invalid | Kind::InsufficientCapabilities, Moment::Before) => Self::Input,
            _ => Self::NeedsAction,
        }
    }
}

impl EngineError {
    /// A call that failed, by the one rule of [`Class::of_call`], with what to do about it.
    pub(crate) fn of_call(message: impl Into<String>, error: &aws::Error, moment: Moment) -> Self {
        let told = Self::new(Class::of_call(&error.kind, moment), message).with_source(error.clone());
        Self { hint: hint_of_call(error, moment), ..told }
    }
}

/// What to do about a call that failed.
fn hint_of_call(error: &aws::Error, moment: Moment) -> Option<String> {
    use aws::ErrorKind as Kind;
    let hint = match (&error.kind, moment) {
        (Kind::Credentials, Moment::Before) => {
            "name a profile with --profile, or set AWS_ACCESS_KEY_ID and its companions"
        }
        (Kind::ExpiredCredentials, Moment::Before) => {
            "sign in again, such as by `aws sso login`, and repeat the command"
        }
        (Kind::Credentials | Kind::ExpiredCredentials, Moment::During) => {
            "sign in again, then `formwork resume`"
        }
        (Kind::Unreachable, Moment::Before) => {
            "look at the network, the proxy variables and the region, then repeat"
        }
        (Kind::Unreachable | Kind::Protocol | Kind::Throttled { .. }, Moment::During) => {
            "go on with `formwork resume` once it can be reached"
        }
        (Kind::InsufficientCapabilities, _) => {
            "grant the capability that is named, or leave --capabilities out to grant all"
        }
        (Kind::Denied, _) => {
            let all = "`formwork bootstrap --show-policy` lists the rights that are needed";
            return Some(match aws::mutations::permission(error.operation) {
                Some(permission) => format!("allow {permission} to the caller; {all}"),
                None => all.to_owned(),
            });
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests;
