//! The boto3 layer: pinned packages in one zip archive, the same bytes on every machine.
//!
//! pip installs them for Lambda's Python and architecture whatever runs on this machine; where no pip works, pip in a
//! container does. The archive is then opened and checked, because a layer with the wrong boto3 fails only at the
//! first deployment, ten minutes later and in another account's log.

mod archive;
mod inspection;
mod tools;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use inspection::LayerFault;
pub use tools::{CONTAINER_IMAGE, Tool, Tools};

/// The packages of the layer: exact versions with the hashes of their files, as pip reads them.
pub const REQUIREMENTS: &str = include_str!("../boto3/requirements.txt");

/// The version of Python, as pip writes it, that the layer is built for.
pub const PYTHON_VERSION: &str = "3.13";

/// Grows when the builder makes other bytes of the same requirements, so that published layers are renewed.
const BUILDER_VERSION: u32 = 1;

/// What a Lambda function runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Architecture {
    /// AWS Graviton.
    Arm64,
    /// Intel and AMD.
    X86_64,
}

impl Architecture {
    /// The name in the `Architectures` of a function and the `CompatibleArchitectures` of a layer.
    pub fn lambda_name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// The platform tag of packages with compiled parts; Lambda's Python 3.13 image has a newer C library than it asks.
    fn platform(self) -> &'static str {
        match self {
            Self::Arm64 => "manylinux2014_aarch64",
            Self::X86_64 => "manylinux2014_x86_64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.lambda_name())
    }
}

/// A layer that was built and checked.
#[derive(Debug)]
pub struct Layer {
    /// The archive, `boto3-<version>-<architecture>.zip` in the folder that was asked for.
    pub zip_path: PathBuf,
    /// The version of boto3 that was found in the archive.
    pub boto3_version: String,
    /// The SHA-256 of the archive in hexadecimal.
    pub sha256: String,
    /// What Lambda unpacks, in bytes.
    pub unzipped_bytes: u64,
    /// The tool that built it.
    pub tool: Tool,
    /// The tools that were tried before and why they could not.
    pub failed: Vec<Attempt>,
}

/// A tool that could not build the layer.
#[derive(Debug)]
pub struct Attempt {
    /// The tool.
    pub tool: Tool,
    /// Why not, in lower case, on one or more lines.
    pub reason: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.tool, self.reason.replace('\n', "\n    "))
    }
}

/// Why there is no layer.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No tool is installed that can build it, or none succeeded.
    #[error(
        "no tool could build the boto3 layer for {architecture}, tried:{}\nhint: {}",
        list(attempts),
        hint(attempts)
    )]
    NoToolWorked {
        /// What it should have been built for.
        architecture: Architecture,
        /// Every tool in the order in which it was tried.
        attempts: Vec<Attempt>,
    },
    /// A file of the build could not be written or read.
    #[error("cannot write the boto3 layer in {}: {source}\nhint: choose a folder that can be written", folder.display())]
    Folder {
        /// Where the layer should have come.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

fn list(attempts: &[Attempt]) -> String {
    attempts.iter().map(|attempt| format!("\n  {attempt}")).collect()
}

fn hint(attempts: &[Attempt]) -> &'static str {
    if attempts.iter().all(|attempt| attempt.reason == tools::NOT_FOUND) {
        "install Python 3 with pip, or Docker, then build again"
    } else {
        "repair one of these tools, or the network that it needs, then build again"
    }
}

/// The identity of the layer before it is built: the SHA-256, in hexadecimal, of all that decides its bytes.
pub fn source_hash(architecture: Architecture) -> String {
    let mut hash = Sha256::new();
    let builder = BUILDER_VERSION.to_string();
    for part in ["boto3 layer", &builder, PYTHON_VERSION, architecture.lambda_name(), REQUIREMENTS] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hexadecimal(&hash.finalize())
}

/// The version of boto3 that the layer is pinned to.
pub fn boto3_version() -> &'static str {
    let (_, version) = pins()
        .find(|(name, _)| *name == "boto3")
        .expect("the embedded requirements pin boto3: a test reads them");
    version
}

/// Build the layer into a folder, which is made if it is not there.
///
/// `pip3`, `pip`, `python3 -m pip` and Docker are tried in this order until one gives a layer that passes the checks:
/// every pinned package in its version, boto3 1.42.0 or later, botocore with the operation CreateMlflowApp, compiled
/// parts for the architecture, 250 MB at most. The archive appears by one rename; nothing else stays behind.
///
/// # Errors
/// When no tool succeeds (with every tool's reason), or the folder cannot be written.
pub fn build(tools: &Tools, architecture: Architecture, out_dir: &Path) -> Result<Layer, BuildError> {
    let folder = |source| BuildError::Folder { folder: out_dir.to_owned(), source };
    fs::create_dir_all(out_dir).map_err(folder)?;
    let mut failed = Vec::new();
    for tool in Tool::ALL {
        // A folder of its own for each tool; dropping it removes all that the tool left, on every way out.
        let work = tempfile::Builder::new().prefix(".boto3-layer-").tempdir_in(out_dir).map_err(folder)?;
        let reason = match tools.install(tool, architecture, work.path()).map_err(folder)? {
            Ok(packages) => {
                let draft = work.path().join("layer.zip");
                archive::write(&packages, &draft).map_err(folder)?;
                match inspection::inspect(&draft, architecture).map_err(folder)? {
                    Ok(inspection) => {
                        let name = format!("boto3-{}-{architecture}.zip", inspection.boto3_version);
                        let zip_path = out_dir.join(name);
                        fs::rename(&draft, &zip_path).map_err(folder)?;
                        return Ok(Layer {
                            zip_path,
                            boto3_version: inspection.boto3_version,
                            sha256: inspection.sha256,
                            unzipped_bytes: inspection.unzipped_bytes,
                            tool,
                            failed,
                        });
                    }
                    Err(fault) => fault.to_string(),
                }
            }
            Err(reason) => reason,
        };
        failed.push(Attempt { tool, reason });
    }
    Err(BuildError::NoToolWorked { architecture, attempts: failed })
}

/// Names and versions of the pinned packages.
fn pins() -> impl Iterator<Item = (&'static str, &'static str)> {
    REQUIREMENTS.lines().filter_map(|line| {
        let (name, rest) = line.split_once("==")?;
        Some((name, rest.split([' ', ';', '\\']).next()?))
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
