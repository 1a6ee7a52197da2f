//! The settings of forwarding.

use std::path::PathBuf;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;

use crate::held::Disk;
use crate::settings::{Reader, Size, Variable};

/// The settings of forwarding.
pub const VARIABLES: &[Variable] =
    &[BODY_MEMORY, MAX_BODY, SPOOL_DIRECTORY, MAX_SPOOL, MAX_SPOOLS, PAYLOAD_SIGNING, ANSWER_TIMEOUT];

const BODY_MEMORY: Variable = Variable {
    name: "MLFLOW_PROXY_BODY_MEMORY",
    default: "1 MiB",
    about: "The size up to which a request's body is kept in memory until it is sent on; above it a file takes it.",
};

const MAX_BODY: Variable = Variable {
    name: "MLFLOW_PROXY_MAX_BODY",
    default: "2 GiB",
    about: "The greatest size of a request's body that is sent on to MLflow; above it is answered 413.",
};

const SPOOL_DIRECTORY: Variable = Variable {
    name: "MLFLOW_PROXY_SPOOL_DIRECTORY",
    default: "",
    about: "Where such files lie, without a name; the system's directory for temporary files when not given.",
};

const MAX_SPOOL: Variable = Variable {
    name: "MLFLOW_PROXY_MAX_SPOOL",
    default: "8 GiB",
    about: "How much all such files may hold together, half of it those of one user; above it is answered 503.",
};

const MAX_SPOOLS: Variable = Variable {
    name: "MLFLOW_PROXY_MAX_SPOOLS",
    default: "64",
    about: "How many such files may be written at once, half of them by one user; above it is answered 503.",
};

const PAYLOAD_SIGNING: Variable = Variable {
    name: "MLFLOW_PROXY_PAYLOAD_SIGNING",
    default: "signed",
    about: "Whether the signature covers bodies: signed as AWS's own client does it, or unsigned, which sends them on at once.",
};

const ANSWER_TIMEOUT: Variable = Variable {
    name: "MLFLOW_PROXY_ANSWER_TIMEOUT",
    default: "300",
    about: "Seconds without a byte of MLflow's answer after which it is given up, once it has begun.",
};

/// How bodies are held and answers are passed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bodies up to this size stay in memory.
    pub memory: u64,
    /// Bodies above this size are refused.
    pub max_body: u64,
    /// Where bodies above `memory` lie.
    pub directory: PathBuf,
    /// How much they may hold together.
    pub max_spool: u64,
    /// How many of them may be written at once.
    pub max_spools: usize,
    /// Whether the signature covers the body.
    pub sign_payload: bool,
    /// How long no byte of an answer may come.
    pub answer_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            memory: 1 << 20,
            max_body: 2 << 30,
            directory: std::env::temp_dir(),
            max_spool: 8 << 30,
            max_spools: 64,
            sign_payload: true,
            answer_timeout: Duration::from_secs(300),
        }
    }
}

impl Settings {
    /// The disk on which bodies wait. `told` shows how many bytes they are.
    pub fn disk(&self, told: Gauge) -> Disk {
        Disk::new(self.directory.clone(), self.max_spool, self.max_spools, told)
    }

    /// Reads the settings of forwarding.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        let mut size = |variable, otherwise| {
            let hint = "give bytes, or a number with KiB, MiB or GiB, such as 1 MiB";
            reader.parsed(variable, "a size", hint).map_or(otherwise, |Size(bytes)| bytes)
        };
        let memory = size(&BODY_MEMORY, default.memory);
        let max_body = size(&MAX_BODY, default.max_body);
        let max_spool = size(&MAX_SPOOL, default.max_spool);
        let directory = reader.given(&SPOOL_DIRECTORY).map_or(default.directory, PathBuf::from);
        if !directory.is_dir() {
            let wrong = format!("is `{}`, which is no directory", directory.display());
            let hint = "give a directory on a disk, which this user may write";
            reader.mistake(&SPOOL_DIRECTORY, wrong, hint);
        }
        let max_spools = reader.parsed(&MAX_SPOOLS, "a whole number", "give a whole number, such as 64");
        let sign_payload = match reader.text(&PAYLOAD_SIGNING).as_deref() {
            Some("unsigned") => false,
            None | Some("signed") => true,
            Some(other) => {
                let wrong = format!("is `{other}`, which it cannot be");
                reader.mistake(&PAYLOAD_SIGNING, wrong, "give signed or unsigned");
                true
            }
        };
        Self {
            memory,
            max_body,
            directory,
            max_spool,
            max_spools: max_spools.unwrap_or(default.max_spools),
            sign_payload,
            answer_timeout: reader.seconds(&ANSWER_TIMEOUT).unwrap_or(default.answer_timeout),
        }
    }
}
