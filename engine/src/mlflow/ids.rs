//! Which item became which, and what is done: the file by which a copy that was cut off goes on.
//!
//! A line is written after an item was made. A process that dies between the two leaves an item without a line, so that
//! a copy which goes on looks for the source's id among the tags of the target before it makes anything.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::bucket::{unreadable, unwritable};
use super::item::Kind;
use crate::aws::storage::hex;
use crate::error::{Class, EngineError};

/// The version of the file's form.
const FORMAT: u32 = 1;

/// The ids of one copy. Written by one process at a time.
#[derive(Debug)]
pub struct Ids {
    path: PathBuf,
    goes_on: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    known: Targets,
}

/// What became of the items.
type Targets = BTreeMap<(Kind, String), Known>;

#[derive(Debug, Default)]
struct Known {
    target: String,
    done: bool,
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: u32,
    from: String,
    to: String,
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    kind: Kind,
    source: String,
    target: String,
    done: bool,
}

impl Ids {
    /// The file of a copy in a directory, by what is copied where; opened if it is there, else begun.
    ///
    /// # Errors
    /// When it cannot be read or written, or another process copies the same.
    pub fn open(directory: &Path, from: &str, to: &str) -> Result<Self, EngineError> {
        let name = hex(&Sha256::digest(format!("{from}\n{to}"))[..8]);
        let path = directory.join(format!("{name}.jsonl"));
        let failed = |error: std::io::Error| unwritable(&path, &error);
        private_directory(directory).map_err(failed)?;
        // It names servers and what they hold: nothing for everybody's repository.
        std::fs::write(directory.join(".gitignore"), "*\n").map_err(failed)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(fs4::TryLockError::WouldBlock) => {
                let message = format!("another process copies {from} to {to}");
                return Err(EngineError::new(Class::Refused, message).with_hint("wait until it has ended"));
            }
            Err(fs4::TryLockError::Error(error)) => return Err(failed(error)),
        }
        let (known, whole, goes_on) = read(&file, &path)?;
        // A last line that was cut off is removed.
        file.set_len(whole).map_err(failed)?;
        file.seek(std::io::SeekFrom::End(0)).map_err(failed)?;
        if !goes_on {
            let head = json!(Head { format: FORMAT, from: from.to_owned(), to: to.to_owned() });
            writeln!(file, "{head}").map_err(failed)?;
        }
        Ok(Self { path, goes_on, state: Mutex::new(State { file, known }) })
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether an earlier process has begun the copy.
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// What an item became.
    pub(crate) fn target(&self, kind: Kind, source: &str) -> Option<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.known.get(&(kind, source.to_owned())).map(|known| known.target.clone())
    }

    /// Whether an item is there with all that belongs to it.
    pub(crate) fn is_done(&self, kind: Kind, source: &str) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.known.get(&(kind, source.to_owned())).is_some_and(|known| known.done)
    }

    /// Writes down that an item was made, or is done.
    pub(crate) fn keep(&self, kind: Kind, source: &str, target: &str, done: bool) -> Result<(), EngineError> {
        let line = Line { kind, source: source.to_owned(), target: target.to_owned(), done };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let text = format!("{}\n", json!(line));
        // In one call, so that a process which dies leaves no half of it before another line.
        state.file.write_all(text.as_bytes()).map_err(|error| unwritable(&self.path, &error))?;
        state.known.insert((kind, line.source), Known { target: line.target, done });
        Ok(())
    }

    /// Everything as one document: for each kind the target's ids by the source's.
    pub fn document(&self) -> Value {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kinds: BTreeMap<Kind, BTreeMap<&str, &str>> = BTreeMap::new();
        for ((kind, source), known) in &state.known {
            kinds.entry(*kind).or_default().insert(source, &known.target);
        }
        json!(kinds)
    }
}

/// What a file says, how long its whole lines are, and whether it says anything.
fn read(file: &File, path: &Path) -> Result<(Targets, u64, bool), EngineError> {
    let mut reader = BufReader::new(file);
    let (mut known, mut whole, mut first) = (BTreeMap::new(), 0, true);
    let mut text = String::new();
    loop {
        text.clear();
        let length = reader.read_line(&mut text).map_err(|error| unreadable(path, &error))?;
        if length == 0 || !text.ends_with('\n') {
            return Ok((known, whole, !first));
        }
        let wrong = |why: String| {
            EngineError::new(Class::Input, format!("{} cannot be gone on with: {why}", path.display()))
                .with_hint("remove it to begin anew; what is in the target already is found by its tags")
        };
        if first {
            let head: Head = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            if head.format != FORMAT {
                return Err(wrong(format!("its form is {}, not {FORMAT}", head.format)));
            }
            first = false;
        } else {
            let line: Line = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            known.insert((line.kind, line.source), Known { target: line.target, done: line.done });
        }
        whole += length as u64;
    }
}

/// Makes a directory that nobody else may read.
pub(crate) fn private_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_goes_on_after_a_line_that_was_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let ids = Ids::open(directory.path(), "a", "b").unwrap();
        assert!(!ids.goes_on());
        ids.keep(Kind::Run, "r1", "t1", false).unwrap();
        ids.keep(Kind::Run, "r1", "t1", true).unwrap();
        ids.keep(Kind::Run, "r2", "t2", false).unwrap();
        let path = ids.path().to_owned();
        assert_eq!(Ids::open(directory.path(), "a", "b").unwrap_err().class, Class::Refused);
        drop(ids);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"kind\":\"run\",\"sour");
        std::fs::write(&path, &text).unwrap();

        let ids = Ids::open(directory.path(), "a", "b").unwrap();
        assert!(ids.goes_on() && ids.is_done(Kind::Run, "r1") && !ids.is_done(Kind::Run, "r2"));
        ids.keep(Kind::Model, "m", "n", true).unwrap();
        drop(ids);
        let ids = Ids::open(directory.path(), "a", "b").unwrap();
        assert_eq!(ids.document(), json!({"run": {"r1": "t1", "r2": "t2"}, "model": {"m": "n"}}));
        assert!(!Ids::open(directory.path(), "a", "c").unwrap().goes_on());
    }

    #[test]
    fn a_file_that_is_not_ours_is_not_gone_on_with() {
        let directory = tempfile::tempdir().unwrap();
        let path = Ids::open(directory.path(), "a", "b").unwrap().path().to_owned();
        for text in ["{\"format\":2,\"from\":\"a\",\"to\":\"b\"}\n", "nonsense\n"] {
            std::fs::write(&path, text).unwrap();
            let error = Ids::open(directory.path(), "a", "b").unwrap_err();
            assert!(error.message.contains("cannot be gone on with") && error.hint.is_some(), "{error}");
        }
    }
}
