//! The keywords of a property schema as data: what AWS says that a value may be.
//!
//! A schema is the list of the keywords that it really has, not a record of all that it might have: most nodes have
//! two or three of forty, and the validator is then one loop over them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Number, Value};

use crate::schema::Schema;

/// One or more names, of which sources write a single one without brackets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// A single name.
    One(JsonType),
    /// Several names.
    Many(Vec<JsonType>),
}

impl OneOrMany {
    /// The names as a slice.
    pub fn as_slice(&self) -> &[JsonType] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// A JSON type as `type` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list.
    Array,
    /// A map with names.
    Object,
    /// Nothing.
    Null,
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "list",
            Self::Object => "object",
            Self::Null => "null",
        })
    }
}

macro_rules! keywords {
    ($($(#[$doc:meta])* $variant:ident($type:ty) = $name:literal,)*) => {
        /// One keyword of a schema with its value.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Keyword {
            $($(#[$doc])* $variant($type),)*
        }

        impl Serialize for Schema {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if self.is_never() {
                    return serializer.serialize_bool(false);
                }
                let mut map = serializer.serialize_map(Some(self.keywords().len()))?;
                for keyword in self.keywords() {
                    match keyword {
                        $(Keyword::$variant(value) => map.serialize_entry($name, value)?,)*
                    }
                }
                map.end()
            }
        }

        struct SchemaVisitor;

        impl<'de> Visitor<'de> for SchemaVisitor {
            type Value = Schema;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a schema: an object of keywords, true or false")
            }

            fn visit_bool<E>(self, allowed: bool) -> Result<Schema, E> {
                Ok(if allowed { Schema::always() } else { Schema::never() })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Schema, A::Error> {
                let mut keywords = Vec::new();
                while let Some(name) = map.next_key::<&str>()? {
                    keywords.push(match name {
                        $($name => Keyword::$variant(map.next_value()?),)*
                        unknown => return Err(A::Error::custom(format!("unknown schema keyword `{unknown}`"))),
                    });
                }
                keywords.shrink_to_fit();
                Ok(Schema::new(keywords))
            }
        }

        impl<'de> Deserialize<'de> for Schema {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(SchemaVisitor)
            }
        }
    };
}

keywords! {
    /// The JSON types, any of which is fine.
    Type(OneOrMany) = "type",
    /// The name of the definition that this schema stands for.
    Reference(String) = "ref",
    /// The known properties of an object.
    Properties(BTreeMap<String, Schema>) = "properties",
    /// The schemas of properties by a pattern of their names.
    PatternProperties(BTreeMap<String, Schema>) = "patternProperties",
    /// What properties that no other keyword names may be; `false` where there must be none.
    AdditionalProperties(Box<Schema>) = "additionalProperties",
    /// What the names of an object may be.
    PropertyNames(Box<Schema>) = "propertyNames",
    /// The properties that must be there.
    Required(Vec<String>) = "required",
    /// Sets of properties of which exactly one must be there.
    RequiredXor(Vec<String>) = "requiredXor",
    /// Properties of which at least one must be there.
    RequiredOr(Vec<String>) = "requiredOr",
    /// Properties that must be there when another one is.
    DependentRequired(BTreeMap<String, Vec<String>>) = "dependentRequired",
    /// Properties that must be absent when another one is there.
    DependentExcluded(BTreeMap<String, Vec<String>>) = "dependentExcluded",
    /// Schemas that the object must also meet when a property is there.
    DependentSchemas(BTreeMap<String, Schema>) = "dependentSchemas",
    /// The least number of properties.
    MinProperties(u64) = "minProperties",
    /// The greatest number of properties.
    MaxProperties(u64) = "maxProperties",
    /// The schema of every item of a list.
    Items(Box<Schema>) = "items",
    /// The schemas of the first items of a list, by position.
    PrefixItems(Vec<Schema>) = "prefixItems",
    /// A schema that at least one item must meet.
    Contains(Box<Schema>) = "contains",
    /// The least number of items.
    MinItems(u64) = "minItems",
    /// The greatest number of items.
    MaxItems(u64) = "maxItems",
    /// No item may be there twice.
    UniqueItems(bool) = "uniqueItems",
    /// No two items may have the same values of these properties.
    UniqueKeys(Vec<String>) = "uniqueKeys",
    /// The greatest number of distinct items.
    MaxUniqueItems(u64) = "maxUniqueItems",
    /// The allowed values.
    Enum(Vec<Value>) = "enum",
    /// The allowed values in lower case; the case of the value does not matter.
    EnumCaseInsensitive(Vec<Value>) = "enumCaseInsensitive",
    /// The only allowed value.
    Const(Value) = "const",
    /// A regular expression that must match somewhere in the text.
    Pattern(String) = "pattern",
    /// The least number of characters.
    MinLength(u64) = "minLength",
    /// The greatest number of characters.
    MaxLength(u64) = "maxLength",
    /// What kind of text this is, such as `AWS::IAM::Role.Arn`, `date-time` or `json`.
    Format(String) = "format",
    /// The least number.
    Minimum(Number) = "minimum",
    /// The greatest number.
    Maximum(Number) = "maximum",
    /// The number below which a value must stay.
    ExclusiveMaximum(Number) = "exclusiveMaximum",
    /// The number above which a value must stay.
    ExclusiveMinimum(Number) = "exclusiveMinimum",
    /// The number of which a value must be a multiple.
    MultipleOf(Number) = "multipleOf",
    /// A number that must not be above another property's: `{"MinSize": "MaxSize"}`. Ours, no source has it.
    NotAbove(BTreeMap<String, String>) = "notAbove",
    /// The allowed values with the set of regions that have each, as bits in the order of the pack's regions. Ours: the
    /// sources have a list for each region.
    RegionalEnum(BTreeMap<String, u64>) = "regionalEnum",
    /// All of these schemas must be met.
    AllOf(Vec<Schema>) = "allOf",
    /// At least one of these schemas must be met.
    AnyOf(Vec<Schema>) = "anyOf",
    /// Exactly one of these schemas must be met.
    OneOf(Vec<Schema>) = "oneOf",
    /// This schema must not be met.
    Not(Box<Schema>) = "not",
    /// The condition of `then` and `else`.
    If(Box<Schema>) = "if",
    /// What must hold when `if` does.
    Then(Box<Schema>) = "then",
    /// What must hold when `if` does not.
    Else(Box<Schema>) = "else",
}
