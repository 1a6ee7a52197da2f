//! Every reference that a template makes, with the place where it is written.
//!
//! Dangling targets, cycles, unused parameters, deployment order and the text of a plan all start from the same question:
//! who names whom? One walk answers it. It reads templates in long form (see [`crate::template_file`]) and borrows all
//! names from them.

use serde_json::{Map, Value};

/// What a reference is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReferenceKind<'t> {
    /// `Ref` of a resource, a parameter or a pseudo parameter.
    Ref,
    /// `Fn::GetAtt` of an attribute of a resource.
    GetAtt,
    /// `${Name}` or `${Name.Attribute}` in the string of `Fn::Sub`.
    Sub,
    /// An entry of a resource's `DependsOn`.
    DependsOn,
    /// A condition named by the attribute `Condition` of a resource or an output, or by `{"Condition": "Name"}` inside
    /// another condition.
    Condition,
    /// The condition that `Fn::If` chooses by.
    If,
    /// A mapping named by `Fn::FindInMap`, with its two keys where they are literal.
    FindInMap {
        /// The key of the first level.
        top: Option<&'t str>,
        /// The key of the second level.
        second: Option<&'t str>,
        /// Whether a `DefaultValue` is given, so that a missing key is no mistake.
        default: bool,
    },
    /// The literal name of an export in `Fn::ImportValue`.
    ImportValue,
    /// The literal name of a stack in `Fn::GetStackOutput`; the attribute is the output.
    GetStackOutput,
    /// A parameter named by `Fn::ValueOf` in a rule.
    ValueOf,
}

/// One reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'t> {
    /// What it is made with.
    pub kind: ReferenceKind<'t>,
    /// The name that is referred to.
    pub target: &'t str,
    /// The attribute of the target, dots included, where the kind has one and it is literal.
    pub attribute: Option<&'t str>,
    /// The section of the template in which it is written, such as `Resources`.
    pub section: &'t str,
    /// The entry of the section in which it is written, such as a resource's logical id.
    pub owner: &'t str,
    /// The place as a JSON pointer to the function (`…/RoleArn/Fn::GetAtt`), or to the name where there is no function.
    pub pointer: String,
}

impl Reference<'_> {
    /// Whether the target is one of CloudFormation's own names, such as `AWS::Region`.
    pub fn is_pseudo_parameter(&self) -> bool {
        self.target.starts_with("AWS::")
    }

    /// Whether CloudFormation makes the target before the owner when both are resources.
    pub fn orders_resources(&self) -> bool {
        use ReferenceKind::{DependsOn, GetAtt, Ref, Sub};
        matches!(self.kind, Ref | GetAtt | Sub | DependsOn)
    }
}

/// All references of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References<'t> {
    /// The references in the order of the template.
    pub list: Vec<Reference<'t>>,
    /// What is rewritten by CloudFormation before it is read, so that targets may come from there.
    pub macros: Macros<'t>,
    /// Whether some `Fn::FindInMap` computes the name of its mapping, so that any mapping may be in use.
    pub computes_mapping_names: bool,
}

/// The macros that a template asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Macros<'t> {
    /// The names in `Transform` and in `Fn::Transform`, in the order of the template.
    pub names: Vec<&'t str>,
    /// Whether `Fn::ForEach` makes entries.
    pub has_loops: bool,
}

impl Macros<'_> {
    /// Whether a macro or a loop may add or rename entries.
    pub fn may_add_entries(&self) -> bool {
        self.has_loops || self.names.iter().any(|name| *name != "AWS::LanguageExtensions")
    }
}

/// Finds every reference of a template in long form.
///
/// A template that is not an object, or whose sections have a wrong shape, gives what can be read in it.
pub fn references(template: &Value) -> References<'_> {
    let mut walk = Walk::default();
    let Some(sections) = template.as_object() else { return walk.found };
    for (section, content) in sections {
        walk.section = section;
        walk.owner = "";
        match section.as_str() {
            "Transform" => walk.transform_names(content),
            "Resources" | "Outputs" => walk.entries(section, content, Walk::entry),
            "Conditions" => walk.entries(section, content, Walk::condition),
            "Rules" => walk.entries(section, content, Walk::condition),
            "Hooks" => walk.entries(section, content, Walk::value),
            "Mappings" | "Parameters" => walk.entries(section, content, Walk::value),
            _ => {}
        }
    }
    walk.found
}

/// The names of a string of `Fn::Sub`: each `${…}` that is not a literal `${!…}`, in the order of the string, without
/// surrounding blanks.
pub fn substitutions(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find("${")? + 2;
            let end = start + rest[start..].find('}')?;
            let name = &rest[start..end];
            // `${${X}`: the inner one counts, as in CloudFormation.
            if let Some(inner) = name.rfind("${") {
                rest = &rest[start + inner..];
                continue;
            }
            rest = &rest[end + 1..];
            if !name.starts_with('!') {
                return Some(name.trim());
            }
        }
    })
}

