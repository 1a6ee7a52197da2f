//! `cargo xtask`: every command that a contributor or CI runs.
//!
//! One Rust program instead of a folder of scripts, so that a fresh clone needs nothing installed by hand: each command
//! fetches and pins what it uses.

mod bench;
mod build;
mod generate;
mod kits;
mod local;
mod metaflow;
mod mlflow_copy;
mod mlflow_server;
mod parts;
mod paths;
mod proxy;
mod proxy_binary;
mod proxy_sources;
mod resources;
mod run;
mod setup;
mod test;

use std::process::ExitCode;

use build::Build;
use paths::Paths;

const HELP: &str = "\
The commands of this repository.

Usage: cargo xtask <command>

Commands:
  test [--part NAME] [--slow]
                      check format, lints, documentation, generated files and all tests, with all set-up;
                      --part runs one part of the summary alone; --slow adds what takes long (all regions, all
                      services, long fuzzing)
  local               deploy both modes of the platform to an emulator of AWS on this machine, change them, and
                      delete them again
  proxy [--slow]      real MLflow clients through the proxy to real MLflow servers, cases of the wire, and faults; --slow
                      adds all versions against each other and writes their table; --part NAME, --only NAME choose
  kits [--slow]       the kits' files with real MLflow, PostgreSQL and nginx, and migrations; --slow kills migrations at
                      every moment and tries pgloader; --part NAME chooses
  metaflow [--slow]   Metaflow's real client with the stack that is deployed to the emulator; --slow also executes a state
                      machine to its end; --only NAME chooses
  mlflow-copy         copy between real MLflow servers, cut copies off, back up and restore, and compare
  mlflow-server       the task of a self-hosted MLflow server as its template has it, with a real client; NAME chooses
  bench deploy [--stacks 4,40,400] [--minutes COUNT] [--against cdk|--only cdk] [--debug]
                      measure deployments against the simulator: time, requests and memory, as Markdown;
                      the critical path is a minute, or so many minutes with the resources that take longest
  bench proxy [--rounds COUNT] [--seconds COUNT] [--only nginx,signing,everything,gunicorn,flask] [--binary FILE] [--small]
                      measure the proxy beside nginx and Flask: requests, times, throughput and memory, as Markdown
  generate [--check]  write the generated files anew; --check only says whether they are up to date
  help                print this

What is fetched goes to .tools/ and is taken from lock files. Needed beforehand: git, a Rust toolchain,
Python 3.10 or newer with venv, Node 18 or newer with npm (on Debian as root, apt-get installs the last two).
";

/// Wrong arguments end with this status, as in the `formwork` command line.
const USAGE_ERROR: u8 = 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let paths = Paths::new();
    let outcome = match arguments.as_slice() {
        ["test"] => test::run(&paths, false),
        ["test", "--slow"] => test::run(&paths, true),
        ["test", "--part", name] => test::run_part(&paths, name, false),
        ["test", "--part", name, "--slow"] => test::run_part(&paths, name, true),
        ["local"] => local::walk(&paths, Build::Alone),
        ["proxy", "--slow", rest @ ..] => proxy::run(&paths, Build::Alone, true, rest),
        ["proxy", rest @ ..] => proxy::run(&paths, Build::Alone, false, rest),
        ["mlflow-copy"] => mlflow_copy::run(&paths, Build::Alone),
        ["kits", "--slow", rest @ ..] => kits::run(&paths, Build::Alone, true, rest),
        ["kits", rest @ ..] => kits::run(&paths, Build::Alone, false, rest),
        ["metaflow", "--slow", rest @ ..] => metaflow::run(&paths, Build::Alone, true, rest),
        ["metaflow", rest @ ..] => metaflow::run(&paths, Build::Alone, false, rest),
        ["mlflow-server", rest @ ..] => mlflow_server::run(&paths, rest),
        ["bench", "deploy", rest @ ..] => match bench::Request::read(rest) {
            Ok(request) => bench::deploy(&paths, &request),
            Err(message) => return usage_error(&message),
        },
        ["bench", "proxy", rest @ ..] => match bench::proxy::Request::read(rest) {
            Ok(request) => bench::proxy::run(&paths, &request),
            Err(message) => return usage_error(&message),
        },
        ["generate"] => generate(&paths, false),
        ["generate", "--check"] => generate(&paths, true),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        [] => return usage_error("no command is given"),
        other => return usage_error(&format!("`{}` is not a command", other.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage_error(message: &str) -> ExitCode {
    eprint!("error: {message}\n\n{HELP}");
    ExitCode::from(USAGE_ERROR)
}

fn generate(paths: &Paths, check: bool) -> Result<(), String> {
    setup::judges(paths)?;
    setup::node_packages(paths)?;
    generated_files(paths, check)
}

/// The pack of facts and what follows from it, and the identity of the proxy.
fn generated_files(paths: &Paths, check: bool) -> Result<(), String> {
    let types = generate::run(&paths.sources()?, check)?;
    resources::run(&paths.root, &types, check)?;
    proxy_sources::run(&paths.root, check)
}
