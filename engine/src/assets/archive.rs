//! Directories as zip archives that are the same bytes for the same files, written as they are read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// Deeper than any real source tree; a directory that contains itself by a link ends here.
const GREATEST_DEPTH: usize = 64;

/// From this size on an entry is written in the form for large files, whose sizes have 64 bits.
const LARGE: u64 = u32::MAX as u64;

/// What went into an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Archived {
    /// The size in bytes of all files once unpacked.
    pub(super) unpacked: u64,
    /// Paths that differ by case only, and so are one file on some systems.
    pub(super) collisions: Vec<(String, String)>,
}

/// Writes a directory into a file: entries sorted by path, with the earliest time that the format has, modes reduced to
/// whether a file may be executed, and symbolic links followed. An error names the path that it happened at.
pub(super) fn pack(directory: &Path, target: File) -> Result<Archived, (PathBuf, io::Error)> {
    let mut files = Vec::new();
    collect(directory, "", 0, &mut files)?;
    files.sort();
    let mut archived = Archived { collisions: collisions(&files), ..Archived::default() };
    let mut writer = ZipWriter::new(io::BufWriter::new(target));
    for (inside, path) in &files {
        let fail = |error: io::Error| (path.clone(), error);
        let metadata = fs::metadata(path).map_err(fail)?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            // The archive of one system is that of every other.
            .system(System::Unix)
            .unix_permissions(if is_executable(&metadata) { 0o755 } else { 0o644 })
            .large_file(metadata.len() >= LARGE);
        writer.start_file(inside.as_str(), options).map_err(|error| fail(error.into()))?;
        let mut source = File::open(path).map_err(fail)?;
        archived.unpacked += io::copy(&mut source, &mut writer).map_err(fail)?;
    }
    let fail = |error: io::Error| (directory.to_path_buf(), error);
    let mut rest = writer.finish().map_err(|error| fail(error.into()))?;
    rest.flush().map_err(fail)?;
    Ok(archived)
}

fn collect(
    path: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), (PathBuf, io::Error)> {
    let fail = |error| (path.to_path_buf(), error);
    if depth > GREATEST_DEPTH {
        let reason = "the directory is nested too deeply, or contains itself by a link";
        return Err(fail(io::Error::other(reason)));
    }
    for entry in fs::read_dir(path).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name else {
            return Err((path.clone(), io::Error::other("the name is not UTF-8")));
        };
        let inside = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        if fs::metadata(&path).map_err(|error| (path.clone(), error))?.is_dir() {
            collect(&path, &inside, depth + 1, files)?;
        } else {
            files.push((inside, path));
        }
    }
    Ok(())
}

fn collisions(files: &[(String, PathBuf)]) -> Vec<(String, String)> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for (path, _) in files {
        if let Some(other) = seen.insert(path.to_lowercase(), path) {
            found.push((other.to_owned(), path.clone()));
        }
    }
    found
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}
