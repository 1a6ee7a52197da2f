//! The properties of a type as a code generator wants to see them: names with plain shapes.
//!
//! Provider schemas say one thing in many ways (a definition of a definition, alternatives of objects, several types
//! at once). A [`Shape`] is what is left of it for somebody who wants to write a value.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::facts::{Replacement, ResourceType};
use crate::keyword::JsonType;
use crate::schema::Schema;

/// One property of a type or of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Property<'a> {
    owner: &'a ResourceType,
    /// The name as it stands in a template.
    pub name: &'a str,
    /// What its value may be.
    pub schema: &'a Schema,
    /// Whether it must be there.
    pub required: bool,
    /// Whether only AWS writes it (known for the properties of a type, `false` inside structures).
    pub read_only: bool,
    /// Whether AWS advises against it.
    pub deprecated: bool,
}

/// What a value looks like.
#[derive(Clone, Debug)]
pub enum Shape<'a> {
    /// Text.
    String(Text<'a>),
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list of one shape.
    List(Box<Shape<'a>>),
    /// A map from any name to one shape.
    Map(Box<Shape<'a>>),
    /// An object with known properties.
    Structure(Structure<'a>),
    /// Any JSON, such as a policy document.
    Json,
}

/// Text, with what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The name of the definition that it comes from.
    pub definition: Option<&'a str>,
    /// The allowed values, when AWS closes the set.
    pub values: Option<&'a [Value]>,
    /// Whether the case of those values matters.
    pub case_matters: bool,
    /// What kind of text it is, such as `AWS::IAM::Role.Arn`.
    pub format: Option<&'a str>,
}

/// An object with known properties.
#[derive(Clone, Copy, Debug)]
pub struct Structure<'a> {
    owner: &'a ResourceType,
    /// The name of its definition; `None` for one that is written inside another schema.
    pub definition: Option<&'a str>,
    /// Its schema.
    pub schema: &'a Schema,
}

impl ResourceType {
    /// The properties in the order of their names, read-only ones included.
    pub fn properties(&self) -> Vec<Property<'_>> {
        Structure { owner: self, definition: None, schema: &self.schema }
            .properties()
            .into_iter()
            .map(|property| Property {
                read_only: self.read_only.iter().any(|path| path == property.name),
                deprecated: self.deprecated.iter().any(|path| path == property.name),
                ..property
            })
            .collect()
    }

    /// The property of a name.
    pub fn property(&self, name: &str) -> Option<Property<'_>> {
        self.properties().into_iter().find(|property| property.name == name)
    }

    /// The structures that are definitions and can be reached from the properties, sorted by name.
    pub fn structures(&self) -> Vec<Structure<'_>> {
        let mut found = BTreeMap::new();
        let mut open: Vec<Shape<'_>> = self.properties().iter().map(Property::shape).collect();
        while let Some(shape) = open.pop() {
            match shape {
                Shape::List(inner) | Shape::Map(inner) => open.push(*inner),
                Shape::Structure(structure) => {
                    let fresh =
                        structure.definition.is_none_or(|name| found.insert(name, structure).is_none());
                    if fresh {
                        open.extend(structure.properties().iter().map(Property::shape));
                    }
                }
                _ => {}
            }
        }
        found.into_values().collect()
    }

    /// The shape of a schema of this type.
    pub fn shape<'a>(&'a self, schema: &'a Schema) -> Shape<'a> {
        self.shape_at(schema, None, 0)
    }

    fn shape_at<'a>(&'a self, schema: &'a Schema, definition: Option<&'a str>, depth: usize) -> Shape<'a> {
        if depth > 8 {
            return Shape::Json;
        }
        if let Some(name) = schema.reference()
            && let Some(target) = self.definitions.get(name)
        {
            return self.shape_at(target, Some(name), depth + 1);
        }
        let structure = Structure { owner: self, definition, schema };
        match schema.types() {
            // Several types at once are free JSON, apart from "a policy document or its text", where the object leads.
            [] => {}
            [one] => return self.shape_of(*one, structure, depth),
            many if many.contains(&JsonType::Object) && schema.properties().is_some() => {
                return Shape::Structure(structure);
            }
            many if many.contains(&JsonType::Object) || many.contains(&JsonType::Array) => {
                return Shape::Json;
            }
            many if many.contains(&JsonType::Number) => return Shape::Number,
            many if many.contains(&JsonType::Integer) => return Shape::Integer,
            many if many.contains(&JsonType::Boolean) => return Shape::Boolean,
            _ => return text(structure),
        }
        if schema.properties().is_some() || !structure.properties().is_empty() {
            return Shape::Structure(structure);
        }
        if schema.items().is_some() {
            return self.shape_of(JsonType::Array, structure, depth);
        }
        if schema.pattern_properties().is_some() {
            return self.shape_of(JsonType::Object, structure, depth);
        }
        // Without a type of its own, the first alternative that has a shape speaks.
        match schema.branches().next() {
            Some(branch) => self.shape_at(branch, definition, depth + 1),
            None if schema.values().is_some() || schema.pattern().is_some() || schema.format().is_some() => {
                text(structure)
            }
            None => Shape::Json,
        }
    }

    fn shape_of<'a>(&'a self, kind: JsonType, structure: Structure<'a>, depth: usize) -> Shape<'a> {
        let schema = structure.schema;
        match kind {
            JsonType::String => text(structure),
            JsonType::Integer => Shape::Integer,
            JsonType::Number => Shape::Number,
            JsonType::Boolean => Shape::Boolean,
            JsonType::Null => Shape::Json,
            JsonType::Array => Shape::List(Box::new(
                schema.items().map_or(Shape::Json, |items| self.shape_at(items, None, depth + 1)),
            )),
            JsonType::Object => {
                if !structure.properties().is_empty() {
                    return Shape::Structure(structure);
                }
                let values = schema
                    .pattern_properties()
                    .and_then(|patterns| patterns.values().next())
                    .or_else(|| schema.additional_properties().filter(|values| !values.is_never()));
                match values {
                    Some(values) => Shape::Map(Box::new(self.shape_at(values, None, depth + 1))),
                    None => Shape::Json,
                }
            }
        }
    }
}

