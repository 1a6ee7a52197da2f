//! What a module says, before it is text: resources and the nested properties and value sets that they use.
//!
//! Each type of a service has definitions of its own. Here they are still apart; the module `names` finds those that
//! are the same and gives each a name.

use std::collections::{BTreeMap, BTreeSet};

use formwork_schema::{Property, Replacement, ResourceType, Shape, Structure};

use crate::kinds;
use crate::read_only;
use crate::words::{joined, snake_case, upper_camel_case};

/// Sets with more values than this are text: nobody reads such a list, and they change every month.
const MOST_VALUES: usize = 60;

/// More required properties than this are given by setters: a row of positional arguments cannot be read.
const MOST_ARGUMENTS: usize = 4;

/// The number of a nested item in [`Model::items`].
pub(crate) type ItemId = usize;

/// The Rust type of a property.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Type {
    /// `String`, `bool`, `i64`, `f64`, `Json` or a kind of reference.
    Named(&'static str),
    /// A nested property or value set.
    Item(ItemId),
    /// `Vec<…>`.
    List(Box<Type>),
    /// `BTreeMap<String, …>`.
    Map(Box<Type>),
}

/// A property of a resource or of a nested property.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The method or argument.
    pub(crate) method: String,
    /// The name in a template.
    pub(crate) name: String,
    pub(crate) kind: Type,
    /// Lines of documentation.
    pub(crate) notes: Vec<&'static str>,
}

/// The properties of a resource or of a nested property.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    /// Arguments of `new`, in the order of the schema's list of required properties.
    pub(crate) required: Vec<Field>,
    /// Setters, sorted by name.
    pub(crate) optional: Vec<Field>,
}

impl Fields {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Field> {
        self.required.iter().chain(&self.optional)
    }
}

/// A method of the attributes of a resource.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) method: String,
    /// What `Fn::GetAtt` is asked for, or `Ref`.
    pub(crate) name: String,
    pub(crate) kind: String,
}

/// A resource type.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) type_name: String,
    /// The name behind `Cfn`.
    pub(crate) name: String,
    pub(crate) fields: Fields,
    pub(crate) attributes: Vec<Attribute>,
}

/// A nested property or a set of values.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Which of [`Model::resources`] it belongs to.
    pub(crate) resource: usize,
    /// The name that it has unless another one of the module wants the same.
    pub(crate) base: String,
    /// The name of its definition, if it has one.
    pub(crate) definition: Option<String>,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Property(Fields),
    /// The values, in the order of the schema.
    Values(Vec<String>),
}

/// All that a module says.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) resources: Vec<Resource>,
    pub(crate) items: Vec<Item>,
}

impl Model {
    /// The model of some types of one service.
    pub(crate) fn of(types: &[&ResourceType]) -> Self {
        let mut model = Self::default();
        for resource_type in types {
            let read_only = read_only::properties(resource_type);
            Reader { model: &mut model, resource_type, known: BTreeMap::new(), read_only }.read();
        }
        model
    }
}

/// Reads one type.
struct Reader<'a, 'm> {
    model: &'m mut Model,
    resource_type: &'a ResourceType,
    /// The items of the type's definitions, so that each is read once and may contain itself.
    known: BTreeMap<String, ItemId>,
    read_only: BTreeSet<(String, String)>,
}

