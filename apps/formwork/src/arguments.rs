//! The arguments of the command line, as people write them.

#[cfg(feature = "engine")]
mod deployment;
#[cfg(all(test, feature = "engine"))]
mod hints;
mod kit;
#[cfg(all(test, feature = "engine"))]
mod reference;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "engine")]
pub(crate) use deployment::*;
pub(crate) use kit::*;

use crate::settings::assets::Given;

const EXIT_CODES: &str = "\
Exit codes: 0 success; 1 errors in the input or in what was found; 2 changes; 3 refused, or approval missing;
4 failed and rolled back; 5 failed, needs action; 6 detached; 10 wrong usage, settings or credentials;
130 interrupted.";

/// Checked CloudFormation from typed constructs
#[derive(Debug, Parser)]
#[command(name = "formwork", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,
    #[command(flatten)]
    context: ContextArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// The context values, those before the command first.
    pub(crate) fn context(&self) -> Vec<(String, String)> {
        let after = match &self.command {
            Command::Synth(synth) => Some(&synth.context),
            Command::List(list) => Some(&list.context),
            Command::Graph(graph) => Some(&graph.context),
            Command::Context(context) => Some(&context.context),
            Command::Diff(diff) => Some(&diff.context),
            #[cfg(feature = "engine")]
            Command::Deployment(command) => command.context(),
            Command::Validate(_) | Command::Kit(_) | Command::Asset(_) => None,
        };
        [Some(&self.context), after].into_iter().flatten().flat_map(ContextArguments::given).collect()
    }
}

#[cfg(not(feature = "engine"))]
impl Arguments {
    /// Where assets go, as the command's own options say it: no command here publishes any.
    pub(crate) fn assets(&self) -> Vec<Given<'_>> {
        Vec::new()
    }
}

