//! Objects: known and unknown properties, and which must be there together.

use serde_json::Value;

use super::functions::is_loop;
use super::presence::{Presence, is_no_value};
use super::scalars::number;
use super::{Check, Mode, Outcome, Path};
use crate::finding::Finding;
use crate::keyword::Keyword;
use crate::schema::Schema;
use crate::{pattern, spelling};

/// A hint lists so many names at most.
const NAMES_IN_HINT: usize = 12;

impl Check<'_> {
    /// The keywords about the names and values of single properties.
    pub(super) fn object(
        &self,
        schema: &Schema,
        keyword: &Keyword,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) {
        let Some(map) = value.as_object() else { return };
        for (name, value) in map {
            if name == "Fn::Transform" || is_loop(name) {
                outcome.unknown = true;
                continue;
            }
            let here = path.property(name);
            match keyword {
                Keyword::Properties(known) => {
                    if let Some(schema) = known.get(name)
                        && !self.is_absent(value, outcome)
                    {
                        self.property_facts(name, here, outcome);
                        self.value(schema, value, here, outcome);
                    }
                }
                Keyword::PatternProperties(patterns) => {
                    for (pattern, schema) in patterns {
                        if pattern::is_match(pattern, name) && !self.is_absent(value, outcome) {
                            self.value(schema, value, here, outcome);
                        }
                    }
                }
                Keyword::AdditionalProperties(additional) => {
                    let known = schema.properties().is_some_and(|known| known.contains_key(name))
                        || schema.pattern_properties().is_some_and(|patterns| {
                            patterns.keys().any(|pattern| pattern::is_match(pattern, name))
                        });
                    if known {
                        continue;
                    }
                    if additional.is_never() {
                        outcome.findings.push(unknown_property(schema, name, here));
                    } else if !self.is_absent(value, outcome) {
                        self.value(additional, value, here, outcome);
                    }
                }
                Keyword::PropertyNames(names) => {
                    self.value(names, &Value::String(name.clone()), here, outcome);
                }
                _ => {}
            }
        }
    }

    /// Whether a property is not there. Where alternatives are decided, one that may be there is unknown.
    fn is_absent(&self, value: &Value, outcome: &mut Outcome) -> bool {
        if is_no_value(value) {
            return true;
        }
        if self.mode == Mode::Decide && self.presence(value) == Presence::Unknown {
            outcome.unknown = true;
            return true;
        }
        self.mode != Mode::Report && self.presence(value) == Presence::Absent
    }

    /// What the facts say of a property beside its schema.
    fn property_facts(&self, name: &str, path: Path<'_>, outcome: &mut Outcome) {
        if self.mode != Mode::Report || self.in_extension {
            return;
        }
        let listed = |paths: &[String]| {
            // Most properties are in no list, so the path is written out only when the last name is.
            paths.iter().any(|known| known.rsplit('/').next() == Some(name))
                && paths.contains(&path.property_path())
        };
        // The properties of a serverless type are read by a transform, which may read those as well.
        if !self.resource.name().starts_with("AWS::Serverless::") && listed(self.resource.read_only()) {
            let message = format!("`{name}` is read-only: only AWS sets it");
            let mut finding = Finding::error("read-only-property", path.pointer(), message);
            if self.resource.attribute(&path.property_path().replace('/', ".")).is_some() {
                finding = finding.with_hint("remove it; other resources read it with `Fn::GetAtt`");
            }
            outcome.findings.push(finding);
        }
        if listed(self.resource.deprecated()) {
            let message = format!("`{name}` of `{}` is deprecated", self.resource.name());
            outcome.findings.push(Finding::warning("deprecated-property", path.pointer(), message));
        }
    }

    /// The keywords about which properties are there.
    pub(super) fn object_group(
        &self,
        keyword: &Keyword,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) {
        match keyword {
            Keyword::Required(names) => {
                for name in names {
                    match self.property_presence(value, name) {
                        Presence::Present => {}
                        Presence::Unknown => outcome.unknown = true,
                        Presence::Absent => outcome.findings.push(self.missing(name, value, path)),
                    }
                }
            }
            Keyword::RequiredOr(names) => {
                let (present, unknown) = self.count(names, value);
                if present.is_empty() {
                    if unknown > 0 {
                        outcome.unknown = true;
                    } else {
                        let message = format!("one of {} is required", list(names));
                        outcome.findings.push(Finding::error("required-one-of", path.pointer(), message));
                    }
                }
            }
            Keyword::RequiredXor(names) => {
                let (present, unknown) = self.count(names, value);
                if present.len() > 1 {
                    outcome.findings.push(exclusive(&present, path));
                } else if unknown > 0 {
                    outcome.unknown = true;
                } else if present.is_empty() {
                    let message = format!("one of {} is required", list(names));
                    outcome.findings.push(Finding::error("required-one-of", path.pointer(), message));
                }
            }
            Keyword::DependentRequired(map) => self.dependent(map, true, value, path, outcome),
            Keyword::DependentExcluded(map) => self.dependent(map, false, value, path, outcome),
            Keyword::DependentSchemas(map) => {
                for (name, schema) in map {
                    match self.property_presence(value, name) {
                        Presence::Present => self.value(schema, value, path, outcome),
                        Presence::Unknown => outcome.unknown = true,
                        Presence::Absent => {}
                    }
                }
            }
            Keyword::MinProperties(least) => {
                let (present, unknown) = self.count_all(value);
                if present + unknown < *least {
                    let message = format!("{present} properties are set, at least {least} are needed");
                    outcome.findings.push(Finding::error("too-few-properties", path.pointer(), message));
                }
            }
            Keyword::MaxProperties(most) => {
                let (present, _) = self.count_all(value);
                if present > *most {
                    let message = format!("{present} properties are set, at most {most} are allowed");
                    outcome.findings.push(Finding::error("too-many-properties", path.pointer(), message));
                }
            }
            Keyword::NotAbove(map) => {
                for (low, high) in map {
                    if let (Some(small), Some(large)) = (value.get(low), value.get(high))
                        && let (Some(a), Some(b)) = (number(self.settled(small)), number(self.settled(large)))
                        && a > b
                    {
                        let message = format!("`{low}` is {a}, above `{high}`, which is {b}");
                        outcome.findings.push(Finding::error(
                            "out-of-range",
                            path.property(low).pointer(),
                            message,
                        ));
                    }
                }
            }
            _ => {}
        }
    }

    /// The value that settled conditions choose.
    pub(super) fn settled<'v>(&self, value: &'v Value) -> &'v Value {
        if let Some(("Fn::If", Value::Array(arguments))) = super::function_of(value)
            && let [Value::String(condition), then, otherwise] = arguments.as_slice()
        {
            return match self.assumed(condition) {
                Some(true) => self.settled(then),
                Some(false) => self.settled(otherwise),
                None => value,
            };
        }
        value
    }

    fn missing(&self, name: &str, value: &Value, path: Path<'_>) -> Finding {
        let of = match path.property_path() {
            at if at.is_empty() => format!("`{}`", self.resource.name()),
            at => format!("`{at}`"),
        };
        let finding =
            Finding::error("missing-required", path.pointer(), format!("{of} lacks the required `{name}`"));
        let given = value.as_object().into_iter().flat_map(|map| map.keys().map(String::as_str));
        match spelling::closest(name, given) {
            Some(near) => finding.with_hint(format!("rename `{near}` to `{name}`?")),
            None => finding.with_hint(format!("add `{name}`")),
        }
    }

    fn dependent(
        &self,
        map: &std::collections::BTreeMap<String, Vec<String>>,
        wanted: bool,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) {
        for (name, others) in map {
            match self.property_presence(value, name) {
                Presence::Absent => continue,
                Presence::Unknown => {
                    outcome.unknown = true;
                    continue;
                }
                Presence::Present => {}
            }
            for other in others {
                match (self.property_presence(value, other), wanted) {
                    (Presence::Unknown, _) => outcome.unknown = true,
                    (Presence::Absent, true) => {
                        let message = format!("`{name}` needs `{other}` beside it");
                        let finding = Finding::error("missing-dependent", path.pointer(), message);
                        outcome.findings.push(finding.with_hint(format!("add `{other}` or remove `{name}`")));
                    }
                    (Presence::Present, false) => outcome.findings.push(exclusive(&[other, name], path)),
                    _ => {}
                }
            }
        }
    }

    /// Which of some properties are there, and how many may be.
    fn count<'n>(&self, names: &'n [String], value: &Value) -> (Vec<&'n str>, usize) {
        let mut present = Vec::new();
        let mut unknown = 0;
        for name in names {
            match self.property_presence(value, name) {
                Presence::Present => present.push(name.as_str()),
                Presence::Unknown => unknown += 1,
                Presence::Absent => {}
            }
        }
        (present, unknown)
    }

    fn count_all(&self, value: &Value) -> (u64, u64) {
        let mut counts = (0, 0);
        for (name, value) in value.as_object().into_iter().flatten() {
            match self.presence(value) {
                // A loop or a macro stands for any number.
                _ if name == "Fn::Transform" || is_loop(name) => counts.1 = u64::from(u32::MAX),
                Presence::Present => counts.0 += 1,
                Presence::Unknown => counts.1 += 1,
                Presence::Absent => {}
            }
        }
        counts
    }
}

