//! The simulator: one request in, one reply out, at a given time.
//!
//! [`Simulator::respond`] reads who calls what, lets the script of faults have its word, asks the service, writes the
//! answer in the service's own form, and keeps a record of it all.

mod call;
mod credentials;
mod options;
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

use crate::api::{ApiError, Element, Reply, Request};
use crate::cloudformation::{Context, World};
use crate::faults::{After, Before, Occurrence, Script};
use crate::protocol::encoding::hex;
use crate::protocol::{http_date, set_header};
use crate::request_log::{Entry, RequestLog};
use crate::services::Services;
use crate::storage;

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
    world: World,
    services: Services,
    script: Script,
    log: RequestLog,
    started: Option<Timestamp>,
    requests: u64,
}

impl Simulator {
    /// A simulator with nothing in it but what the options say.
    pub fn new(options: SimulatorOptions) -> Self {
        let mut services = Services::new(&options);
        services.prepare(&options.script);
        let script = options.script.clone();
        Self {
            options,
            world: World::default(),
            services,
            script,
            log: RequestLog::default(),
            started: None,
            requests: 0,
        }
    }

    /// Answers a request that arrives at `now`. Times must not go backwards from call to call.
    pub fn respond(&mut self, now: Timestamp, request: &Request) -> Reply {
        let started = *self.started.get_or_insert(now);
        self.requests += 1;
        let request_id = self.request_id();
        let call = match Call::read(request, &self.options) {
            Ok(call) => call,
            Err(error) => {
                let response = write::refusal(request, &error, &request_id);
                self.log.push(Entry::unreadable(now, &error));
                return self.dated(now, Duration::ZERO, response);
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
        let served = now + plan.skew;
        let asked = match (plan.before, self.judge(now, served, &call, plan.judges_time)) {
            (Some(Before::Error(error)), _) => Err(write::Failed::of(error)),
            (_, Err(error)) => Err(write::Failed::of(error)),
            (_, Ok(context)) => self.perform(&context, &call, request),
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

    /// The script of faults; rules can be added while the simulator runs.
    pub fn script_mut(&mut self) -> &mut Script {
        &mut self.script
    }

    /// The services around CloudFormation, for tests that look into them or put something there.
    pub fn services_mut(&mut self) -> &mut Services {
        &mut self.services
    }

    /// CloudFormation, for tests that look into it.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Brings everything about that is due at `now`, without a request.
    pub fn advance(&mut self, now: Timestamp) {
        self.world.advance(&mut self.services, now);
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
            return Ok(self.services.tokens.anonymous(now, &call.region, &self.options));
        };
        if time {
            credential.check_time(served)?;
        }
        self.services.tokens.identify(now, credential, &call.region, &self.options)
    }

    fn perform(
        &mut self,
        context: &Context,
        call: &Call,
        request: &Request,
    ) -> Result<Output, write::Failed> {
        self.world.advance(&mut self.services, context.now);
        match &call.input {
            Input::Query(parameters) if call.service == "cloudformation" => self
                .world
                .call(&mut self.services, context, &call.operation, parameters)
                .map(Output::Elements)
                .map_err(write::Failed::of),
            Input::Query(parameters) => self
                .services
                .query(context, &call.service, &call.operation, parameters)
                .map(Output::Elements)
                .map_err(write::Failed::of),
            Input::Json(input) => self
                .services
                .json(context, &call.service, &call.operation, input)
                .map(Output::Json)
                .map_err(write::Failed::of),
            Input::Storage(asked) => {
                self.services.storage.call(context, asked, request).map(Output::Whole).map_err(
                    |failure: storage::Failure| write::Failed {
                        error: failure.error,
                        headers: failure.headers,
                    },
                )
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