#[cfg(feature = "engine")]
impl Arguments {
    /// Where assets go, as the command's own options say it.
    pub(crate) fn assets(&self) -> Vec<Given<'_>> {
        let Command::Deployment(command) = &self.command else { return Vec::new() };
        let Some(options) = command.assets() else { return Vec::new() };
        let bucket = options.bucket.as_deref().map(|bucket| ("--bucket", "assets", bucket));
        let qualifier = options.qualifier.as_deref().map(|it| ("--qualifier", "qualifier", it));
        bucket.into_iter().chain(qualifier).collect()
    }
}

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArguments {
    /// The app: a command line that starts it, or a directory that holds an assembly [default: the built-in ML platform]
    #[arg(long, global = true, value_name = "COMMAND|DIRECTORY")]
    pub(crate) app: Option<String>,
    /// Where the assembly goes [default: cfn-out beside formwork.toml, else in the current directory]
    #[arg(long, global = true, value_name = "DIRECTORY")]
    pub(crate) output: Option<PathBuf>,
    /// The environment of formwork.toml to use, [env.NAME]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// The profile of the AWS configuration files; its region is used when none is given otherwise
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The region of stacks that do not say theirs
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Treats warnings as errors
    #[arg(long, global = true)]
    pub(crate) strict: bool,
    /// Shows errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Shows notes as well
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// When to use colour; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Makes it so for the whole process.
    pub(crate) fn choose(self) {
        match self {
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}

/// Values of the context. They stand before or after the command.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ContextArguments {
    /// Sets a value of the context; the last one of a key counts
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    context: Vec<(String, String)>,
    /// A prebuilt binary of the MLflow proxy, so that nothing is compiled; the same as -c proxyBinary=FILE
    #[arg(long, value_name = "FILE")]
    proxy_binary: Option<String>,
}

impl ContextArguments {
    /// The values in their order; those that have an option of their own count like the last.
    fn given(&self) -> impl Iterator<Item = (String, String)> {
        let binary = self.proxy_binary.clone().map(|file| ("proxyBinary".to_owned(), file));
        self.context.iter().cloned().chain(binary)
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) => Err("the key before `=` is empty".to_owned()),
        None => Err(format!("there is no `=`: write {text}=VALUE")),
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Writes the assembly of the app, when the whole app is free of errors
    Synth(SynthArguments),
    /// Lists the stacks, each after those that it needs
    #[command(visible_alias = "ls")]
    List(ListArguments),
    /// Draws what needs what
    Graph(GraphArguments),
    /// Shows every setting: its value, where it was set and what it means
    Context(ContextCommandArguments),
    /// Compares the stacks with another assembly or a template file
    Diff(crate::commands::diff::DiffArguments),
    /// Checks CloudFormation templates, whoever wrote them
    Validate(ValidateArguments),
    #[cfg(feature = "engine")]
    #[command(flatten)]
    Deployment(Box<DeploymentCommand>),
    /// Writes MLflow for other places into a directory: Docker Compose, Heroku
    Kit(KitArguments),
    /// Builds an asset and prints its path; assembly manifests call it
    #[command(hide = true)]
    Asset(AssetArguments),
}

#[derive(Debug, Args)]
pub(crate) struct SynthArguments {
    /// The stacks to show, by name or pattern; all are written [default: all]
    #[arg(value_name = "STACK")]
    pub(crate) stacks: Vec<String>,
    /// Prints the template of one stack
    #[arg(long, value_name = "STACK", conflicts_with_all = ["json", "stacks"])]
    pub(crate) template: Option<String>,
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    context: ContextArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// The stacks to list, by name or pattern [default: all]
    #[arg(value_name = "STACK")]
    pub(crate) stacks: Vec<String>,
    /// Shows environment, size, resources and needs as well
    #[arg(short, long)]
    pub(crate) long: bool,
    /// Shows each stack above those that it needs
    #[arg(long, conflicts_with = "long")]
    pub(crate) tree: bool,
    /// Prints a report as JSON
    #[arg(long, conflicts_with_all = ["long", "tree"])]
    pub(crate) json: bool,
    #[command(flatten)]
    context: ContextArguments,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArguments {
    /// The stacks to draw, by name or pattern; without --resources with all that they need [default: all]
    #[arg(value_name = "STACK")]
    pub(crate) stacks: Vec<String>,
    /// How to draw
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: GraphFormat,
    /// Draws the resources of the stacks
    #[arg(long)]
    pub(crate) resources: bool,
    #[command(flatten)]
    context: ContextArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Lines for people
    Text,
    /// A Mermaid flowchart
    Mermaid,
    /// Graphviz
    Dot,
}

#[derive(Debug, Args)]
pub(crate) struct ContextCommandArguments {
    /// Prints the JSON Schema of the context
    #[arg(long, conflicts_with = "json")]
    pub(crate) schema: bool,
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    context: ContextArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArguments {
    /// The template files, JSON or YAML; - is standard input
    #[arg(value_name = "TEMPLATE", required = true)]
    pub(crate) templates: Vec<PathBuf>,
    /// How to report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: FindingsFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FindingsFormat {
    /// Lines for people
    Text,
    /// A report as JSON
    Json,
    /// SARIF 2.1.0, which code scanning tools read
    Sarif,
}

#[derive(Debug, Args)]
pub(crate) struct AssetArguments {
    #[command(subcommand)]
    pub(crate) asset: AssetCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AssetCommand {
    /// The Lambda layer with the pinned boto3
    #[command(name = "boto3-layer")]
    Boto3Layer {
        /// What the function runs on
        #[arg(long)]
        architecture: LayerArchitecture,
    },
    /// The binary of the MLflow proxy
    #[command(name = "mlflow-proxy")]
    MlflowProxy {
        /// What the instances run on
        #[arg(long)]
        architecture: ProxyArchitecture,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ProxyArchitecture {
    /// Intel and AMD
    Amd64,
    /// AWS Graviton
    Arm64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LayerArchitecture {
    /// AWS Graviton
    #[value(name = "arm64")]
    Arm64,
    /// Intel and AMD
    #[value(name = "x86_64")]
    X86_64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn context_before_and_after_the_command_adds_up() {
        let arguments = Arguments::try_parse_from([
            "formwork",
            "-c",
            "a=1",
            "--region",
            "eu-west-1",
            "list",
            "-c",
            "b=2=3",
            "--proxy-binary",
            "built/proxy",
        ])
        .unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let binary = pair("proxyBinary", "built/proxy");
        assert_eq!(arguments.context(), [pair("a", "1"), pair("b", "2=3"), binary]);
        assert_eq!(arguments.global.region.as_deref(), Some("eu-west-1"));
    }

    #[test]
    fn a_context_value_needs_a_key_and_an_equals_sign() {
        for wrong in ["prefix", "=x"] {
            assert!(Arguments::try_parse_from(["formwork", "synth", "-c", wrong]).is_err(), "{wrong}");
        }
    }
}
