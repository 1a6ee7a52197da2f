//! The tools in their order, with fake programs; the checks, with wrong layers; and real builds with the real pip.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

/// Packages as pip would install them, fake programs that install them, and a folder for the result.
struct Workshop {
    folder: TempDir,
}

impl Workshop {
    fn new() -> Self {
        let workshop = Self { folder: tempfile::tempdir().unwrap() };
        for (name, version) in pins() {
            let information = format!("{}-{version}.dist-info", name.replace('-', "_"));
            let metadata =
                format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nText\nVersion: 9\n");
            workshop.package(&format!("{information}/METADATA"), metadata.as_bytes());
            workshop.package(&format!("{information}/RECORD"), b"../../../home/somebody/bin/jp.py,,\n");
            workshop.package(&format!("{information}/INSTALLER"), b"pip\n");
        }
        workshop.package("boto3/__init__.py", b"client = None\n");
        workshop.package("boto3/__pycache__/__init__.cpython-311.pyc", b"compiled here");
        workshop.package("bin/jp.py", b"#!/home/somebody/bin/python\n");
        workshop.model(br#"{"operations": {"CreateMlflowApp": {"name": "CreateMlflowApp"}}}"#);
        workshop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn out(&self) -> PathBuf {
        self.path("out")
    }

    fn package(&self, name: &str, bytes: &[u8]) {
        let path = self.path("packages").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn model(&self, json: &[u8]) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(json).unwrap();
        self.package("botocore/data/sagemaker/2017-07-24/service-2.json.gz", &encoder.finish().unwrap());
    }

    /// A program that notes its arguments and then runs a script. Another process writes the file: were it open here
    /// while a parallel test starts a program, the system would refuse to run it as "text file busy".
    fn program(&self, name: &str, script: &str) -> Option<PathBuf> {
        let path = self.path(name);
        let log = self.path(&format!("{name}.log"));
        let text = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{}'\n{script}\n", log.display());
        let mut writer = Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod +x \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
        Some(path)
    }

    fn working_pip(&self, name: &str) -> Option<PathBuf> {
        let packages = self.path("packages");
        let script =
            format!("while [ \"$1\" != --target ]; do shift; done\ncp -R '{}/.' \"$2\"", packages.display());
        self.program(name, &script)
    }

    fn working_docker(&self) -> Option<PathBuf> {
        let mut writer = ZipWriter::new(fs::File::create(self.path("container.zip")).unwrap());
        for (path, bytes) in archive::read_tree(&self.path("packages")).unwrap() {
            writer.start_file(path, SimpleFileOptions::default()).unwrap();
            writer.write_all(&bytes).unwrap();
        }
        writer.start_file("bin/jp.py", SimpleFileOptions::default()).unwrap();
        writer.finish().unwrap();
        self.program(
            "docker",
            &format!("cat > '{0}/stdin.log'; cat '{0}/container.zip'", self.folder.path().display()),
        )
    }

    fn arguments(&self, name: &str) -> Option<Vec<String>> {
        let text = fs::read_to_string(self.path(&format!("{name}.log"))).ok()?;
        Some(text.lines().map(str::to_owned).collect())
    }

    fn build(&self, tools: &Tools) -> Result<Layer, BuildError> {
        build(tools, Architecture::X86_64, &self.out())
    }

    /// The names in the result folder, hidden ones too.
    fn left_behind(&self) -> Vec<String> {
        let entries = fs::read_dir(self.out()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Build with a pip3 that installs the packages as they are now; it is refused for the reason that is given.
    fn fault(&self) -> String {
        let tools = Tools { pip3: self.working_pip("pip3"), ..Tools::NONE };
        let Err(BuildError::NoToolWorked { attempts, .. }) = self.build(&tools) else {
            panic!("a wrong layer was built")
        };
        assert_eq!(self.left_behind(), [""; 0]);
        attempts[0].reason.clone()
    }
}

fn names(layer: &Layer) -> Vec<String> {
    let archive = zip::ZipArchive::new(fs::File::open(&layer.zip_path).unwrap()).unwrap();
    archive.file_names().map(|name| name.unwrap().into_owned()).collect()
}

#[test]
fn pip3_is_used_first_with_lambdas_python_and_architecture() {
    let workshop = Workshop::new();
    let tools = Tools {
        pip3: workshop.working_pip("pip3"),
        pip: workshop.working_pip("pip"),
        docker: workshop.working_docker(),
        ..Tools::NONE
    };
    let layer = build(&tools, Architecture::Arm64, &workshop.out()).unwrap();
    assert_eq!((layer.tool, layer.failed.len()), (Tool::Pip3, 0));
    assert_eq!(layer.boto3_version, boto3_version());
    assert_eq!(layer.sha256.len(), 64);
    let arguments = workshop.arguments("pip3").unwrap().join(" ");
    assert!(arguments.contains("--require-hashes --only-binary=:all:"), "{arguments}");
    assert!(arguments.contains("--python-version 3.13 --platform manylinux2014_aarch64"), "{arguments}");
    assert_eq!((workshop.arguments("pip"), workshop.arguments("docker")), (None, None));
    assert_eq!(workshop.left_behind(), [format!("boto3-{}-arm64.zip", boto3_version())]);
}

#[test]
fn pip_is_used_when_pip3_fails_and_the_reason_is_kept() {
    let workshop = Workshop::new();
    let tools = Tools {
        pip3: workshop.program("pip3", "echo first >&2\necho 'ERROR: no network' >&2\nexit 7"),
        pip: workshop.working_pip("pip"),
        ..Tools::NONE
    };
    let layer = workshop.build(&tools).unwrap();
    assert_eq!(layer.tool, Tool::Pip);
    assert_eq!(
        layer.failed[0].to_string(),
        "pip3: failed with exit code 7\n    first\n    ERROR: no network"
    );
}

#[test]
fn pip_is_used_when_pip3_is_absent() {
    let workshop = Workshop::new();
    let layer = workshop.build(&Tools { pip: workshop.working_pip("pip"), ..Tools::NONE }).unwrap();
    assert_eq!((layer.tool, layer.failed[0].to_string().as_str()), (Tool::Pip, "pip3: not found"));
}

#[test]
fn pip_of_python3_is_used_when_there_is_no_pip_program() {
    let workshop = Workshop::new();
    let layer = workshop.build(&Tools { python3: workshop.working_pip("python3"), ..Tools::NONE }).unwrap();
    assert_eq!((layer.tool, layer.failed.len()), (Tool::PythonPip, 2));
    assert_eq!(workshop.arguments("python3").unwrap()[..3], ["-m", "pip", "install"]);
}

#[test]
fn docker_is_used_when_no_pip_is_there_and_makes_the_same_bytes() {
    let workshop = Workshop::new();
    let by_pip = workshop.build(&Tools { pip3: workshop.working_pip("pip3"), ..Tools::NONE }).unwrap();
    let layer = workshop.build(&Tools { docker: workshop.working_docker(), ..Tools::NONE }).unwrap();
    assert_eq!((layer.tool, layer.failed.len()), (Tool::Docker, 3));
    assert_eq!(layer.sha256, by_pip.sha256);
    let arguments = workshop.arguments("docker").unwrap();
    assert_eq!(arguments[..3], ["run", "--rm", "--interactive"]);
    assert!(arguments.iter().any(|argument| argument == CONTAINER_IMAGE));
    assert!(!CONTAINER_IMAGE.ends_with("latest"));
    assert!(arguments.iter().any(|argument| argument == "manylinux2014_x86_64"));
    assert_eq!(fs::read_to_string(workshop.path("stdin.log")).unwrap(), REQUIREMENTS);
}

#[test]
fn a_container_that_gives_no_archive_is_a_reason_too() {
    let workshop = Workshop::new();
    let tools = Tools { docker: workshop.program("docker", "echo hello"), ..Tools::NONE };
    let error = workshop.build(&tools).unwrap_err().to_string();
    assert!(error.contains("docker: gave no zip archive"), "{error}");
}

#[test]
fn without_any_tool_the_error_lists_what_was_tried_and_what_to_install() {
    let workshop = Workshop::new();
    let error = workshop.build(&Tools::NONE).unwrap_err().to_string();
    assert_eq!(
        error,
        "no tool could build the boto3 layer for x86_64, tried:\n  pip3: not found\n  pip: not found\n  \
         python3 -m pip: not found\n  docker: not found\nhint: install Python 3 with pip, or Docker, then build again"
    );
    assert_eq!(workshop.left_behind(), [""; 0]);
}

#[test]
fn a_tool_that_cannot_be_started_or_hangs_is_passed_over() {
    let workshop = Workshop::new();
    let tools = Tools {
        pip3: Some(workshop.path("nowhere")),
        pip: workshop.program("pip", "exec sleep 60"),
        python3: workshop.working_pip("python3"),
        time_limit: Duration::from_millis(1500),
        ..Tools::NONE
    };
    let layer = workshop.build(&tools).unwrap();
    assert_eq!(layer.tool, Tool::PythonPip);
    assert!(layer.failed[0].reason.starts_with("could not be started: "), "{:?}", layer.failed);
    assert_eq!(layer.failed[1].reason, "took longer than 1 seconds");
    assert_eq!(workshop.left_behind().len(), 1);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let workshop = Workshop::new();
    fs::write(workshop.out(), "a file").unwrap();
    let error = workshop.build(&Tools::NONE).unwrap_err().to_string();
    assert!(error.contains(&workshop.out().display().to_string()), "{error}");
    assert!(error.ends_with("hint: choose a folder that can be written"), "{error}");
}

#[test]
fn the_search_path_gives_programs_only() {
    let workshop = Workshop::new();
    let pip3 = workshop.program("pip3", "");
    fs::write(workshop.path("docker"), "no program").unwrap();
    fs::create_dir(workshop.path("pip")).unwrap();
    let path = std::env::join_paths([workshop.path("nowhere"), workshop.folder.path().to_owned()]).unwrap();
    let tools = Tools::search(&path);
    assert_eq!((tools.pip3, tools.pip, tools.python3, tools.docker), (pip3, None, None, None));
}

#[test]
fn a_layer_has_packages_below_python_and_nothing_of_this_machine() {
    let workshop = Workshop::new();
    let layer = workshop.build(&Tools { pip3: workshop.working_pip("pip3"), ..Tools::NONE }).unwrap();
    let names = names(&layer);
    assert!(names.contains(&"python/boto3/__init__.py".to_owned()));
    assert!(names.is_sorted());
    for name in names {
        assert!(name.starts_with("python/"), "{name}");
        for unwanted in ["/bin/", "__pycache__", "RECORD", "INSTALLER"] {
            assert!(!name.contains(unwanted), "{name}");
        }
    }
}

#[test]
fn two_builds_are_the_same_bytes_though_file_times_and_records_differ() {
    let workshop = Workshop::new();
    let tools = Tools { pip3: workshop.working_pip("pip3"), ..Tools::NONE };
    let first = workshop.build(&tools).unwrap();
    let bytes = fs::read(&first.zip_path).unwrap();
    let record = format!("boto3-{}.dist-info/RECORD", boto3_version());
    workshop.package(&record, b"another record");
    fs::File::open(workshop.path("packages/boto3/__init__.py"))
        .unwrap()
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    let second = workshop.build(&tools).unwrap();
    assert_eq!(fs::read(&second.zip_path).unwrap(), bytes);
    assert_eq!(second.sha256, first.sha256);
}

#[test]
fn another_version_than_the_pin_is_refused() {
    let workshop = Workshop::new();
    let folder = format!("boto3-{}.dist-info", boto3_version());
    fs::remove_dir_all(workshop.path("packages").join(folder)).unwrap();
    assert_eq!(workshop.fault(), format!("the layer lacks boto3 {}", boto3_version()));
    workshop.package("boto3-1.41.0.dist-info/METADATA", b"Name: boto3\nVersion: 1.41.0\n");
    assert_eq!(workshop.fault(), format!("the layer has boto3 1.41.0, the pin is {}", boto3_version()));
}

#[test]
fn a_botocore_without_the_operation_is_refused() {
    let workshop = Workshop::new();
    workshop.model(br#"{"operations": {"CreateModel": {}}, "documentation": "CreateMlflowApp"}"#);
    assert_eq!(workshop.fault(), LayerFault::NoMlflowApps.to_string());
    workshop.model(b"no json");
    assert_eq!(workshop.fault(), LayerFault::NoMlflowApps.to_string());
}

#[test]
fn a_part_compiled_for_another_machine_is_refused() {
    let workshop = Workshop::new();
    let mut header = [0; 64];
    header[..4].copy_from_slice(b"\x7fELF");
    header[18] = 183;
    workshop.package("fast/part.so", &header);
    assert_eq!(workshop.fault(), "the layer's file python/fast/part.so is not compiled for x86_64");
    let tools = Tools { pip3: workshop.working_pip("pip3"), ..Tools::NONE };
    assert!(build(&tools, Architecture::Arm64, &workshop.out()).is_ok());
}

#[test]
fn the_source_hash_tells_architectures_apart_and_stays_the_same() {
    let (arm, intel) = (source_hash(Architecture::Arm64), source_hash(Architecture::X86_64));
    assert_eq!((arm.len(), intel.len()), (64, 64));
    assert_ne!(arm, intel);
    assert_eq!(arm, source_hash(Architecture::Arm64));
}

#[test]
fn every_requirement_is_pinned_and_hashed() {
    assert_eq!(pins().count(), REQUIREMENTS.matches("==").count());
    for line in REQUIREMENTS.lines().filter(|line| !line.starts_with([' ', '#'])) {
        assert!(line.contains("==") && line.ends_with('\\'), "{line}");
    }
    assert!(REQUIREMENTS.matches("--hash=sha256:").count() >= pins().count());
    assert!(boto3_version().starts_with("1."));
}

fn real_tools() -> Tools {
    Tools::search(&std::env::var_os("PATH").expect("a search path is set"))
}

/// Needs pip and its package index. Nothing here is fake: what this makes is what is published.
#[test]
fn real_pip_builds_the_same_layer_twice_and_one_for_the_other_architecture() {
    let folder = tempfile::tempdir().unwrap();
    let tools = Tools { docker: None, ..real_tools() };
    let build = |architecture, name| {
        let layer = build(&tools, architecture, &folder.path().join(name)).unwrap();
        assert_eq!(layer.boto3_version, boto3_version());
        assert!((20_000_000..100_000_000).contains(&layer.unzipped_bytes), "{} bytes", layer.unzipped_bytes);
        fs::read(&layer.zip_path).unwrap()
    };
    let first = build(Architecture::X86_64, "first");
    assert!(first == build(Architecture::X86_64, "second"), "two builds differ");
    build(Architecture::Arm64, "first");
}

/// Needs pip and its package index. The script of the container runs on this machine, in the place of the container.
#[test]
fn the_containers_script_makes_the_same_layer_as_pip() {
    let workshop = Workshop::new();
    let docker = workshop.program(
        "docker",
        "while [ \"$1\" != -c ]; do shift; done\nshift\nscript=$1\nshift 2\nexec sh -c \"$script\" sh \"$@\"",
    );
    let by_container = workshop.build(&Tools { docker, ..Tools::NONE }).unwrap();
    assert_eq!(by_container.tool, Tool::Docker);
    let by_pip = workshop.build(&Tools { docker: None, ..real_tools() }).unwrap();
    assert_eq!(by_container.sha256, by_pip.sha256);
}
