//! `formwork.toml`: what a project has written down, with the line of each value.
//!
//! The file is checked against its JSON Schema, which is made from the types below and published for editors. Keys that
//! the types do not name are context; the app decides about them later.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde_json::{Map, Value as Json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Setting;
use crate::failure::Failure;
use crate::suggestion::nearest;

/// The name of the file.
pub(crate) const FILE_NAME: &str = "formwork.toml";

/// The shape of `formwork.toml`. Every key that is not named here is a value of the context.
#[derive(JsonSchema)]
#[schemars(title = "formwork.toml", rename_all = "camelCase", extend("additionalProperties" = true))]
#[expect(dead_code, reason = "the type is the source of the schema; values are read with their lines")]
pub(crate) struct ProjectFileSchema {
    /// How the app is started: a command line, or a directory that holds an assembly. Without it, the built-in ML
    /// platform is the app.
    app: Option<String>,
    /// The directory that the assembly is written to, relative to this file; `cfn-out` without it.
    output: Option<String>,
    #[schemars(flatten)]
    everywhere: EnvironmentSchema,
    /// Named environments. What the one that `--env` chooses says goes before what stands outside.
    #[serde(default)]
    env: BTreeMap<String, EnvironmentSchema>,
}

/// One environment. Every key that is not named here is a value of the context.
#[derive(JsonSchema)]
#[schemars(rename = "Environment", rename_all = "camelCase", extend("additionalProperties" = true))]
#[expect(dead_code, reason = "the type is the source of the schema; values are read with their lines")]
struct EnvironmentSchema {
    /// The account of stacks that do not say theirs: 12 digits, in quotes.
    account: Option<String>,
    /// The region of stacks that do not say theirs, such as `us-east-1`.
    region: Option<String>,
    /// The profile of the AWS configuration files.
    aws_profile: Option<String>,
}

/// The keys that are no context, wherever they stand.
const FOR_ENVIRONMENTS: [&str; 3] = ["account", "awsProfile", "region"];
/// The keys that are no context outside the environments.
const FOR_THE_FILE: [&str; 3] = ["app", "env", "output"];

/// A file that was read and has the right shape.
#[derive(Debug)]
pub(crate) struct ProjectFile {
    path: PathBuf,
    /// The path as messages name it, from the current directory.
    name: String,
    values: Map<String, Json>,
    lines: Lines,
}

/// The line of each key, by the keys that lead to it.
type Lines = BTreeMap<Vec<String>, usize>;

/// A part of the file whose values go before those of the parts after it.
pub(crate) struct Section<'f> {
    file: &'f ProjectFile,
    keys: Vec<String>,
    values: &'f Map<String, Json>,
}

