//! `cargo xtask bench proxy`: our proxy beside nginx, which does not sign, and beside Flask, which does.
//!
//! All stand before the same upstream on one machine, each with one worker on a processor of its own that nothing else of
//! the run uses, and are asked in turns: what changes on the machine meanwhile meets all of them. A peer that is missing is
//! left out and named. What is printed is Markdown, for `docs/benchmarks.md`.

mod child;
mod load;
mod peers;
mod services;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use child::Running;
use load::Small;
use peers::{Peer, Stage};
use table::{Figure, Figures};

use crate::paths::{Paths, venv_program};
use crate::run::output;
use crate::{proxy_binary, setup};

/// How large the large bodies are, in bytes.
const SIZE: u64 = 200 << 20;
/// How many of them are sent at once.
const AT_ONCE: usize = 8;
/// The share of our own saturation at which the times of answers are compared.
const STEADY: f64 = 0.7;

const HELP: &str = "there are --rounds COUNT, --seconds COUNT, --only nginx,signing,everything,gunicorn,flask, \
                    --binary FILE and --small";

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    rounds: usize,
    seconds: u64,
    peers: Vec<Peer>,
    binary: Option<PathBuf>,
    /// Whether large bodies are measured too.
    large: bool,
}

impl Request {
    /// Reads the arguments after `bench proxy`.
    ///
    /// # Errors
    ///
    /// An argument that is not known.
    pub(crate) fn read(arguments: &[&str]) -> Result<Self, String> {
        let mut request =
            Self { rounds: 3, seconds: 4, peers: Peer::ALL.to_vec(), binary: None, large: true };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().copied().ok_or_else(|| format!("{argument} needs a value"));
            let count = |text: &str| match text.parse() {
                Ok(count @ 1..=60) => Ok(count),
                _ => Err(format!("`{text}` is no number from 1 to 60")),
            };
            match *argument {
                "--rounds" => request.rounds = count(value()?)? as usize,
                "--seconds" => request.seconds = count(value()?)?,
                "--binary" => request.binary = Some(value()?.into()),
                "--small" => request.large = false,
                "--only" => {
                    let peer = |word: &str| {
                        let found = Peer::ALL.into_iter().find(|peer| peer.word() == word);
                        found.ok_or_else(|| format!("there is no proxy `{word}` to measure; {HELP}"))
                    };
                    request.peers = value()?.split(',').map(peer).collect::<Result<_, _>>()?;
                }
                other => return Err(format!("`{other}` is not understood; {HELP}")),
            }
        }
        Ok(request)
    }
}

/// Measures and prints.
///
/// # Errors
///
/// The proxy cannot be built, or there is nothing to ask or to measure with.
pub(crate) fn run(paths: &Paths, request: &Request) -> Result<(), String> {
    let folder = paths.join(".tools/bench/proxy");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    setup::load_tools()?;
    let mut peers = request.peers.clone();
    let mut missing = Vec::new();
    let python = venv_program(&paths.mlflow_venv("newest"), "python");
    // MLflow brings along all that the Flask app needs, in any of its versions.
    let is_there = || output(Command::new(&python).args(["-c", "import boto3, flask, gunicorn, requests"]));
    if peers.iter().any(|peer| matches!(peer, Peer::Gunicorn | Peer::Flask))
        && is_there().is_err()
        && let Err(error) = setup::mlflow(paths, "newest")
    {
        missing.push(format!("Flask: {error}"));
        peers.retain(|peer| !matches!(peer, Peer::Gunicorn | Peer::Flask));
    }
    let binary = match &request.binary {
        Some(binary) => binary.canonicalize().map_err(|error| format!("{}: {error}", binary.display()))?,
        None => proxy_binary::build(paths)?,
    };
    let bench = Bench {
        stage: Stage {
            folder,
            binary,
            python,
            app: paths.join("tests/proxy/peers"),
            services: services::start()?,
            processor: separate(),
        },
        seconds: request.seconds,
        rounds: request.rounds,
    };
    let load_before = load_average();
    let mut figures = Figures::default();
    let upstream = bench.stage.upstream()?;
    let mut running = BTreeMap::new();
    for peer in peers {
        match bench.stage.start(peer, upstream.address) {
            Ok(started) => drop(running.insert(peer, started)),
            Err(error) => missing.push(format!("{}: {error}", peer.title())),
        }
    }
    bench.small(&mut running, &mut figures, &mut missing);
    let rate = bench.steady(&running, &mut figures, &mut missing);
    let peers: Vec<Peer> = running.keys().copied().collect();
    drop(running);
    if request.large {
        for peer in peers.iter().copied() {
            if let Err(error) = bench.large(peer, &mut figures) {
                missing.push(format!("{}, large bodies: {error}", peer.title()));
            }
        }
    }
    println!("\n{}, load {load_before} before and {} after.", machine(&bench.stage), load_average());
    println!("{}{}", figures.tables(&peers, rate, SIZE), figures.targets());
    for what in missing {
        println!("\nnot measured: {what}");
    }
    Ok(())
}

struct Bench {
    stage: Stage,
    seconds: u64,
    rounds: usize,
}

