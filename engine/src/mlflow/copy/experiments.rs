//! Experiments and names: which are copied, what they may clash with, and making them.

use serde_json::{Value, json};

use super::{Copier, Pair, tag, tag_of, tagged};
use crate::aws::calls::encode;
use crate::error::{Class, EngineError};
use crate::mlflow::item::{Kind, array, is_deleted, text};
use crate::mlflow::report::As;

impl Copier<'_> {
    /// Refuses names that the target has from somebody else. What an earlier copy made is told by its tag.
    pub(super) async fn refuse_clashes(
        &self,
        experiments: &[Value],
        registered: &[Value],
    ) -> Result<(), EngineError> {
        let mut taken = Vec::new();
        for experiment in experiments {
            let name = self.named(text(experiment, "/name"));
            if let Some(there) = self.experiment_by_name(&name).await? {
                let ours =
                    tag_of(&there, "/tags", tag::EXPERIMENT) == Some(text(experiment, "/experiment_id"));
                if !ours && !self.options.merge && !self.is_empty(&there).await? {
                    taken.push(format!("experiment `{name}`"));
                }
            }
        }
        for model in registered {
            let name = self.named(text(model, "/name"));
            if let Some(there) = self.name_in_target(&name).await? {
                let ours = tag_of(&there, "/tags", tag::REGISTERED) == Some(text(model, "/name"));
                if !ours && !self.options.merge {
                    taken.push(format!("registered model `{name}`"));
                }
            }
        }
        if taken.is_empty() {
            return Ok(());
        }
        let message = format!("the target has already: {}", taken.join(", "));
        Err(EngineError::new(Class::Refused, message).with_hint(
            "--merge copies into what is there, --prefix TEXT gives what is copied names of its own, --experiment NAME \
             chooses",
        ))
    }

    /// A name at the target.
    pub(super) fn named(&self, name: &str) -> String {
        match &self.options.prefix {
            Some(prefix) => format!("{prefix}{name}"),
            None => name.to_owned(),
        }
    }

    /// Makes an experiment, or finds the one that is there.
    pub(super) async fn make_experiment(&self, experiment: &Value) -> Result<Pair, EngineError> {
        let source = text(experiment, "/experiment_id").to_owned();
        let deleted = is_deleted(experiment);
        self.tally.item(Kind::Experiment, As::Found);
        let pair = |target: String, doubtful| Pair { source: source.clone(), target, doubtful, deleted };
        if let Some(target) = self.ids.target(Kind::Experiment, &source) {
            let path = format!("/api/2.0/mlflow/experiments/get?experiment_id={}", encode(&target));
            let Some(there) = self.target.find(&path).await? else {
                let message = format!(
                    "{} says that experiment {source} became {target}, which the target does not have",
                    self.ids.path().display()
                );
                return Err(EngineError::new(Class::Input, message).with_hint(
                    "remove that file if the target was emptied, and give the same command again",
                ));
            };
            if self.ids.is_done(Kind::Experiment, &source) {
                self.tally.item(Kind::Experiment, As::Before);
            }
            self.restore(&there["experiment"]).await?;
            return Ok(pair(target, true));
        }
        let name = self.named(text(experiment, "/name"));
        let tags = || {
            let own = array(experiment, "/tags").iter().cloned();
            own.chain([tagged(tag::EXPERIMENT, &source)])
        };
        for attempt in 0.. {
            if let Some(there) = self.experiment_by_name(&name).await? {
                self.restore(&there).await?;
                let target = text(&there, "/experiment_id").to_owned();
                for own in tags() {
                    let body = json!({ "experiment_id": target, "key": own["key"], "value": own["value"] });
                    self.target.client.post("/api/2.0/mlflow/experiments/set-experiment-tag", &body).await?;
                }
                self.ids.keep(Kind::Experiment, &source, &target, false)?;
                let ours = tag_of(&there, "/tags", tag::EXPERIMENT) == Some(source.as_str());
                return Ok(pair(target, ours || self.options.merge));
            }
            let body = json!({ "name": name, "tags": tags().collect::<Vec<_>>() });
            match self.target.client.create("/api/2.0/mlflow/experiments/create", &body).await {
                Ok(made) => {
                    let target = text(&made, "/experiment_id").to_owned();
                    self.ids.keep(Kind::Experiment, &source, &target, false)?;
                    return Ok(pair(target, self.ids.goes_on()));
                }
                // Whether it was made is looked for by its name.
                Err(problem) if (problem.is_transient() || problem.is_taken()) && attempt < 5 => {
                    self.target.client.pause(attempt).await;
                }
                Err(problem) => return Err(problem.into()),
            }
        }
        unreachable!("the loop has no other end")
    }

    /// Verifies an experiment, and puts it into the bin if that is where it was.
    pub(super) async fn finish_experiment(&self, pair: &Pair) -> Result<(), EngineError> {
        let path = format!("/api/2.0/mlflow/experiments/get?experiment_id={}", encode(&pair.target));
        let there = self.target.find(&path).await?;
        let ours = there.as_ref().and_then(|it| tag_of(it, "/experiment/tags", tag::EXPERIMENT));
        let same = ours == Some(pair.source.as_str());
        if !same {
            self.tally.differs(Kind::Experiment, &pair.source, "it is not at the target any more");
        }
        if !self.ids.is_done(Kind::Experiment, &pair.source) {
            self.tally.item(Kind::Experiment, As::Copied);
            if same {
                self.tally.item(Kind::Experiment, As::Verified);
            }
        }
        // MLflow keeps its first experiment.
        if pair.deleted && pair.target != "0" {
            let body = json!({ "experiment_id": pair.target });
            self.target.client.post("/api/2.0/mlflow/experiments/delete", &body).await?;
        }
        self.ids.keep(Kind::Experiment, &pair.source, &pair.target, true)
    }

    /// Nothing can be written into an experiment that lies in the bin.
    async fn restore(&self, experiment: &Value) -> Result<(), EngineError> {
        if is_deleted(experiment) {
            let body = json!({ "experiment_id": experiment["experiment_id"] });
            self.target.client.post("/api/2.0/mlflow/experiments/restore", &body).await?;
        }
        Ok(())
    }

    async fn experiment_by_name(&self, name: &str) -> Result<Option<Value>, EngineError> {
        let path = format!("/api/2.0/mlflow/experiments/get-by-name?experiment_name={}", encode(name));
        Ok(self.target.find(&path).await?.map(|answer| answer["experiment"].clone()))
    }

    async fn is_empty(&self, experiment: &Value) -> Result<bool, EngineError> {
        let id = text(experiment, "/experiment_id");
        for kind in [Kind::Run, Kind::Model, Kind::Trace] {
            if !self.target.page(kind, id, None).await?.items.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