impl<'a> Reader<'a, '_> {
    fn read(mut self) {
        let resource_type = self.resource_type;
        let name = upper_camel_case(resource_type.name().rsplit("::").next().unwrap_or_default());
        // Reserve the place first: items refer to the resource by its number.
        let place = self.model.resources.len();
        self.model.resources.push(Resource {
            type_name: resource_type.name().to_owned(),
            name: name.clone(),
            fields: Fields::default(),
            attributes: attributes(resource_type),
        });
        let properties: Vec<_> =
            resource_type.properties().into_iter().filter(|property| !property.read_only).collect();
        let fields = self.fields(&name, &properties, resource_type.required(), |property| {
            match property.replacement() {
                Replacement::Never => None,
                Replacement::Conditional => Some("An update may replace the resource."),
                Replacement::Always => Some("An update replaces the resource."),
            }
        });
        self.model.resources[place].fields = fields;
    }

    fn fields(
        &mut self,
        owner: &str,
        properties: &[Property<'a>],
        required: &[String],
        replacement: impl Fn(&Property<'a>) -> Option<&'static str>,
    ) -> Fields {
        let count = properties.iter().filter(|property| property.required).count();
        let mut fields = Fields::default();
        let mut taken = Vec::new();
        for property in properties {
            let method = free(snake_case(property.name), &mut taken);
            let is_argument = property.required && count <= MOST_ARGUMENTS;
            let mut notes = Vec::new();
            if property.required && !is_argument {
                notes.push("CloudFormation requires it.");
            }
            notes.extend(replacement(property));
            if property.deprecated {
                notes.push("AWS advises against it.");
            }
            let kind = self.kind(owner, property.name, &property.shape());
            let field = Field { method, name: property.name.to_owned(), kind, notes };
            if is_argument { &mut fields.required } else { &mut fields.optional }.push(field);
        }
        fields.required.sort_by_key(|field| required.iter().position(|name| *name == field.name));
        fields
    }

    fn kind(&mut self, owner: &str, name: &str, shape: &Shape<'a>) -> Type {
        match shape {
            // A document that AWS takes as text or as the JSON of it.
            Shape::String(text) if text.format == Some("json") => Type::Named("Json"),
            Shape::String(text) => {
                if let Some(values) = text.values.and_then(values) {
                    let base = match text.definition {
                        Some(definition) => upper_camel_case(definition),
                        None => joined(owner, &upper_camel_case(name)),
                    };
                    return Type::Item(self.item(base, text.definition, Content::Values(values)));
                }
                Type::Named(kinds::of_property(self.resource_type, name, text.format).unwrap_or("String"))
            }
            Shape::Integer => Type::Named("i64"),
            Shape::Number => Type::Named("f64"),
            Shape::Boolean => Type::Named("bool"),
            Shape::Json => Type::Named("Json"),
            Shape::List(inner) => Type::List(Box::new(self.kind(owner, name, inner))),
            Shape::Map(inner) => Type::Map(Box::new(self.kind(owner, name, inner))),
            Shape::Structure(structure) => self.structure(owner, name, structure),
        }
    }

    fn structure(&mut self, owner: &str, name: &str, structure: &Structure<'a>) -> Type {
        let definition = structure.definition.unwrap_or_default();
        let mut properties = structure.properties();
        properties
            .retain(|property| !self.read_only.contains(&(definition.to_owned(), property.name.to_owned())));
        if properties.is_empty() {
            return Type::Named("Json");
        }
        let base = match structure.definition {
            Some(definition) => upper_camel_case(definition),
            None => joined(owner, &upper_camel_case(name)),
        };
        if let Some(&item) = self.known.get(&base) {
            return Type::Item(item);
        }
        let item = self.item(base.clone(), structure.definition, Content::Property(Fields::default()));
        self.known.insert(base.clone(), item);
        let mut fields = self.fields(&base, &properties, structure.schema.required(), |_| None);
        if base == "Tag" {
            require_key_and_value(&mut fields);
        }
        self.model.items[item].content = Content::Property(fields);
        Type::Item(item)
    }

    fn item(&mut self, base: String, definition: Option<&str>, content: Content) -> ItemId {
        let resource = self.model.resources.len() - 1;
        self.model.items.push(Item { resource, base, definition: definition.map(str::to_owned), content });
        self.model.items.len() - 1
    }
}

/// A tag is a key and a value, also where a schema calls one of them optional: so all types of a service share one `Tag`.
fn require_key_and_value(fields: &mut Fields) {
    let mut all: Vec<&Field> = fields.iter().collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    let plain = |field: &Field| field.kind == Type::Named("String") && field.notes.is_empty();
    if let [key, value] = all[..]
        && (key.name.as_str(), value.name.as_str()) == ("Key", "Value")
        && plain(key)
        && plain(value)
    {
        *fields = Fields { required: vec![key.clone(), value.clone()], optional: Vec::new() };
    }
}

/// The values of a set that is worth constants.
fn values(values: &[serde_json::Value]) -> Option<Vec<String>> {
    if values.is_empty() || values.len() > MOST_VALUES {
        return None;
    }
    values.iter().map(|value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)).collect()
}

fn attributes(resource_type: &ResourceType) -> Vec<Attribute> {
    let mut taken = Vec::new();
    let identifier = match resource_type.ref_value().properties.as_slice() {
        [one] => one.rsplit(['/', '.']).next().unwrap_or(one).to_owned(),
        _ => "Reference".to_owned(),
    };
    let mut attributes = vec![Attribute {
        method: free(snake_case(&identifier), &mut taken),
        name: "Ref".to_owned(),
        kind: kinds::of_reference(resource_type).to_owned(),
    }];
    for (name, attribute) in resource_type.attributes() {
        if *name == identifier || !is_told(resource_type, name) {
            continue;
        }
        if let Some(kind) = kinds::of_attribute(resource_type, name, attribute) {
            let method = free(snake_case(name), &mut taken);
            attributes.push(Attribute { method, name: name.clone(), kind });
        }
    }
    attributes
}

/// Whether an attribute gets a method: all at the top, and of those inside structures the ones that AWS writes, such as
/// `Endpoint.Address`. The rest repeats what the app itself has set; `attribute` of the resource still reads it.
fn is_told(resource_type: &ResourceType, name: &str) -> bool {
    let path = name.replace('.', "/");
    let written_by_aws = || {
        resource_type.read_only().iter().any(|known| {
            *known == path || path.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    match name.matches('.').count() {
        _ if name.ends_with('*') => false,
        0 => true,
        1 => written_by_aws(),
        _ => false,
    }
}

/// A name that is not taken yet: the wanted one, or with the next number.
pub(crate) fn free(wanted: String, taken: &mut Vec<String>) -> String {
    let mut name = wanted.clone();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{wanted}_{number}");
        number += 1;
    }
    taken.push(name.clone());
    name
}
