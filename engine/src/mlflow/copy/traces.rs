//! Traces, which keep their ids. Their spans go as the file that MLflow's own client writes, so that any version of a
//! server takes them.

use serde_json::{Value, json};

use super::{Copier, Pair};
use crate::aws::calls::encode;
use crate::error::{Class, EngineError};
use crate::mlflow::files::Owner;
use crate::mlflow::item::{Kind, text};
use crate::mlflow::report::As;
use crate::mlflow::rewrite;
use crate::mlflow::source::Item;

/// Tags that a server gives a trace by where it keeps it.
const PLACES: [&str; 3] =
    ["mlflow.artifactLocation", "mlflow.trace.spansLocation", "mlflow.trace.archiveLocation"];

impl Copier<'_> {
    /// Copies a trace, unless that is done.
    pub(super) async fn copy_trace(&self, pair: &Pair, trace: &Item) -> Result<(), EngineError> {
        self.tally.item(Kind::Trace, As::Found);
        if self.ids.is_done(Kind::Trace, &trace.id) {
            self.tally.item(Kind::Trace, As::Before);
            return Ok(());
        }
        match self.write_trace(pair, trace).await {
            Ok(same) => {
                self.tally.item(Kind::Trace, As::Copied);
                if same {
                    self.tally.item(Kind::Trace, As::Verified);
                }
                self.ids.keep(Kind::Trace, &trace.id, &trace.id, true)
            }
            Err(failed) => self.tally.fails(Kind::Trace, &trace.id, failed),
        }
    }

    async fn write_trace(&self, pair: &Pair, trace: &Item) -> Result<bool, EngineError> {
        if let Some(there) = self.read_trace(&trace.id).await?
            && experiment(&there) != pair.target
        {
            let message =
                format!("the target has a trace of this id in its experiment {}", experiment(&there));
            return Err(EngineError::new(Class::Input, message));
        }
        let mut info = trace.document.clone();
        rewrite::ids_in_document(&mut info, self.ids);
        info["trace_id"] = json!(trace.id);
        info["trace_location"] =
            json!({ "type": "MLFLOW_EXPERIMENT", "mlflow_experiment": { "experiment_id": pair.target } });
        if let Some(tags) = info["tags"].as_object_mut() {
            PLACES.iter().for_each(|place| drop(tags.remove(*place)));
        }
        let body = json!({ "trace": { "trace_info": info } });
        // The id is the source's, so that sending it twice makes one trace.
        let made = match self.target.client.post("/api/3.0/mlflow/traces", &body).await {
            Err(problem) if problem.is_unknown_route() => {
                let message = "the target's MLflow is older than 3 and does not take traces of this form";
                return Err(EngineError::new(Class::Input, message));
            }
            made => made?,
        };
        let location = text(&made, "/trace/trace_info/tags/mlflow.artifactLocation").to_owned();
        let owner = Owner { kind: Kind::Trace, id: trace.id.clone(), location };
        let files_are_same = self.copy_files(trace, &owner).await?;
        let there = self.read_trace(&trace.id).await?.unwrap_or_default();
        let mut same = true;
        for field in ["request_time", "execution_duration", "state", "request_preview", "response_preview"] {
            if trace.document.get(field) != there.get(field) {
                same = false;
                self.tally.differs(Kind::Trace, &trace.id, format!("its {field} differs"));
            }
        }
        let assessments = |document: &Value| document["assessments"].as_array().map_or(0, Vec::len);
        if assessments(&trace.document) != assessments(&there) {
            same = false;
            self.tally.differs(Kind::Trace, &trace.id, "its assessments differ");
        }
        Ok(same && files_are_same)
    }

    async fn read_trace(&self, id: &str) -> Result<Option<Value>, EngineError> {
        let found = self.target.find(&format!("/api/3.0/mlflow/traces/{}", encode(id))).await?;
        Ok(found.map(|answer| answer["trace"]["trace_info"].clone()))
    }
}

fn experiment(trace: &Value) -> &str {
    text(trace, "/trace_location/mlflow_experiment/experiment_id")
}
