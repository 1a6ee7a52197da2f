//! Whether conditions can be true together.
//!
//! A condition is a formula over comparisons. Comparisons of one value with several literals exclude each other, and a
//! parameter with `AllowedValues` equals one of them. A search looks for values of the comparisons that make all
//! assumptions hold; it gives up after a fixed number of steps and then says "no", so that nothing is reported that was
//! not shown to be possible, and the cost of a question does not grow with the template.

use std::cell::RefCell;
use std::collections::BTreeMap;

use formwork_assembly::references::only_member;
use serde_json::Value;

use super::sections::scalar_text;

/// Steps of one search. Conditions in use have two or three comparisons.
const STEPS: usize = 2_000;

/// Assumptions in a fixed order, to find the answer again.
type Question = Vec<(String, bool)>;

/// A condition with the value that it is taken to have.
pub(super) type Assumption<'t> = (&'t str, bool);

pub(super) struct Possibilities<'t> {
    formulas: BTreeMap<&'t str, Formula>,
    comparisons: Vec<Comparison>,
    /// The literals of each compared value that may be nothing else.
    closed: BTreeMap<String, Vec<String>>,
    answers: RefCell<BTreeMap<Question, Option<bool>>>,
}

enum Formula {
    Constant(bool),
    /// The place of a comparison.
    Comparison(usize),
    Condition(String),
    Not(Box<Formula>),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

/// A value that is compared, as text, and the literal that it is compared with.
#[derive(PartialEq, Eq)]
struct Comparison {
    value: String,
    literal: Option<String>,
}

impl<'t> Possibilities<'t> {
    pub(super) fn new(
        conditions: &BTreeMap<&'t str, &'t Value>,
        parameters: &BTreeMap<&'t str, &'t Value>,
        region: Option<&str>,
    ) -> Self {
        let mut possibilities = Self {
            formulas: BTreeMap::new(),
            comparisons: Vec::new(),
            closed: BTreeMap::new(),
            answers: RefCell::default(),
        };
        for (name, parameter) in parameters {
            if let Some(allowed) = parameter.get("AllowedValues").and_then(Value::as_array) {
                let literals = allowed.iter().filter_map(scalar_text).collect();
                possibilities.closed.insert(serde_json::json!({ "Ref": name }).to_string(), literals);
            }
        }
        if let Some(region) = region {
            let key = serde_json::json!({ "Ref": "AWS::Region" }).to_string();
            possibilities.closed.insert(key, vec![region.to_owned()]);
        }
        for (name, definition) in conditions {
            let formula = possibilities.formula(definition);
            possibilities.formulas.insert(name, formula);
        }
        possibilities
    }

