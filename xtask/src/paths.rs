//! Where things are: the repository, the folder of fetched tools and what it holds.
//!
//! Everything that a command fetches lies under `.tools/`, which git ignores: deleting the folder is the whole clean-up.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::generate;

/// The folders of this repository that commands work in.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// The root of the repository.
    pub(crate) root: PathBuf,
}

impl Paths {
    /// The repository that this program was built from.
    pub(crate) fn new() -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { root: package.parent().unwrap_or(package).to_path_buf() }
    }

    /// A file or folder of the repository.
    pub(crate) fn join(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The Python environment of the template judges (cfn-lint and cloudformation-validate).
    pub(crate) fn venv(&self) -> PathBuf {
        self.join(".tools/venv")
    }

    /// The Python environment that the tests of the Lambda sources run in.
    pub(crate) fn lambda_layers_venv(&self) -> PathBuf {
        self.join(".tools/lambda-layers-venv")
    }

    /// The Python environment of the emulator of AWS.
    pub(crate) fn emulator_venv(&self) -> PathBuf {
        self.join(".tools/emulator-venv")
    }

    /// The Python environment of Metaflow's client, with the AWS that it talks to in tests.
    pub(crate) fn metaflow_venv(&self) -> PathBuf {
        self.join(".tools/metaflow-venv")
    }

    /// The Python environment of one version of MLflow, named as its requirements are.
    pub(crate) fn mlflow_venv(&self, version: &str) -> PathBuf {
        self.join(".tools").join(format!("mlflow-{version}-venv"))
    }

    /// The folder of the Node packages.
    pub(crate) fn node(&self) -> PathBuf {
        self.join(".tools/node")
    }

    /// The folder of the Node packages that the twin of the built-in app needs.
    pub(crate) fn twin(&self) -> PathBuf {
        self.join(".tools/twin")
    }

    /// The JavaScript file of the AWS CDK command line.
    pub(crate) fn cdk(&self) -> PathBuf {
        self.node().join("node_modules/aws-cdk/bin/cdk")
    }

    /// What the generated files are made from: packages inside the fetched environments.
    ///
    /// # Errors
    ///
    /// The Python environment has not been set up.
    pub(crate) fn sources(&self) -> Result<generate::Paths, String> {
        let library = self.venv().join("lib");
        let mut packages: Vec<PathBuf> = std::fs::read_dir(&library)
            .map_err(|error| format!("cannot read {}: {error}", library.display()))?
            .filter_map(|python| Some(python.ok()?.path().join("site-packages/cfnlint")))
            .filter(|package| package.is_dir())
            .collect();
        Ok(generate::Paths {
            cfn_lint: packages
                .pop()
                .ok_or_else(|| format!("no cfnlint package under {}", library.display()))?,
            service_spec: self.node().join("node_modules/@aws-cdk/aws-service-spec"),
            repository: self.root.clone(),
        })
    }
}

/// A program of a Python environment.
pub(crate) fn venv_program(venv: &Path, name: impl AsRef<OsStr>) -> PathBuf {
    venv.join("bin").join(name.as_ref())
}
