//! Opening a built layer: what is in it is checked, not what should be.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::{Architecture, hexadecimal, pins};

/// The first boto3 that has CreateMlflowApp.
const BOTO3_AT_LEAST: [u64; 3] = [1, 42, 0];
/// Lambda's limit for a function and its layers, unpacked (250 MB in AWS's counting).
const UNZIPPED_BYTES_AT_MOST: u64 = 250 * 1024 * 1024;

/// What a good layer has.
#[derive(Debug)]
pub(super) struct Inspection {
    pub(super) boto3_version: String,
    pub(super) sha256: String,
    pub(super) unzipped_bytes: u64,
}

/// What is wrong with a layer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayerFault {
    /// A file that Python would not find or that should not be there.
    #[error("the layer has the file {0:?}, which is not below python/ or is left over from pip")]
    Misplaced(String),
    /// A pinned package is not there.
    #[error("the layer lacks {name} {pin}")]
    Missing {
        /// The package.
        name: String,
        /// The version that should be there.
        pin: String,
    },
    /// A pinned package is there in another version.
    #[error("the layer has {name} {found}, the pin is {pin}")]
    Version {
        /// The package.
        name: String,
        /// The version that is there.
        found: String,
        /// The version that should be there.
        pin: String,
    },
    /// The pin itself is too old.
    #[error("the layer has boto3 {0}, but CreateMlflowApp needs 1.42.0 or later")]
    TooOld(String),
    /// botocore is there without the operation.
    #[error("the layer's botocore does not know the operation CreateMlflowApp of SageMaker")]
    NoMlflowApps,
    /// A compiled part for another machine.
    #[error("the layer's file {path} is not compiled for {architecture}")]
    WrongArchitecture {
        /// The shared library.
        path: String,
        /// What the layer is for.
        architecture: Architecture,
    },
    /// Lambda would refuse it.
    #[error("the layer has {0} bytes unpacked, Lambda allows {UNZIPPED_BYTES_AT_MOST}")]
    TooLarge(u64),
}

/// Open a layer and check it.
pub(super) fn inspect(path: &Path, architecture: Architecture) -> io::Result<Result<Inspection, LayerFault>> {
    let sha256 = hexadecimal(&Sha256::digest(fs::read(path)?));
    let mut archive = ZipArchive::new(File::open(path)?)?;
    let mut unzipped_bytes = 0;
    let mut packages = BTreeSet::new();
    let mut knows_mlflow_apps = false;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        let below = name.strip_prefix("python/").filter(|below| super::archive::belongs(below));
        let Some(below) = below.filter(|below| below.split('/').all(|part| !["", ".", ".."].contains(&part)))
        else {
            return Ok(Err(LayerFault::Misplaced(name)));
        };
        unzipped_bytes += entry.size();
        if below.ends_with(".dist-info/METADATA") {
            let mut metadata = Vec::new();
            entry.read_to_end(&mut metadata)?;
            packages.extend(name_and_version(&String::from_utf8_lossy(&metadata)));
        } else if below.starts_with("botocore/data/sagemaker/") && below.contains("/service-2.json") {
            let mut model = Vec::new();
            if below.ends_with(".gz") {
                GzDecoder::new(&mut entry).read_to_end(&mut model)?;
            } else {
                entry.read_to_end(&mut model)?;
            }
            let model: serde_json::Value = serde_json::from_slice(&model).unwrap_or_default();
            knows_mlflow_apps |= model["operations"]["CreateMlflowApp"].is_object();
        } else if below.ends_with(".so") || below.contains(".so.") {
            let mut header = [0; 20];
            if entry.read_exact(&mut header).is_err() || !is_compiled_for(&header, architecture) {
                return Ok(Err(LayerFault::WrongArchitecture { path: name, architecture }));
            }
        }
    }
    let pins: Vec<_> = pins().collect();
    Ok(judge(&pins, &packages, knows_mlflow_apps, unzipped_bytes).map(|boto3_version| Inspection {
        boto3_version,
        sha256,
        unzipped_bytes,
    }))
}

