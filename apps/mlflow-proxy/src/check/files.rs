//! Whether files and folders can be used as the proxy uses them.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::server::Tls;

use super::Finding;

/// Certificate and key of the server.
pub(super) fn certificate(certificate: &Path, key: &Path) -> Finding {
    match Tls::read(certificate, key) {
        Ok(_) => Finding::fine("certificate", format!("{} and its key can be used", certificate.display())),
        Err(error) => {
            let hint = "give the chain and the key as PEM files that the proxy's user can read";
            Finding::failed("certificate", error.to_string(), hint)
        }
    }
}

/// The folder for bodies that are too large for memory.
pub(super) fn spool(folder: &Path) -> Finding {
    const SUBJECT: &str = "spool";
    let written =
        tempfile::tempfile_in(folder).and_then(|mut file| file.write_all(b"x").and(file.sync_all()));
    if let Err(error) = written {
        let hint =
            "choose a folder on a disk that the proxy's user can write, by MLFLOW_PROXY_SPOOL_DIRECTORY";
        return Finding::failed(SUBJECT, format!("{} cannot be written: {error}", folder.display()), hint);
    }
    let kind = fs::canonicalize(folder).ok().and_then(|folder| {
        fs::read_to_string("/proc/self/mounts").ok().and_then(|mounts| file_system(&mounts, &folder))
    });
    match kind.as_deref() {
        Some(kind @ ("tmpfs" | "ramfs")) => Finding::warning(
            SUBJECT,
            format!("{} is a {kind}: large bodies would lie in memory", folder.display()),
            "choose a folder on a disk by MLFLOW_PROXY_SPOOL_DIRECTORY",
        ),
        _ => Finding::fine(SUBJECT, format!("{} can be written", folder.display())),
    }
}

/// The kind of the file system that a folder lies on: that of the longest mount point above it.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        // Spaces in names are written as octal numbers there.
        Some((words.next()?.replace("\\040", " "), words.next()?))
    });
    // Of two mounts at one point the later covers the earlier.
    let above = mounts.filter(|(point, _)| folder.starts_with(point));
    above.max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_written_fails() {
        let folder = tempfile::tempdir().unwrap();
        assert_ne!(spool(folder.path()).verdict, Verdict::Failed);
        assert_eq!(spool(&folder.path().join("missing")).verdict, Verdict::Failed);
    }

    #[test]
    fn the_longest_mount_point_decides() {
        let mounts =
            "/dev/root / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/sdb /run/my\\040disk xfs rw 0 0\n";
        let kind = |folder: &str| file_system(mounts, Path::new(folder)).unwrap();
        assert_eq!(kind("/var/tmp"), "ext4");
        assert_eq!(kind("/run/proxy"), "tmpfs");
        assert_eq!(kind("/running"), "ext4");
        assert_eq!(kind("/run/my disk/spool"), "xfs");
    }
}