    /// Whether all assumptions can hold at once. Says "no" also when that could not be shown.
    pub(super) fn possible(&self, assumptions: &[Assumption<'_>]) -> bool {
        self.answer(assumptions) == Some(true)
    }

    /// Whether it was shown that the assumptions cannot hold at once.
    pub(super) fn impossible(&self, assumptions: &[Assumption<'_>]) -> bool {
        self.answer(assumptions) == Some(false)
    }

    fn answer(&self, assumptions: &[Assumption<'_>]) -> Option<bool> {
        let mut key: Vec<(String, bool)> =
            assumptions.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        key.sort();
        key.dedup();
        if let Some(answer) = self.answers.borrow().get(&key) {
            return *answer;
        }
        let answer = self.search(&key);
        self.answers.borrow_mut().insert(key, answer);
        answer
    }

    fn formula(&mut self, definition: &Value) -> Formula {
        let Some((name, argument)) = only_member(definition) else {
            return Formula::Constant(scalar_text(definition).as_deref() == Some("true"));
        };
        let operands = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match (name, operands) {
            ("Condition", _) => Formula::Condition(argument.as_str().unwrap_or_default().to_owned()),
            ("Fn::Not", [operand]) => Formula::Not(Box::new(self.formula(operand))),
            ("Fn::And", operands) => {
                Formula::All(operands.iter().map(|operand| self.formula(operand)).collect())
            }
            ("Fn::Or", operands) => {
                Formula::Any(operands.iter().map(|operand| self.formula(operand)).collect())
            }
            ("Fn::Equals", [left, right]) => self.comparison(left, right),
            _ => self.free(definition),
        }
    }

    fn comparison(&mut self, left: &Value, right: &Value) -> Formula {
        let comparison = match (scalar_text(left), scalar_text(right)) {
            (Some(left), Some(right)) => return Formula::Constant(left == right),
            (Some(literal), None) => Comparison { value: right.to_string(), literal: Some(literal) },
            (None, Some(literal)) => Comparison { value: left.to_string(), literal: Some(literal) },
            (None, None) if left == right => return Formula::Constant(true),
            (None, None) => {
                let mut sides = [left.to_string(), right.to_string()];
                sides.sort();
                Comparison { value: sides.join(" = "), literal: None }
            }
        };
        if let (Some(literals), Some(literal)) = (self.closed.get(&comparison.value), &comparison.literal)
            && !literals.contains(literal)
        {
            return Formula::Constant(false);
        }
        self.place(comparison)
    }

    /// Something that is not understood may be true or false.
    fn free(&mut self, definition: &Value) -> Formula {
        self.place(Comparison { value: definition.to_string(), literal: None })
    }

    fn place(&mut self, comparison: Comparison) -> Formula {
        let found = self.comparisons.iter().position(|known| *known == comparison);
        Formula::Comparison(found.unwrap_or_else(|| {
            self.comparisons.push(comparison);
            self.comparisons.len() - 1
        }))
    }

    fn search(&self, assumptions: &[(String, bool)]) -> Option<bool> {
        let mut relevant = Vec::new();
        for (name, _) in assumptions {
            // An unknown or circular condition is a fault of its own.
            if !self.comparisons_of(&Formula::Condition(name.clone()), &mut relevant, 0) {
                return None;
            }
        }
        let mut search = Search { possibilities: self, assumptions, values: BTreeMap::new(), steps: 0 };
        let found = search.run(&relevant);
        (found || search.steps <= STEPS).then_some(found)
    }

    /// Collects the comparisons that a formula depends on; `false` when it cannot be followed.
    fn comparisons_of(&self, formula: &Formula, found: &mut Vec<usize>, depth: usize) -> bool {
        // Deeper than any chain of conditions that is not a circle.
        if depth > 64 {
            return false;
        }
        match formula {
            Formula::Constant(_) => true,
            Formula::Comparison(place) => {
                if !found.contains(place) {
                    found.push(*place);
                }
                true
            }
            Formula::Condition(name) => self
                .formulas
                .get(name.as_str())
                .is_some_and(|formula| self.comparisons_of(formula, found, depth + 1)),
            Formula::Not(operand) => self.comparisons_of(operand, found, depth + 1),
            Formula::All(operands) | Formula::Any(operands) => {
                operands.iter().all(|operand| self.comparisons_of(operand, found, depth + 1))
            }
        }
    }
}

struct Search<'p, 't> {
    possibilities: &'p Possibilities<'t>,
    assumptions: &'p [(String, bool)],
    values: BTreeMap<usize, bool>,
    steps: usize,
}

impl Search<'_, '_> {
    fn run(&mut self, open: &[usize]) -> bool {
        self.steps += 1;
        if self.steps > STEPS || !self.consistent() {
            return false;
        }
        let mut settled = true;
        for (name, wanted) in self.assumptions {
            match self.evaluate(&Formula::Condition(name.clone())) {
                Some(value) if value != *wanted => return false,
                Some(_) => {}
                None => settled = false,
            }
        }
        let Some((next, rest)) = open.split_first() else { return settled };
        for value in [false, true] {
            self.values.insert(*next, value);
            if self.run(rest) {
                return true;
            }
        }
        self.values.remove(next);
        false
    }

    /// A value equals one literal at most, and one at least when they are all that it may be.
    fn consistent(&self) -> bool {
        let comparisons = &self.possibilities.comparisons;
        let mut equal: BTreeMap<&str, usize> = BTreeMap::new();
        let mut unequal: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, value) in &self.values {
            if comparisons[*place].literal.is_some() {
                let counts = if *value { &mut equal } else { &mut unequal };
                *counts.entry(&comparisons[*place].value).or_default() += 1;
            }
        }
        equal.values().all(|count| *count <= 1)
            && unequal.iter().all(|(value, count)| {
                self.possibilities.closed.get(*value).is_none_or(|literals| *count < literals.len())
            })
    }

    /// The value of a formula as far as the comparisons settle it.
    fn evaluate(&self, formula: &Formula) -> Option<bool> {
        match formula {
            Formula::Constant(value) => Some(*value),
            Formula::Comparison(place) => self.values.get(place).copied(),
            Formula::Condition(name) => self.evaluate(self.possibilities.formulas.get(name.as_str())?),
            Formula::Not(operand) => self.evaluate(operand).map(|value| !value),
            Formula::All(operands) => self.combine(operands, false),
            Formula::Any(operands) => self.combine(operands, true),
        }
    }

    /// One operand of the deciding value decides; else all must be known.
    fn combine(&self, operands: &[Formula], deciding: bool) -> Option<bool> {
        let mut known = true;
        for operand in operands {
            match self.evaluate(operand) {
                Some(value) if value == deciding => return Some(deciding),
                Some(_) => {}
                None => known = false,
            }
        }
        known.then_some(!deciding)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn possible(assumptions: &[Assumption<'_>]) -> bool {
        let conditions = json!({
            "Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
            "Dev": {"Fn::Equals": ["dev", {"Ref": "Env"}]},
            "Test": {"Fn::Equals": [{"Ref": "Env"}, "test"]},
            "NotProd": {"Fn::Not": [{"Condition": "Prod"}]},
            "Big": {"Fn::Equals": [{"Ref": "Size"}, "big"]},
            "BigProd": {"Fn::And": [{"Condition": "Big"}, {"Condition": "Prod"}]},
            "Some": {"Fn::Or": [{"Condition": "Big"}, {"Condition": "Prod"}]},
            "Circle": {"Fn::Not": [{"Condition": "Circle"}]},
            "Never": {"Fn::Equals": [{"Ref": "Env"}, "other"]}
        });
        let parameters = json!({"Env": {"AllowedValues": ["prod", "dev", "test"]}, "Size": {}});
        let object = |value: &'static Value| {
            value
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.as_str(), value))
                .collect::<BTreeMap<_, _>>()
        };
        let (conditions, parameters): (&'static Value, &'static Value) =
            (Box::leak(Box::new(conditions)), Box::leak(Box::new(parameters)));
        Possibilities::new(&object(conditions), &object(parameters), None).possible(assumptions)
    }

    #[test]
    fn formulas_and_exclusions() {
        assert!(possible(&[("Prod", true), ("Big", false)]));
        assert!(!possible(&[("Prod", true), ("Dev", true)]));
        assert!(!possible(&[("Prod", true), ("NotProd", true)]));
        assert!(!possible(&[("BigProd", true), ("Prod", false)]));
        assert!(possible(&[("Some", true), ("Prod", false)]));
        assert!(!possible(&[("Some", true), ("Prod", false), ("Big", false)]));
        assert!(!possible(&[("BigProd", true), ("Some", false)]));
        assert!(!possible(&[("Prod", false), ("Dev", false), ("Test", false)]));
        assert!(!possible(&[("Never", true)]));
    }

    #[test]
    fn what_cannot_be_followed_is_not_possible() {
        assert!(!possible(&[("Circle", true)]));
        assert!(!possible(&[("Missing", true)]));
    }
}
