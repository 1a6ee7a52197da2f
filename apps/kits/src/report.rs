//! What was written, for people and as JSON.

use schemars::JsonSchema;
use serde::Serialize;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was not there.
    Created,
    /// It was as the kit had written it, and is new now.
    Updated,
    /// It is as it was.
    Unchanged,
    /// It was not the kit's, or somebody had changed it; overwriting it was asked for.
    Overwritten,
    /// A secret that was there, and stays.
    Kept,
    /// A secret that people have to fill in.
    ToFillIn,
}

/// A file, and what became of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Written {
    /// The path below the directory.
    pub path: String,
    /// The mode, in octal digits such as `0600`.
    pub mode: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What `formwork kit --json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "formwork kit --json")]
pub struct Report {
    /// The kit.
    pub kit: String,
    /// The directory that it was written to.
    pub directory: String,
    /// Its files, sorted by path.
    pub files: Vec<Written>,
    /// The commands to go on with, in the directory.
    pub next: Vec<String>,
}

impl Report {
    /// The secrets that people have to fill in.
    pub fn to_fill_in(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter(|file| file.outcome == Outcome::ToFillIn).map(|file| file.path.as_str())
    }
}