fn judge(
    pins: &[(&str, &str)],
    packages: &BTreeSet<(String, String)>,
    knows_mlflow_apps: bool,
    unzipped_bytes: u64,
) -> Result<String, LayerFault> {
    let found = |name: &str| {
        let name = name.replace('-', "_");
        packages.iter().find(|(found, _)| *found == name).map(|(_, version)| version.clone())
    };
    for (name, pin) in pins {
        let (name, pin) = ((*name).to_owned(), (*pin).to_owned());
        match found(&name) {
            None => return Err(LayerFault::Missing { name, pin }),
            Some(found) if found != pin => return Err(LayerFault::Version { name, found, pin }),
            Some(_) => {}
        }
    }
    let boto3 = found("boto3").unwrap_or_default();
    if release(&boto3) < BOTO3_AT_LEAST {
        return Err(LayerFault::TooOld(boto3));
    }
    if !knows_mlflow_apps {
        return Err(LayerFault::NoMlflowApps);
    }
    if unzipped_bytes > UNZIPPED_BYTES_AT_MOST {
        return Err(LayerFault::TooLarge(unzipped_bytes));
    }
    Ok(boto3)
}

/// Name (as it is written in folder names) and version from a package's METADATA.
fn name_and_version(metadata: &str) -> Option<(String, String)> {
    let field = |name: &str| {
        metadata.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(name))
    };
    let name = field("Name: ")?.trim().to_lowercase().replace(['-', '.'], "_");
    Some((name, field("Version: ")?.trim().to_owned()))
}

fn release(version: &str) -> [u64; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

/// The machine in an ELF header, at bytes 18 and 19 in little endian: 62 is x86-64, 183 is AArch64.
fn is_compiled_for(header: &[u8; 20], architecture: Architecture) -> bool {
    let machine = match architecture {
        Architecture::Arm64 => 183_u16,
        Architecture::X86_64 => 62,
    };
    header.starts_with(b"\x7fELF") && header[18..20] == machine.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(version: &str, unzipped_bytes: u64) -> Result<String, LayerFault> {
        let packages = BTreeSet::from([("boto3".to_owned(), version.to_owned())]);
        judge(&[("boto3", version)], &packages, true, unzipped_bytes)
    }

    #[test]
    fn a_layer_beyond_lambdas_limit_is_refused() {
        assert_eq!(judged("1.42.0", UNZIPPED_BYTES_AT_MOST), Ok("1.42.0".to_owned()));
        let too_large = UNZIPPED_BYTES_AT_MOST + 1;
        assert_eq!(judged("1.42.0", too_large), Err(LayerFault::TooLarge(too_large)));
    }

    #[test]
    fn a_boto3_that_is_pinned_but_too_old_is_refused() {
        assert_eq!(judged("1.41.9", 0), Err(LayerFault::TooOld("1.41.9".to_owned())));
    }

    #[test]
    fn a_file_that_python_would_not_find_or_that_pip_left_is_refused() {
        for name in ["boto3/session.py", "python/bin/jp.py", "python/../etc/passwd", "python/six.pyc"] {
            let file = tempfile::NamedTempFile::new().unwrap();
            let mut writer = zip::ZipWriter::new(file.reopen().unwrap());
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.finish().unwrap();
            let fault = inspect(file.path(), Architecture::Arm64).unwrap().unwrap_err();
            assert_eq!(fault, LayerFault::Misplaced(name.to_owned()));
        }
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(release("1.9.0") < BOTO3_AT_LEAST);
        assert!(release("1.42") >= BOTO3_AT_LEAST);
        assert!(release("1.100.2.post1") > BOTO3_AT_LEAST);
    }

    #[test]
    fn the_machine_of_a_compiled_part_is_read() {
        let mut header = [0; 20];
        header[..4].copy_from_slice(b"\x7fELF");
        header[18] = 62;
        assert!(is_compiled_for(&header, Architecture::X86_64));
        assert!(!is_compiled_for(&header, Architecture::Arm64));
        header[0] = 0;
        assert!(!is_compiled_for(&header, Architecture::X86_64));
    }
}
