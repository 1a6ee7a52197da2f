//! A program that is measured: started on its processor, looked at with all that it starts, and ended.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a program has until it accepts connections.
const PATIENCE: Duration = Duration::from_secs(60);

/// The kernel's clock of processes ticks so often in a second. Source: proc(5); it is 100 on every Linux of today.
const TICKS: f64 = 100.0;

/// A started program. It ends with this value.
pub(super) struct Running {
    child: Child,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

/// An address that nobody listens on.
///
/// # Errors
///
/// No port is free.
pub(super) fn free_address() -> Result<SocketAddr, String> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("no port is free: {error}"))
}

impl Running {
    /// Starts a program, on one processor if that is said, and waits until it accepts connections. What it says goes to a
    /// file.
    ///
    /// # Errors
    ///
    /// It cannot be started, or it ends or listens to nobody.
    pub(super) fn start(
        command: &Command,
        processor: Option<usize>,
        address: SocketAddr,
        log: &Path,
    ) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let said =
            fs::File::create(log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        let errors = said.try_clone().map_err(|error| error.to_string())?;
        let mut pinned = match processor {
            Some(processor) => {
                let mut pinned = Command::new("taskset");
                pinned.args(["-c", &processor.to_string()]).arg(command.get_program());
                pinned
            }
            None => Command::new(command.get_program()),
        };
        pinned.args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => pinned.env(key, value),
                None => pinned.env_remove(key),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            pinned.current_dir(folder);
        }
        let child = pinned
            .stdin(Stdio::null())
            .stdout(said)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let mut running = Self { child, address };
        let begun = Instant::now();
        loop {
            if TcpStream::connect(address).is_ok() {
                return Ok(running);
            }
            let ended = running.child.try_wait().ok().flatten();
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(log).unwrap_or_default();
                let last: Vec<&str> = said.lines().rev().take(5).collect();
                let last: Vec<&str> = last.into_iter().rev().collect();
                return Err(format!("{name} does not listen on {address}:\n{}", last.join("\n")));
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// The program and all that it has started.
    fn family(&self) -> Vec<u32> {
        let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(|id| Some((id, fields(id)?.get(1)?.parse().ok()?)))
            .collect();
        let mut family = vec![self.child.id()];
        let mut next = 0;
        while let Some(parent) = family.get(next).copied() {
            family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
            next += 1;
        }
        family
    }

    /// The processor time that the program has taken so far, in seconds.
    pub(super) fn processor_seconds(&self) -> f64 {
        let ticks = |id: u32| -> f64 {
            let fields = fields(id).unwrap_or_default();
            [11, 12].iter().filter_map(|index| fields.get(*index)?.parse::<f64>().ok()).sum()
        };
        self.family().into_iter().map(ticks).sum::<f64>() / TICKS
    }

    /// The most resident memory so far, in megabytes.
    pub(super) fn peak_megabytes(&self) -> f64 {
        self.family().into_iter().filter_map(crate::bench::process::peak).sum()
    }
}

/// What stands behind the name in `/proc/ID/stat`: the state, the parent, and so on. Source: proc(5).
fn fields(id: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Politely first: a master ends its workers then.
            let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(4) {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_listen_is_told_with_what_it_said() {
        let log = std::env::temp_dir().join(format!("child-{}.log", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo reason; exit 1"]);
        let error = Running::start(&command, None, free_address().unwrap(), &log).err().unwrap();
        assert!(error.contains("reason"), "{error}");
        let _ = fs::remove_file(log);
    }

    #[test]
    fn the_state_and_the_parent_follow_the_name() {
        let fields = fields(std::process::id()).unwrap();
        assert_eq!(fields[1], std::os::unix::process::parent_id().to_string());
    }
}
