//! The app: run in this process, started as a child, or read from disk; in each case an assembly comes out.
//!
//! Whatever it is, it ends as a directory with a manifest, because that is the one form in which every tool of this kind
//! hands over its work. Commands do not know the difference.

mod child;
mod foreign;
mod settings_check;

use std::fs;
use std::path::{Path, PathBuf};

use formwork::{App, AppProps};
use formwork_assembly::cloud_assembly;
use formwork_assembly::{AssemblyFiles, CloudAssembly, Diagnostic, Severity};
use serde_json::Value as Json;

use crate::console::Console;
use crate::failure::Failure;
use crate::interruption::{WorkDirectory, hold_off};
use crate::report::{FindingCounts, LoadedStack, load};
use crate::settings::{Application, Settings};

/// What came out of the app.
pub(crate) struct Outcome {
    /// Everything that was found, errors first.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The JSON Schema of the settings that the app reads, when it tells them.
    pub(crate) context_schema: Option<Json>,
    assembly: Option<CloudAssembly>,
    work: Option<WorkDirectory>,
}

/// What an app handed over, before the command line adds its own findings.
struct Answer {
    diagnostics: Vec<Diagnostic>,
    context_schema: Option<Json>,
}

/// Runs the app. What it writes goes into a new directory inside `near`, where it can be renamed to its final name.
///
/// # Errors
/// When the app cannot be run at all; what it finds wrong is in the outcome.
pub(crate) fn run(settings: &Settings, near: &Path) -> Result<Outcome, Failure> {
    let (answer, work, directory) = match &settings.application {
        Application::Assembly(directory) => (foreign::read(directory)?, None, directory.clone()),
        application => {
            let work = WorkDirectory::new_in(near, ".formwork-").map_err(|source| Failure::File {
                action: "make a directory in",
                what: near.display().to_string(),
                source,
            })?;
            let answer = match application {
                Application::Command { words, directory } => {
                    child::run(words, directory, settings, work.path())?
                }
                _ => built_in(settings, work.path())?,
            };
            let directory = work.path().to_path_buf();
            (answer, Some(work), directory)
        }
    };
    let mut diagnostics = settings.warnings.clone();
    diagnostics.extend(answer.diagnostics);
    settings_check::explain_own_settings(&mut diagnostics);
    if let Some(schema) = &answer.context_schema {
        settings_check::check(&settings.context, schema, &mut diagnostics);
    }
    let has_assembly = directory.join(cloud_assembly::MANIFEST_FILE).is_file();
    let assembly = if has_assembly { Some(CloudAssembly::open(&directory)?) } else { None };
    if let Some(assembly) = &assembly
        && !directory.join(cloud_assembly::DIAGNOSTICS_FILE).is_file()
    {
        foreign::judge(assembly, &mut diagnostics)?;
    }
    if let Some(assembly) = &assembly
        && assembly.stacks()?.iter().any(|stack| stack.environment.ends_with("/unknown-region"))
    {
        diagnostics.push(no_region());
    }
    if settings.strict {
        make_strict(&mut diagnostics);
    }
    diagnostics.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.severity));
    Ok(Outcome { diagnostics, context_schema: answer.context_schema, assembly, work })
}

/// What is said when nobody names a region.
pub(crate) fn no_region() -> Diagnostic {
    let message = "no region is named, so nothing is said about what a region offers";
    Diagnostic::new(Severity::Note, "no-region", message)
        .with_hint("name one with --region to have it checked")
}

/// Warnings become errors.
pub(crate) fn make_strict(diagnostics: &mut [Diagnostic]) {
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.severity == Severity::Warning) {
        diagnostic.severity = Severity::Error;
    }
}

/// Runs the app for a command that keeps nothing of it, and shows its errors.
///
/// # Errors
/// When the app has errors, or cannot be run.
pub(crate) fn stacks(settings: &Settings, console: &Console) -> Result<Vec<LoadedStack>, Failure> {
    let outcome = run(settings, &std::env::temp_dir())?;
    outcome.show_errors(console)?;
    outcome.stacks()
}

