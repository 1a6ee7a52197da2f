//! Runs: made with their source's id as a tag, filled, compared, and put into the bin if that is where they were.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Copier, Pair, tag, tagged};
use crate::aws::calls::encode;
use crate::error::{Class, EngineError};
use crate::mlflow::files::Owner;
use crate::mlflow::item::{Kind, Points, array, is_deleted, text};
use crate::mlflow::report::{As, Part};
use crate::mlflow::rewrite;
use crate::mlflow::source::{Item, METRICS, Metrics};

/// How many parameters or tags one request may carry. Source: MLflow's REST API, `runs/log-batch`.
const AT_ONCE: usize = 100;

impl Copier<'_> {
    /// Makes a run, or finds the one that a process which died has made.
    pub(super) async fn make_run(&self, pair: &Pair, run: &Item) -> Result<String, EngineError> {
        let info = &run.document["info"];
        let mut body = json!({
            "experiment_id": pair.target,
            "run_name": text(info, "/run_name"),
            "tags": [tagged(tag::RUN, &run.id)],
        });
        for field in ["user_id", "start_time"] {
            if let Some(value) = info.get(field) {
                body[field] = value.clone();
            }
        }
        for attempt in 0.. {
            if pair.doubtful || attempt > 0 {
                let filter = format!("tags.`{}` = '{}'", tag::RUN, run.id);
                let search = json!({
                    "experiment_ids": [pair.target],
                    "filter": filter,
                    "run_view_type": "ALL",
                    "max_results": 1,
                });
                let found = self.target.client.post("/api/2.0/mlflow/runs/search", &search).await?;
                if let Some(there) = array(&found, "/runs").first() {
                    let target = text(there, "/info/run_id").to_owned();
                    if is_deleted(there) {
                        let body = json!({ "run_id": target });
                        self.target.client.post("/api/2.0/mlflow/runs/restore", &body).await?;
                    }
                    return Ok(target);
                }
            }
            match self.target.client.create("/api/2.0/mlflow/runs/create", &body).await {
                Ok(made) => return Ok(text(&made, "/run/info/run_id").to_owned()),
                Err(problem) if problem.is_transient() && attempt < 5 => {
                    self.target.client.pause(attempt).await
                }
                Err(problem) => return Err(problem.into()),
            }
        }
        unreachable!("the loop has no other end")
    }

    /// Fills a run with all that belongs to it, unless that is done.
    pub(super) async fn fill_run(&self, run: &Item) -> Result<(), EngineError> {
        let Some(target) = self.ids.target(Kind::Run, &run.id) else { return Ok(()) };
        self.tally.item(Kind::Run, As::Found);
        if self.ids.is_done(Kind::Run, &run.id) {
            self.tally.item(Kind::Run, As::Before);
            return Ok(());
        }
        match self.fill(run, &target).await {
            Ok(same) => {
                self.tally.item(Kind::Run, As::Copied);
                if same {
                    self.tally.item(Kind::Run, As::Verified);
                }
                self.ids.keep(Kind::Run, &run.id, &target, true)
            }
            Err(failed) => self.tally.fails(Kind::Run, &run.id, failed),
        }
    }

    async fn fill(&self, run: &Item, target: &str) -> Result<bool, EngineError> {
        let there = self.read_run(target).await?;
        let parameters = array(&run.document, "/data/params");
        let tags = self.run_tags(run);
        for (field, all) in [("params", parameters), ("tags", &tags)] {
            for some in all.chunks(AT_ONCE) {
                let body = json!({ "run_id": target, field: some });
                self.target.client.post("/api/2.0/mlflow/runs/log-batch", &body).await?;
            }
        }
        let points = self.copy_metrics(run, target).await?;
        self.copy_inputs(run, target, &there).await?;
        let location = text(&there, "/info/artifact_uri").to_owned();
        let owner = Owner { kind: Kind::Run, id: target.to_owned(), location };
        let files_are_same = self.copy_files(run, &owner).await?;
        let info = &run.document["info"];
        let mut body = json!({ "run_id": target, "status": info["status"] });
        if let Some(end) = info.get("end_time") {
            body["end_time"] = end.clone();
        }
        self.target.client.post("/api/2.0/mlflow/runs/update", &body).await?;
        Ok(self.compare(run, target, &tags, &points).await? && files_are_same)
    }

    /// The tags of a run, which name other runs and models by their new ids.
    fn run_tags(&self, run: &Item) -> Vec<Value> {
        let own = array(&run.document, "/data/tags").iter().map(|own| {
            let (key, value) = (text(own, "/key"), text(own, "/value"));
            match key.starts_with("mlflow.") {
                true => tagged(key, &rewrite::ids_in(value, self.ids)),
                false => tagged(key, value),
            }
        });
        own.chain([tagged(tag::RUN, &run.id)]).collect()
    }

    async fn copy_metrics(&self, run: &Item, target: &str) -> Result<Points, EngineError> {
        let mut metrics = self.source.metrics(run).await?;
        let mut points = Points::default();
        loop {
            let some = metrics.next().await?;
            if some.is_empty() {
                return Ok(points);
            }
            points.add(&some);
            for some in some.chunks(METRICS) {
                // Only these fields: a point of a model is copied with its model.
                let plain = some.iter().map(|it| {
                    json!({
                        "key": it["key"],
                        "value": it["value"],
                        "timestamp": it["timestamp"],
                        "step": it.get("step").unwrap_or(&json!(0)),
                    })
                });
                let body = json!({ "run_id": target, "metrics": plain.collect::<Vec<_>>() });
                self.target.client.post("/api/2.0/mlflow/runs/log-batch", &body).await?;
            }
        }
    }

    /// Datasets, and the models that the run used and made.
    async fn copy_inputs(&self, run: &Item, target: &str, there: &Value) -> Result<(), EngineError> {
        let models = |pointer: &str| -> Vec<Value> {
            let known: Vec<&str> = array(there, pointer).iter().map(|it| text(it, "/model_id")).collect();
            let own = array(&run.document, pointer).iter().filter_map(|it| {
                let id = self.ids.target(Kind::Model, text(it, "/model_id"))?;
                let mut model = it.clone();
                model["model_id"] = json!(id);
                (!known.contains(&id.as_str())).then_some(model)
            });
            own.collect()
        };
        let datasets = array(&run.document, "/inputs/dataset_inputs");
        let inputs = models("/inputs/model_inputs");
        if !datasets.is_empty() || !inputs.is_empty() {
            let mut body = json!({ "run_id": target, "datasets": datasets });
            if !inputs.is_empty() {
                body["models"] = json!(inputs);
            }
            self.target.client.post("/api/2.0/mlflow/runs/log-inputs", &body).await?;
        }
        let outputs = models("/outputs/model_outputs");
        if !outputs.is_empty() {
            let body = json!({ "run_id": target, "models": outputs });
            self.target.client.post("/api/2.0/mlflow/runs/outputs", &body).await?;
        }
        Ok(())
    }

    /// Whether the target says of a run what the source says.
    async fn compare(
        &self,
        run: &Item,
        target: &str,
        tags: &[Value],
        points: &Points,
    ) -> Result<bool, EngineError> {
        let there = self.read_run(target).await?;
        let mut wrong = Vec::new();
        let parameters = array(&run.document, "/data/params");
        let same = pairs(parameters) == pairs(array(&there, "/data/params"));
        self.tally.part(Part::Parameters, parameters.len() as u64, same);
        if !same {
            wrong.push("its parameters differ".to_owned());
        }
        let at_target = pairs(array(&there, "/data/tags"));
        let missing: Vec<_> = pairs(tags)
            .into_iter()
            .filter(|(key, value)| at_target.get(key) != Some(value))
            .map(|it| it.0)
            .collect();
        self.tally.part(Part::Tags, tags.len() as u64 - 1, missing.is_empty());
        if !missing.is_empty() {
            wrong.push(format!("its tags differ: {}", missing.join(", ")));
        }
        let mut metrics = Metrics::of(&self.target.client, target, &there);
        let mut own = Points::default();
        loop {
            let some = metrics.next().await?;
            if some.is_empty() {
                break;
            }
            own.add(&some);
        }
        self.tally.part(Part::Points, points.count, own == *points);
        if own != *points {
            wrong.push(format!(
                "its metrics differ: {} points at the source, {} at the target",
                points.count, own.count
            ));
        }
        let (datasets, own) = ("/inputs/dataset_inputs", array(&there, "/inputs/dataset_inputs").len());
        let datasets = array(&run.document, datasets).len();
        self.tally.part(Part::Datasets, datasets as u64, own == datasets);
        if own != datasets {
            wrong.push(format!("its datasets differ: {datasets} at the source, {own} at the target"));
        }
        for field in ["status", "start_time", "end_time", "run_name"] {
            let own = run.document["info"].get(field).filter(|own| **own != json!(""));
            if own.is_some() && own != there["info"].get(field) {
                wrong.push(format!("its {field} differs"));
            }
        }
        wrong.iter().for_each(|wrong| self.tally.differs(Kind::Run, &run.id, wrong));
        Ok(wrong.is_empty())
    }

    async fn read_run(&self, target: &str) -> Result<Value, EngineError> {
        let path = format!("/api/2.0/mlflow/runs/get?run_id={}", encode(target));
        match self.target.find(&path).await? {
            Some(answer) => Ok(answer["run"].clone()),
            None => Err(EngineError::new(
                Class::Input,
                format!("it became {target}, which is not there any more"),
            )),
        }
    }

    /// Puts a run into the bin if that is where it was.
    pub(super) async fn bin_run(&self, run: &Item) -> Result<(), EngineError> {
        if !is_deleted(&run.document) || !self.ids.is_done(Kind::Run, &run.id) {
            return Ok(());
        }
        let Some(target) = self.ids.target(Kind::Run, &run.id) else { return Ok(()) };
        let body = json!({ "run_id": target });
        self.target.client.post("/api/2.0/mlflow/runs/delete", &body).await?;
        Ok(())
    }
}

/// Keys and values of a list of parameters or tags.
fn pairs(list: &[Value]) -> BTreeMap<&str, &str> {
    list.iter().map(|it| (text(it, "/key"), text(it, "/value"))).collect()
}