/// Appends one reference token to a JSON pointer (RFC 6901).
pub fn push_pointer(pointer: &mut String, token: &str) {
    pointer.push('/');
    for character in token.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

#[derive(Default)]
struct Walk<'t> {
    found: References<'t>,
    section: &'t str,
    owner: &'t str,
    pointer: String,
    /// Names that a loop defines around the place.
    loop_names: Vec<&'t str>,
}

impl<'t> Walk<'t> {
    fn at(&mut self, token: &str, visit: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        push_pointer(&mut self.pointer, token);
        visit(self);
        self.pointer.truncate(length);
    }

    fn item(&mut self, index: usize, visit: impl FnOnce(&mut Self)) {
        self.at(&index.to_string(), visit);
    }

    fn add(&mut self, kind: ReferenceKind<'t>, target: &'t str, attribute: Option<&'t str>) {
        if self.loop_names.iter().any(|name| target.contains(&format!("${{{name}}}")) || *name == target) {
            return;
        }
        self.found.list.push(Reference {
            kind,
            target,
            attribute,
            section: self.section,
            owner: self.owner,
            pointer: self.pointer.clone(),
        });
    }

    fn entries(&mut self, section: &str, content: &'t Value, visit: fn(&mut Self, &'t Value)) {
        let Some(entries) = content.as_object() else { return };
        self.at(section, |walk| {
            for (name, entry) in entries {
                walk.owner = name;
                walk.at(name, |walk| match name.strip_prefix("Fn::ForEach::") {
                    Some(_) => walk.for_each(entry, visit),
                    None if name == "Fn::Transform" => walk.transform(entry),
                    None => visit(walk, entry),
                });
            }
        });
    }

    /// A resource or an output.
    fn entry(&mut self, entry: &'t Value) {
        let Some(attributes) = entry.as_object() else { return };
        for (name, value) in attributes {
            self.at(name, |walk| match name.as_str() {
                "DependsOn" => walk.depends_on(value),
                "Condition" => {
                    if let Some(condition) = value.as_str() {
                        walk.add(ReferenceKind::Condition, condition, None);
                    }
                }
                _ => walk.value(value),
            });
        }
    }

    fn depends_on(&mut self, value: &'t Value) {
        match value {
            Value::String(target) => self.add(ReferenceKind::DependsOn, target, None),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(target) = item.as_str() {
                        self.item(index, |walk| walk.add(ReferenceKind::DependsOn, target, None));
                    }
                }
            }
            _ => {}
        }
    }

    /// A value in which `{"Condition": "Name"}` refers to a condition; elsewhere it may be a plain property.
    fn condition(&mut self, value: &'t Value) {
        if let Some(name) =
            only_member(value).filter(|(key, _)| *key == "Condition").and_then(|(_, name)| name.as_str())
        {
            self.at("Condition", |walk| walk.add(ReferenceKind::Condition, name, None));
            return;
        }
        self.generic(value, Self::condition);
    }

    fn value(&mut self, value: &'t Value) {
        self.generic(value, Self::value);
    }

    fn generic(&mut self, value: &'t Value, visit: fn(&mut Self, &'t Value)) {
        match value {
            Value::Object(members) => match only_member(value) {
                Some((name, argument)) if is_function(name) => {
                    self.at(name, |walk| walk.function(name, argument, visit))
                }
                _ => self.members(members, visit),
            },
            Value::Array(items) => self.items(items, visit),
            _ => {}
        }
    }

    fn members(&mut self, members: &'t Map<String, Value>, visit: fn(&mut Self, &'t Value)) {
        for (name, member) in members {
            self.at(name, |walk| match name.strip_prefix("Fn::ForEach::") {
                Some(_) => walk.for_each(member, visit),
                None if name == "Fn::Transform" => walk.transform(member),
                None => visit(walk, member),
            });
        }
    }

    fn items(&mut self, items: &'t [Value], visit: fn(&mut Self, &'t Value)) {
        for (index, item) in items.iter().enumerate() {
            self.item(index, |walk| visit(walk, item));
        }
    }

    fn function(&mut self, name: &str, argument: &'t Value, visit: fn(&mut Self, &'t Value)) {
        match (name, argument) {
            ("Ref", Value::String(target)) => self.add(ReferenceKind::Ref, target, None),
            ("Fn::GetAtt", _) => self.get_att(argument),
            ("Fn::Sub", Value::String(text)) => self.substitute(text, None),
            ("Fn::Sub", Value::Array(arguments)) => {
                let variables = arguments.get(1).and_then(Value::as_object);
                if let Some(text) = arguments.first().and_then(Value::as_str) {
                    self.item(0, |walk| walk.substitute(text, variables));
                }
                for (index, argument) in arguments.iter().enumerate().skip(1) {
                    self.item(index, |walk| walk.value(argument));
                }
            }
            ("Fn::If", Value::Array(arguments)) => {
                if let Some(condition) = arguments.first().and_then(Value::as_str) {
                    self.item(0, |walk| walk.add(ReferenceKind::If, condition, None));
                }
                for (index, branch) in arguments.iter().enumerate().skip(1) {
                    self.item(index, |walk| visit(walk, branch));
                }
            }
            ("Fn::FindInMap", Value::Array(arguments)) => self.find_in_map(arguments),
            ("Fn::ImportValue", Value::String(export)) => self.add(ReferenceKind::ImportValue, export, None),
            ("Fn::GetStackOutput", Value::Object(arguments)) => {
                if let Some(stack) = arguments.get("StackName").and_then(Value::as_str) {
                    let output = arguments.get("OutputName").and_then(Value::as_str);
                    self.add(ReferenceKind::GetStackOutput, stack, output);
                }
                self.members(arguments, Self::value);
            }
            ("Fn::ValueOf", Value::Array(arguments)) => {
                if let Some(parameter) = arguments.first().and_then(Value::as_str) {
                    let attribute = arguments.get(1).and_then(Value::as_str);
                    self.add(ReferenceKind::ValueOf, parameter, attribute);
                }
            }
            ("Fn::Transform", _) => self.transform(argument),
            ("Fn::And" | "Fn::Or" | "Fn::Not", _) => self.generic(argument, Self::condition),
            (name, _) if name.starts_with("Fn::ForEach::") => self.for_each(argument, visit),
            _ => self.generic(argument, visit),
        }
    }

    fn get_att(&mut self, argument: &'t Value) {
        match argument {
            Value::String(dotted) => match dotted.split_once('.') {
                Some((target, attribute)) => self.add(ReferenceKind::GetAtt, target, Some(attribute)),
                None => self.add(ReferenceKind::GetAtt, dotted, None),
            },
            Value::Array(arguments) => {
                if let Some(target) = arguments.first().and_then(Value::as_str) {
                    let attribute = arguments.get(1).and_then(Value::as_str);
                    self.add(ReferenceKind::GetAtt, target, attribute);
                }
                self.items(arguments, Self::value);
            }
            other => self.value(other),
        }
    }

    fn substitute(&mut self, text: &'t str, variables: Option<&'t Map<String, Value>>) {
        for name in substitutions(text) {
            if variables.is_some_and(|variables| variables.contains_key(name)) {
                continue;
            }
            match name.split_once('.') {
                Some((target, attribute)) => self.add(ReferenceKind::Sub, target, Some(attribute)),
                None => self.add(ReferenceKind::Sub, name, None),
            }
        }
    }

    fn find_in_map(&mut self, arguments: &'t [Value]) {
        if let Some(mapping) = arguments.first().and_then(Value::as_str) {
            let kind = ReferenceKind::FindInMap {
                top: arguments.get(1).and_then(Value::as_str),
                second: arguments.get(2).and_then(Value::as_str),
                default: arguments.get(3).is_some_and(|options| options.get("DefaultValue").is_some()),
            };
            self.add(kind, mapping, None);
        } else {
            self.found.computes_mapping_names = true;
        }
        self.items(arguments, Self::value);
    }

    /// `[name, values, body]`: inside the body, references to the name are the loop's own.
    fn for_each(&mut self, argument: &'t Value, visit: fn(&mut Self, &'t Value)) {
        self.found.macros.has_loops = true;
        let Some([name, values, body]) = argument.as_array().map(Vec::as_slice) else { return };
        self.item(1, |walk| walk.value(values));
        let Some(name) = name.as_str() else { return };
        self.loop_names.push(name);
        self.item(2, |walk| {
            if let Some(entries) = body.as_object() {
                walk.members(entries, visit);
            }
        });
        self.loop_names.pop();
    }

    fn transform(&mut self, argument: &'t Value) {
        self.transform_names(argument);
        if let Some(parameters) = argument.get("Parameters") {
            self.at("Parameters", |walk| walk.value(parameters));
        }
    }

    fn transform_names(&mut self, value: &'t Value) {
        match value {
            Value::String(name) => self.found.macros.names.push(name),
            Value::Array(items) => items.iter().for_each(|item| self.transform_names(item)),
            Value::Object(members) => {
                if let Some(name) = members.get("Name").and_then(Value::as_str) {
                    self.found.macros.names.push(name);
                }
            }
            _ => {}
        }
    }
}

/// The member of an object that has exactly one.
pub fn only_member(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    members.iter().next().map(|(name, value)| (name.as_str(), value))
}

/// Whether a key makes its object a function call when it stands alone.
pub fn is_function(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}

#[cfg(test)]
mod tests;
