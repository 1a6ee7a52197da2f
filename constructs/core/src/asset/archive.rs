//! Zip archives that are the same bytes for the same files.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveEntry {
    /// The path in the archive, parts joined by `/`.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// Whether it may be executed once unpacked.
    pub executable: bool,
}

/// A zip archive of files: sorted by path, with the earliest time that the format has and fixed modes.
pub fn archive(entries: &[ArchiveEntry]) -> Vec<u8> {
    let mut sorted: Vec<&ArchiveEntry> = entries.iter().collect();
    sorted.sort_by(|left, right| left.path.cmp(&right.path));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in sorted {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            // The archive of one system is that of every other.
            .system(System::Unix)
            .unix_permissions(if entry.executable { 0o755 } else { 0o644 });
        writer.start_file(entry.path.as_str(), options).expect("an archive in memory takes any path");
        writer.write_all(&entry.bytes).expect("an archive in memory takes any bytes");
    }
    writer.finish().expect("an archive in memory can be finished").into_inner()
}