fn text(structure: Structure<'_>) -> Shape<'_> {
    let schema = structure.schema;
    let case_matters = !schema
        .keywords()
        .iter()
        .any(|keyword| matches!(keyword, crate::keyword::Keyword::EnumCaseInsensitive(_)));
    Shape::String(Text {
        definition: structure.definition,
        values: schema.values(),
        case_matters,
        format: schema.format(),
    })
}

impl<'a> Property<'a> {
    /// What its value looks like.
    pub fn shape(&self) -> Shape<'a> {
        self.owner.shape(self.schema)
    }

    /// Whether a change of it replaces the resource; for the properties of a type only.
    pub fn replacement(&self) -> Replacement {
        self.owner.replacement(self.name)
    }
}

impl<'a> Structure<'a> {
    /// Its properties in the order of their names. Those of alternatives (`oneOf`, `anyOf`) are among them, and only
    /// what every value needs is required.
    pub fn properties(&self) -> Vec<Property<'a>> {
        let mut found = BTreeMap::new();
        self.collect(self.schema, &mut found, 0);
        found
            .into_iter()
            .map(|(name, schema)| Property {
                owner: self.owner,
                name,
                schema,
                required: self.schema.required().iter().any(|required| required == name),
                read_only: false,
                deprecated: false,
            })
            .collect()
    }

    fn collect(&self, schema: &'a Schema, found: &mut BTreeMap<&'a str, &'a Schema>, depth: usize) {
        if depth > 4 {
            return;
        }
        let schema = self.owner.resolve(schema);
        for (name, property) in schema.properties().into_iter().flatten() {
            // The first mention wins: branches often repeat a property only to narrow it.
            if !property.is_never() {
                found.entry(name.as_str()).or_insert(property);
            }
        }
        for branch in schema.branches() {
            self.collect(branch, found, depth + 1);
        }
    }
}
