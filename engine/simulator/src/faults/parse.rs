//! Reads scripts. An error tells the line, what stands there, and what could.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::SignedDuration;

use super::resources;
use super::words::{self, Word};
use super::{BucketSetting, Effect, ResourceState, Rule, Script, Setting};
use crate::api::ApiError;

/// A script that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the script of faults: {message}")]
pub struct ScriptError {
    /// The line, from one.
    pub line: usize,
    /// What is wrong and what is known.
    pub message: String,
}

const STATEMENTS: &str = "on, resource, rollback, delete, drift, validation, hook, change-set, bucket, role, sessions, parameter, image, \
     app, space, profile, deny, state, log";
const EFFECTS: &str = "throttle, refuse, hang, drop, error STATUS CODE [\"MESSAGE\"], accept-then-drop, accept-then-hang, \
accept-then-error STATUS CODE [\"MESSAGE\"], truncate BYTES, empty, body \"TEXT\", skew +20m, expired-token, stale 3s, \
lag 5s, duplicate, reorder, page-token-expires, latency 200ms";
const BUCKET_SETTINGS: &str = "exists, owner ACCOUNT, region REGION, denied, kms-key ARN, kms-denied, \
requires-encryption, versioned, corrupts";
const ROLE_SETTINGS: &str = "denied, external-id TEXT, tags-denied";

impl std::str::FromStr for Script {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let mut script = Self::default();
        let statements = words::statements(text)
            .map_err(|line| ScriptError { line, message: "a quotation mark is not closed".to_owned() })?;
        for (line, statement) in statements {
            let mut words = Words { words: &statement, next: 0 };
            read(&mut words, &mut script)
                .and_then(|()| words.end())
                .map_err(|message| ScriptError { line, message })?;
        }
        Ok(script)
    }
}

fn read(words: &mut Words<'_>, script: &mut Script) -> Result<(), String> {
    match words.word(STATEMENTS)? {
        "on" => script.rules.push(rule(words)?),
        "bucket" => {
            let name = words.word("a bucket's name")?.to_owned();
            let setting = bucket(words)?;
            script.settings.push(Setting::Bucket(name, setting));
        }
        "role" => {
            let name = words.word("a role's name or ARN, or *")?.to_owned();
            script.settings.push(match words.word(ROLE_SETTINGS)? {
                "denied" => Setting::RoleDenied(name),
                "external-id" => Setting::RoleExternalId(name, words.word("an external id")?.to_owned()),
                "tags-denied" => Setting::RoleTagsDenied(name),
                other => return Err(unknown("setting of a role", other, ROLE_SETTINGS)),
            });
        }
        "sessions" => {
            words.keyword("last")?;
            script.settings.push(Setting::SessionsLast(words.duration()?));
        }
        "parameter" => {
            let name = words.word("a parameter's name")?.to_owned();
            script.settings.push(Setting::Parameter(name, words.word("its value")?.to_owned()));
        }
        "image" => {
            let repository = words.word("a repository's name")?.to_owned();
            script.settings.push(Setting::Image(repository, words.word("a tag")?.to_owned()));
        }
        "app" => {
            let name = words.word("an app as space:OWNER/TYPE/NAME")?;
            if name.split('/').count() != 3 || !(name.starts_with("space:") || name.starts_with("user:")) {
                return Err(format!("{name:?} is no app as space:OWNER/TYPE/NAME or user:OWNER/TYPE/NAME"));
            }
            script.settings.push(Setting::App(name.to_owned()));
        }
        "space" => script.settings.push(Setting::Space(words.word("a space's name")?.to_owned())),
        "profile" => script.settings.push(Setting::Profile(words.word("a user profile's name")?.to_owned())),
        "deny" => script
            .settings
            .push(Setting::ActionDenied(words.word("an action such as iam:PassRole")?.to_owned())),
        "state" => {
            let resource = words.word("a type such as AWS::SageMaker::Domain, with /ID for one of them")?;
            let word = words.word("the service's word such as Failed")?;
            let reason = words.quoted().map(str::to_owned);
            let (resource, word) = (resource.to_owned(), word.to_owned());
            script.settings.push(Setting::State(ResourceState { resource, word, reason }));
        }
        "log" => {
            let group = words.word("a log group's name, or *")?.to_owned();
            script.settings.push(Setting::LogLine(group, words.word("a line")?.to_owned()));
        }
        other => {
            if !resources::read(other, words, &mut script.resources)? {
                return Err(unknown("statement", other, STATEMENTS));
            }
        }
    }
    Ok(())
}

fn rule(words: &mut Words<'_>) -> Result<Rule, String> {
    let pattern = words.word("an operation such as DescribeStacks, s3:PutObject#1 or *")?;
    let (pattern, calls) = match pattern.split_once('#') {
        Some((pattern, calls)) => (pattern, Some(counted(calls)?)),
        None => (pattern, None),
    };
    let (service, operation) = match pattern.split_once(':') {
        Some((service, operation)) => (Some(service.to_owned()), operation),
        None => (None, pattern),
    };
    let mut rule = Rule {
        service,
        operation: operation.to_owned(),
        of: None,
        calls,
        after: Duration::ZERO,
        until: None,
        effect: Effect::Empty,
        seen: 0,
        credentials: std::collections::BTreeSet::new(),
    };
    let mut lasts = None;
    let mut effect = None;
    while let Some(word) = words.optional() {
        match word {
            "after" => rule.after = words.duration()?,
            "for" => lasts = Some(words.duration()?),
            "between" => {
                rule.after = words.duration()?;
                words.keyword("and")?;
                rule.until = Some(words.duration()?);
            }
            "of" => rule.of = Some(words.word("a name")?.to_owned()),
            word if effect.is_none() => effect = Some(self::effect(word, words)?),
            other => return Err(unknown("word", other, "after, for, between, of")),
        }
    }
    if let Some(lasts) = lasts {
        rule.until = Some(rule.after + lasts);
    }
    rule.effect = effect.ok_or_else(|| format!("the effect is missing; known are {EFFECTS}"))?;
    Ok(rule)
}

