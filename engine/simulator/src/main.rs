//! Serves the simulator on a loopback port.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use formwork_simulator::server::{ServeOptions, serve};
use formwork_simulator::{Simulator, SimulatorOptions};

const HELP: &str = "\
Serves a simulated CloudFormation, STS, S3 and SSM on 127.0.0.1, and the parts of EC2, IAM, Auto Scaling,
Elastic Load Balancing, SageMaker, ECR, Logs, RDS, Secrets Manager and Service Quotas that Formwork asks

Usage: formwork-simulator [OPTIONS]

Options:
  --port PORT          the port; 0, the default, takes a free one, and the endpoint is printed
  --account DIGITS     the account of callers [default: 123456789012]
  --region REGION      the region of requests that do not say theirs [default: us-east-1]
  --script FILE        what goes wrong on purpose
  --speed FACTOR       how many seconds pass in one of the machine [default: 1]
  --scale FACTOR       how many times as long as usual everything takes that CloudFormation does [default: 1]
  --latency MILLIS     how long every answer takes, in milliseconds [default: 0]
  --seed NUMBER        makes ids differ from those of another simulator [default: 0]
  --state-log FILE     every request as a line of JSON
";

fn main() -> ExitCode {
    let outcome = read(std::env::args().skip(1)).and_then(|settings| match settings {
        Some(settings) => run(settings),
        None => print(HELP),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(10)
        }
    }
}

struct Settings {
    port: u16,
    simulator: SimulatorOptions,
    serve: ServeOptions,
}

/// The settings of the arguments; nothing when help is wanted.
fn read(mut arguments: impl Iterator<Item = String>) -> Result<Option<Settings>, String> {
    let mut settings =
        Settings { port: 0, simulator: SimulatorOptions::default(), serve: ServeOptions::default() };
    while let Some(name) = arguments.next() {
        if name == "--help" || name == "-h" {
            return Ok(None);
        }
        let known = [
            "--port",
            "--account",
            "--region",
            "--script",
            "--speed",
            "--scale",
            "--latency",
            "--seed",
            "--state-log",
        ];
        if !known.contains(&name.as_str()) {
            return Err(format!("there is no option {name}; known are {}", known.join(", ")));
        }
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--port" => settings.port = number(&name, &value)?,
            "--account" => settings.simulator.account = value,
            "--region" => settings.simulator.region = value,
            "--script" => {
                let text =
                    fs::read_to_string(&value).map_err(|error| format!("{value} cannot be read: {error}"))?;
                settings.simulator.script = text.parse().map_err(|error| format!("{value}: {error}"))?;
            }
            "--speed" => settings.serve.speed = factor(&name, &value)?,
            "--scale" => settings.simulator.world.scale = factor(&name, &value)?,
            "--latency" => settings.simulator.latency = Duration::from_millis(number(&name, &value)?),
            "--seed" => settings.simulator.seed = number(&name, &value)?,
            _ => {
                let file =
                    File::create(&value).map_err(|error| format!("{value} cannot be written: {error}"))?;
                settings.serve.request_log = Some(file);
            }
        }
    }
    Ok(Some(settings))
}

fn number<N: std::str::FromStr>(name: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_| format!("{name} has to be a number, and is {value:?}"))
}

fn factor(name: &str, value: &str) -> Result<f64, String> {
    let factor: f64 = number(name, value)?;
    if factor.is_finite() && factor > 0.0 {
        Ok(factor)
    } else {
        Err(format!("{name} has to be more than 0, and is {value}"))
    }
}

fn run(settings: Settings) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the server cannot start: {error}"))?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port))
            .await
            .map_err(|error| format!("port {} cannot be taken: {error}", settings.port))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        print(&format!("http://{address}\n"))?;
        let simulator = Arc::new(Mutex::new(Simulator::new(settings.simulator)));
        serve(listener, simulator, settings.serve).await.map_err(|error| error.to_string())
    })
}

fn print(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())
}