impl ProjectFile {
    /// Reads the file of a directory, or of the nearest directory above that has one.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, or does not have the right shape.
    pub(crate) fn find(directory: &Path) -> Result<Option<Self>, Failure> {
        for (up, place) in directory.ancestors().enumerate() {
            let path = place.join(FILE_NAME);
            let name = format!("{}{FILE_NAME}", "../".repeat(up));
            match fs::read(&path) {
                Ok(bytes) => return Self::parse(path, name, bytes).map(Some),
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) => {
                    let reason = error.to_string().to_lowercase();
                    return Err(Failure::Usage(format!("{name}: the file cannot be read: {reason}")));
                }
            }
        }
        Ok(None)
    }

    fn parse(path: PathBuf, name: String, bytes: Vec<u8>) -> Result<Self, Failure> {
        let wrong = |line: usize, what: &str| Err(Failure::Usage(format!("{name}:{line}: {what}")));
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                return wrong(line, "the file is not UTF-8 text\nhint: save it as UTF-8");
            }
        };
        let table = match DeTable::parse(&text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let line = error.span().map_or(1, |span| line_of(&text, span.start));
                let message = error.message().trim_end().replace('\n', "; ");
                return wrong(line, &format!("the file is not valid TOML: {message}"));
            }
        };
        let mut reader = Reader { text: &text, keys: Vec::new(), lines: Lines::new() };
        match reader.object(&table) {
            Ok(values) => {
                let file = Self { path, name, values, lines: reader.lines };
                file.check_shape()?;
                Ok(file)
            }
            Err((line, number)) => wrong(line, &format!("the number {number} is out of range")),
        }
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory that the file is in.
    pub(crate) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// The chosen environment, if one is chosen, and then the rest of the file.
    ///
    /// # Errors
    /// When there is no environment of that name.
    pub(crate) fn sections(&self, environment: Option<&str>) -> Result<Vec<Section<'_>>, Failure> {
        let mut sections = Vec::new();
        if let Some(name) = environment {
            let environments = self.values.get("env").and_then(Json::as_object);
            let Some(values) = environments.and_then(|all| all.get(name)).and_then(Json::as_object) else {
                let names: Vec<&str> =
                    environments.into_iter().flat_map(Map::keys).map(String::as_str).collect();
                let hint = match (nearest(name, names.iter().copied()), names.is_empty()) {
                    (Some(near), _) => format!("did you mean {near}? it has {}", names.join(", ")),
                    (None, false) => format!("it has {}", names.join(", ")),
                    (None, true) => format!("write a section [env.{name}]"),
                };
                let file = &self.name;
                let message = format!("{file} has no environment `{name}` (set by --env)\nhint: {hint}");
                return Err(Failure::Usage(message));
            };
            sections.push(Section { file: self, keys: vec!["env".to_owned(), name.to_owned()], values });
        }
        sections.push(Section { file: self, keys: Vec::new(), values: &self.values });
        Ok(sections)
    }

    fn check_shape(&self) -> Result<(), Failure> {
        let schema = schemars::schema_for!(ProjectFileSchema);
        let validator = jsonschema::validator_for(schema.as_value()).expect("schemars makes valid schemas");
        let document = Json::Object(self.values.clone());
        let Some(error) = validator.iter_errors(&document).next() else { return Ok(()) };
        let pointer = error.instance_path().to_string();
        let keys: Vec<String> = pointer.split('/').skip(1).map(str::to_owned).collect();
        let hint = match keys.last().map(String::as_str) {
            Some("account") => "\nhint: write its 12 digits in quotes",
            _ if keys.first().is_some_and(|key| key == "env") && keys.len() <= 2 => {
                "\nhint: an environment is a section: [env.NAME]"
            }
            _ => "",
        };
        let line = self.lines.get(&keys).copied().unwrap_or(1);
        Err(Failure::Usage(format!("{}:{line}: {} is wrong: {error}{hint}", self.name, keys.join("."))))
    }
}

impl Section<'_> {
    /// A text by its key.
    pub(crate) fn text(&self, key: &str) -> Option<Setting> {
        let value = self.values.get(key)?.as_str()?;
        Some(Setting::new(value, self.origin(key)))
    }

    /// The values of the context with their origins.
    pub(crate) fn context(&self) -> Vec<(&str, &Json, String)> {
        let context = self.values.iter().filter(|(key, _)| !self.is_reserved(key));
        context.map(|(key, value)| (key.as_str(), value, self.origin(key))).collect()
    }

    fn is_reserved(&self, key: &str) -> bool {
        FOR_ENVIRONMENTS.contains(&key) || (self.keys.is_empty() && FOR_THE_FILE.contains(&key))
    }

    fn origin(&self, key: &str) -> String {
        let mut keys = self.keys.clone();
        keys.push(key.to_owned());
        format!("{}:{}", self.file.name, self.file.lines.get(&keys).copied().unwrap_or(1))
    }
}

/// Turns a document into JSON and keeps the lines, which JSON has no room for.
struct Reader<'t> {
    text: &'t str,
    keys: Vec<String>,
    lines: Lines,
}

/// The line of a number that JSON cannot hold, and the number.
type OutOfRange = (usize, String);

impl Reader<'_> {
    fn object(&mut self, table: &DeTable<'_>) -> Result<Map<String, Json>, OutOfRange> {
        let mut object = Map::new();
        for (key, value) in table {
            self.keys.push(key.get_ref().to_string());
            self.lines.insert(self.keys.clone(), line_of(self.text, key.span().start));
            object.insert(key.get_ref().to_string(), self.value(value)?);
            self.keys.pop();
        }
        Ok(object)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>) -> Result<Json, OutOfRange> {
        let out_of_range = |number: &str| (line_of(self.text, value.span().start), number.to_owned());
        Ok(match value.get_ref() {
            DeValue::String(text) => Json::String(text.to_string()),
            DeValue::Boolean(truth) => Json::Bool(*truth),
            DeValue::Datetime(time) => Json::String(time.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(Json::from)
                .map_err(|_| out_of_range(number.as_str()))?,
            DeValue::Float(number) => {
                let parsed = number.as_str().parse().ok().and_then(serde_json::Number::from_f64);
                Json::Number(parsed.ok_or_else(|| out_of_range(number.as_str()))?)
            }
            DeValue::Array(items) => {
                Json::Array(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => Json::Object(self.object(table)?),
        })
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
