//! The program as a service manager sees it: its exit codes, its signals and what it says.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};

fn proxy(listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlflow-proxy"));
    command
        .env("MLFLOW_PROXY_LISTEN", listen)
        .env("SM_MLFLOW_RESOURCE_ARN", "arn:aws:sagemaker:us-east-1:111122223333:mlflow-app/app-1")
        .env("MLFLOW_PROXY_AUTH", "none")
        .env("MLFLOW_PROXY_METRICS_LISTEN", "off")
        .stderr(Stdio::piped());
    command
}

/// The started program, and the address that it says it listens on.
fn start() -> (Child, BufReader<impl Read>, String) {
    let mut child = proxy("127.0.0.1:0").spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let said_line: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
    let message = said_line["message"].as_str().unwrap();
    let address = message.strip_prefix("listening on http://").expect("it says where it listens").to_owned();
    (child, said, address)
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_answers_and_ends_well_on_both_stop_signals() {
    for name in ["-TERM", "-INT"] {
        let (mut child, mut rest, address) = start();
        let mut client = TcpStream::connect(&address).unwrap();
        client.write_all(b"GET /healthz HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");

        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(0), "after {name}");
        let mut last = String::new();
        rest.read_to_string(&mut last).unwrap();
        assert!(last.contains("stopping"), "{last}");
    }
}

#[test]
fn a_bad_address_is_a_settings_error() {
    let output = proxy("localhost").output().unwrap();
    assert_eq!(output.status.code(), Some(10));
    assert!(said(&output).starts_with("error: MLFLOW_PROXY_LISTEN is `localhost`"), "{}", said(&output));
}

#[test]
fn files_for_tls_that_cannot_be_used_are_a_settings_error() {
    let mut command = proxy("127.0.0.1:0");
    command.env("MLFLOW_PROXY_TLS_CERTIFICATE", "/nowhere/chain.pem");
    let output = command.env("MLFLOW_PROXY_TLS_KEY", "/nowhere/key.pem").output().unwrap();
    assert_eq!(output.status.code(), Some(10));
    assert!(said(&output).contains("cannot read `/nowhere/chain.pem`"), "{}", said(&output));
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = proxy(&address).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains(&format!("cannot listen on {address}")), "{}", said(&output));
    assert!(
        said(&output).contains("hint: choose another address by MLFLOW_PROXY_LISTEN"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_under_way() {
    let (mut child, mut rest, address) = start();
    let mut client = TcpStream::connect(&address).unwrap();
    client.write_all(b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nab").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let begin = std::time::Instant::now();
    signal(&child, "-TERM");
    std::thread::sleep(std::time::Duration::from_millis(300));
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(begin.elapsed() < std::time::Duration::from_secs(10), "it waited {:?}", begin.elapsed());
    let mut last = String::new();
    rest.read_to_string(&mut last).unwrap();
    assert!(last.contains("a second time"), "{last}");
}
