//! Settings: arguments, `formwork.toml`, environment variables and the AWS profile settled into one value each.
//!
//! Every value keeps where it was set, so that a wrong one can be found and `formwork context` can tell it. Arguments go
//! before the chosen environment of the file, that before the rest of the file, and the file before the variables of the
//! shell: what a project has written down for `prod` must not depend on what somebody exported this morning.

pub(crate) mod assets;
mod aws_profile;
mod place;
pub(crate) mod project_file;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use formwork::{Context, Diagnostic, Environment};

use assets::AssetSettings;

use crate::arguments::Arguments;
use crate::failure::Failure;
use project_file::ProjectFile;

/// The directory that an assembly goes to when nobody says otherwise.
const DEFAULT_OUTPUT: &str = "cfn-out";

/// The environment variables that name a region, in their order.
const REGION_VARIABLES: [&str; 3] = ["CDK_DEFAULT_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"];

/// What is around the process and has a say in settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// The current directory.
    pub(crate) directory: PathBuf,
    /// The environment variables that are text and not empty.
    pub(crate) variables: BTreeMap<String, String>,
}

impl Surroundings {
    /// Those of this process.
    pub(crate) fn of_this_process() -> Result<Self, Failure> {
        let directory = env::current_dir().map_err(|source| Failure::File {
            action: "find",
            what: "the current directory".to_owned(),
            source,
        })?;
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok().filter(|value| !value.is_empty())?))
        };
        Ok(Self { directory, variables: env::vars_os().filter_map(text).collect() })
    }

    /// The directory for assets that were built: that of the XDG base directory specification, else the temporary one.
    pub(crate) fn asset_cache(&self) -> PathBuf {
        let variable =
            |name: &str| self.variables.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        variable("XDG_CACHE_HOME")
            .or_else(|| Some(variable("HOME")?.join(".cache")))
            .unwrap_or_else(env::temp_dir)
            .join("formwork")
            .join("assets")
    }

    fn variable(&self, name: &str) -> Option<Setting> {
        self.variables.get(name).map(|value| Setting::new(value, name))
    }
}

/// A value and where it was set, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) value: String,
    pub(crate) origin: String,
}

impl Setting {
    fn new(value: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { value: value.into(), origin: origin.into() }
    }
}

/// Where the assembly comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Application {
    /// The ML platform that is part of this program.
    BuiltIn,
    /// A program of the user.
    Command {
        /// The program and its arguments; there is at least one word.
        words: Vec<String>,
        /// Where it is started.
        directory: PathBuf,
    },
    /// An assembly that is there already.
    Assembly(PathBuf),
}

