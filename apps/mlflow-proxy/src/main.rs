//! The proxy as a program: settings in, a server until it is told to stop.

use std::process::ExitCode;

use mlflow_proxy::gate::Proxy;
use mlflow_proxy::operate::{Operate, notify};
use mlflow_proxy::server::{self, Tls};
use mlflow_proxy::settings::{Arguments, Reader, Settings};
use tokio::net::TcpListener;

/// Settings that cannot be used end the program with this status, as in the `formwork` command line.
const BAD_SETTINGS: u8 = 10;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and the version come this way too. A closed pipe is no error.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_SETTINGS) } else { ExitCode::SUCCESS };
        }
    };
    let environment = |name: &str| std::env::var_os(name);
    let lookup = |name: &str| arguments.value(name, &environment);
    let mut reader = Reader::new(&lookup);
    let settings = Settings::read(&mut reader);
    let mistakes = reader.into_mistakes();
    if !mistakes.is_empty() {
        for mistake in mistakes {
            eprintln!("error: {mistake}");
        }
        return ExitCode::from(BAD_SETTINGS);
    }
    match run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings) -> Result<(), String> {
    let runtime = server::runtime(settings.server.workers);
    runtime.map_err(|error| format!("cannot start worker threads: {error}"))?.block_on(serve(settings))
}

async fn serve(settings: &Settings) -> Result<(), String> {
    let stop = server::stop_signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let listen = settings.server.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        format!("cannot listen on {listen}: {error}\nhint: choose another address by MLFLOW_PROXY_LISTEN")
    })?;
    let address = listener.local_addr().map_err(|error| format!("the socket has no address: {error}"))?;
    let tls = settings.server.tls.as_ref();
    let tls = tls.map(|(certificate, key)| Tls::read(certificate, key)).transpose();
    let tls = tls.map_err(|error| error.to_string())?;
    let operate = Operate::new(&settings.operate);
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!("listening on {scheme}://{address}");
    if let Some(tls) = tls.clone() {
        tokio::spawn(tls.keep_fresh());
    }
    let proxy = Proxy::start(settings, operate.clone()).await.map_err(|error| error.to_string())?;
    notify::ready();
    server::serve(listener, &settings.server, tls, proxy, operate.clone(), stop).await;
    operate.finish().await;
    Ok(())
}
