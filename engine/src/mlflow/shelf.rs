//! Where a backup stands: files in a directory, or objects in a bucket.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::bucket::{Bucket, unreadable, unwritable};
use super::client::Fetched;
use super::files::below;
use super::ids::private_directory;
use super::item::size_and_hash;
use crate::error::EngineError;

/// Where a backup stands. Names are paths with slashes.
#[derive(Clone, Debug)]
pub(crate) enum Shelf {
    /// A directory that only its owner may read.
    Directory(PathBuf),
    /// A bucket, below a key.
    Bucket(Bucket, String),
}

impl Shelf {
    /// A small file; nothing when it is not there.
    pub(crate) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, EngineError> {
        match self {
            Self::Directory(root) => {
                let path = root.join(name);
                match tokio::fs::read(&path).await {
                    Ok(content) => Ok(Some(content)),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(unreadable(&path, &error)),
                }
            }
            Self::Bucket(bucket, prefix) => bucket.read(&below(prefix, name)).await,
        }
    }

    /// A file of any size, into a file here.
    pub(crate) async fn fetch(&self, name: &str, into: &Path) -> Result<Fetched, EngineError> {
        match self {
            Self::Directory(root) => {
                let path = root.join(name);
                tokio::fs::copy(&path, into).await.map_err(|error| unreadable(&path, &error))?;
                size_and_hash(into).await
            }
            Self::Bucket(bucket, prefix) => bucket.fetch(&below(prefix, name), into).await,
        }
    }

    /// Puts a file there. It is there whole or not at all.
    pub(crate) async fn put(&self, name: &str, file: &Path, content: &Fetched) -> Result<(), EngineError> {
        match self {
            Self::Directory(root) => place(root, name, |part| std::fs::copy(file, part).map(drop)),
            Self::Bucket(bucket, prefix) => bucket.put(&below(prefix, name), file, content).await,
        }
    }

    /// Writes a small file.
    pub(crate) async fn write(&self, name: &str, content: &[u8]) -> Result<(), EngineError> {
        match self {
            Self::Directory(root) => place(root, name, |part| std::fs::write(part, content)),
            Self::Bucket(bucket, prefix) => {
                let file =
                    tempfile::NamedTempFile::new().map_err(|error| unwritable(Path::new(name), &error))?;
                std::fs::write(file.path(), content).map_err(|error| unwritable(file.path(), &error))?;
                let fetched = Fetched { bytes: content.len() as u64, sha256: Sha256::digest(content).into() };
                bucket.put(&below(prefix, name), file.path(), &fetched).await
            }
        }
    }
}

/// Has a file written under another name, and gives it its own once it is whole.
fn place(root: &Path, name: &str, write: impl Fn(&Path) -> std::io::Result<()>) -> Result<(), EngineError> {
    let path = root.join(name);
    let work = || {
        let parent = path.parent().unwrap_or(root);
        private_directory(parent)?;
        let part = tempfile::Builder::new().prefix(".part-").tempfile_in(parent)?;
        write(part.path())?;
        part.as_file().sync_all()?;
        #[cfg(unix)]
        std::fs::set_permissions(part.path(), std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        part.persist(&path).map(drop).map_err(|failed| failed.error)
    };
    work().map_err(|error| unwritable(&path, &error))
}
