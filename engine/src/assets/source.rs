//! Where an asset's bytes come from: a file of the assembly, a directory that is packed, or a program that makes it.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use formwork_assembly::asset_manifest::FileSource;
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::program::Program;
use super::{Publisher, Task, archive, manifest};
use crate::error::{Class, EngineError};
use crate::event::What;

/// How much a Lambda function's archive and layers may unpack to, in bytes: 250 MB as AWS counts them.
///
/// Source: AWS Lambda Developer Guide, "Lambda quotas".
const LAMBDA_UNPACKED: u64 = if cfg!(test) { 1 << 20 } else { 250 << 20 };

/// Bytes that are ready to be put somewhere.
#[derive(Debug)]
pub(super) struct Content {
    /// The file.
    pub(super) path: PathBuf,
    /// The SHA-256 of what is in the file.
    pub(super) sha256: [u8; 32],
    /// Its size in bytes.
    pub(super) bytes: u64,
    /// The media type.
    pub(super) content_type: &'static str,
    /// Whether whoever makes it again gets the same bytes.
    pub(super) reproducible: bool,
    /// Removes the file once it is published, when it is ours.
    _temporary: Option<TempPath>,
}

/// The SHA-256 and the size of a file.
pub(super) async fn measure(path: PathBuf) -> io::Result<([u8; 32], u64)> {
    blocking(move || {
        let mut file = fs::File::open(path)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok((hash.finalize().into(), bytes));
            }
            bytes += read as u64;
            hash.update(&buffer[..read]);
        }
    })
    .await
}

/// The path of a source that is a file as it is.
pub(super) fn plain_file(task: &Task<'_>) -> Result<Option<PathBuf>, EngineError> {
    let source = &task.asset.source;
    match (&source.path, source.packaging.as_deref()) {
        (Some(path), None | Some("file")) if source.executable.is_none() => {
            manifest::inside(task.assembly, path).map(Some)
        }
        _ => Ok(None),
    }
}

impl Publisher {
    /// Makes the bytes of an asset.
    pub(super) async fn content(&self, task: &Task<'_>) -> Result<Content, EngineError> {
        let FileSource { path, packaging, executable } = &task.asset.source;
        match (executable, path, packaging.as_deref()) {
            (Some(arguments), ..) => self.built(task.id, arguments).await,
            (None, Some(_), None | Some("file")) => {
                let Some(path) = plain_file(task)? else { return Err(no_source(task.id)) };
                let content_type = content_type(&task.destination.object_key);
                ready(task.id, path, content_type, true, None).await
            }
            (None, Some(path), Some("zip")) => {
                let path = manifest::inside(task.assembly, path)?;
                self.packed(task.id, path).await
            }
            (None, Some(_), Some(other)) => {
                let message = format!("asset {} is to be packed as {other}", task.id);
                Err(EngineError::new(Class::Input, message).with_hint("the packings are `file` and `zip`"))
            }
            (None, None, _) => Err(no_source(task.id)),
        }
    }

    async fn packed(&self, id: &str, directory: PathBuf) -> Result<Content, EngineError> {
        let (temporary, target) = self.temporary(id)?;
        let source = directory.clone();
        let archived = blocking(move || Ok(archive::pack(&source, target)))
            .await
            .and_then(|result| result.map_err(|(path, error)| at(&path, &error)))
            .map_err(|error| unreadable(id, &directory, &error))?;
        for (one, other) in &archived.collisions {
            let message = format!("asset {id} has {one} and {other}, which are one file on some systems");
            self.0.runtime.tell(What::Warning { message, hint: Some("rename one of them".to_owned()) });
        }
        if archived.unpacked > LAMBDA_UNPACKED {
            let message = format!(
                "asset {id} has {} bytes unpacked, and a Lambda function takes {LAMBDA_UNPACKED} with its layers",
                archived.unpacked
            );
            let hint = "leave out what the function does not need, or use a container image".to_owned();
            self.0.runtime.tell(What::Warning { message, hint: Some(hint) });
        }
        let path = temporary.to_path_buf();
        // Another version of the packer may write other bytes for the same files.
        ready(id, path, "application/zip", false, Some(temporary)).await
    }

