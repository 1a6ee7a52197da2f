//! A corpus of wrong templates: right ones, each with one fault put into it.
//!
//! The faults are data under `fixtures/mutations`, a file for each kind, so that one more is a few lines and so that every
//! judge is asked about the very same template. What a fault has to be called, where, and how bad it is stands beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use formwork_assembly::{Severity, TemplateFile};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The region that a mutation is judged in when it names none.
const REGION: &str = "us-east-1";

/// One fault, and what has to be found.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    /// The fault in words, unique in its file.
    pub fault: String,
    /// The name of the right template.
    #[serde(rename = "in")]
    pub template: String,
    /// What is changed.
    pub changes: Vec<Change>,
    /// The severity and the rule's name, such as `error unknown-property`.
    pub finds: String,
    /// The JSON pointer of the finding; without it, the place of the first change.
    pub place: Option<String>,
    /// A part of the hint that has to be given.
    pub hint: Option<String>,
    /// The region that the template is for; without it, `us-east-1`.
    #[serde(default = "default_region")]
    pub region: String,
    /// AWS's page that says that it is refused, where no foreign judge does.
    pub page: Option<String>,
    /// The kind of fault: the name of the file.
    #[serde(skip)]
    pub kind: String,
}

/// One change of a template. Exactly one of the fields beside `at` is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The JSON pointer of what is changed.
    pub at: String,
    /// The new value. A name or position right behind the last one that is there adds a member or an item.
    #[serde(default, deserialize_with = "even_null")]
    pub set: Option<Value>,
    /// Takes the value away.
    #[serde(default)]
    pub remove: bool,
    /// The new name of the member.
    pub rename: Option<String>,
    /// A text of so many characters as the new value.
    pub text_of: Option<usize>,
    /// A name of so many characters as the new name of the member.
    pub rename_to_length: Option<usize>,
    /// Adds so many members or items.
    pub repeat: Option<Repeat>,
}

/// Members `Name0`, `Name1`, … of an object, or items of a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// How many.
    pub times: usize,
    /// What the names of members begin with.
    #[serde(default)]
    pub name: String,
    /// The value of each.
    pub value: Value,
}

fn default_region() -> String {
    REGION.to_owned()
}

/// A value that is there, also when it is null.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Mutation {
    /// The severity and the rule's name that have to be found.
    ///
    /// # Panics
    ///
    /// `finds` has another form.
    pub fn expected(&self) -> (Severity, &str) {
        match self.finds.split_once(' ') {
            Some(("error", rule)) => (Severity::Error, rule),
            Some(("warning", rule)) => (Severity::Warning, rule),
            Some(("note", rule)) => (Severity::Note, rule),
            _ => panic!("{self}: `{}` is not a severity and a rule", self.finds),
        }
    }

    /// The JSON pointer where it has to be found.
    pub fn place(&self) -> String {
        self.place.clone().or_else(|| self.changes.first().map(Change::place)).unwrap_or_default()
    }

    /// The right template with the fault.
    ///
    /// # Panics
    ///
    /// The place of a change is not there.
    pub fn apply(&self, right: &BTreeMap<String, Value>) -> Value {
        let mut template = right
            .get(&self.template)
            .unwrap_or_else(|| panic!("{self}: there is no template `{}`", self.template))
            .clone();
        for change in &self.changes {
            change.apply(&mut template).unwrap_or_else(|| panic!("{self}: nothing at {}", change.at));
        }
        template
    }
}

impl std::fmt::Display for Mutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.fault)
    }
}

impl Change {
    fn place(&self) -> String {
        let parent = self.at.rsplit_once('/').map_or("", |(parent, _)| parent);
        match self.new_name() {
            Some(name) => format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1")),
            None if self.remove => parent.to_owned(),
            None => self.at.clone(),
        }
    }

    fn new_name(&self) -> Option<String> {
        self.rename.clone().or_else(|| self.rename_to_length.map(|length| "A".repeat(length)))
    }

    fn apply(&self, template: &mut Value) -> Option<()> {
        if let Some(repeat) = &self.repeat {
            let value = template.pointer_mut(&self.at)?;
            match value {
                Value::Object(members) => {
                    let new = (0..repeat.times)
                        .map(|index| (format!("{}{index}", repeat.name), repeat.value.clone()));
                    members.extend(new);
                }
                Value::Array(items) => items.extend(vec![repeat.value.clone(); repeat.times]),
                _ => return None,
            }
            return Some(());
        }
        let (parent, token) = self.at.rsplit_once('/')?;
        let name = token.replace("~1", "/").replace("~0", "~");
        let parent = template.pointer_mut(parent)?;
        if let Some(new_name) = self.new_name() {
            let members = parent.as_object_mut()?;
            let value = members.remove(&name)?;
            members.insert(new_name, value);
        } else if self.remove {
            match parent {
                Value::Object(members) => drop(members.remove(&name)?),
                Value::Array(items) => {
                    let index: usize = name.parse().ok()?;
                    items.get(index)?;
                    items.remove(index);
                }
                _ => return None,
            }
        } else {
            let value =
                self.text_of.map(|length| Value::String("a".repeat(length))).or_else(|| self.set.clone())?;
            match parent {
                Value::Object(members) => drop(members.insert(name, value)),
                Value::Array(items) => {
                    let index: usize = name.parse().ok()?;
                    if index == items.len() { items.push(value) } else { *items.get_mut(index)? = value }
                }
                _ => return None,
            }
        }
        Some(())
    }
}

/// The right templates by name, in long form.
///
/// # Errors
///
/// A file cannot be read.
pub fn right_templates() -> io::Result<BTreeMap<String, Value>> {
    let mut templates = BTreeMap::new();
    for path in files("templates/right")? {
        let file =
            TemplateFile::read(&path).map_err(|error| io::Error::other(error.to_diagnostic().to_string()))?;
        templates.insert(stem(&path), file.value().clone());
    }
    Ok(templates)
}

/// All mutations, in the order of their files.
///
/// # Errors
///
/// A file cannot be read.
pub fn mutations() -> io::Result<Vec<Mutation>> {
    let mut all = Vec::new();
    for path in files("mutations")? {
        let read: Vec<Mutation> = serde_yaml::from_str(&fs::read_to_string(&path)?)
            .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        all.extend(read.into_iter().map(|mutation| Mutation { kind: stem(&path), ..mutation }));
    }
    Ok(all)
}

/// The paths of the right templates.
///
/// # Errors
///
/// The folder cannot be read.
pub fn right_template_files() -> io::Result<Vec<PathBuf>> {
    files("templates/right")
}

/// What is asked of a template's bytes: members in the order of their names, as synthesis writes them.
pub fn to_text(template: &Value) -> String {
    let ordered: BTreeMap<&String, &Value> =
        template.as_object().map(Map::iter).into_iter().flatten().collect();
    serde_json::to_string(&ordered).expect("names are texts")
}

fn files(folder: &str) -> io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
