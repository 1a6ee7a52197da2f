//! Assets: files that have to be in a bucket before a stack can be deployed.
//!
//! Each is known by the hash of its content, so that a stack changes exactly when its files do. Files go straight to S3
//! at publish; no function of ours copies them inside the account.

mod archive;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use formwork_assembly::Diagnostic;
use formwork_assembly::asset_manifest::{FileDestination, FileSource};
use sha2::{Digest, Sha256};

use crate::context::AssetDestination;
use crate::stack::Parameter;
use crate::text;
use crate::tree::Scope;
use crate::value::{BucketName, IntoValue, Value, pseudo};

pub use archive::{ArchiveEntry, archive};

/// The id of the parameter that names the bucket of our bootstrap stack.
pub(crate) const BUCKET_PARAMETER: &str = "AssetBucket";

/// A file that is published before the stack that it is defined in is deployed.
#[derive(Clone, Debug)]
pub struct Asset {
    /// The bucket that holds it.
    pub bucket: Value<BucketName>,
    /// Its key in the bucket.
    pub key: Value<String>,
    /// The SHA-256 of its content, or of its sources when it is built at publish; 64 hex digits.
    pub hash: String,
}

/// What the tree keeps of an asset.
#[derive(Clone, Debug)]
pub(crate) struct AssetRecord {
    pub(crate) hash: String,
    pub(crate) source: FileSource,
    pub(crate) destination: FileDestination,
    /// The path in the assembly and the content, unless it is built at publish.
    pub(crate) content: Option<(String, Vec<u8>)>,
}

/// A file that a program makes when it is published: the program prints the path of the file.
#[derive(Clone, Debug)]
pub struct CommandAsset {
    /// The program and its arguments.
    pub executable: Vec<String>,
    /// The SHA-256 of everything that the result depends on; 64 hex digits.
    pub source_hash: String,
    /// The extension of the file without a dot, or empty.
    pub extension: String,
}

impl Asset {
    /// A file as it is. One that cannot be read is reported at synth.
    #[track_caller]
    pub fn file(scope: Scope<'_>, id: &str, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let scope = scope.child(id);
        let bytes = fs::read(path).unwrap_or_else(|error| {
            unreadable(scope, path, &error);
            Vec::new()
        });
        let extension =
            path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
        Self::publish(scope, bytes, &extension)
    }

    /// A directory as a zip archive that is the same for the same files: sorted, with fixed times and modes. Symbolic
    /// links are followed; a file or directory whose name is in `exclude` is left out.
    #[track_caller]
    pub fn directory(scope: Scope<'_>, id: &str, path: impl AsRef<Path>, exclude: &[&str]) -> Self {
        let path = path.as_ref();
        let scope = scope.child(id);
        let mut entries = Vec::new();
        if let Err((path, error)) = collect(path, "", exclude, 0, &mut entries) {
            unreadable(scope, &path, &error);
        }
        Self::publish(scope, archive(&entries), "zip")
    }

    /// Bytes that the app carries itself, under a file extension without a dot.
    #[track_caller]
    pub fn bytes(scope: Scope<'_>, id: &str, bytes: impl Into<Vec<u8>>, extension: &str) -> Self {
        Self::publish(scope.child(id), bytes.into(), extension)
    }

    /// Files that the app carries itself, as a zip archive.
    #[track_caller]
    pub fn archive(scope: Scope<'_>, id: &str, entries: &[ArchiveEntry]) -> Self {
        Self::publish(scope.child(id), archive(entries), "zip")
    }

    /// A file that a program makes at publish; synth runs nothing.
    #[track_caller]
    pub fn command(scope: Scope<'_>, id: &str, command: CommandAsset) -> Self {
        let scope = scope.child(id);
        let source = FileSource { executable: Some(command.executable), ..FileSource::default() };
        Self::register(scope, command.source_hash, &command.extension, source, None)
    }

    fn publish(scope: Scope<'_>, bytes: Vec<u8>, extension: &str) -> Self {
        let hash = hex(&Sha256::digest(&bytes));
        let path = with_extension(&format!("asset.{hash}"), extension);
        let source =
            FileSource { path: Some(path.clone()), packaging: Some("file".to_owned()), executable: None };
        Self::register(scope, hash, extension, source, Some((path, bytes)))
    }

