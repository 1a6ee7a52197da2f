//! The validator of one resource: reads the packed facts of its type and the value side by side.
//!
//! There is no compiled form of a schema: a template uses few types, so walking the keywords that a value meets costs
//! less than compiling all of them. Intrinsic functions make a value partly unknown, and what is unknown is never
//! wrong: inside alternatives (`oneOf`, `anyOf`, `if`, `not`) it makes the outcome unknown, elsewhere only what the
//! function is known to return is judged.

mod alternatives;
mod functions;
mod lists;
mod objects;
mod presence;
mod scalars;
mod sites;
mod tables;

use formwork_assembly::Severity;
use serde_json::Value;

use crate::facts::ResourceType;
use crate::finding::Finding;
use crate::keyword::Keyword;
use crate::schema::Schema;

pub use functions::{FUNCTION_NAMES, function_of};
pub use sites::{ReferenceSite, reference_sites};

/// A condition of the template with the value that it is taken to have.
pub type Assumption<'a> = (&'a str, bool);

/// Whether conditions can have these values together.
pub type Possible<'a> = dyn Fn(&[Assumption<'_>]) -> bool + 'a;

/// What is known about the surroundings of a resource.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// The region, for facts that differ by region; without it, what holds in any region is accepted.
    pub region: Option<&'a str>,
    /// The resource's `Condition`.
    pub condition: Option<&'a str>,
    /// Whether these values of conditions can be true together. Without it, the validator takes a condition to be free
    /// only where no other one is in play.
    pub possible: Option<&'a Possible<'a>>,
}

/// The facts by which a resource of a type is validated. `Custom::…` is validated as a custom resource.
///
/// # Errors
///
/// A finding (without a pointer) when there are none: an error for an unknown AWS type, a note for modules and for
/// types of third parties, which only their registry knows.
pub fn type_for(name: &str) -> Result<&'static ResourceType, Finding> {
    let lookup = if name.starts_with("Custom::") { "AWS::CloudFormation::CustomResource" } else { name };
    if let Some(resource) = crate::pack::resource_type(lookup) {
        return Ok(resource);
    }
    if name.ends_with("::MODULE") || (name.split("::").count() == 3 && !name.starts_with("AWS::")) {
        let message =
            format!("the properties of `{name}` are not checked: its schema is in a private registry");
        return Err(Finding::note("unchecked-type", "", message));
    }
    let finding = Finding::error("unknown-type", "", format!("`{name}` is not a resource type"));
    Err(match crate::pack::closest_type_name(name) {
        Some(near) => finding.with_hint(format!("did you mean `{near}`?")),
        None => finding.with_hint("a type has the form `AWS::Service::Resource`"),
    })
}

/// Validates the properties of a resource. Pass an empty object when the resource has none.
pub fn check_resource(
    resource: &'static ResourceType,
    properties: &Value,
    context: &Context<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !properties.is_object() || presence::is_no_value(properties) {
        let message = format!("the properties of `{}` must be an object", resource.name());
        findings.push(Finding::error("wrong-type", "", message));
        return findings;
    }
    let assumptions: Vec<Assumption<'_>> = context.condition.map(|name| (name, true)).into_iter().collect();
    let check =
        Check { resource, context, mode: Mode::Report, in_extension: false, assumptions: &assumptions };
    let mut outcome = Outcome::default();
    check.value(&resource.schema, properties, Path::ROOT, &mut outcome);
    findings.append(&mut outcome.findings);

    for extension in resource.extensions() {
        let mut outcome = Outcome::default();
        let mode = if extension.full { Mode::Report } else { Mode::ReportKnown };
        let conditional = Check { mode, in_extension: true, ..check };
        conditional.at_path(&extension.path, &extension.schema, properties, Path::ROOT, &mut outcome);
        if extension.full {
            findings.append(&mut outcome.findings);
            continue;
        }
        findings.extend(outcome.findings.into_iter().map(|finding| Finding {
            severity: extension.severity.min(finding.severity),
            rule: extension.name.as_str(),
            ..finding
        }));
    }
    if resource.name() == "AWS::DynamoDB::Table" {
        tables::check(properties, &mut findings);
    }
    dedup(&mut findings);
    findings
}

/// Drops findings that say the same of the same place, keeping the order. Where a value has the wrong form, "not an ARN of
/// a role" says more than the pattern of such an ARN.
fn dedup(findings: &mut Vec<Finding>) {
    let formats: std::collections::BTreeSet<String> = findings
        .iter()
        .filter(|finding| finding.rule == "format")
        .map(|finding| finding.pointer.clone())
        .collect();
    findings.retain(|finding| finding.rule != "pattern" || !formats.contains(&finding.pointer));
    let mut seen = std::collections::BTreeSet::new();
    findings.retain(|finding| seen.insert((finding.pointer.clone(), finding.rule, finding.message.clone())));
}

/// What checking a value against a schema brought.
#[derive(Default)]
struct Outcome {
    /// What is certainly wrong.
    findings: Vec<Finding>,
    /// Whether something could not be judged because a function's value is not known.
    unknown: bool,
}

impl Outcome {
    fn is_valid(&self) -> bool {
        !self.unknown && self.has_no_error()
    }

    fn has_no_error(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Error)
    }
}

