//! One piece of work on a resource: how long it takes and how it ends.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::attributes;
use super::super::durations::{Work, typical};
use super::super::faults::{Moment, Outcome};
use super::super::state::{StackKey, StackResource};
use super::{Engine, Step};

impl Engine<'_> {
    /// Tells that the work has begun, and has it end after its time.
    #[allow(clippy::too_many_arguments, reason = "the ways to begin differ in this much")]
    pub(super) fn start_work(
        &mut self,
        key: StackKey,
        index: usize,
        mut new: StackResource,
        verb: &'static str,
        moment: Moment,
        note: Option<&str>,
        failure: Option<String>,
    ) -> bool {
        let id = self.operation(key).tasks[index].logical_id.clone();
        let kind = new.resource_type.clone();
        let shown = Arc::clone(&new.shown);
        let status = word(verb, "IN_PROGRESS");
        let current = self.world.stacks[key].resources.get(&id).and_then(|it| it.physical_id.clone());
        let physical = new.physical_id.clone().or_else(|| current.filter(|_| verb == "UPDATE"));
        let mut failure = failure.or_else(|| self.hook(key, &id, &kind));
        self.mark(key, &id, &new, physical.clone(), status, note);
        let told = physical.clone().unwrap_or_default();
        self.event(key, &id, &told, &kind, status, note, Some(shown));

        let makes = new.physical_id.is_none();
        let work = if moment == Moment::Create { Work::Create } else { Work::Update };
        let mut time = if verb == "IMPORT" { self.brief(3) } else { self.scaled(typical(&kind, work)) };
        if makes && failure.is_none() {
            let pseudo = self.world.stacks[key].pseudo(&[]);
            let made = attributes::physical_id(&kind, &id, &pseudo, &new.properties, &mut self.world.ids);
            failure = self.conflict(key, &kind, &new.properties, &made);
            new.physical_id = Some(made);
        }
        // What fails before anything is asked of the service leaves nothing behind.
        let refused = failure.is_some();
        if refused {
            time = time.min(self.brief(1));
        } else {
            match self.fault(key, &id, moment) {
                Some(Outcome::Fail { reason, after }) => {
                    time = after.unwrap_or(time);
                    failure = Some(reason);
                }
                Some(Outcome::Takes(taken)) => time = taken,
                Some(Outcome::Never) => (time, failure) = silence(&kind, &new.properties),
                None => {}
            }
        }
        let express = self.operation(key).settings.express;
        if express && failure.is_none() && time < Duration::MAX {
            time /= 4;
        }
        let serial = self.operation(key).serial;
        let task = &mut self.operation(key).tasks[index];
        task.verb = verb;
        task.failure = failure;
        task.outcome = Some(new);
        if makes && !refused {
            self.after(self.brief(1).min(time / 2), Step::Initiated { stack: key, serial, task: index });
        }
        if time < Duration::MAX {
            self.after(time, Step::Finished { stack: key, serial, task: index });
        }
        false
    }

    pub(super) fn fault(&mut self, key: StackKey, id: &str, moment: Moment) -> Option<Outcome> {
        let name = self.world.stacks[key].name.clone();
        let attempt = self.world.attempts.entry((name.clone(), id.to_owned(), moment)).or_default();
        *attempt += 1;
        let attempt = *attempt;
        self.world.faults.outcome(&name, id, moment, attempt).cloned()
    }

    /// The reason why a resource of this name cannot be made.
    fn conflict(&mut self, key: StackKey, kind: &str, properties: &Value, made: &str) -> Option<String> {
        let name = attributes::given_name(kind, properties)?;
        if let Some(taken) = self.world.taken_by(key, kind, &name) {
            let owner = &self.world.stacks[taken].id;
            return Some(format!("{made} already exists in stack {owner}"));
        }
        let account = self.world.stacks[key].account.clone();
        let exists = self.world.existing.contains(&(account, kind.to_owned(), name));
        exists.then(|| {
            format!(
                "Resource of type '{kind}' with identifier '{made}' already exists. (RequestToken: {}, HandlerErrorCode: \
                 AlreadyExists)",
                self.world.ids.uuid()
            )
        })
    }
}

/// `CREATE_COMPLETE` and such.
pub(super) fn word(verb: &str, end: &str) -> &'static str {
    match (verb, end) {
        ("CREATE", "IN_PROGRESS") => "CREATE_IN_PROGRESS",
        ("CREATE", "COMPLETE") => "CREATE_COMPLETE",
        ("CREATE", _) => "CREATE_FAILED",
        ("UPDATE", "IN_PROGRESS") => "UPDATE_IN_PROGRESS",
        ("UPDATE", "COMPLETE") => "UPDATE_COMPLETE",
        ("UPDATE", _) => "UPDATE_FAILED",
        ("IMPORT", "IN_PROGRESS") => "IMPORT_IN_PROGRESS",
        ("IMPORT", "COMPLETE") => "IMPORT_COMPLETE",
        ("IMPORT", _) => "IMPORT_FAILED",
        (_, "IN_PROGRESS") => "DELETE_IN_PROGRESS",
        (_, "COMPLETE") => "DELETE_COMPLETE",
        _ => "DELETE_FAILED",
    }
}

/// What becomes of a resource that never answers: those that have a time limit of their own fail when it is over.
pub(super) fn silence(kind: &str, properties: &Value) -> (Duration, Option<String>) {
    let seconds = |name: &str, default: u64| {
        let given = properties.get(name).map(super::super::template::parameters::plain);
        Duration::from_secs(given.and_then(|text| text.parse().ok()).unwrap_or(default))
    };
    match kind {
        "AWS::CloudFormation::WaitCondition" => {
            let count = properties
                .get("Count")
                .map_or_else(|| "1".to_owned(), super::super::template::parameters::plain);
            let reason = format!("WaitCondition timed out. Received 0 conditions when expecting {count}");
            (seconds("Timeout", 43_200), Some(reason))
        }
        _ if kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource" => {
            let reason = "CloudFormation did not receive a response from your Custom Resource. Please check your logs \
                          for requestId. If you are using the Python cfn-response module, you may need to update your \
                          Lambda function code so that CloudFormation can attach the updated version.";
            (seconds("ServiceTimeout", 3_600), Some(reason.to_owned()))
        }
        _ => (Duration::MAX, None),
    }
}