fn counted(text: &str) -> Result<RangeInclusive<u64>, String> {
    let number = |text: &str| {
        text.parse::<u64>()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| format!("{text:?} is not a count of calls; write #2, #2-5 or #2+"))
    };
    if let Some(first) = text.strip_suffix('+') {
        return Ok(number(first)?..=u64::MAX);
    }
    match text.split_once('-') {
        Some((first, last)) => Ok(number(first)?..=number(last)?),
        None => number(text).map(|one| one..=one),
    }
}

fn effect(word: &str, words: &mut Words<'_>) -> Result<Effect, String> {
    Ok(match word {
        "throttle" => Effect::Throttle,
        "refuse" | "drop" => Effect::Refuse,
        "hang" => Effect::Hang,
        "error" => Effect::Error(error(words)?),
        "accept-then-drop" => Effect::AcceptThenDrop,
        "accept-then-hang" => Effect::AcceptThenHang,
        "accept-then-error" => Effect::AcceptThenError(error(words)?),
        "truncate" => Effect::Truncate(words.number("a number of bytes")?),
        "empty" => Effect::Empty,
        "body" => Effect::Body(words.word("a text in quotation marks")?.to_owned()),
        "skew" => {
            let text = words.word("a duration with its sign such as +20m")?;
            let size = words::duration(text.trim_start_matches(['+', '-']))
                .and_then(|size| SignedDuration::try_from(size).ok())
                .ok_or_else(|| format!("{text:?} is not a duration with its sign such as +20m"))?;
            Effect::Skew(if text.starts_with('-') { -size } else { size })
        }
        "expired-token" => Effect::ExpiredToken,
        "stale" | "lag" => Effect::Stale(words.duration()?),
        "duplicate" => Effect::Duplicate,
        "reorder" => Effect::Reorder,
        "page-token-expires" => Effect::PageTokenExpires,
        "latency" => Effect::Latency(words.duration()?),
        other => return Err(unknown("effect", other, EFFECTS)),
    })
}

fn error(words: &mut Words<'_>) -> Result<ApiError, String> {
    let status: u16 = words.number("an HTTP status such as 500")?;
    if !(400..600).contains(&status) {
        return Err(format!("{status} is not the HTTP status of an error"));
    }
    let code = words.word("an error code such as InternalFailure")?.to_owned();
    let message = words.quoted().unwrap_or_default().to_owned();
    Ok(ApiError { code, message, status })
}

fn bucket(words: &mut Words<'_>) -> Result<BucketSetting, String> {
    Ok(match words.word(BUCKET_SETTINGS)? {
        "exists" => BucketSetting::Exists,
        "owner" => {
            let account = words.word("an account's twelve digits")?;
            if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(format!("{account:?} is not the twelve digits of an account"));
            }
            BucketSetting::Owner(account.to_owned())
        }
        "region" => BucketSetting::Region(words.word("a region")?.to_owned()),
        "denied" => BucketSetting::Denied,
        "kms-key" => BucketSetting::KmsKey(words.word("a key's ARN")?.to_owned()),
        "kms-denied" => BucketSetting::KmsDenied,
        "requires-encryption" => BucketSetting::RequiresEncryption,
        "versioned" => BucketSetting::Versioned,
        "corrupts" => BucketSetting::Corrupts,
        other => return Err(unknown("setting of a bucket", other, BUCKET_SETTINGS)),
    })
}

pub(super) fn unknown(what: &str, word: &str, known: &str) -> String {
    format!("{word:?} is no {what}; known are {known}")
}

/// The words of a statement, one after the other.
pub(super) struct Words<'s> {
    words: &'s [Word],
    next: usize,
}

impl<'s> Words<'s> {
    pub(super) fn optional(&mut self) -> Option<&'s str> {
        let word = self.words.get(self.next)?;
        self.next += 1;
        Some(&word.text)
    }

    pub(super) fn word(&mut self, wanted: &str) -> Result<&'s str, String> {
        self.optional().ok_or_else(|| format!("the line ends where one of these should stand: {wanted}"))
    }

    pub(super) fn quoted(&mut self) -> Option<&'s str> {
        self.words.get(self.next).filter(|word| word.quoted)?;
        self.optional()
    }

    pub(super) fn keyword(&mut self, keyword: &str) -> Result<(), String> {
        match self.word(keyword)? {
            word if word == keyword => Ok(()),
            word => Err(format!("{word:?} stands where {keyword:?} should")),
        }
    }

    pub(super) fn duration(&mut self) -> Result<Duration, String> {
        let word = self.word("a duration such as 250ms, 10s, 5m or 2h")?;
        words::duration(word)
            .ok_or_else(|| format!("{word:?} is not a duration such as 250ms, 10s, 5m or 2h"))
    }

    pub(super) fn number<N: std::str::FromStr>(&mut self, wanted: &str) -> Result<N, String> {
        let word = self.word(wanted)?;
        word.parse().map_err(|_| format!("{word:?} is not {wanted}"))
    }

    fn end(&mut self) -> Result<(), String> {
        self.optional().map_or(Ok(()), |word| Err(format!("{word:?} stands after the end of the statement")))
    }
}
