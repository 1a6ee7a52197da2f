//! What `--check` does: says everything that is wrong with the settings, and tries what they lead to.
//!
//! Each part that the proxy needs is tried once, as the proxy itself would use it, and gets a line of its own; a part that
//! fails does not keep the others from being tried. Nothing is changed anywhere.

mod bucket;
mod files;
mod mlflow;
mod users;

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use crate::aws::{Calls, Client};
use crate::credentials::{Caches, CredentialCache};
use crate::operate::Behind;
use crate::settings::{Mistake, Settings};

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Fine,
    /// It works, but somebody should look.
    Warning,
    /// The proxy would not work, or not for everybody.
    Failed,
    /// It was not tried: the settings do not ask for it, or what it needs has failed.
    Skipped,
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub subject: &'static str,
    /// What came of it.
    pub verdict: Verdict,
    /// How it is.
    pub words: String,
    /// What to change.
    pub hint: Option<String>,
}

impl Finding {
    fn new(subject: &'static str, verdict: Verdict, words: impl Into<String>) -> Self {
        Self { subject, verdict, words: words.into(), hint: None }
    }

    fn fine(subject: &'static str, words: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Fine, words)
    }

    fn failed(subject: &'static str, words: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..Self::new(subject, Verdict::Failed, words) }
    }

    fn warning(subject: &'static str, words: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..Self::new(subject, Verdict::Warning, words) }
    }

    fn skipped(subject: &'static str, words: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Skipped, words)
    }
}

impl From<Mistake> for Finding {
    fn from(mistake: Mistake) -> Self {
        Self::failed("settings", format!("{} {}", mistake.name, mistake.wrong), mistake.hint)
    }
}

impl Display for Finding {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Fine => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "failed",
            Verdict::Skipped => "skipped",
        };
        let mut lines = self.words.lines();
        write!(formatter, "{verdict:8} {:12} {}", self.subject, lines.next().unwrap_or_default())?;
        for line in lines {
            write!(formatter, "\n{:22}{line}", "")?;
        }
        if let Some(hint) = &self.hint {
            write!(formatter, "\n{:22}hint: {hint}", "")?;
        }
        Ok(())
    }
}

/// Looks at everything, tells each finding as soon as it is known, and gives whether nothing has failed.
pub async fn run(settings: &Settings, mistakes: Vec<Mistake>, tell: &mut dyn FnMut(&Finding)) -> bool {
    let mut good = true;
    let mut tell = |finding: Finding| {
        good &= finding.verdict != Verdict::Failed;
        tell(&finding);
    };
    if mistakes.is_empty() {
        tell(Finding::fine("settings", "every setting can be used"));
    }
    for mistake in mistakes {
        tell(mistake.into());
    }
    if let Some((certificate, key)) = &settings.server.tls {
        tell(files::certificate(certificate, key));
    }
    tell(files::spool(&settings.forward.directory));
    if let Some(behind) = behind(settings) {
        if let Some(finding) = users::issuer(settings, &behind).await {
            tell(finding);
        }
        aws(settings, &behind, &mut tell).await;
    }
    good
}

/// What calls MLflow and AWS, as the proxy has it.
fn behind(settings: &Settings) -> Option<Behind> {
    let target = settings.target.clone()?;
    let client = Client::new(&settings.aws);
    let endpoints = &settings.aws.endpoints;
    let caches = Caches::new(&settings.credentials, &client, endpoints, &target.region);
    let region = settings.own_region().unwrap_or(&target.region);
    let calls = Calls::new(client.clone(), caches.base.clone(), region, endpoints.clone());
    Some(Behind { calls, caches, client, target: Arc::new(target) })
}

/// What needs credentials. Without them the rest would only say the same again.
async fn aws(settings: &Settings, behind: &Behind, tell: &mut impl FnMut(Finding)) {
    if !credentials("credentials", "the machine's own credentials are there", &behind.caches.base, tell).await
    {
        return;
    }
    tell(users::look(settings, behind).await);
    if let Some(role) = &settings.credentials.role
        && !credentials("role", &format!("{role} can be assumed"), &behind.caches.mlflow, tell).await
    {
        tell(Finding::skipped("MLflow", "not tried without the role"));
        return;
    }
    mlflow::look(behind, tell).await;
    tell(bucket::look(settings, behind).await);
}

async fn credentials(
    subject: &'static str,
    fine: &str,
    cache: &CredentialCache,
    tell: &mut impl FnMut(Finding),
) -> bool {
    match cache.get().await {
        Ok(credentials) => {
            let end = credentials.expires.and_then(|end| jiff::Timestamp::try_from(end).ok());
            let words = end.map_or(fine.to_owned(), |end| format!("{fine}, until {end:.0}"));
            tell(Finding::fine(subject, words));
            true
        }
        Err(error) => {
            tell(Finding::failed(subject, error.to_string(), error.hint()));
            false
        }
    }
}
