//! The simulator: one request in, one reply out, at a given time.
//!
//! [`Simulator::respond`] reads who calls what, lets the script of faults have its word, asks the service, writes the
//! answer in the service's own form, and keeps a record of it all.

mod call;
mod credentials;
mod options;
mod state;
mod write;

#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

pub use call::{Call, Input};
pub use credentials::Credential;
pub use options::SimulatorOptions;

use self::state::{Past, State};
use crate::api::{ApiError, Element, Reply, Request};
use crate::cloudformation::{Context, World};
use crate::faults::{After, Before, Occurrence, Script, resources};
use crate::protocol::encoding::hex;
use crate::protocol::{http_date, set_header};
use crate::request_log::{Entry, RequestLog, is_mutating};
use crate::services::Services;

/// What a service answers, before it is written.
#[derive(Clone, Debug)]
pub enum Output {
    /// The elements of an XML result.
    Elements(Vec<Element>),
    /// A JSON document.
    Json(serde_json::Value),
    /// An answer that is whole already.
    Whole(http::Response<Bytes>),
}

/// The services of one simulated AWS: all accounts and regions of it.
#[derive(Debug)]
pub struct Simulator {
    options: SimulatorOptions,
    state: State,
    past: Past,
    script: Script,
    log: RequestLog,
    started: Option<Timestamp>,
    requests: u64,
}

impl Simulator {
    /// A simulator with nothing in it but what the options say.
    pub fn new(options: SimulatorOptions) -> Self {
        Self {
            state: State::new(&options),
            past: Past::default(),
            script: options.script.clone(),
            options,
            log: RequestLog::default(),
            started: None,
            requests: 0,
        }
    }

    /// Answers a request that arrives at `now`. Times must not go backwards from call to call.
    pub fn respond(&mut self, now: Timestamp, request: &Request) -> Reply {
        self.respond_by(now, now, request)
    }

    /// Answers a request that arrives at `now`, when clients believe it is `wall`: where simulated time runs faster than
    /// the clients' own, headers and credentials have to go by theirs, or clients would take it for a wrong clock.
    pub fn respond_by(&mut self, now: Timestamp, wall: Timestamp, request: &Request) -> Reply {
        let started = *self.started.get_or_insert(now);
        self.requests += 1;
        let request_id = self.request_id();
        let call = match Call::read(request, &self.options) {
            Ok(call) => call,
            Err(error) => {
                let response = write::refusal(request, &error, &request_id);
                self.log.push(Entry::unreadable(now, &error));
                return self.dated(wall, Duration::ZERO, response);
            }
        };
        let plan = self.script.decide(&Occurrence {
            service: &call.service,
            operation: &call.operation,
            names: &call.names(),
            credential: call.credential.as_ref().map(|it| it.access_key.as_str()),
            paged: call.next_token().is_some(),
            elapsed: elapsed(started, now),
        });
        let after = self.options.latency + plan.latency;
        let mut entry = Entry::of(now, &call);
        match plan.before {
            Some(Before::Refuse) => {
                self.log.push(entry.unanswered("refused"));
                return Reply::Broken { after };
            }
            Some(Before::Hang) => {
                self.log.push(entry.unanswered("silent"));
                return Reply::Silent;
            }
            _ => {}
        }
        let served = wall + plan.skew;
        self.state.services.tokens.clock = wall;
        let asked = match (plan.before, self.judge(now, served, &call, plan.judges_time)) {
            (Some(Before::Error(error)), _) => Err(write::Failed::of(error)),
            (_, Err(error)) => Err(write::Failed::of(error)),
            (_, Ok(context)) => self.perform(&context, &call, request, plan.stale),
        };
        entry.settle(asked.as_ref().err().map(|failed| &failed.error));
        let (response, silent, broken) = finish(asked, &call, request, &request_id, &plan.after);
        entry.reply = if silent {
            "silent"
        } else if broken {
            "broken"
        } else {
            entry.reply
        };
        self.log.push(entry);
        if silent {
            Reply::Silent
        } else if broken {
            Reply::Broken { after }
        } else {
            self.dated(served, after, response)
        }
    }

