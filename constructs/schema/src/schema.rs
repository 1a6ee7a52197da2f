//! The schema of a value: a list of keywords, with reading access by name.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::keyword::{JsonType, Keyword};

/// What a value may be. The empty schema allows everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    keywords: Box<[Keyword]>,
    never: bool,
}

/// A getter for each keyword whose value is read by name.
macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident -> $type:ty: $variant:ident($value:ident) => $read:expr;)*) => {
        $($(#[$doc])*
        pub fn $name(&self) -> $type {
            self.keywords.iter().find_map(|keyword| match keyword {
                Keyword::$variant($value) => Some($read),
                _ => None,
            })
        })*
    };
}

impl Schema {
    /// A schema of keywords.
    pub fn new(keywords: Vec<Keyword>) -> Self {
        Self { keywords: keywords.into_boxed_slice(), never: false }
    }

    /// The schema that everything meets (JSON `true`).
    pub fn always() -> Self {
        Self::new(Vec::new())
    }

    /// The schema that nothing meets (JSON `false`): a property that must be absent.
    pub fn never() -> Self {
        Self { keywords: Box::default(), never: true }
    }

    /// Whether nothing meets this schema.
    pub fn is_never(&self) -> bool {
        self.never
    }

    /// The keywords in the order of the source.
    pub fn keywords(&self) -> &[Keyword] {
        &self.keywords
    }

    /// The JSON types that `type` names; empty when the schema does not say.
    pub fn types(&self) -> &[JsonType] {
        self.keywords
            .iter()
            .find_map(|keyword| match keyword {
                Keyword::Type(types) => Some(types.as_slice()),
                _ => None,
            })
            .unwrap_or_default()
    }

    /// The names that `required` lists.
    pub fn required(&self) -> &[String] {
        self.keywords
            .iter()
            .find_map(|keyword| match keyword {
                Keyword::Required(names) => Some(names.as_slice()),
                _ => None,
            })
            .unwrap_or_default()
    }

    /// The allowed values, whether their case matters or not.
    pub fn values(&self) -> Option<&[Value]> {
        self.keywords.iter().find_map(|keyword| match keyword {
            Keyword::Enum(values) | Keyword::EnumCaseInsensitive(values) => Some(values.as_slice()),
            _ => None,
        })
    }

    getters! {
        /// The name of the definition that this schema stands for.
        reference -> Option<&str>: Reference(name) => name.as_str();
        /// The known properties of an object.
        properties -> Option<&BTreeMap<String, Schema>>: Properties(map) => map;
        /// The schemas of properties by a pattern of their names.
        pattern_properties -> Option<&BTreeMap<String, Schema>>: PatternProperties(map) => map;
        /// What properties that are not listed may be.
        additional_properties -> Option<&Schema>: AdditionalProperties(schema) => schema.as_ref();
        /// The schema of every item of a list.
        items -> Option<&Schema>: Items(schema) => schema.as_ref();
        /// What kind of text this is.
        format -> Option<&str>: Format(format) => format.as_str();
        /// The regular expression of the text.
        pattern -> Option<&str>: Pattern(pattern) => pattern.as_str();
    }

    /// The branches of `allOf`, `anyOf` and `oneOf`.
    pub fn branches(&self) -> impl Iterator<Item = &Schema> {
        self.keywords.iter().flat_map(|keyword| match keyword {
            Keyword::AllOf(list) | Keyword::AnyOf(list) | Keyword::OneOf(list) => list.as_slice(),
            _ => &[],
        })
    }
}
