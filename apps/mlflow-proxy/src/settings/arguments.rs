//! The command line: a flag for every setting, made from the same table as everything else that knows the settings.
//!
//! A flag wins over its variable, so that one value can be tried without touching the service's environment file.

use std::collections::HashMap;
use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{VARIABLES, Variable};

/// The subcommand for a laptop.
const LOCAL: &str = "local";
const CHECK: &str = "check";
const PROFILE: &str = "profile";

/// What a laptop needs otherwise than a server does: it is for one person, and several may run side by side.
const LOCAL_DEFAULTS: &[(&str, &str)] =
    &[("MLFLOW_PROXY_AUTH", "none"), ("MLFLOW_PROXY_METRICS_LISTEN", "off")];

/// Settings that belong to a server's environment and would surprise on a laptop, where the profile says who one is.
const LOCAL_IGNORES: &[&str] = &["MLFLOW_PROXY_LOG_GROUP", "SM_MLFLOW_ROLE_ARN"];

/// The command line as it was given.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// Serve one person on loopback, with the credentials of an AWS profile.
    pub local: bool,
    /// Say what is wrong with the settings and what they lead to, and end, rather than serve.
    pub check: bool,
    /// The profile of the AWS configuration files, given with `local`.
    pub profile: Option<String>,
    flags: HashMap<&'static str, OsString>,
}

impl Arguments {
    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    ///
    /// As clap has it: also `--help` and `--version` come as an error that is to be printed on stdout.
    pub fn parse<I, T>(arguments: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString> + Clone,
    {
        let matches = command().try_get_matches_from(arguments)?;
        let local = matches.subcommand_matches(LOCAL);
        let mut flags = HashMap::new();
        // A flag may stand before or behind the subcommand: clap hands global ones down to it.
        let source: &ArgMatches = local.unwrap_or(&matches);
        for variable in variables() {
            if let Some(value) = source.get_one::<OsString>(variable.name) {
                flags.insert(variable.name, value.clone());
            }
        }
        let profile = local.and_then(|local| local.get_one::<String>(PROFILE).cloned());
        Ok(Self { local: local.is_some(), check: source.get_flag(CHECK), profile, flags })
    }

    /// The value of a variable: the flag's, else the environment's, else what a laptop wants otherwise than a server.
    pub fn value(&self, name: &str, environment: &dyn Fn(&str) -> Option<OsString>) -> Option<OsString> {
        if let Some(value) = self.flags.get(name) {
            return Some(value.clone());
        }
        if self.local && LOCAL_IGNORES.contains(&name) {
            return None;
        }
        environment(name).filter(|value| !value.is_empty()).or_else(|| self.default_of_local(name))
    }

    fn default_of_local(&self, name: &str) -> Option<OsString> {
        let default = LOCAL_DEFAULTS.iter().find(|(known, _)| *known == name)?.1;
        (self.local).then(|| default.into())
    }
}

/// The variables of all rooms.
fn variables() -> impl Iterator<Item = &'static Variable> {
    VARIABLES.iter().flat_map(|(_, variables)| *variables)
}

/// The command line's grammar.
pub fn command() -> Command {
    let settings = VARIABLES.iter().flat_map(|(heading, variables)| {
        variables.iter().map(move |variable| setting(variable).help_heading(*heading))
    });
    Command::new("mlflow-proxy")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Takes requests of plain MLflow clients and signs them for SageMaker's managed MLflow")
        .long_about(
            "Takes requests of plain MLflow clients and signs them for SageMaker's managed MLflow.\n\n\
             Every setting is a flag and a variable of the environment; a flag wins. With neither a command nor --check, \
             the proxy serves until SIGTERM or Ctrl-C.",
        )
        .after_help("Exit status: 0 ended as asked, 1 failed, 10 the settings are wrong or a check failed.")
        .disable_help_subcommand(true)
        .arg(
            Arg::new(CHECK)
                .long(CHECK)
                .action(ArgAction::SetTrue)
                .global(true)
                .help("Say what is wrong with the settings, try what they lead to, and end")
                .long_help(
                    "Say everything that is wrong with the settings, try what they lead to (credentials, MLflow, users, \
                     bucket, certificate, spool directory, clock) with a line each, and end with status 0 or 10. \
                     Nothing is changed and nothing is listened on.",
                ),
        )
        .args(settings)
        .subcommand(
            Command::new(LOCAL)
                .about("Serve yourself on this computer, with the credentials of an AWS profile")
                .long_about(
                    "Serve yourself on this computer, with the credentials of an AWS profile: listens on loopback, asks \
                     nobody who they are, and prints the lines to paste. Takes every setting that the server takes; \
                     requests are signed by the profile's own credentials unless --role-arn names a role.",
                )
                .arg(
                    Arg::new(PROFILE)
                        .long(PROFILE)
                        .value_name("NAME")
                        .help("The profile of the AWS configuration files; without it, what the AWS tools would take"),
                ),
        )
}

fn setting(variable: &'static Variable) -> Arg {
    let mut help = variable.about.to_owned();
    if !variable.default.is_empty() {
        help.push_str(&format!(" [default: {}]", variable.default));
    }
    help.push_str(&format!(" [variable: {}]", variable.name));
    let argument = Arg::new(variable.name)
        // Leaked once a process: clap keeps names for its whole life, and takes owned ones only with another feature.
        .long(&*variable.flag().leak())
        .global(true)
        .value_parser(clap::value_parser!(OsString))
        .value_name("VALUE")
        .allow_hyphen_values(true)
        .help(help);
    let argument = match variable.name {
        "SM_MLFLOW_RESOURCE_ARN" => argument.visible_alias("arn"),
        _ => argument,
    };
    match variable.default {
        // A switch needs no value, but takes one, so that it can be turned off where the variable turns it on.
        "true" | "false" => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("true|false"),
        _ => argument,
    }
}
