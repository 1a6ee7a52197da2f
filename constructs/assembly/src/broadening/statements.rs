//! Statements of policies: what they allow and deny, and whether one grants all that another does.

use std::collections::{BTreeMap, BTreeSet};

use super::reading::{Guards, shown};

/// Above this many combinations, a statement is compared with single statements only.
const MOST_COMBINATIONS: usize = 20_000;
/// How many of a list are told by name.
const NAMED: usize = 3;

/// What a statement is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// A policy that says what its bearer may do.
    Identity,
    /// A policy that says who may do something with what bears it.
    Resource,
    /// A policy that says who may assume a role.
    Trust,
}

/// The values of one element, such as `Action`; of `NotAction` when they are negated.
#[derive(Clone, Debug, Default)]
pub(super) struct Element {
    pub(super) is_negated: bool,
    pub(super) values: Vec<(String, Guards)>,
}

/// A statement.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) role: Role,
    pub(super) allows: bool,
    pub(super) guards: Guards,
    pub(super) principals: Element,
    pub(super) actions: Element,
    pub(super) resources: Element,
    /// Values by operator and key, both in lower case.
    pub(super) conditions: BTreeMap<(String, String), BTreeSet<String>>,
    /// The keys as they are written.
    pub(super) keys: BTreeSet<String>,
}

/// One value of an element, or all that a negated element leaves.
#[derive(Clone, Copy, Debug)]
enum Part<'s> {
    One(&'s str, &'s Guards),
    AllBut(&'s [(String, Guards)]),
}

impl Element {
    fn parts(&self) -> Vec<Part<'_>> {
        if self.is_negated {
            return vec![Part::AllBut(&self.values)];
        }
        self.values.iter().map(|(value, guards)| Part::One(value, guards)).collect()
    }

    /// Whether this element says all that a part of another one says, where the given guards hold.
    fn covers(&self, part: Part<'_>, guards: &Guards, covers: fn(&str, &str) -> bool) -> bool {
        let holds = |own: &Guards, other: &Guards| {
            own.iter().all(|guard| guards.contains(guard) || other.contains(guard))
        };
        match (self.is_negated, part) {
            (false, Part::One(text, other)) => {
                self.values.iter().any(|(own, conditions)| covers(own, text) && holds(conditions, other))
            }
            (false, Part::AllBut(_)) => {
                self.values.iter().any(|(own, conditions)| own == "*" && holds(conditions, &Guards::new()))
            }
            // Nothing that is left out may touch what is wanted.
            (true, Part::One(text, _)) => {
                self.values.iter().all(|(own, _)| !covers(own, text) && !covers(text, own))
            }
            (true, Part::AllBut(others)) => {
                self.values.iter().all(|(own, _)| others.iter().any(|(other, _)| covers(other, own)))
            }
        }
    }
}

/// What of a statement others do not cover.
#[derive(Debug, Default)]
struct Rest {
    principals: BTreeSet<String>,
    actions: BTreeSet<String>,
    resources: BTreeSet<String>,
    is_all: bool,
}

impl Statement {
    /// What this statement says beyond the others, in plain words; nothing when they say it all.
    pub(super) fn beyond(&self, others: &[&Statement]) -> Option<String> {
        let others: Vec<&&Statement> = others.iter().filter(|other| other.allows == self.allows).collect();
        let strict =
            |other: &Statement| other.guards.is_subset(&self.guards) && conditions_cover(other, self);
        let rest = self.rest(&others, strict)?;
        // If others say it under some condition, it is the condition that went.
        let is_loosened = self.rest(&others, |_| true).is_none();
        let mut words = match (self.allows, self.role) {
            (true, Role::Trust) => "lets ".to_owned(),
            (true, _) if rest.is_all => "allows ".to_owned(),
            (true, _) => "also allows ".to_owned(),
            (false, _) => "no longer denies ".to_owned(),
        };
        let principals = listed(&self.principals, &rest.principals, principal_words);
        let actions = listed(&self.actions, &rest.actions, |text| text.to_owned());
        let resources = listed(&self.resources, &rest.resources, shown);
        if self.allows && self.role == Role::Trust {
            words.push_str(&format!("{principals} assume the role"));
            if !actions.eq_ignore_ascii_case("sts:AssumeRole") {
                words.push_str(&format!(" ({actions})"));
            }
        } else {
            words.push_str(&actions);
            if !resources.is_empty() {
                words.push_str(&format!(" on {resources}"));
            }
            if !principals.is_empty() {
                words.push_str(&format!(" to {principals}"));
            }
        }
        if is_loosened {
            words.push_str(", under looser conditions than before");
        }
        if !self.keys.is_empty() && self.allows {
            let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
            words.push_str(&format!(" (where {} match)", keys.join(", ")));
        }
        Some(words)
    }

