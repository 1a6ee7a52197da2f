//! Runs the measured program and watches its memory.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often the memory is looked at. The peak is what the kernel remembers, so that only the last moment can be missed.
const LOOK: Duration = Duration::from_millis(50);

/// What was seen.
pub(super) struct Watched {
    /// From the start to the end.
    pub(super) seconds: f64,
    /// The most resident memory, in megabytes, where the kernel tells it.
    pub(super) peak_megabytes: Option<f64>,
}

/// Runs a program to its end, and no longer than a limit.
///
/// # Errors
///
/// It cannot be started, does not end in time or ends with another status than 0; the text has the last of what it said.
pub(super) fn watch(command: &mut Command, place: &Path, limit: Duration) -> Result<Watched, String> {
    let said = place.join("said.log");
    let file = File::create(&said).map_err(|error| format!("cannot write {}: {error}", said.display()))?;
    let errors = file.try_clone().map_err(|error| format!("cannot write {}: {error}", said.display()))?;
    let program = Path::new(command.get_program()).display().to_string();
    println!("measuring {program} in {}", place.display());
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .spawn()
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    let mut peak_megabytes = None;
    loop {
        peak_megabytes = peak(child.id()).or(peak_megabytes);
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break,
            Ok(Some(status)) => {
                let text = fs::read_to_string(&said).unwrap_or_default();
                let last: Vec<&str> = text.lines().rev().take(20).collect();
                let last: Vec<&str> = last.into_iter().rev().collect();
                return Err(format!("{program} ended with {status}:\n{}", last.join("\n")));
            }
            Ok(None) if started.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{program} did not end within {} s", limit.as_secs()));
            }
            Ok(None) => sleep(LOOK),
            Err(error) => return Err(format!("{program} cannot be waited for: {error}")),
        }
    }
    Ok(Watched { seconds: started.elapsed().as_secs_f64(), peak_megabytes })
}

/// The most memory that a process had so far. Source: proc(5), `VmHWM`.
pub(super) fn peak(id: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}
