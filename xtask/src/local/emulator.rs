//! The emulator as a child process, on ports of loopback that were free.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::requests::{self, Request};
use crate::paths::{Paths, venv_program};

/// How long the emulator may take to answer.
const START: Duration = Duration::from_secs(60);

/// How long it may take to end by itself.
const END: Duration = Duration::from_secs(5);

/// A running emulator. It ends with this value.
pub(super) struct Emulator {
    child: Child,
    port: u16,
    sagemaker: u16,
    sources: PathBuf,
    python: PathBuf,
    folder: PathBuf,
}

impl Emulator {
    /// Starts the emulator and waits until it answers. Its files and its log go into `folder`.
    ///
    /// # Errors
    ///
    /// It does not start, or does not answer in time.
    pub(super) fn start(paths: &Paths, folder: &Path) -> Result<Self, String> {
        let (port, sagemaker) = (free_port()?, free_port()?);
        let sources = paths.join("tests/emulator");
        let python = venv_program(&paths.emulator_venv(), "python");
        let log = folder.join("emulator.log");
        let file =
            fs::File::create(&log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        // What it unpacks and forgets, and the number of its process.
        let scratch = folder.join("scratch");
        fs::create_dir_all(&scratch)
            .map_err(|error| format!("cannot create {}: {error}", scratch.display()))?;
        let errors = file.try_clone().map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        let child = Command::new(&python)
            .arg(sources.join("launcher.py"))
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("S3_DATA_DIR", folder.join("s3"))
            .env("EMULATOR_SAGEMAKER_PORT", sagemaker.to_string())
            .env("EMULATOR_FAULTS", folder.join("faults.json"))
            .env("EMULATOR_REQUESTS", folder.join(requests::FILE))
            .env("TMPDIR", scratch)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(folder)
            // It ends when this pipe does, so that it does not outlive us, however we end.
            .stdin(Stdio::piped())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("cannot start the emulator: {error}"))?;
        let mut emulator = Self { child, port, sagemaker, sources, python, folder: folder.to_path_buf() };
        let started = Instant::now();
        while !answers(port) {
            if let Ok(Some(status)) = emulator.child.try_wait() {
                return Err(format!("the emulator ended with {status}; its log is {}", log.display()));
            }
            if started.elapsed() > START {
                return Err(format!("the emulator does not answer; its log is {}", log.display()));
            }
            sleep(Duration::from_millis(200));
        }
        println!("the emulator answers on {}", emulator.endpoint());
        Ok(emulator)
    }

    /// Where it answers.
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The requests that it has got so far.
    ///
    /// # Errors
    ///
    /// The file that it writes them to cannot be read.
    pub(super) fn requests(&self) -> Result<Vec<Request>, String> {
        requests::read(&self.folder)
    }

    /// The file with what the emulator says.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("emulator.log")
    }

    /// Points a command at the emulator, and at nothing else.
    pub(super) fn environment(&self, command: &mut Command, region: &str) {
        for name in
            ["AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"]
        {
            command.env_remove(name);
        }
        command
            .env("AWS_ENDPOINT_URL", self.endpoint())
            .env("AWS_ENDPOINT_URL_SAGEMAKER", format!("http://127.0.0.1:{}", self.sagemaker))
            .env("AWS_ACCESS_KEY_ID", super::ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", "emulator")
            .env("AWS_REGION", region)
            .env("AWS_DEFAULT_REGION", region)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", self.folder.join("no-config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.folder.join("no-credentials"));
    }

    /// A Python program beside the launcher.
    pub(super) fn python(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.sources.join(name));
        command
    }

    /// Lets a resource fail from now on.
    ///
    /// # Errors
    ///
    /// The file of faults cannot be written.
    pub(super) fn fail(&self, logical_id: &str, reason: &str) -> Result<(), String> {
        self.faults(&format!("{{\"fail\": {{\"{logical_id}\": \"{reason}\"}}}}\n"))
    }

    /// Lets nothing fail any more.
    ///
    /// # Errors
    ///
    /// The file of faults cannot be written.
    pub(super) fn fail_nothing(&self) -> Result<(), String> {
        self.faults("{}\n")
    }

    fn faults(&self, text: &str) -> Result<(), String> {
        let path = self.folder.join("faults.json");
        fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let closed = Instant::now();
        while closed.elapsed() < END {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        // It keeps nothing that would be lost.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on now.
fn free_port() -> Result<u16, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no port of loopback is free: {error}"))
}

fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /_ministack/health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
        let mut head = [0; 16];
        let read = stream.read(&mut head)?;
        Ok(String::from_utf8_lossy(&head[..read]).into_owned())
    };
    ask().is_ok_and(|head| head.contains(" 200"))
}