/// The way from `Properties` to a value, written out only when something is wrong there.
#[derive(Clone, Copy)]
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Property(&'a str),
    Item(usize),
    /// Inside a function, such as the second branch of `Fn::If`: part of the place, not of the property's path.
    Function(&'a str, usize),
}

impl<'a> Path<'a> {
    const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    fn property(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Property(name) }
    }

    fn item(&'a self, position: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Item(position) }
    }

    fn function(&'a self, name: &'a str, argument: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Function(name, argument) }
    }

    fn steps(&self) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let mut path = Some(self);
        while let Some(here) = path {
            steps.push(here.step);
            path = here.parent;
        }
        steps.reverse();
        steps
    }

    /// The place as a JSON pointer.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in self.steps() {
            match step {
                Step::Root => {}
                Step::Property(name) => {
                    pointer.push('/');
                    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
                Step::Item(position) => pointer.push_str(&format!("/{position}")),
                Step::Function(name, argument) => pointer.push_str(&format!("/{name}/{argument}")),
            }
        }
        pointer
    }

    /// The property path as the facts write it: `Listeners/*/Port`.
    fn property_path(&self) -> String {
        let parts: Vec<&str> = self
            .steps()
            .into_iter()
            .filter_map(|step| match step {
                Step::Property(name) => Some(name),
                Step::Item(_) => Some("*"),
                Step::Root | Step::Function(..) => None,
            })
            .collect();
        parts.join("/")
    }
}

/// What an outcome is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It is reported, and functions are judged by what they return.
    Report,
    /// It is reported, and functions are left alone: conditional rules only speak of values that are known.
    ReportKnown,
    /// It decides between alternatives, and functions make it unknown.
    Decide,
}

/// The walk over one resource.
#[derive(Clone, Copy)]
struct Check<'c> {
    resource: &'c ResourceType,
    context: &'c Context<'c>,
    mode: Mode,
    /// Whether this is a rule beside the schema of the type, which has reported its own facts already.
    in_extension: bool,
    /// The conditions that are settled here: the resource's own, and those of enclosing `Fn::If` branches.
    assumptions: &'c [Assumption<'c>],
}

impl<'c> Check<'c> {
    /// Checks a value against a schema.
    fn value(&self, schema: &Schema, value: &Value, path: Path<'_>, outcome: &mut Outcome) {
        if schema.is_never() {
            outcome.findings.push(self.forbidden(path));
            return;
        }
        if let Value::String(text) = value
            && functions::is_dynamic_reference(text)
        {
            // What it resolves to is known at deployment only.
            outcome.unknown = true;
            return;
        }
        if let Some((name, argument)) = function_of(value) {
            self.function(schema, name, argument, path, outcome);
            return;
        }
        self.grouped(schema, value, path, outcome);
        for keyword in schema.keywords() {
            self.keyword(schema, keyword, value, path, outcome);
        }
    }

    /// Applies the keywords that do not depend on which properties or items a condition leaves in.
    fn keyword(
        &self,
        schema: &Schema,
        keyword: &Keyword,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) {
        match keyword {
            Keyword::Reference(name) => {
                if let Some(definition) = self.resource.definitions().get(name) {
                    self.value(definition, value, path, outcome);
                }
            }
            Keyword::Properties(_)
            | Keyword::PatternProperties(_)
            | Keyword::AdditionalProperties(_)
            | Keyword::PropertyNames(_) => self.object(schema, keyword, value, path, outcome),
            Keyword::Items(_) | Keyword::PrefixItems(_) | Keyword::Contains(_) => {
                self.list(schema, keyword, value, path, outcome);
            }
            Keyword::AllOf(list) => list.iter().for_each(|schema| self.value(schema, value, path, outcome)),
            Keyword::AnyOf(list) => self.any_of(list, value, path, outcome),
            Keyword::OneOf(list) => self.one_of(list, value, path, outcome),
            Keyword::Not(schema) => self.not(schema, value, path, outcome),
            _ => self.scalar(schema, keyword, value, path, outcome),
        }
    }

    /// Checks the values at a path of a conditional rule.
    fn at_path(
        &self,
        steps: &[String],
        schema: &Schema,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) {
        let Some((step, rest)) = steps.split_first() else {
            match value {
                Value::String(text) if self.mode == Mode::Report => self.text(schema, text, path, outcome),
                _ => self.value(schema, value, path, outcome),
            }
            return;
        };
        if let Some(("Fn::If", Value::Array(arguments))) = function_of(value) {
            for (position, branch) in arguments.iter().enumerate().skip(1) {
                if !presence::is_no_value(branch) {
                    self.at_path(steps, schema, branch, path.function("Fn::If", position), outcome);
                }
            }
            return;
        }
        match value {
            Value::Object(map) => {
                if let Some((name, value)) = map.get_key_value(step) {
                    self.at_path(rest, schema, value, path.property(name), outcome);
                }
            }
            Value::Array(items) if step == "*" => {
                for (position, item) in items.iter().enumerate() {
                    if !presence::is_no_value(item) {
                        self.at_path(rest, schema, item, path.item(position), outcome);
                    }
                }
            }
            _ => {}
        }
    }

    /// Checks a document that is written as text. Text that is no JSON is left to the service.
    fn text(&self, schema: &Schema, text: &str, path: Path<'_>, outcome: &mut Outcome) {
        let Ok(document) = serde_json::from_str::<Value>(text) else { return };
        let mut inside = Outcome::default();
        Check { mode: Mode::ReportKnown, ..*self }.value(schema, &document, Path::ROOT, &mut inside);
        for finding in inside.findings {
            let message = match finding.pointer.as_str() {
                "" => finding.message,
                place => format!("{} (at {place} of the text)", finding.message),
            };
            outcome.findings.push(Finding { message, pointer: path.pointer(), ..finding });
        }
    }

    fn forbidden(&self, path: Path<'_>) -> Finding {
        let name = match path.step {
            Step::Property(name) => name.to_owned(),
            _ => path.property_path(),
        };
        Finding::error("forbidden-property", path.pointer(), format!("`{name}` cannot be set here"))
    }
}
