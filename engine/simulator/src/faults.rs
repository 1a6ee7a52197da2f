//! What goes wrong on purpose: a script of faults by operation, count and time.
//!
//! A script is text, one rule a line (or between semicolons), so that a test, a command line and a bug report can say
//! the same thing. [`Script::decide`] is asked once for each call and answers what to do to it; faults of resources,
//! buckets and roles are handed to the services that have them.
//!
//! ```text
//! on ExecuteChangeSet#1 accept-then-drop              the first one; #2-5 and #3+ are ranges
//! on DescribeStackEvents after 3s for 60s throttle    times count from the first request
//! on s3:* between 10s and 5m refuse                   of one service
//! on DescribeStacks of web* stale 3s                  about a stack, bucket, key or role of this name
//! resource Db fail "LimitExceeded" after 30s          also stack/Db, and Db#2 for the second attempt
//! rollback of Db fails "no"; delete of Db fails       the reason may be left out
//! bucket assets owner 999999999999                    a bucket that somebody else took
//! role deploy external-id red; sessions last 60s
//! ```
//!
//! What is known otherwise is told by the error of a word that is not.

mod parse;
pub(crate) mod resources;
mod settings;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::SignedDuration;

use crate::api::ApiError;
use crate::cloudformation::faults::ResourceFaults;

pub use parse::ScriptError;
pub use settings::{BucketSetting, ResourceState, Setting};
pub(crate) use words::fits;

/// A script of faults, with what it has counted so far.
#[derive(Clone, Debug, Default)]
pub struct Script {
    rules: Vec<Rule>,
    /// What happens to resources, change sets and hooks.
    pub resources: ResourceFaults,
    /// How buckets, roles, parameters and credentials are.
    pub settings: Vec<Setting>,
}

/// A rule about calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The service by its name in signatures; any when there is none.
    pub service: Option<String>,
    /// The operation; `*` stands for any letters.
    pub operation: String,
    /// A name that the call has to be about: a stack, a bucket, a key.
    pub of: Option<String>,
    /// Which of the matching calls, counted from one; all when there is none.
    pub calls: Option<RangeInclusive<u64>>,
    /// From when on, counted from the simulator's first request.
    pub after: Duration,
    /// Until when; for ever when there is none.
    pub until: Option<Duration>,
    /// What happens.
    pub effect: Effect,
    seen: u64,
    credentials: BTreeSet<String>,
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The service says that it is asked too often.
    Throttle,
    /// The connection is closed before anything happens.
    Refuse,
    /// Nothing is done and nothing answered.
    Hang,
    /// An error instead of doing anything.
    Error(ApiError),
    /// The call takes effect and the connection is closed.
    AcceptThenDrop,
    /// The call takes effect and nothing is answered.
    AcceptThenHang,
    /// The call takes effect and an error is answered.
    AcceptThenError(ApiError),
    /// The answer is cut to so many bytes.
    Truncate(usize),
    /// The answer has no body.
    Empty,
    /// The answer has this body.
    Body(String),
    /// The service's clock goes wrong by so much, and signatures are judged by it.
    Skew(SignedDuration),
    /// Credentials that were used before the rule's time are expired; fresh ones are not.
    ExpiredToken,
    /// The answer is that of so much earlier.
    Stale(Duration),
    /// The items of lists come twice.
    Duplicate,
    /// The items of lists come in the wrong order.
    Reorder,
    /// The token of a next page is no longer valid.
    PageTokenExpires,
    /// The answer takes so much longer.
    Latency(Duration),
}

/// A call as the script sees it.
#[derive(Clone, Debug)]
pub struct Occurrence<'c> {
    /// The service by its name in signatures.
    pub service: &'c str,
    /// The operation.
    pub operation: &'c str,
    /// The names that the call is about.
    pub names: &'c [String],
    /// The access key id.
    pub credential: Option<&'c str>,
    /// Whether it asks for a next page.
    pub paged: bool,
    /// The time since the first request.
    pub elapsed: Duration,
}

/// What to do to a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Instead of the call.
    pub before: Option<Before>,
    /// To the answer, in order.
    pub after: Vec<After>,
    /// How much longer it takes.
    pub latency: Duration,
    /// How wrong the service's clock is.
    pub skew: SignedDuration,
    /// Whether the time of the signature is judged.
    pub judges_time: bool,
    /// How old the state is that the answer shows.
    pub stale: Option<Duration>,
}

/// What happens instead of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// The connection is closed.
    Refuse,
    /// Nothing is answered.
    Hang,
    /// An error is answered.
    Error(ApiError),
}

