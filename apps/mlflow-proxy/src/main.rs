//! The proxy as a program: settings in, a server until it is told to stop.

use std::io::Write;
use std::process::ExitCode;

use mlflow_proxy::check::{self, Finding};
use mlflow_proxy::gate::Proxy;
use mlflow_proxy::local;
use mlflow_proxy::operate::{Operate, notify};
use mlflow_proxy::server::{self, Tls};
use mlflow_proxy::settings::{Arguments, Mistake, Reader, Settings};
use tokio::net::TcpListener;

/// Settings that cannot be used end the program with this status, as in the `formwork` command line.
const BAD_SETTINGS: u8 = 10;

/// The setting that `local` can find out by itself.
const ARTIFACT_ROOT: &str = "SM_MLFLOW_ARTIFACT_URI";

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and the version come this way too. A closed pipe is no error.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_SETTINGS) } else { ExitCode::SUCCESS };
        }
    };
    let (settings, mistakes) = read(&arguments, None);
    if arguments.check {
        return end(run(&settings, check(&settings, mistakes)));
    }
    if !mistakes.is_empty() {
        for mistake in mistakes {
            eprintln!("error: {mistake}");
        }
        return ExitCode::from(BAD_SETTINGS);
    }
    end(run(&settings, start(&arguments, &settings)))
}

/// The settings, and what is wrong with them. `root` is where artifacts are, if nobody has set it.
fn read(arguments: &Arguments, root: Option<&str>) -> (Settings, Vec<Mistake>) {
    let environment = |name: &str| std::env::var_os(name);
    let lookup = |name: &str| {
        let found = root.filter(|_| name == ARTIFACT_ROOT).map(Into::into);
        arguments.value(name, &environment).or(found)
    };
    let mut reader = Reader::new(&lookup);
    let mut settings = Settings::read(&mut reader);
    if arguments.profile.is_some() {
        settings.credentials.profile.clone_from(&arguments.profile);
    }
    (settings, reader.into_mistakes())
}

fn end(result: Result<ExitCode, String>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn run(
    settings: &Settings,
    task: impl Future<Output = Result<ExitCode, String>>,
) -> Result<ExitCode, String> {
    let runtime = server::runtime(settings.server.workers);
    runtime.map_err(|error| format!("cannot start worker threads: {error}"))?.block_on(task)
}

async fn check(settings: &Settings, mistakes: Vec<Mistake>) -> Result<ExitCode, String> {
    // A reader that has gone away, such as `head`, has read enough.
    let mut tell = |finding: &Finding| drop(writeln!(std::io::stdout(), "{finding}"));
    let good = check::run(settings, mistakes, &mut tell).await;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(BAD_SETTINGS) })
}

async fn start(arguments: &Arguments, settings: &Settings) -> Result<ExitCode, String> {
    if !arguments.local {
        return serve(settings, false).await;
    }
    // Who has said where artifacts are, or wants none, is not asked again.
    let environment = |name: &str| std::env::var_os(name);
    if arguments.value(ARTIFACT_ROOT, &environment).is_some() {
        return serve(settings, true).await;
    }
    let known = local::artifact_root(settings).await;
    if let Err(why) = &known {
        eprintln!("note: artifacts do not go through the proxy, as their place is not known: {why}");
    }
    let (found, mistakes) = read(arguments, known.as_deref().ok());
    if mistakes.is_empty() {
        return serve(&found, true).await;
    }
    for mistake in mistakes {
        eprintln!("note: artifacts do not go through the proxy: {mistake}");
    }
    serve(settings, true).await
}

async fn serve(settings: &Settings, local: bool) -> Result<ExitCode, String> {
    let signals =
        |times| server::stop_signal(times).map_err(|error| format!("cannot wait for signals: {error}"));
    let (stop, stop_now) = (signals(1)?, signals(2)?);
    let listen = settings.server.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        format!("cannot listen on {listen}: {error}\nhint: choose another address by MLFLOW_PROXY_LISTEN")
    })?;
    let address = listener.local_addr().map_err(|error| format!("the socket has no address: {error}"))?;
    let tls = settings.server.tls.as_ref();
    let tls = match tls.map(|(certificate, key)| Tls::read(certificate, key)).transpose() {
        Ok(tls) => tls,
        Err(error) => {
            eprintln!("error: {error}");
            return Ok(ExitCode::from(BAD_SETTINGS));
        }
    };
    let operate = Operate::new(&settings.operate);
    // A panic ends the request in which it happens and nothing else; its words belong among the others.
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!("listening on {scheme}://{address}");
    if let Some(tls) = tls.clone() {
        tokio::spawn(tls.keep_fresh());
    }
    let proxy = Proxy::start(settings, operate.clone()).await.map_err(|error| error.to_string())?;
    if local {
        let _ = std::io::stdout().write_all(local::lines(scheme, address).as_bytes());
    }
    notify::ready();
    let stop = async {
        stop.await;
        notify::stopping();
    };
    tokio::select! {
        () = server::serve(listener, &settings.server, tls, proxy, operate.clone(), stop) => {}
        () = stop_now => tracing::warn!("told to stop a second time: requests under way are given up"),
    }
    operate.finish().await;
    Ok(ExitCode::SUCCESS)
}
