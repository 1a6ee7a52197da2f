//! What a kit is: files, folders for data, and secrets.

use crate::error::KitError;
use crate::secrets::{Secret, Secrets};

/// Who may do what with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileMode {
    /// Everybody reads it: 0644.
    Plain,
    /// Everybody reads and runs it: 0755.
    Script,
    /// Its owner reads and writes it: 0600.
    Private,
}

impl FileMode {
    /// The bits of the mode.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Plain => 0o644,
            Self::Script => 0o755,
            Self::Private => 0o600,
        }
    }
}

/// A file of a kit.
#[derive(Clone, Debug)]
pub struct KitFile {
    /// Its path below the kit's directory, with `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
    /// Who may do what with it.
    pub mode: FileMode,
}

impl KitFile {
    /// A file that everybody may read.
    #[must_use]
    pub fn plain(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), mode: FileMode::Plain }
    }

    /// A program.
    #[must_use]
    pub fn script(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { mode: FileMode::Script, ..Self::plain(path, text) }
    }

    /// A file with something secret in it, which is made anew from the secrets at each writing.
    #[must_use]
    pub fn private(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { mode: FileMode::Private, ..Self::plain(path, text) }
    }
}

/// A folder that the kit's programs keep data in: made when it is not there, with mode 0700, and never emptied.
#[derive(Clone, Debug)]
pub struct DataFolder(pub String);

/// The user and the group that the kit's programs run as, by their numbers: those who may read its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The number of the user.
    pub user: u32,
    /// The number of the group.
    pub group: u32,
}

impl Owner {
    /// Who takes over what root has written: nothing of a kit runs as root because root has unpacked it.
    pub const IN_PLACE_OF_ROOT: Self = Self { user: 10001, group: 10001 };
}

/// What files are filled in with that only the directory knows.
#[derive(Clone, Debug)]
pub struct Place {
    /// The values of the secrets: those that were there, and new ones.
    pub secrets: Secrets,
    /// Who may read them.
    pub owner: Owner,
}

/// How the files of a kit are made.
pub type MakeFiles = Box<dyn Fn(&Place) -> Result<Vec<KitFile>, KitError>>;

/// A kit: what [`write`](crate::write) brings into a directory.
pub struct Kit {
    /// Its name, as the command line has it.
    pub name: &'static str,
    /// The settings that it was made from, as the text of its settings file.
    pub settings: String,
    /// Its secrets, each after those that it is made from.
    pub secrets: Vec<Secret>,
    /// Makes its files, once the secrets are known.
    pub files: MakeFiles,
    /// Where its programs keep data.
    pub folders: Vec<DataFolder>,
    /// The commands to go on with, in their order.
    pub next: Vec<String>,
}
