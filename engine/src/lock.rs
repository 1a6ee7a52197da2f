//! One run at a time over an assembly: a file that is locked while a run goes on.
//!
//! The lock is the operating system's, not the file: it is gone with the process, however that ends. The file tells who
//! holds it. Runs on other machines are kept apart by CloudFormation, which takes one operation a stack.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Class, EngineError};

/// Held while a run goes on. Dropping it lets the next run in.
#[derive(Debug)]
pub struct RunLock {
    file: File,
    path: PathBuf,
}

impl RunLock {
    /// Locks an assembly for a run; `directory` is where locks lie, such as `.formwork`.
    ///
    /// # Errors
    /// When another run holds it, with its id; or when the file cannot be written.
    pub fn acquire(directory: &Path, assembly: &Path, run: &str) -> Result<Self, EngineError> {
        let unwritable = |path: &Path, error: &std::io::Error| {
            EngineError::new(Class::Usage, format!("the lock {} cannot be written: {error}", path.display()))
                .with_hint("make .formwork beside formwork.toml a directory that can be written")
        };
        std::fs::create_dir_all(directory).map_err(|error| unwritable(directory, &error))?;
        let path = directory.join(file_name(assembly));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(|error| unwritable(&path, &error))?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(fs4::TryLockError::WouldBlock) => return Err(held(&mut file, assembly)),
            Err(fs4::TryLockError::Error(error)) => return Err(unwritable(&path, &error)),
        }
        let holder = format!("{run} {}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(|error| unwritable(&path, &error))?;
        Ok(Self { file, path })
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // An empty file names nobody. It stays, for removing it would let two runs lock two files of one name.
        let _ = self.file.set_len(0);
        let _ = fs4::FileExt::unlock(&self.file);
    }
}

/// The file for an assembly: the same for every way to write its path.
fn file_name(assembly: &Path) -> String {
    let absolute = assembly.canonicalize().or_else(|_| std::path::absolute(assembly));
    let path = absolute.unwrap_or_else(|_| assembly.to_path_buf());
    let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.lock")
}

fn held(file: &mut File, assembly: &Path) -> EngineError {
    let mut holder = String::new();
    let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(200).read_to_string(&mut holder));
    let mut words = holder.split_whitespace();
    let message = match (words.next(), words.next()) {
        (Some(run), Some(process)) => {
            format!("run {run} (process {process}) is at work on {}", assembly.display())
        }
        _ => format!("another run is at work on {}", assembly.display()),
    };
    EngineError::new(Class::Refused, message)
        .with_hint("watch it with `formwork follow`, or wait until it has ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fault 71: two runs over one assembly at once.
    #[test]
    fn the_second_run_is_told_who_is_at_work() {
        let directory = tempfile::tempdir().unwrap();
        let locks = directory.path().join(".formwork");
        let assembly = directory.path().join("cfn-out");
        std::fs::create_dir(&assembly).unwrap();
        let first = RunLock::acquire(&locks, &assembly, "20261122-014431-abcd").unwrap();
        let same = directory.path().join("cfn-out/../cfn-out");
        let error = RunLock::acquire(&locks, &same, "20261122-014432-0000").unwrap_err();
        assert_eq!(error.class, Class::Refused);
        assert!(error.message.contains("20261122-014431-abcd"), "{}", error.message);
        assert!(error.message.contains(&std::process::id().to_string()), "{}", error.message);

        RunLock::acquire(&locks, directory.path(), "20261122-014432-0000").unwrap();
        drop(first);
        RunLock::acquire(&locks, &same, "20261122-014432-0000").unwrap();
    }
}