fn exclusive(names: &[&str], path: Path<'_>) -> Finding {
    let place = path.property(names[0]).pointer();
    let message = format!("{} exclude each other", list(names));
    Finding::error("mutually-exclusive", place, message).with_hint("keep one of them")
}

fn unknown_property(schema: &Schema, name: &str, path: Path<'_>) -> Finding {
    let owner = path.parent.map(Path::property_path).unwrap_or_default();
    let message = if owner.is_empty() {
        format!("`{name}` is not a property of this type")
    } else {
        format!("`{name}` is not a property of `{owner}`")
    };
    let finding = Finding::error("unknown-property", path.pointer(), message);
    let names: Vec<&str> =
        schema.properties().into_iter().flat_map(|known| known.keys().map(String::as_str)).collect();
    match spelling::closest(name, names.iter().copied()) {
        Some(near) => finding.with_hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => finding,
        None if names.len() <= NAMES_IN_HINT => {
            finding.with_hint(format!("the properties are {}", list(&names)))
        }
        None => finding.with_hint(format!(
            "the properties are {} and {} more",
            list(&names[..NAMES_IN_HINT]),
            names.len() - NAMES_IN_HINT
        )),
    }
}

/// Names for a message: `A`, `B` and `C`.
pub(super) fn list<T: AsRef<str>>(names: &[T]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}