    /// What was asked so far.
    pub fn log(&self) -> &RequestLog {
        &self.log
    }

    /// Adds to the script while the simulator runs. Rules about stale reads have to be there before the first change.
    pub fn add(&mut self, script: Script) {
        self.state.services.prepare(&script);
        resources::extend(&mut self.state.world.faults, script.resources.clone());
        self.options.script.extend(script.clone());
        self.script.extend(script);
    }

    /// The services around CloudFormation, for tests that look into them or put something there.
    pub fn services_mut(&mut self) -> &mut Services {
        &mut self.state.services
    }

    /// CloudFormation, for tests that look into it.
    pub fn world(&self) -> &World {
        &self.state.world
    }

    /// CloudFormation, for tests that change how it behaves.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.state.world
    }

    /// Brings everything about that is due at `now`, without a request.
    pub fn advance(&mut self, now: Timestamp) {
        self.state.advance(now);
    }

    fn dated(&self, served: Timestamp, after: Duration, mut response: http::Response<Bytes>) -> Reply {
        set_header(&mut response, "date", &http_date(served));
        Reply::Answer { response, after }
    }

    /// Who calls, if they may call at all.
    fn judge(
        &mut self,
        now: Timestamp,
        served: Timestamp,
        call: &Call,
        time: bool,
    ) -> Result<Context, ApiError> {
        let Some(credential) = &call.credential else {
            // Only those calls get here that need none.
            return Ok(self.state.services.tokens.anonymous(now, &call.region, &self.options));
        };
        if time {
            credential.check_time(served)?;
        }
        self.state.services.tokens.identify(now, credential, &call.region, &self.options)
    }

    fn perform(
        &mut self,
        context: &Context,
        call: &Call,
        request: &Request,
        stale: Option<Duration>,
    ) -> Result<Output, write::Failed> {
        let mutating = is_mutating(&call.service, &call.operation);
        match stale {
            Some(age) if !mutating => self.past.perform(age, &self.options, context, call, request),
            _ => {
                if mutating && self.script.memory().is_some() {
                    self.past.keep(context, call, request);
                }
                self.state.perform(context, call, request)
            }
        }
    }

    /// An id that is the same whenever the same requests come in the same order.
    fn request_id(&self) -> String {
        let digest = Sha256::digest(format!("{}/{}", self.options.seed, self.requests));
        let text = hex(&digest[..16]);
        [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..32]].join("-")
    }
}

/// Writes an answer and damages it as the script says.
fn finish(
    asked: Result<Output, write::Failed>,
    call: &Call,
    request: &Request,
    request_id: &str,
    damages: &[After],
) -> (http::Response<Bytes>, bool, bool) {
    let mut asked = asked;
    let (mut silent, mut broken) = (false, false);
    for damage in damages {
        match damage {
            After::Drop => broken = true,
            After::Hang => silent = true,
            After::Error(error) => asked = Err(write::Failed::of(error.clone())),
            After::Duplicate => write::duplicate(&mut asked),
            After::Reorder => write::reorder(&mut asked),
            After::Truncate(_) | After::Empty | After::Body(_) => {}
        }
    }
    let mut response = write::response(asked, call, request, request_id);
    for damage in damages {
        match damage {
            After::Truncate(length) => {
                let end = (*length).min(response.body().len());
                *response.body_mut() = response.body().slice(..end);
            }
            After::Empty => *response.body_mut() = Bytes::new(),
            After::Body(text) => *response.body_mut() = Bytes::from(text.clone()),
            _ => {}
        }
    }
    (response, silent, broken)
}

fn elapsed(started: Timestamp, now: Timestamp) -> Duration {
    now.duration_since(started).try_into().unwrap_or_default()
}
