//! The binary as it is shipped, in a root with nothing else in it: it needs no library, no shell and no certificates of
//! the machine.
//!
//! `FORMWORK_PROXY_BINARY` names a release build; without it, or without the right to change the root, the test is
//! skipped and says so.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A child that does not outlive the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What changes the root of a program: for root itself, or in a namespace where the user is.
fn changed_root() -> Option<Command> {
    let works = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    if works(Command::new("chroot").args(["/", "true"])) {
        return Some(Command::new("chroot"));
    }
    let namespace = || {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "chroot"]);
        command
    };
    works(namespace().args(["/", "true"])).then(namespace)
}

#[test]
fn it_serves_from_an_empty_root() {
    let Some(binary) = std::env::var_os("FORMWORK_PROXY_BINARY") else {
        println!("skipped: FORMWORK_PROXY_BINARY names no release build");
        return;
    };
    let Some(mut command) = changed_root() else {
        println!("skipped: this user may not change the root of a program");
        return;
    };
    let root = tempfile::tempdir().unwrap();
    std::fs::copy(&binary, root.path().join("mlflow-proxy")).unwrap();
    std::fs::create_dir(root.path().join("tmp")).unwrap();
    command
        .arg(root.path())
        .arg("/mlflow-proxy")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("SM_MLFLOW_RESOURCE_ARN", "arn:aws:sagemaker:us-east-1:111122223333:mlflow-app/app-1")
        .env("MLFLOW_PROXY_LISTEN", "127.0.0.1:0")
        .env("MLFLOW_PROXY_METRICS_LISTEN", "off")
        .env("MLFLOW_PROXY_AUTH", "none")
        .env("MLFLOW_PROXY_LOG_FORMAT", "json")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stderr(Stdio::piped());
    let mut proxy = Running(command.spawn().unwrap());
    let mut said = BufReader::new(proxy.0.stderr.take().unwrap());
    let address = loop {
        let mut line = String::new();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended before it listened");
        let line: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("it says {line}"));
        let message = line["message"].as_str().unwrap_or_default();
        if let Some(address) = message.strip_prefix("listening on http://") {
            break address.to_owned();
        }
    };
    let mut client = TcpStream::connect(&address).unwrap();
    client.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let bytes = std::fs::metadata(&binary).unwrap().len();
    println!("{:.1} MB in an empty root", bytes as f64 / 1e6);
}