/// What happens to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// It is not sent, and the connection is closed.
    Drop,
    /// It is not sent.
    Hang,
    /// An error is sent.
    Error(ApiError),
    /// It is cut to so many bytes.
    Truncate(usize),
    /// It loses its body.
    Empty,
    /// It gets this body.
    Body(String),
    /// Items come twice.
    Duplicate,
    /// Items come in the wrong order.
    Reorder,
}

impl Script {
    /// Adds the rules of another script; their counts start now.
    pub fn extend(&mut self, other: Self) {
        self.rules.extend(other.rules);
        resources::extend(&mut self.resources, other.resources);
        self.settings.extend(other.settings);
    }

    /// The oldest state that a rule may ask for.
    pub fn memory(&self) -> Option<Duration> {
        self.rules
            .iter()
            .filter_map(|rule| if let Effect::Stale(age) = rule.effect { Some(age) } else { None })
            .max()
    }

    /// What to do to a call. Counts it.
    pub fn decide(&mut self, call: &Occurrence<'_>) -> Plan {
        let mut plan = Plan::default();
        for rule in &mut self.rules {
            if rule.applies(call) {
                rule.effect(call, &mut plan);
            }
        }
        plan
    }
}

impl Rule {
    /// Whether the rule speaks of a call. Counts those that its pattern fits, at any time.
    fn applies(&mut self, call: &Occurrence<'_>) -> bool {
        let fits = self.service.as_ref().is_none_or(|service| service == call.service)
            && words::fits(&self.operation, call.operation)
            && self.of.as_ref().is_none_or(|name| call.names.iter().any(|it| words::fits(name, it)));
        if !fits {
            return false;
        }
        let timely = call.elapsed >= self.after && self.until.is_none_or(|until| call.elapsed < until);
        if self.effect == Effect::ExpiredToken && call.elapsed < self.after {
            self.credentials.extend(call.credential.map(str::to_owned));
        }
        // Calls outside of the window are not counted: `after 3s #1` is the first one after three seconds.
        if !timely {
            return false;
        }
        self.seen += 1;
        self.calls.as_ref().is_none_or(|calls| calls.contains(&self.seen))
    }

    fn effect(&mut self, call: &Occurrence<'_>, plan: &mut Plan) {
        let before = |plan: &mut Plan, what: Before| {
            plan.before.get_or_insert(what);
        };
        match &self.effect {
            Effect::Throttle => before(plan, Before::Error(throttled(call.service))),
            Effect::Refuse => before(plan, Before::Refuse),
            Effect::Hang => before(plan, Before::Hang),
            Effect::Error(error) => before(plan, Before::Error(error.clone())),
            Effect::AcceptThenDrop => plan.after.push(After::Drop),
            Effect::AcceptThenHang => plan.after.push(After::Hang),
            Effect::AcceptThenError(error) => plan.after.push(After::Error(error.clone())),
            Effect::Truncate(length) => plan.after.push(After::Truncate(*length)),
            Effect::Empty => plan.after.push(After::Empty),
            Effect::Body(text) => plan.after.push(After::Body(text.clone())),
            Effect::Duplicate => plan.after.push(After::Duplicate),
            Effect::Reorder => plan.after.push(After::Reorder),
            Effect::Skew(by) => {
                plan.skew = *by;
                plan.judges_time = true;
            }
            Effect::Stale(age) => plan.stale = Some(*age),
            Effect::Latency(more) => plan.latency += *more,
            Effect::PageTokenExpires if call.paged => {
                before(plan, Before::Error(ApiError::validation("The specified token is expired")));
            }
            Effect::PageTokenExpires => {}
            Effect::ExpiredToken => {
                let Some(credential) = call.credential else { return };
                // The one that is in use when the time comes is expired too, if none was seen before.
                if self.credentials.is_empty() {
                    self.credentials.insert(credential.to_owned());
                }
                if self.credentials.contains(credential) {
                    before(plan, Before::Error(expired()));
                }
            }
        }
    }
}

/// The error of credentials whose time is over.
pub(crate) fn expired() -> ApiError {
    ApiError::new("ExpiredToken", "The security token included in the request is expired").with_status(403)
}

/// The error of a service that is asked too often, in its words.
pub(crate) fn throttled(service: &str) -> ApiError {
    match service {
        "s3" => ApiError::new("SlowDown", "Please reduce your request rate.").with_status(503),
        "cloudformation" | "sts" | "iam" => ApiError::new("Throttling", "Rate exceeded"),
        _ => ApiError::new("ThrottlingException", "Rate exceeded"),
    }
}
