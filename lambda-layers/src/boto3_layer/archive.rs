//! From installed packages to a deterministic archive.
//!
//! What pip writes about its own work (its name, the record of what it compiled, start scripts with this machine's
//! paths) is left out: it differs between machines and no import reads it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

/// Files by their path below the packages' folder, parts joined by `/`.
pub(super) type Packages = BTreeMap<String, Vec<u8>>;

/// Read an installed tree. Symbolic links are not followed: no wheel has one.
pub(super) fn read_tree(root: &Path) -> io::Result<Packages> {
    let mut packages = Packages::new();
    let mut waiting = vec![(root.to_owned(), String::new())];
    while let Some((folder, prefix)) = waiting.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let (path, kind) = (format!("{prefix}{name}"), entry.file_type()?);
            if kind.is_dir() {
                waiting.push((entry.path(), format!("{path}/")));
            } else if kind.is_file() && belongs(&path) {
                packages.insert(path, fs::read(entry.path())?);
            }
        }
    }
    Ok(packages)
}

/// Whether a file belongs into the layer.
pub(super) fn belongs(path: &str) -> bool {
    const WRITTEN_BY_PIP: [&str; 4] = ["/INSTALLER", "/RECORD", "/REQUESTED", "/direct_url.json"];
    let about_itself = path.contains(".dist-info/") && WRITTEN_BY_PIP.iter().any(|name| path.ends_with(name));
    !about_itself && !path.starts_with("bin/") && !path.ends_with(".pyc")
}

/// Write the layer: packages below `python/`, sorted, one time and one mode for all.
pub(super) fn write(packages: &Packages, to: &Path) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(DateTime::default())
        // Otherwise an archive says on which system it was written.
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(BufWriter::new(File::create(to)?));
    for (path, bytes) in packages {
        writer.start_file(format!("python/{path}"), options)?;
        writer.write_all(bytes)?;
    }
    writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// Read the archive that a container wrote, as [`read_tree`] reads a folder.
pub(super) fn read_archive(path: &Path) -> ZipResult<Packages> {
    let mut archive = ZipArchive::new(File::open(path)?)?;
    let mut packages = Packages::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.trim_start_matches("./").to_owned();
        if entry.is_file() && belongs(&name) {
            let mut bytes = Vec::new();
            io::copy(&mut entry, &mut bytes)?;
            packages.insert(name, bytes);
        }
    }
    Ok(packages)
}