fn built_in(settings: &Settings, directory: &Path) -> Result<Answer, Failure> {
    let app =
        App::new(AppProps { context: settings.context.clone(), environment: settings.default_environment() });
    formwork_ml_platform::build(&app);
    let (files, diagnostics) = match app.synth() {
        Ok(synthesis) => (synthesis.files, synthesis.diagnostics),
        Err(error) => (AssemblyFiles::default(), error.diagnostics),
    };
    files.write(directory)?;
    Ok(Answer { diagnostics, context_schema: Some(app.context_schema()) })
}

impl Outcome {
    /// How many findings there are.
    pub(crate) fn counts(&self) -> FindingCounts {
        FindingCounts::of(&self.diagnostics)
    }

    /// Nothing, or what to end with when there are errors. Wrong settings go first: whatever else was found may come
    /// from their defaults.
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        let mut errors =
            self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).peekable();
        if errors.peek().is_none() {
            return Ok(());
        }
        Err(if errors.any(is_about_settings) { Failure::SettingsFindings } else { Failure::Findings })
    }

    /// Shows what was found when there are errors.
    ///
    /// # Errors
    /// When there are errors.
    pub(crate) fn show_errors(&self, console: &Console) -> Result<(), Failure> {
        self.verdict().inspect_err(|_| {
            console.diagnostics(&self.diagnostics);
            console.talk(&format!("the app has {}\n", self.counts().text()));
        })
    }

    /// The stacks with their templates, each after those that it needs.
    ///
    /// # Errors
    /// When a file of the assembly cannot be read.
    pub(crate) fn stacks(&self) -> Result<Vec<LoadedStack>, Failure> {
        self.assembly.as_ref().map_or(Ok(Vec::new()), load)
    }

    /// The assembly where it was written, in its place or not yet.
    #[cfg(feature = "engine")]
    pub(crate) fn assembly(&self) -> Option<&CloudAssembly> {
        self.assembly.as_ref()
    }

    /// Puts the assembly in its place, unless it is in its place already. Gives the directory.
    ///
    /// # Errors
    /// When the place holds something that is no assembly, or cannot be written.
    pub(crate) fn keep(self, target: &Path) -> Result<PathBuf, Failure> {
        match (&self.work, &self.assembly) {
            (Some(work), _) => {
                hold_off(|| cloud_assembly::replace(target, work.path()))?;
                Ok(target.to_path_buf())
            }
            (None, Some(assembly)) => Ok(assembly.directory().to_path_buf()),
            (None, None) => Ok(target.to_path_buf()),
        }
    }
}

/// Whether a finding is about a value of the context.
pub(crate) fn is_about_settings(diagnostic: &Diagnostic) -> bool {
    diagnostic.rule.starts_with("context-")
}

/// The directory that the output will be in, made when it is missing, and the output with links followed: a rename must
/// replace the directory and not a link to it.
///
/// # Errors
/// When the output is no directory, or holds something that is no assembly.
pub(crate) fn prepare_output(output: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    let failed = |action, path: &Path| {
        let what = path.display().to_string();
        move |source| Failure::File { action, what, source }
    };
    if output.exists() && !output.is_dir() {
        let message = format!(
            "the output {} is not a directory\nhint: name another one with --output",
            output.display()
        );
        return Err(Failure::Usage(message));
    }
    let target = if output.exists() {
        output.canonicalize().map_err(failed("find", output))?
    } else {
        output.to_path_buf()
    };
    cloud_assembly::check_replaceable(&target)?;
    let Some(parent) = target.parent() else {
        return Err(Failure::Usage(
            "the output is the root directory\nhint: name another one with --output".to_owned(),
        ));
    };
    fs::create_dir_all(parent).map_err(failed("create", parent))?;
    Ok((parent.to_path_buf(), target))
}
