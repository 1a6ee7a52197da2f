//! The signing proxy between plain MLflow clients and managed MLflow.
//!
//! For now it answers `/healthz` only: load balancers and boot scripts can already be built on it.

mod server;
mod settings;

use std::process::ExitCode;

use tokio::net::TcpListener;

use settings::Settings;

/// Settings that cannot be used end the program with this status, as in the `formwork` command line.
const BAD_SETTINGS: u8 = 10;

fn main() -> ExitCode {
    let settings = match Settings::from_variables(|name| std::env::var_os(name)) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(BAD_SETTINGS);
        }
    };
    match run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(settings: &Settings) -> Result<(), String> {
    let stop = server::stop_signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
        format!(
            "cannot listen on {}: {error}\nhint: choose another address by {}",
            settings.listen,
            settings::LISTEN
        )
    })?;
    let address = listener.local_addr().map_err(|error| format!("the socket has no address: {error}"))?;
    eprintln!("listening on http://{address}");
    server::serve(listener, stop).await;
    Ok(())
}