    fn register(
        scope: Scope<'_>,
        hash: String,
        extension: &str,
        source: FileSource,
        content: Option<(String, Vec<u8>)>,
    ) -> Self {
        let object_key = with_extension(&hash, extension);
        let Some(stack) = scope.stack() else {
            let hint = "make a stack with `app.stack(\"name\")` and define it there";
            scope
                .report(Diagnostic::error("outside-stack", "an asset is not inside a stack").with_hint(hint));
            return Self { bucket: BucketName::literal(""), key: object_key.into_value(), hash };
        };
        let (bucket, destination) = destination(stack, &object_key);
        let record = AssetRecord { hash: hash.clone(), source, destination, content };
        scope.app.arena.borrow_mut().assets.push((stack.node, record));
        Self { bucket, key: object_key.into_value(), hash }
    }
}

/// The bucket as the template names it, and as the manifest does.
fn destination(stack: Scope<'_>, object_key: &str) -> (Value<BucketName>, FileDestination) {
    let settings = stack.app.framework_settings();
    let qualifier = settings.qualifier();
    let region = stack.environment().region;
    let object_key = object_key.to_owned();
    match settings.destination() {
        AssetDestination::Formwork => {
            let name = bucket_parameter_name(qualifier);
            let bucket_name = format!("{{{{resolve:ssm:{name}}}}}");
            let bucket = match stack.children().into_iter().find(|child| child.id() == BUCKET_PARAMETER) {
                Some(parameter) => crate::resource::ResourceId(parameter.node).reference(),
                None => Parameter::ssm("String", &name)
                    .description(
                        "The bucket that holds this stack's assets; the bootstrap stack keeps its name here",
                    )
                    .define(stack, BUCKET_PARAMETER),
            };
            (bucket, FileDestination { bucket_name, object_key, region, ..FileDestination::default() })
        }
        AssetDestination::Cdk => {
            let bucket_name = format!("cdk-{qualifier}-assets-${{AWS::AccountId}}-${{AWS::Region}}");
            let role = format!(
                "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/cdk-{qualifier}-file-publishing-role-${{AWS::AccountId}}-${{AWS::Region}}"
            );
            let bucket =
                text!("cdk-{}-assets-{}-{}", qualifier, pseudo::account_id(), pseudo::region()).retype();
            let assume_role_arn = Some(role);
            (
                bucket,
                FileDestination {
                    bucket_name,
                    object_key,
                    region,
                    assume_role_arn,
                    ..FileDestination::default()
                },
            )
        }
        AssetDestination::Bucket(bucket_name) => {
            let bucket = BucketName::literal(bucket_name.clone());
            (bucket, FileDestination { bucket_name, object_key, region, ..FileDestination::default() })
        }
    }
}

/// The SSM parameter in which our bootstrap stack keeps the name of its bucket.
pub fn bucket_parameter_name(qualifier: &str) -> String {
    format!("/formwork/bootstrap/{qualifier}/bucket")
}

fn with_extension(name: &str, extension: &str) -> String {
    if extension.is_empty() { name.to_owned() } else { format!("{name}.{extension}") }
}

fn unreadable(scope: Scope<'_>, path: &Path, error: &std::io::Error) {
    let message = format!("cannot read asset {}: {error}", path.display());
    let hint = "give the path of a readable file, relative to the directory that synth runs in";
    scope.report(Diagnostic::error("unreadable-asset", message).with_hint(hint));
}

/// Deeper than any real source tree; a directory that contains itself by a link ends here.
const GREATEST_DEPTH: usize = 64;

fn collect(
    path: &Path,
    prefix: &str,
    exclude: &[&str],
    depth: usize,
    entries: &mut Vec<ArchiveEntry>,
) -> Result<(), (PathBuf, std::io::Error)> {
    let fail = |error| (path.to_path_buf(), error);
    if depth > GREATEST_DEPTH {
        return Err(fail(std::io::Error::other(
            "the directory is nested too deeply, or contains itself by a link",
        )));
    }
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().into_string().map_err(|name| {
            fail(std::io::Error::other(format!("the name of {} is not UTF-8", Path::new(&name).display())))
        })?;
        if !exclude.contains(&name.as_str()) {
            found.insert(name, entry.path());
        }
    }
    for (name, path) in found {
        let inside = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let metadata = fs::metadata(&path).map_err(|error| (path.clone(), error))?;
        if metadata.is_dir() {
            collect(&path, &inside, exclude, depth + 1, entries)?;
        } else {
            let bytes = fs::read(&path).map_err(|error| (path.clone(), error))?;
            entries.push(ArchiveEntry { path: inside, bytes, executable: is_executable(&metadata) });
        }
    }
    Ok(())
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

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