/// All settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) application: Application,
    /// Where `application` was set.
    pub(crate) application_origin: String,
    pub(crate) context: Context,
    pub(crate) account: Option<Setting>,
    pub(crate) region: Option<Setting>,
    /// The profile that was asked for; the one of the environment counts otherwise.
    #[cfg_attr(
        not(feature = "engine"),
        allow(dead_code, reason = "only its region is used without an account")
    )]
    pub(crate) profile: Option<Setting>,
    pub(crate) output: PathBuf,
    /// Where `output` was set.
    pub(crate) output_origin: String,
    pub(crate) strict: bool,
    /// Where assets go.
    #[cfg_attr(not(feature = "engine"), allow(dead_code, reason = "only deployments publish assets"))]
    pub(crate) assets: AssetSettings,
    /// Where assets that were built are kept.
    #[cfg_attr(not(feature = "engine"), allow(dead_code, reason = "only deployments publish assets"))]
    pub(crate) asset_cache: PathBuf,
    /// The file that was read.
    pub(crate) project_file: Option<PathBuf>,
    /// The chosen environment of the file.
    pub(crate) environment: Option<String>,
    /// What is odd about them without being wrong.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Settings {
    /// Settles all settings.
    ///
    /// # Errors
    /// When a file, an argument or a variable says something that cannot be.
    pub(crate) fn resolve(arguments: &Arguments, surroundings: &Surroundings) -> Result<Self, Failure> {
        let global = &arguments.global;
        let file = ProjectFile::find(&surroundings.directory)?;
        if let (Some(name), None) = (&global.env, &file) {
            let hint = "write one with a section [env.NAME], or leave --env out";
            return Err(Failure::Usage(format!(
                "--env {name} needs a {} here or in a directory above, and there is none\nhint: {hint}",
                project_file::FILE_NAME
            )));
        }
        let sections = match &file {
            Some(file) => file.sections(global.env.as_deref())?,
            None => Vec::new(),
        };
        let from_file = |key: &str| sections.iter().find_map(|section| section.text(key));
        let directory = file.as_ref().map_or(surroundings.directory.as_path(), ProjectFile::directory);

        let account = from_file("account").or_else(|| surroundings.variable("CDK_DEFAULT_ACCOUNT"));
        account.as_ref().map_or(Ok(()), place::check_account)?;
        let profile = global.profile.as_ref().map(|name| Setting::new(name, "--profile"));
        let profile = profile.or_else(|| from_file("awsProfile"));
        let of_profile = match &profile {
            // A profile that is asked for has to be there, whoever names the region.
            Some(profile) => aws_profile::region_of(profile, surroundings)?,
            None => aws_profile::region_of_current(surroundings),
        };
        let region = global.region.as_ref().map(|region| Setting::new(region, "--region"));
        let region = region
            .or_else(|| from_file("region"))
            .or_else(|| REGION_VARIABLES.iter().find_map(|name| surroundings.variable(name)))
            .or(of_profile);
        let warnings = match &region {
            Some(region) => place::check_region(region)?.into_iter().collect(),
            None => Vec::new(),
        };
        let (application, application_origin) = match (&global.app, from_file("app")) {
            (Some(app), _) => (application(app, "--app", &surroundings.directory)?, "--app".to_owned()),
            (None, Some(app)) => (application(&app.value, &app.origin, directory)?, app.origin),
            (None, None) => (Application::BuiltIn, "default".to_owned()),
        };
        let (output, output_origin) = match (&global.output, from_file("output")) {
            (Some(output), _) => (surroundings.directory.join(output), "--output".to_owned()),
            (None, Some(output)) => (directory.join(output.value), output.origin),
            (None, None) => (directory.join(DEFAULT_OUTPUT), "default".to_owned()),
        };
        let mut context = Context::new();
        for section in sections.iter().rev() {
            for (key, value, origin) in section.context() {
                context.set(key, value.clone(), origin);
            }
        }
        for (key, value) in arguments.context() {
            context.set(key, value, "-c");
        }
        let assets = assets::settle(&mut context, &arguments.assets(), &application)?;
        Ok(Self {
            assets,
            application,
            application_origin,
            context,
            account,
            region,
            profile,
            output,
            output_origin,
            strict: global.strict,
            asset_cache: surroundings.asset_cache(),
            project_file: file.as_ref().map(|file| file.path().to_path_buf()),
            environment: global.env.clone(),
            warnings,
        })
    }

    /// Where stacks go that do not say so themselves.
    pub(crate) fn default_environment(&self) -> Environment {
        let value = |setting: &Option<Setting>| setting.as_ref().map(|setting| setting.value.clone());
        Environment { account: value(&self.account), region: value(&self.region) }
    }
}

fn application(app: &str, origin: &str, directory: &Path) -> Result<Application, Failure> {
    let path = directory.join(app);
    if !app.is_empty() && path.is_dir() {
        return Ok(Application::Assembly(path));
    }
    match shell_words::split(app) {
        Ok(words) if !words.is_empty() => {
            Ok(Application::Command { words, directory: directory.to_path_buf() })
        }
        Ok(_) => Err(Failure::Usage(format!(
            "the app is empty (set by {origin})\nhint: give a command line, or a directory that holds an assembly"
        ))),
        Err(_) => Err(Failure::Usage(format!(
            "the app `{app}` (set by {origin}) has a quote that is not closed\nhint: close it"
        ))),
    }
}

#[cfg(test)]
mod tests;
