//! Statements about resources, change sets and hooks.

use std::time::Duration;

use serde_json::Value;

use super::parse::{Words, unknown};
use crate::cloudformation::faults::{
    Drift, DriftChange, HookFault, Moment, Outcome, ResourceFault, ResourceFaults, ValidationFault,
};

const EFFECTS: &str =
    "fail \"REASON\" [after 30s], create-fails \"REASON\", update-fails \"REASON\", never, slow 600s";

/// A resource as a script names it: `Db`, `stack/Db`, or `stack/Db#2` for the second attempt.
struct Named {
    stack: Option<String>,
    logical_id: String,
    attempt: Option<u32>,
}

impl Named {
    fn read(words: &mut Words<'_>) -> Result<Self, String> {
        let word = words.word("a logical id such as Db, stack/Db or Db#2")?;
        let (name, attempt) = match word.split_once('#') {
            Some((name, count)) => {
                let count = count.parse().ok().filter(|count| *count > 0);
                (name, Some(count.ok_or_else(|| format!("{word:?} has no count after its #"))?))
            }
            None => (word, None),
        };
        let (stack, logical_id) = match name.split_once('/') {
            Some((stack, logical_id)) => (Some(stack.to_owned()), logical_id),
            None => (None, name),
        };
        Ok(Self { stack, logical_id: logical_id.to_owned(), attempt })
    }

    fn fault(&self, moment: Option<Moment>, outcome: Outcome) -> ResourceFault {
        ResourceFault {
            logical_id: self.logical_id.clone(),
            stack: self.stack.clone(),
            moment,
            attempt: self.attempt,
            outcome,
        }
    }

    /// The stack, where a statement needs one.
    fn stack(&self) -> Result<String, String> {
        self.stack.clone().ok_or_else(|| {
            format!("{:?} has to be named with its stack, as stack/{}", self.logical_id, self.logical_id)
        })
    }
}

/// Reads a statement whose first word is given; `false` when it is none of these.
pub(super) fn read(word: &str, words: &mut Words<'_>, faults: &mut ResourceFaults) -> Result<bool, String> {
    match word {
        "resource" => resource(words, faults)?,
        "rollback" | "delete" => {
            words.keyword("of")?;
            let named = Named::read(words)?;
            words.keyword("fails")?;
            let moment = if word == "delete" { Moment::Delete } else { Moment::Rollback };
            faults.resources.push(named.fault(Some(moment), fails(words, None)));
        }
        "drift" => {
            let named = Named::read(words)?;
            let (stack, logical_id) = (named.stack()?, named.logical_id);
            let change = match words.word("deleted, or a path such as /BucketEncryption and a value")? {
                "deleted" => DriftChange::Deleted,
                path => {
                    let value = words.word("a value, or removed")?;
                    let actual = (value != "removed").then(|| {
                        serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()))
                    });
                    DriftChange::Property { path: path.to_owned(), actual }
                }
            };
            faults.drifts.push(Drift { stack, logical_id, change });
        }
        "validation" => {
            let named = Named::read(words)?;
            faults.validations.push(ValidationFault {
                stack: named.stack()?,
                logical_id: named.logical_id,
                name: words.word("a check such as NAME_CONFLICT_VALIDATION")?.to_owned(),
                reason: words.word("a reason in quotation marks")?.to_owned(),
                path: words.word("a path in the template")?.to_owned(),
                fails: !warns(words)?,
            });
        }
        "hook" => {
            let named = Named::read(words)?;
            faults.hooks.push(HookFault {
                stack: named.stack()?,
                logical_id: named.logical_id,
                hook: words.word("a hook's type such as Acme::Guard::Hook")?.to_owned(),
                reason: words.word("a reason in quotation marks")?.to_owned(),
                fails: !warns(words)?,
            });
        }
        "change-set" => {
            words.keyword("of")?;
            let stack = words.word("a stack's name")?.to_owned();
            words.keyword("never")?;
            faults.stuck_change_sets.push(stack);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn resource(words: &mut Words<'_>, faults: &mut ResourceFaults) -> Result<(), String> {
    let named = Named::read(words)?;
    let effect = words.word(EFFECTS)?;
    match effect {
        "fail" => {
            let reason = words.quoted().unwrap_or("failed on purpose").to_owned();
            let after = after(words)?;
            for moment in [Moment::Create, Moment::Update] {
                let outcome = Outcome::Fail { reason: reason.clone(), after };
                faults.resources.push(named.fault(Some(moment), outcome));
            }
        }
        "create-fails" | "update-fails" => {
            let moment = if effect == "create-fails" { Moment::Create } else { Moment::Update };
            let mut outcome = fails(words, None);
            if let (Outcome::Fail { after, .. }, Some(given)) = (&mut outcome, self::after(words)?) {
                *after = Some(given);
            }
            faults.resources.push(named.fault(Some(moment), outcome));
        }
        "never" => faults.resources.push(named.fault(None, Outcome::Never)),
        "slow" => faults.resources.push(named.fault(None, Outcome::Takes(words.duration()?))),
        other => return Err(unknown("effect on a resource", other, EFFECTS)),
    }
    Ok(())
}

fn fails(words: &mut Words<'_>, after: Option<Duration>) -> Outcome {
    let reason = words.quoted().unwrap_or("failed on purpose").to_owned();
    Outcome::Fail { reason, after }
}

fn after(words: &mut Words<'_>) -> Result<Option<Duration>, String> {
    match words.optional() {
        None => Ok(None),
        Some("after") => words.duration().map(Some),
        Some(other) => Err(unknown("word", other, "after")),
    }
}

fn warns(words: &mut Words<'_>) -> Result<bool, String> {
    match words.optional() {
        None => Ok(false),
        Some("warns") => Ok(true),
        Some(other) => Err(unknown("word", other, "warns")),
    }
}

/// Adds faults to others.
pub(crate) fn extend(faults: &mut ResourceFaults, more: ResourceFaults) {
    faults.resources.extend(more.resources);
    faults.validations.extend(more.validations);
    faults.hooks.extend(more.hooks);
    faults.drifts.extend(more.drifts);
    faults.stuck_change_sets.extend(more.stuck_change_sets);
}
