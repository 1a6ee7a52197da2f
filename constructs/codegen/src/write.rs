//! The text of a module.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::kinds;
use crate::model::{Content, Field, Fields, Item, Model, Resource, Type, free};
use crate::words::screaming_case;

/// The widest import on one line, and the widest row of one on several: what rustfmt leaves of a width of 110.
const LINE: usize = 108;
const ROW: usize = 109;

/// Writes a module.
pub(crate) fn module(service: &str, model: &Model, names: &[String]) -> String {
    let mut writer = Writer { names, text: String::new(), used: BTreeSet::new() };
    for resource in &model.resources {
        writer.resource(resource);
    }
    let mut items: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for (name, item) in names.iter().zip(&model.items) {
        items.entry(name).or_default().push(item);
    }
    for (name, same) in items {
        let users: BTreeSet<&str> =
            same.iter().map(|item| model.resources[item.resource].type_name.as_str()).collect();
        let users = match users.len() {
            1 => users.iter().map(|user| format!("`{user}`")).collect(),
            count => format!("{count} resource types"),
        };
        match (&same[0].content, &same[0].definition) {
            (Content::Property(fields), Some(definition)) => {
                writer.property(name, &format!("The property type `{definition}` of {users}."), fields);
            }
            (Content::Property(fields), None) => {
                writer.property(name, &format!("A property type of {users}."), fields);
            }
            (Content::Values(values), _) => {
                writer.values(name, &format!("Values of a property of {users}."), values);
            }
        }
    }
    let mut text = format!("//! Resources of `{service}`.\n\n");
    if writer.used.remove("BTreeMap") {
        text.push_str("use std::collections::BTreeMap;\n\n");
    }
    text.push_str(&import(&writer.used));
    text.push_str(&writer.text);
    text
}

struct Writer<'a> {
    names: &'a [String],
    text: String,
    /// The names that the module imports.
    used: BTreeSet<&'static str>,
}

impl Writer<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn resource(&mut self, resource: &Resource) {
        self.used.insert("cfn_resource");
        let Resource { type_name, name, fields, attributes } = resource;
        self.line("\ncfn_resource! {");
        self.line(&format!("    /// [`{type_name}`]({}).", documentation(type_name)));
        self.line(&format!("    Cfn{name} => {name}Attributes = {type_name:?}"));
        self.fields(fields);
        self.line("    attributes {");
        for attribute in attributes {
            let kind = attribute.kind.as_str();
            let inner = kind.strip_prefix("Vec<").and_then(|kind| kind.strip_suffix('>')).unwrap_or(kind);
            self.used.extend(kinds::NAMES.iter().find(|&&name| name == inner));
            self.line(&format!("        {} {:?}: {kind},", attribute.method, attribute.name));
        }
        self.line("    }\n}");
    }

    fn property(&mut self, name: &str, documentation: &str, fields: &Fields) {
        self.used.insert("cfn_property");
        self.line("\ncfn_property! {");
        self.line(&format!("    /// {documentation}"));
        self.line(&format!("    {name}"));
        self.fields(fields);
        self.line("}");
    }

    fn fields(&mut self, fields: &Fields) {
        for (title, list) in [("required", &fields.required), ("optional", &fields.optional)] {
            if list.is_empty() {
                self.line(&format!("    {title} {{}}"));
                continue;
            }
            self.line(&format!("    {title} {{"));
            for Field { method, name, kind, notes } in list {
                for note in notes {
                    self.line(&format!("        /// {note}"));
                }
                let kind = self.kind(kind);
                self.line(&format!("        {method} {name:?}: {kind},"));
            }
            self.line("    }");
        }
    }

    fn values(&mut self, name: &str, documentation: &str, values: &[String]) {
        self.used.insert("cfn_values");
        self.line("\ncfn_values! {");
        self.line(&format!("    /// {documentation}"));
        self.line(&format!("    {name} {{"));
        let mut taken = Vec::new();
        for value in values {
            let constant = free(screaming_case(value), &mut taken);
            self.line(&format!("        {constant} = {value:?},"));
        }
        self.line("    }\n}");
    }

    fn kind(&mut self, kind: &Type) -> String {
        match kind {
            Type::Named(name) => {
                if *name == "Json" || kinds::NAMES.contains(name) {
                    self.used.insert(name);
                }
                (*name).to_owned()
            }
            Type::Item(item) => self.names[*item].clone(),
            Type::List(inner) => format!("Vec<{}>", self.kind(inner)),
            Type::Map(inner) => {
                self.used.insert("BTreeMap");
                format!("BTreeMap<String, {}>", self.kind(inner))
            }
        }
    }
}

/// AWS's page of a type.
fn documentation(type_name: &str) -> String {
    let mut parts = type_name.split("::").skip(1).map(str::to_ascii_lowercase);
    let (service, resource) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!(
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-{service}-{resource}.html"
    )
}

/// The import, laid out as rustfmt does it.
fn import(used: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = used.iter().copied().collect();
    let line = format!("use formwork::{{{}}};\n", names.join(", "));
    if names.len() == 1 {
        return format!("use formwork::{};\n", names[0]);
    }
    if line.trim_end().len() <= LINE {
        return line;
    }
    let mut text = "use formwork::{\n".to_owned();
    let mut row = String::new();
    for name in names {
        if !row.is_empty() && 4 + row.len() + 1 + name.len() + 1 > ROW {
            let _ = writeln!(text, "    {row}");
            row.clear();
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(name);
        row.push(',');
    }
    let _ = writeln!(text, "    {row}\n}};");
    text
}
