//! The proxy as a program: settings in, a server until it is told to stop.

use std::process::ExitCode;

use mlflow_proxy::server;
use mlflow_proxy::settings::Reader;
use tokio::net::TcpListener;

/// Settings that cannot be used end the program with this status, as in the `formwork` command line.
const BAD_SETTINGS: u8 = 10;

fn main() -> ExitCode {
    let lookup = |name: &str| std::env::var_os(name);
    let mut reader = Reader::new(&lookup);
    let settings = server::Settings::read(&mut reader);
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

#[tokio::main]
async fn run(settings: &server::Settings) -> Result<(), String> {
    let stop = server::stop_signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
        format!(
            "cannot listen on {}: {error}\nhint: choose another address by MLFLOW_PROXY_LISTEN",
            settings.listen
        )
    })?;
    let address = listener.local_addr().map_err(|error| format!("the socket has no address: {error}"))?;
    eprintln!("listening on http://{address}");
    server::serve(listener, stop).await;
    Ok(())
}
