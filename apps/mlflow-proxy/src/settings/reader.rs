//! Reads variables one by one and keeps account of what is wrong with them.

use std::ffi::OsString;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// A setting: a variable of the environment, and the flag of the same name.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The name, such as `MLFLOW_PROXY_LISTEN`.
    pub name: &'static str,
    /// The default as an operator would write it; empty when there is none.
    pub default: &'static str,
    /// What it means, with its unit: one sentence.
    pub about: &'static str,
}

impl Variable {
    /// The flag: `MLFLOW_PROXY_LISTEN` is `listen`, `SM_MLFLOW_ROLE_ARN` is `role-arn`.
    pub fn flag(&self) -> String {
        let name = self.name.strip_prefix("MLFLOW_PROXY_").or_else(|| self.name.strip_prefix("SM_MLFLOW_"));
        name.unwrap_or(self.name).to_lowercase().replace('_', "-")
    }
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} {wrong}\nhint: {hint}")]
pub struct Mistake {
    /// The variable.
    pub name: &'static str,
    /// What is wrong, with the value.
    pub wrong: String,
    /// What to give instead.
    pub hint: String,
}

/// Reads settings and collects mistakes. After a mistake the default goes on, so that the rest is looked at too.
pub struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<OsString>,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    /// A reader over a function from a variable's name to its value.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self { lookup, mistakes: Vec::new() }
    }

    /// The mistakes so far, in the order in which they were met.
    pub fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes
    }

    /// Notes a mistake that only the caller can see, such as two settings that exclude each other.
    pub fn mistake(&mut self, variable: &Variable, wrong: impl Into<String>, hint: impl Into<String>) {
        self.mistakes.push(Mistake { name: variable.name, wrong: wrong.into(), hint: hint.into() });
    }

    /// The value as it was given, without the default. An empty value is none: environment files cannot say it otherwise.
    pub fn given(&mut self, variable: &Variable) -> Option<String> {
        let value = (self.lookup)(variable.name)?;
        match value.into_string() {
            Ok(text) if text.is_empty() => None,
            Ok(text) => Some(text),
            Err(bytes) => {
                let wrong = format!("is `{}`, which is not UTF-8", bytes.to_string_lossy());
                self.mistake(variable, wrong, "give text in UTF-8");
                None
            }
        }
    }

    /// The value or the default, as text; `None` without either.
    pub fn text(&mut self, variable: &Variable) -> Option<String> {
        self.given(variable).or_else(|| (!variable.default.is_empty()).then(|| variable.default.to_owned()))
    }

    /// The value or the default, parsed. `what` ends the sentence "NAME is `VALUE`, which is not ...".
    pub fn parsed<T>(&mut self, variable: &Variable, what: &str, hint: &str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        if let Some(text) = self.given(variable) {
            match text.parse() {
                Ok(value) => return Some(value),
                Err(_) => self.mistake(variable, format!("is `{text}`, which is not {what}"), hint),
            }
        }
        variable.default.parse().ok()
    }

    /// A time in seconds, whole or with a decimal point, greater than zero and at most a year: clocks end somewhere.
    pub fn seconds(&mut self, variable: &Variable) -> Option<Duration> {
        let hint = "give seconds, such as 30 or 0.5";
        let seconds: f64 = self.parsed(variable, "a number of seconds", hint)?;
        match Duration::try_from_secs_f64(seconds) {
            Ok(duration) if !duration.is_zero() && duration <= YEAR => Some(duration),
            _ => {
                self.mistake(variable, format!("is `{seconds}`, which is not a time to wait"), hint);
                variable.default.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            }
        }
    }

    /// `true` or `false`.
    pub fn switch(&mut self, variable: &Variable) -> bool {
        self.parsed(variable, "true or false", "give true or false").unwrap_or(false)
    }

    /// Values between commas, without the spaces around them.
    pub fn list(&mut self, variable: &Variable) -> Vec<String> {
        let text = self.text(variable).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_more_than_nothing_and_at_most_a_year() {
        let variable = Variable { name: "MLFLOW_PROXY_KEEP_ALIVE", default: "75", about: "" };
        let read = |text: &str| {
            let lookup = |_: &str| Some(text.into());
            let mut reader = Reader::new(&lookup);
            (reader.seconds(&variable).unwrap().as_secs_f64(), reader.into_mistakes())
        };
        assert_eq!(read("0.5"), (0.5, vec![]));
        assert_eq!(read("31536000"), (31_536_000.0, vec![]));
        for wrong in ["0", "-1", "1e19", "31536001", "NaN", "inf"] {
            let (seconds, mistakes) = read(wrong);
            assert_eq!((seconds, mistakes.len()), (75.0, 1), "{wrong}");
        }
    }
}
