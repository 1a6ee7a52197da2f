//! ministack, an emulator of AWS by others, as a second opinion on what the simulator answers.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::oracle::{self, OracleError};
use crate::repository::repository_root;

/// How long it may take to answer; it takes two seconds on an idle machine.
const LIMIT: Duration = Duration::from_secs(120);

/// A Python that has the emulator.
#[derive(Clone, Debug)]
pub struct Emulator {
    python: PathBuf,
}

/// An emulator that answers on a port of loopback, until it is dropped.
#[derive(Debug)]
pub struct Emulated {
    child: Child,
    port: u16,
    // What it unpacks goes with it.
    _folder: tempfile::TempDir,
}

impl Emulator {
    /// The Python that `FORMWORK_EMULATOR` names; without it nothing, after saying so.
    ///
    /// # Panics
    ///
    /// It is not there and foreign programs are required.
    pub fn find() -> Option<Self> {
        oracle::find("the emulator of AWS", "FORMWORK_EMULATOR").map(|python| Self { python })
    }

    /// Starts it for an account, by the launcher that fills its gaps.
    ///
    /// # Errors
    ///
    /// It does not start, or does not answer in time.
    pub fn start(&self, account: &str) -> Result<Emulated, OracleError> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new(&self.python);
        command.arg(repository_root().join("tests/emulator/launcher.py")).current_dir(folder.path());
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).env("HOME", folder.path());
        command
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("MINISTACK_ACCOUNT_ID", account)
            .env("S3_DATA_DIR", folder.path().join("s3"))
            .env("TMPDIR", folder.path())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        // It ends with its standard input, so that it does not outlive the test.
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let program = "the emulator".to_owned();
        let child = child.map_err(|source| OracleError::Start { program: program.clone(), source })?;
        let mut emulated = Emulated { child, port, _folder: folder };
        let started = Instant::now();
        while !emulated.answers() {
            if let Some(status) = emulated.child.try_wait()? {
                return Err(OracleError::Failed { program, status, said: String::new() });
            }
            if started.elapsed() > LIMIT {
                return Err(OracleError::TimeLimit { program, limit: LIMIT });
            }
            sleep(Duration::from_millis(100));
        }
        Ok(emulated)
    }
}

impl Emulated {
    /// Where it answers.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Closes its standard input and waits for its end, for at most the given time; whether it came.
    pub fn ends_with_its_input(mut self, limit: Duration) -> bool {
        drop(self.child.stdin.take());
        let closed = Instant::now();
        while closed.elapsed() < limit {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            sleep(Duration::from_millis(50));
        }
        false
    }

    fn answers(&self) -> bool {
        let ask = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"GET /_ministack/health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
            let mut head = [0; 16];
            let read = stream.read(&mut head)?;
            Ok(String::from_utf8_lossy(&head[..read]).contains(" 200"))
        };
        ask().unwrap_or(false)
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        // It keeps nothing that would be lost.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