    async fn built(&self, id: &str, arguments: &[String]) -> Result<Content, EngineError> {
        if self.0.options.stand_ins {
            let (temporary, mut target) = self.temporary(id)?;
            io::Write::write_all(&mut target, format!("stand-in for asset {id}\n").as_bytes())
                .map_err(|error| unreadable(id, &temporary, &error))?;
            let path = temporary.to_path_buf();
            return ready(id, path, content_type(""), true, Some(temporary)).await;
        }
        // An id names the sources, so that what was built of them once stays right.
        let kept = self.0.options.cache.join("built").join(file_name(id));
        if kept.is_file() {
            return ready(id, kept, content_type(""), false, None).await;
        }
        let _turn = self.0.builds.acquire().await;
        self.go_on(id)?;
        let made = self.run_builder(id, arguments).await?;
        let path = match keep(&made, &kept) {
            Ok(()) => kept,
            // A full disk or a directory that nobody may write costs time next time, no more.
            Err(_) => made,
        };
        ready(id, path, content_type(""), false, None).await
    }

    async fn run_builder(&self, id: &str, arguments: &[String]) -> Result<PathBuf, EngineError> {
        let Some((name, rest)) = arguments.split_first() else { return Err(no_source(id)) };
        let program = match &self.0.options.program {
            Some(program) if name == "formwork" => program.clone(),
            _ => PathBuf::from(name),
        };
        let command = super::program::shown(name, rest);
        self.0.runtime.tell(What::AssetBuilding { asset: id.to_owned(), command: command.clone() });
        let program = Program {
            program: &program,
            arguments: rest,
            input: None,
            directory: None,
            limit: self.0.options.build_limit,
            purpose: format!("build asset {id} by `{command}`"),
        };
        let printed = program.run(&self.0.runtime).await?;
        let path = printed.trim().lines().last().unwrap_or_default().trim();
        let path = PathBuf::from(path);
        if path.as_os_str().is_empty() || !path.is_file() {
            let message = format!(
                "`{command}` has to print the path of the file that it made for asset {id}, and printed {}",
                shown(&printed)
            );
            return Err(EngineError::new(Class::Input, message));
        }
        Ok(path)
    }

    /// A file of ours that goes when it is dropped.
    fn temporary(&self, id: &str) -> Result<(TempPath, fs::File), EngineError> {
        let directory = std::env::temp_dir();
        let file = NamedTempFile::with_prefix_in("formwork-asset-", &directory).map_err(|error| {
            EngineError::new(
                Class::NeedsAction,
                format!("cannot write asset {id} to {}: {error}", directory.display()),
            )
            .with_hint("make room there, or name another directory with TMPDIR")
        })?;
        let (file, path) = file.into_parts();
        Ok((path, file))
    }
}

async fn ready(
    id: &str,
    path: PathBuf,
    content_type: &'static str,
    reproducible: bool,
    temporary: Option<TempPath>,
) -> Result<Content, EngineError> {
    let (sha256, bytes) = measure(path.clone()).await.map_err(|error| unreadable(id, &path, &error))?;
    Ok(Content { path, sha256, bytes, content_type, reproducible, _temporary: temporary })
}

/// Copies a built file to where it is found the next time: whole or not at all.
fn keep(made: &Path, kept: &Path) -> io::Result<()> {
    let directory = kept.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let temporary = NamedTempFile::new_in(directory)?;
    fs::copy(made, temporary.path())?;
    temporary.persist(kept)?;
    Ok(())
}

/// An id as the name of a file.
fn file_name(id: &str) -> String {
    id.chars().map(|it| if it.is_ascii_alphanumeric() || "-_.".contains(it) { it } else { '-' }).collect()
}

pub(super) fn content_type(key: &str) -> &'static str {
    match Path::new(key).extension().and_then(|extension| extension.to_str()) {
        Some("zip" | "jar" | "whl") => "application/zip",
        Some("json") => "application/json",
        Some("yaml" | "yml" | "txt" | "sh" | "py") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn shown(text: &str) -> String {
    let text = text.trim();
    let short: String = text.chars().take(200).collect();
    if short.is_empty() { "nothing".to_owned() } else { format!("{short:?}") }
}

fn no_source(id: &str) -> EngineError {
    EngineError::new(Class::Input, format!("asset {id} has neither a path nor a program"))
        .with_hint("synthesise again")
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

pub(super) fn unreadable(id: &str, path: &Path, error: &io::Error) -> EngineError {
    let message = format!("cannot read asset {id} from {}: {error}", path.display());
    let (class, hint) = match error.kind() {
        io::ErrorKind::NotFound => (Class::Input, "synthesise again"),
        io::ErrorKind::StorageFull => (Class::NeedsAction, "make room on the disk"),
        _ => (Class::Input, "the file has to be readable"),
    };
    EngineError::new(class, message).with_hint(hint)
}

/// Work that waits for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
