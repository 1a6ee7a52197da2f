//! What a judge says about a template, in one form for all judges.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

/// How bad a judge finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Advice.
    Informational,
    /// CloudFormation takes it, but it is likely to be wrong.
    Warning,
    /// CloudFormation refuses it.
    Error,
}

/// One sentence of a judge about one template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// The file that was judged.
    pub template: PathBuf,
    /// How bad it is.
    pub level: Level,
    /// The judge's name of the rule, such as `E3002`.
    pub rule: String,
    /// Where in the template, with slashes between the names, such as `Resources/Topic/Properties/Name`.
    pub place: String,
    /// What the judge says.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { template, level, rule, place, message } = self;
        write!(f, "{}: {level:?} {rule} at {place}: {message}", template.display())
    }
}

/// The first of each group of files with the same content, in the given order: judges are slow, and the shared templates
/// of many variants are the same bytes.
///
/// # Errors
///
/// A file cannot be read.
pub fn distinct(templates: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
    let mut seen = BTreeSet::new();
    let mut first = Vec::new();
    for template in templates {
        let content = fs::read(template)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", template.display())))?;
        if seen.insert(content) {
            first.push(template.clone());
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_files_are_judged_once() {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<PathBuf> = [("a", "1"), ("b", "2"), ("c", "1")]
            .map(|(name, content)| {
                let path = folder.path().join(name);
                fs::write(&path, content).unwrap();
                path
            })
            .to_vec();
        assert_eq!(distinct(&files).unwrap(), files[..2]);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = distinct(&["no/such/file".into()]).unwrap_err();
        assert!(error.to_string().starts_with("no/such/file: "), "{error}");
    }
}
