//! The file of a journal: who may read it, who holds it, and when a line of it stands.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::{Class, EngineError};

pub(super) fn append(file: &mut File, at: u64, text: &[u8], durable: bool) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(text)?;
    if durable { file.sync_data() } else { Ok(()) }
}

pub(super) fn make_directory(directory: &Path) -> std::io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)?;
    // A journal names accounts and stacks of one checkout: nothing for everybody's repository.
    std::fs::write(directory.join(".gitignore"), "*\n")
}

/// The name of a new file stands on disk once its directory does.
pub(super) fn sync_directory(directory: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

pub(super) fn hold(file: &File, path: &Path) -> Result<(), EngineError> {
    match fs4::FileExt::try_lock(file) {
        Ok(()) => Ok(()),
        Err(fs4::TryLockError::WouldBlock) => Err(EngineError::new(
            Class::Refused,
            format!("another process is at work on this run: {}", path.display()),
        )
        .with_hint("watch it with `formwork follow`, or wait until it has ended")),
        Err(fs4::TryLockError::Error(error)) => Err(unwritable(path, &error)),
    }
}

pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::new(
        Class::Usage,
        format!(
            "the journal {} cannot be written ({error}), and without it nothing is changed",
            path.display()
        ),
    )
    .with_hint("free some space, or make .formwork beside formwork.toml a directory that can be written")
}
