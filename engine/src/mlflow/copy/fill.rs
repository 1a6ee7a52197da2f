//! Artifacts on their way: read into a file, changed where they name what was copied, written, and compared.

use std::collections::BTreeMap;
use std::path::Path;

use super::Copier;
use crate::error::EngineError;
use crate::mlflow::bucket::{unreadable, unwritable};
use crate::mlflow::client::Fetched;
use crate::mlflow::files::Owner;
use crate::mlflow::item::{Kind, size_and_hash};
use crate::mlflow::report::{As, Counted, Part};
use crate::mlflow::rewrite;
use crate::mlflow::source::{Item, SPANS};

/// The file in which a model says what it is, which run made it and where it lies.
const MODEL_FILE: &str = "MLmodel";
/// No `MLmodel` is larger; what is, is something else of that name.
const LARGEST_MODEL_FILE: u64 = 4 << 20;

impl Copier<'_> {
    /// Copies the artifacts of an item; whether all of them lie at the target as they should.
    pub(super) async fn copy_files(&self, item: &Item, owner: &Owner) -> Result<bool, EngineError> {
        if !self.options.artifacts && item.kind != Kind::Trace {
            self.tally.note("artifacts were not copied, as --no-artifacts says");
            return Ok(true);
        }
        let files = self.source.files(item).await?;
        self.tally.count(Counted::Part(Part::Artifacts), As::Found, files.len() as u64);
        let mut written: BTreeMap<String, u64> = BTreeMap::new();
        let mut same = true;
        for file in &files {
            match self.copy_file(item, &file.path, owner).await {
                Ok(content) => {
                    self.tally.count(Counted::Part(Part::Artifacts), As::Copied, 1);
                    self.tally.part(Part::ArtifactBytes, content.bytes, true);
                    written.insert(file.path.clone(), content.bytes);
                }
                Err(failed) => {
                    same = false;
                    self.tally.fails(item.kind, &item.id, failed)?;
                }
            }
        }
        if !written.is_empty() {
            let there: BTreeMap<String, Option<u64>> =
                self.target.files.list(owner).await?.into_iter().map(|it| (it.path, it.bytes)).collect();
            for (path, bytes) in &written {
                match there.get(path) {
                    Some(size) if size.is_none_or(|size| size == *bytes) => {
                        self.tally.count(Counted::Part(Part::Artifacts), As::Verified, 1);
                    }
                    found => {
                        same = false;
                        let what = match found {
                            Some(size) => {
                                format!("has {} bytes in place of {bytes}", size.unwrap_or_default())
                            }
                            None => "is not listed at the target".to_owned(),
                        };
                        self.tally.differs(item.kind, &item.id, format!("artifact {path} {what}"));
                    }
                }
            }
        }
        Ok(same)
    }

    async fn copy_file(&self, item: &Item, path: &str, owner: &Owner) -> Result<Fetched, EngineError> {
        let scratch = tempfile::Builder::new().tempfile_in(self.scratch.path());
        let scratch = scratch.map_err(|error| unwritable(self.scratch.path(), &error))?;
        let mut content = self.source.fetch(item, path, scratch.path()).await?;
        let name = path.rsplit('/').next().unwrap_or(path);
        if name == MODEL_FILE && item.kind != Kind::Trace && content.bytes <= LARGEST_MODEL_FILE {
            content = self.rewrite_model_file(item, owner, scratch.path(), content).await?;
        }
        if item.kind == Kind::Trace && path == SPANS && content.bytes == 0 {
            let why = format!("trace {} has no spans that can be read", item.id);
            return Err(EngineError::new(crate::error::Class::Input, why));
        }
        self.target.files.put(owner, path, scratch.path(), &content).await?;
        Ok(content)
    }

    /// A model that is copied names the run, the id and the place that it has at the target.
    async fn rewrite_model_file(
        &self,
        item: &Item,
        owner: &Owner,
        file: &Path,
        content: Fetched,
    ) -> Result<Fetched, EngineError> {
        let bytes = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(content) };
        let moved = match item.owner.location.trim_end_matches('/') {
            "" => text.clone(),
            location => text.replace(location, owner.location.trim_end_matches('/')),
        };
        let own = rewrite::ids_in(&moved, self.ids);
        if own == text {
            return Ok(content);
        }
        std::fs::write(file, own).map_err(|error| unwritable(file, &error))?;
        size_and_hash(file).await
    }
}
