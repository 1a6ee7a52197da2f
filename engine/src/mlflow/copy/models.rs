//! Logged models: made with their source's id as a tag, then filled with files and metrics.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Copier, Pair, tag, tagged};
use crate::aws::calls::encode;
use crate::error::{Class, EngineError};
use crate::mlflow::files::Owner;
use crate::mlflow::item::{Kind, array, text};
use crate::mlflow::report::As;
use crate::mlflow::rewrite;
use crate::mlflow::source::{Item, METRICS, Metrics};

/// The tag in which a server itself keeps the versions that were made of a model.
const VERSIONS: &str = "mlflow.modelVersions";

impl Copier<'_> {
    /// Makes a logged model, or finds the one that a process which died has made.
    pub(super) async fn make_model(&self, pair: &Pair, model: &Item) -> Result<String, EngineError> {
        let info = &model.document["info"];
        let own = array(info, "/tags").iter().filter(|own| text(own, "/key") != VERSIONS);
        let own = own.map(|own| match text(own, "/key").starts_with("mlflow.") {
            true => tagged(text(own, "/key"), &rewrite::ids_in(text(own, "/value"), self.ids)),
            false => own.clone(),
        });
        let tags: Vec<Value> = own.chain([tagged(tag::MODEL, &model.id)]).collect();
        let mut body = json!({
            "experiment_id": pair.target,
            "name": info["name"],
            "tags": tags,
            "params": array(&model.document, "/data/params"),
        });
        if let Some(kind) = info.get("model_type").filter(|kind| **kind != json!("")) {
            body["model_type"] = kind.clone();
        }
        if let Some(run) = self.ids.target(Kind::Run, text(info, "/source_run_id")) {
            body["source_run_id"] = json!(run);
        }
        for attempt in 0.. {
            if pair.doubtful || attempt > 0 {
                let filter = format!("tags.`{}` = '{}'", tag::MODEL, model.id);
                let search = json!({ "experiment_ids": [pair.target], "filter": filter, "max_results": 1 });
                let found = self.target.client.post("/api/2.0/mlflow/logged-models/search", &search).await?;
                if let Some(there) = array(&found, "/models").first() {
                    return Ok(text(there, "/info/model_id").to_owned());
                }
            }
            match self.target.client.create("/api/2.0/mlflow/logged-models", &body).await {
                Ok(made) => return Ok(text(&made, "/model/info/model_id").to_owned()),
                Err(problem) if problem.is_unknown_route() => {
                    let message = "the target's MLflow is older than 3 and has no logged models";
                    return Err(EngineError::new(Class::Input, message));
                }
                Err(problem) if problem.is_transient() && attempt < 5 => {
                    self.target.client.pause(attempt).await
                }
                Err(problem) => return Err(problem.into()),
            }
        }
        unreachable!("the loop has no other end")
    }

    /// Fills a logged model, unless that is done.
    pub(super) async fn fill_model(&self, model: &Item) -> Result<(), EngineError> {
        let Some(target) = self.ids.target(Kind::Model, &model.id) else { return Ok(()) };
        self.tally.item(Kind::Model, As::Found);
        if self.ids.is_done(Kind::Model, &model.id) {
            self.tally.item(Kind::Model, As::Before);
            return Ok(());
        }
        let filled = async {
            let there = self.read_model(&target).await?;
            let location = text(&there, "/info/artifact_uri").to_owned();
            let owner = Owner { kind: Kind::Model, id: target.clone(), location };
            let files_are_same = self.copy_files(model, &owner).await?;
            self.copy_model_metrics(model, &target).await?;
            let status = text(&model.document, "/info/status");
            if matches!(status, "LOGGED_MODEL_READY" | "LOGGED_MODEL_UPLOAD_FAILED") {
                let path = format!("/api/2.0/mlflow/logged-models/{}", encode(&target));
                let body = json!({ "model_id": target, "status": status });
                self.target.client.send("PATCH", &path, &body).await?;
            }
            Ok(self.compare_model(model, &target).await? && files_are_same)
        };
        match filled.await {
            Ok(same) => {
                self.tally.item(Kind::Model, As::Copied);
                if same {
                    self.tally.item(Kind::Model, As::Verified);
                }
                self.ids.keep(Kind::Model, &model.id, &target, true)
            }
            Err(failed) => self.tally.fails(Kind::Model, &model.id, failed),
        }
    }

    /// The metrics of a model are points of runs that name it.
    async fn copy_model_metrics(&self, model: &Item, target: &str) -> Result<(), EngineError> {
        let mut by_run: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for metric in array(&model.document, "/data/metrics") {
            let Some(run) = self.ids.target(Kind::Run, text(metric, "/run_id")) else {
                let what = format!("its metric {} belongs to a run that is not copied", text(metric, "/key"));
                self.tally.differs(Kind::Model, &model.id, what);
                continue;
            };
            let mut own = metric.clone();
            if metric["value"].as_f64() == Some(0.0) && self.is_not_a_number(&run, metric).await? {
                own["value"] = json!("NaN");
            }
            own["model_id"] = json!(target);
            own["run_id"] = json!(run);
            by_run.entry(run).or_default().push(own);
        }
        for (run, metrics) in by_run {
            for some in metrics.chunks(METRICS) {
                // The run has these points already, and a server takes no point twice.
                let body = json!({ "run_id": run, "metrics": some });
                self.target.client.post("/api/2.0/mlflow/runs/log-batch", &body).await?;
            }
        }
        Ok(())
    }

    /// Of a model MLflow tells 0 in place of a metric that is not a number. The run, which is filled, has it as it was: a
    /// zero that the run does not have would be a point more.
    async fn is_not_a_number(&self, run: &str, metric: &Value) -> Result<bool, EngineError> {
        let key = json!({ "data": { "metrics": [{ "key": metric["key"] }] } });
        let mut points = Metrics::of(&self.target.client, run, &key);
        loop {
            let some = points.next().await?;
            if some.is_empty() {
                return Ok(false);
            }
            let same =
                |it: &&Value| it["timestamp"] == metric["timestamp"] && it.get("step") == metric.get("step");
            let mut values = some.iter().filter(same).map(|it| &it["value"]);
            if let Some(value) = values.next() {
                return Ok(value.as_str() == Some("NaN") && values.all(|it| it.as_f64() != Some(0.0)));
            }
        }
    }

    async fn compare_model(&self, model: &Item, target: &str) -> Result<bool, EngineError> {
        let there = self.read_model(target).await?;
        let count = |document: &Value, pointer: &str| array(document, pointer).len();
        let mut same = true;
        for (what, pointer) in [("parameters", "/data/params"), ("metrics", "/data/metrics")] {
            let (own, copied) = (count(&model.document, pointer), count(&there, pointer));
            if own != copied {
                same = false;
                let text = format!("its {what} differ: {own} at the source, {copied} at the target");
                self.tally.differs(Kind::Model, &model.id, text);
            }
        }
        Ok(same)
    }

    async fn read_model(&self, target: &str) -> Result<Value, EngineError> {
        match self.target.find(&format!("/api/2.0/mlflow/logged-models/{}", encode(target))).await? {
            Some(answer) => Ok(answer["model"].clone()),
            None => Err(EngineError::new(
                Class::Input,
                format!("it became {target}, which is not there any more"),
            )),
        }
    }
}