impl Bench {
    /// Small requests, as many as possible, round by round. Who fails is left out from then on.
    fn small(&self, running: &mut BTreeMap<Peer, Running>, figures: &mut Figures, missing: &mut Vec<String>) {
        let mut failed = Vec::new();
        for round in 0..=self.rounds {
            for (peer, proxy) in
                running.iter().filter(|(peer, _)| !failed.contains(*peer)).collect::<Vec<_>>()
            {
                for small in Small::ALL {
                    // The first round only warms up.
                    let seconds = if round == 0 { 1 } else { self.seconds };
                    let before = proxy.processor_seconds();
                    let seen = match load::saturate(proxy.address, small, seconds, &self.stage.folder) {
                        Ok(seen) => seen,
                        Err(error) => {
                            missing.push(format!("{}: {error}", peer.title()));
                            failed.push(*peer);
                            break;
                        }
                    };
                    if round == 0 {
                        continue;
                    }
                    let worked = proxy.processor_seconds() - before;
                    println!("round {round}: {} {}: {:.0} a second", peer.word(), small.method(), seen.rate);
                    figures.add(*peer, Figure::Rate(small), seen.rate);
                    figures.add(*peer, Figure::Half(small), seen.half);
                    figures.add(*peer, Figure::Most(small), seen.most);
                    figures.add(*peer, Figure::Worth(small), seen.rate * seconds as f64 / worked);
                }
            }
        }
        running.retain(|peer, _| !failed.contains(peer));
    }

    /// Small requests at a fixed rate, which is told.
    fn steady(
        &self,
        running: &BTreeMap<Peer, Running>,
        figures: &mut Figures,
        missing: &mut Vec<String>,
    ) -> Option<f64> {
        let rate = figures.median(Peer::Everything, Figure::Rate(Small::Get))? * STEADY;
        for _ in 0..self.rounds {
            for (peer, proxy) in running.iter().filter(|(peer, _)| peer.is_ours() || **peer == Peer::Nginx) {
                match load::steadily(proxy.address, Small::Get, rate, self.seconds) {
                    Ok(seen) => {
                        figures.add(*peer, Figure::SteadyHalf, seen.half);
                        figures.add(*peer, Figure::SteadyMost, seen.most);
                    }
                    Err(error) => missing.push(format!("{} at a fixed rate: {error}", peer.title())),
                }
            }
        }
        Some(rate)
    }

    /// Large bodies, one after the other and several at once, by a fresh process.
    fn large(&self, peer: Peer, figures: &mut Figures) -> Result<(), String> {
        let folder = "/api/2.0/mlflow-artifacts/artifacts/42/0f3c9a5be1d24c7f8a6b5d4e3f2a1b0c/artifacts";
        let (up, down) = (format!("{folder}/model.bin"), format!("{folder}/size-{SIZE}"));
        let proxy = self.stage.start(peer, self.stage.services)?;
        for _ in 0..self.rounds.min(3) {
            let seconds = load::transfer(proxy.address, &up, true, SIZE)?;
            println!("{}: {SIZE} bytes up in {seconds:.2} s", peer.word());
            figures.add(peer, Figure::Upload, seconds);
            figures.add(peer, Figure::Download, load::transfer(proxy.address, &down, false, SIZE)?);
        }
        drop(proxy);
        let proxy = self.stage.start(peer, self.stage.services)?;
        figures.add(peer, Figure::Uploads, load::transfers(proxy.address, &up, AT_ONCE, SIZE)?);
        figures.add(peer, Figure::Memory, proxy.peak_megabytes());
        Ok(())
    }
}

/// Moves this program, and all that it starts without a word, to all processors but the last, which is for the proxies.
fn separate() -> Option<usize> {
    let last = std::thread::available_parallelism().map_or(0, |count| count.get() - 1);
    if last == 0 {
        return None;
    }
    let mut command = Command::new("taskset");
    command.args(["--all-tasks", "--cpu-list", "--pid", &format!("0-{}", last - 1)]);
    command.arg(std::process::id().to_string());
    output(&mut command).is_ok().then_some(last)
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn machine(stage: &Stage) -> String {
    let pinned =
        stage.processor.map_or("no processor of its own for the proxy", |_| "one for the proxy alone");
    let size = fs::metadata(&stage.binary).map_or(0.0, |data| data.len() as f64 / 1e6);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{} {}, {} cores, {pinned}, a binary of {size:.1} MB",
        std::env::consts::OS,
        std::env::consts::ARCH,
        cores + usize::from(stage.processor.is_some())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_and_others_are_named() {
        let all = Request::read(&[]).unwrap();
        assert_eq!((all.rounds, all.peers.len(), all.large), (3, 5, true));
        let some = Request::read(&["--rounds", "5", "--only", "nginx,signing", "--small"]).unwrap();
        assert_eq!((some.rounds, some.peers, some.large), (5, vec![Peer::Nginx, Peer::Signing], false));
        assert!(Request::read(&["--only", "apache"]).unwrap_err().contains("`apache`"));
        assert!(Request::read(&["--rounds"]).unwrap_err().contains("needs a value"));
        assert!(Request::read(&["--rounds", "0"]).unwrap_err().contains("from 1 to 60"));
    }
}