    fn rest(&self, others: &[&&Statement], fits: impl Fn(&Statement) -> bool) -> Option<Rest> {
        let others: Vec<&&&Statement> = others.iter().filter(|other| fits(other)).collect();
        let (principals, actions, resources) =
            (self.principals.parts(), self.actions.parts(), self.resources.parts());
        let mut rest = Rest { is_all: true, ..Rest::default() };
        let single = others.iter().any(|other| {
            principals.iter().all(|part| other.principals.covers(*part, &self.guards, principal_covers))
                && actions.iter().all(|part| other.actions.covers(*part, &self.guards, action_covers))
                && resources.iter().all(|part| other.resources.covers(*part, &self.guards, pattern_covers))
        });
        if single {
            return None;
        }
        if principals.len() * actions.len() * resources.len() > MOST_COMBINATIONS {
            for (parts, names) in [
                (&principals, &mut rest.principals),
                (&actions, &mut rest.actions),
                (&resources, &mut rest.resources),
            ] {
                names.extend(parts.iter().filter_map(name));
            }
            return Some(rest);
        }
        let mut found = false;
        for principal in &principals {
            let by_principal: Vec<_> = others
                .iter()
                .filter(|other| other.principals.covers(*principal, &self.guards, principal_covers))
                .collect();
            for action in &actions {
                let by_action: Vec<_> = by_principal
                    .iter()
                    .filter(|other| other.actions.covers(*action, &self.guards, action_covers))
                    .collect();
                for resource in &resources {
                    if by_action
                        .iter()
                        .any(|other| other.resources.covers(*resource, &self.guards, pattern_covers))
                    {
                        rest.is_all = false;
                        continue;
                    }
                    found = true;
                    rest.principals.extend(name(principal));
                    rest.actions.extend(name(action));
                    rest.resources.extend(name(resource));
                }
            }
        }
        found.then_some(rest)
    }
}

fn name(part: &Part<'_>) -> Option<String> {
    match part {
        Part::One(text, _) => Some((*text).to_owned()),
        Part::AllBut(_) => None,
    }
}

/// The names of an element in words; all that a negated one leaves.
fn listed(element: &Element, names: &BTreeSet<String>, word: fn(&str) -> String) -> String {
    let some = |texts: Vec<String>| match texts.len() {
        0..=NAMED => texts.join(", "),
        count => format!("{} and {} more", texts[..NAMED].join(", "), count - NAMED),
    };
    if element.is_negated {
        let names = element.values.iter().map(|(value, _)| word(value)).collect();
        return format!("everything except {}", some(names));
    }
    some(names.iter().filter(|name| !name.is_empty()).map(|name| word(name)).collect())
}

fn principal_words(text: &str) -> String {
    match text {
        "*" => "anyone".to_owned(),
        text => match text.split_once(':') {
            Some(("AWS", rest)) => shown(rest),
            Some(("Service", rest)) => format!("the service {}", shown(rest)),
            Some(("Federated", rest)) => format!("users of {}", shown(rest)),
            _ => shown(text),
        },
    }
}

fn principal_covers(own: &str, other: &str) -> bool {
    own == "*" || own == other
}

/// Whether a pattern with `*` and `?` matches all that another pattern matches.
fn pattern_covers(own: &str, other: &str) -> bool {
    covers_by(own, other, |one, other| one == other)
}

/// The same for the names of actions, whose case does not matter.
fn action_covers(own: &str, other: &str) -> bool {
    covers_by(own, other, |one, other| one.eq_ignore_ascii_case(&other))
}

fn covers_by(own: &str, other: &str, same: impl Fn(u8, u8) -> bool) -> bool {
    let (own, other) = (own.as_bytes(), other.as_bytes());
    let (mut at, mut place) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while place < other.len() {
        match own.get(at) {
            Some(b'*') => {
                at += 1;
                retry = Some((at, place));
            }
            // A question mark is one character, and a star of the other side may be many.
            Some(wanted) if same(*wanted, other[place]) || *wanted == b'?' && other[place] != b'*' => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((behind, given)) = retry else { return false };
                at = behind;
                place = given + 1;
                retry = Some((behind, place));
            }
        }
    }
    own[at..].iter().all(|rest| *rest == b'*')
}

/// Whether the conditions of one statement hold wherever those of another one do.
fn conditions_cover(own: &Statement, other: &Statement) -> bool {
    own.conditions.iter().all(|((operator, key), values)| {
        let same = |operator: &str| other.conditions.get(&(operator.to_owned(), key.clone()));
        // A key that may be missing is asked less of.
        let strict = operator.strip_suffix("ifexists");
        let Some(others) = same(operator).or_else(|| strict.and_then(same)) else { return false };
        let name = strict.unwrap_or(operator);
        let name = name.rsplit(':').next().unwrap_or(name);
        if values == others {
            return true;
        }
        match name {
            // Any of the values fits: fewer are stricter.
            "stringequals" | "stringequalsignorecase" | "arnequals" | "ipaddress" | "bool" => {
                !operator.starts_with("forallvalues") && others.is_subset(values)
            }
            "stringlike" | "arnlike" => {
                others.iter().all(|other| values.iter().any(|own| pattern_covers(own, other)))
            }
            // None of the values may fit: more are stricter.
            _ if name.contains("not") => values.is_subset(others),
            _ => false,
        }
    })
}
