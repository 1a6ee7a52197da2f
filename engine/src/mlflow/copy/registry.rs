//! The registry: names with their versions, which keep their numbers, and aliases.

use serde_json::{Value, json};

use super::{Copier, tag, tag_of, tagged};
use crate::aws::calls::encode;
use crate::error::{Class, EngineError};
use crate::mlflow::item::{Kind, array, text};
use crate::mlflow::place::number;
use crate::mlflow::report::{As, Part};
use crate::mlflow::rewrite;
use crate::mlflow::source::is_prompt;

/// How many versions are made and deleted at most, so that the next one has its source's number.
const LARGEST_GAP: u64 = 1000;
/// The tag in which a prompt says to which experiments it belongs.
const EXPERIMENTS: &str = "_mlflow_experiment_ids";

impl Copier<'_> {
    /// What the target has of a name.
    pub(super) async fn name_in_target(&self, name: &str) -> Result<Option<Value>, EngineError> {
        let found =
            self.target.find(&format!("/api/2.0/mlflow/registered-models/get?name={}", encode(name))).await?;
        Ok(found.map(|answer| answer["registered_model"].clone()))
    }

    /// Copies a name with its versions and aliases.
    pub(super) async fn copy_name(&self, registered: &Value) -> Result<(), EngineError> {
        let source = text(registered, "/name");
        let name = self.named(source);
        let versions = self.source.versions(registered).await?;
        // Where experiments were chosen, only versions of what was copied belong to the choice.
        let (chosen, left): (Vec<_>, Vec<_>) = match self.options.experiments.is_empty() {
            true => (versions, Vec::new()),
            false => versions.into_iter().partition(|version| self.is_of_copied(version)),
        };
        if chosen.is_empty() && !left.is_empty() {
            return Ok(());
        }
        if !left.is_empty() {
            self.tally.note(format!(
                "{} versions of {source} belong to experiments that are not copied",
                left.len()
            ));
        }
        self.tally.item(Kind::Registered, As::Found);
        let done = self.ids.is_done(Kind::Registered, source);
        if done {
            self.tally.item(Kind::Registered, As::Before);
        }
        if let Err(failed) = self.make_name(registered, &name).await {
            return self.tally.fails(Kind::Registered, source, failed);
        }
        self.ids.keep(Kind::Registered, source, &name, false)?;
        let mut whole = true;
        for version in &chosen {
            self.tally.item(Kind::Version, As::Found);
            let key = format!("{source}/{}", number(version));
            if self.ids.is_done(Kind::Version, &key) {
                self.tally.item(Kind::Version, As::Before);
                continue;
            }
            match self.copy_version(source, &name, version, is_prompt(registered)).await {
                Ok(target) => {
                    self.tally.item(Kind::Version, As::Copied);
                    self.ids.keep(Kind::Version, &key, &target.to_string(), true)?;
                    self.tally.item(Kind::Version, As::Verified);
                }
                Err(failed) => {
                    whole = false;
                    self.tally.fails(Kind::Version, &key, failed)?;
                }
            }
        }
        for alias in array(registered, "/aliases") {
            let key = format!("{source}/{}", number(alias));
            let Some(target) = self.ids.target(Kind::Version, &key) else { continue };
            let body = json!({ "name": name, "alias": alias["alias"], "version": target });
            self.target.client.post("/api/2.0/mlflow/registered-models/alias", &body).await?;
        }
        whole &= self.compare_name(registered, &name).await?;
        if !done {
            self.tally.item(Kind::Registered, As::Copied);
            if whole {
                self.tally.item(Kind::Registered, As::Verified);
            }
        }
        if whole {
            self.ids.keep(Kind::Registered, source, &name, true)?;
        }
        Ok(())
    }

    fn is_of_copied(&self, version: &Value) -> bool {
        self.ids.target(Kind::Run, text(version, "/run_id")).is_some() || self.model_of(version).is_some()
    }

    /// The logged model that a version is of, and what it became.
    fn model_of(&self, version: &Value) -> Option<String> {
        let named = text(version, "/model_id");
        let id = match named.is_empty() {
            // `models:/m-...`, or the folder of that name.
            true => text(version, "/source").split(['/', ':']).find(|part| part.starts_with("m-"))?,
            false => named,
        };
        self.ids.target(Kind::Model, id)
    }

    async fn make_name(&self, registered: &Value, name: &str) -> Result<(), EngineError> {
        let own = array(registered, "/tags").iter().map(|own| match text(own, "/key") {
            EXPERIMENTS => tagged(EXPERIMENTS, &rewrite::experiments_in(text(own, "/value"), self.ids)),
            _ => own.clone(),
        });
        let tags: Vec<Value> = own.chain([tagged(tag::REGISTERED, text(registered, "/name"))]).collect();
        if self.name_in_target(name).await?.is_some() {
            for own in tags {
                let body = json!({ "name": name, "key": own["key"], "value": own["value"] });
                self.target.client.post("/api/2.0/mlflow/registered-models/set-tag", &body).await?;
            }
            return Ok(());
        }
        let mut body = json!({ "name": name, "tags": tags });
        if let Some(description) = registered.get("description") {
            body["description"] = description.clone();
        }
        match self.target.client.post("/api/2.0/mlflow/registered-models/create", &body).await {
            // An answer that was lost: names are unique.
            Err(problem) if problem.is_taken() => Ok(()),
            made => Ok(made.map(drop)?),
        }
    }

    /// Copies a version, and gives it its source's number if that is still to be had.
    async fn copy_version(
        &self,
        source: &str,
        name: &str,
        version: &Value,
        is_prompt: bool,
    ) -> Result<u64, EngineError> {
        let wanted = number(version);
        let body = self.version_body(source, name, version).await?;
        let mut attempts = 0;
        for _ in 0..LARGEST_GAP {
            // Of a process that died, or of an answer that was lost.
            let there = self.target.versions(name, is_prompt).await?;
            let own = there.iter().find(|it| tag_of(it, "/tags", tag::VERSION) == Some(&wanted.to_string()));
            let made = match own {
                Some(own) => number(own),
                None => match self.target.client.create("/api/2.0/mlflow/model-versions/create", &body).await
                {
                    Ok(made) => number(&made["model_version"]),
                    Err(problem) if problem.is_transient() && attempts < 5 => {
                        self.target.client.pause(attempts).await;
                        attempts += 1;
                        continue;
                    }
                    Err(problem) => return Err(problem.into()),
                },
            };
            if made < wanted {
                // A number that was deleted at the source: deleted here too, it is not given again.
                let body = json!({ "name": name, "version": made.to_string() });
                self.target.client.send("DELETE", "/api/2.0/mlflow/model-versions/delete", &body).await?;
                continue;
            }
            if made > wanted {
                self.tally.note(format!("version {wanted} of {source} became version {made} of {name}"));
            }
            let stage = text(version, "/current_stage");
            if !matches!(stage, "" | "None") {
                let body = json!({ "name": name, "version": made.to_string(), "stage": stage });
                self.target.client.post("/api/2.0/mlflow/model-versions/transition-stage", &body).await?;
            }
            return Ok(made);
        }
        let message = format!("more than {LARGEST_GAP} versions before it were deleted at the source");
        Err(EngineError::new(Class::Input, message))
    }

    async fn version_body(&self, source: &str, name: &str, version: &Value) -> Result<Value, EngineError> {
        let wanted = number(version).to_string();
        let tags = array(version, "/tags").iter().cloned().chain([tagged(tag::VERSION, &wanted)]);
        let mut body = json!({
            "name": name,
            "source": self.version_source(source, version).await?,
            "tags": tags.collect::<Vec<_>>(),
        });
        if let Some(run) = self.ids.target(Kind::Run, text(version, "/run_id")) {
            body["run_id"] = json!(run);
        }
        if let Some(model) = self.model_of(version) {
            body["model_id"] = json!(model);
        }
        for field in ["description", "run_link"] {
            if let Some(value) = version.get(field).filter(|value| **value != json!("")) {
                body[field] = value.clone();
            }
        }
        Ok(body)
    }

    /// Where a version's files lie: below the run or the model that it is of, at the target.
    async fn version_source(&self, name: &str, version: &Value) -> Result<String, EngineError> {
        let source = text(version, "/source");
        if let Some(model) = self.model_of(version) {
            return Ok(format!("models:/{model}"));
        }
        if let Some(rest) = source.strip_prefix("models:/") {
            // A version of another name: it was copied under its own.
            let renamed =
                rest.split_once('/').map(|(name, number)| format!("models:/{}/{number}", self.named(name)));
            return Ok(renamed.unwrap_or_else(|| source.to_owned()));
        }
        if source.starts_with("runs:/") {
            return Ok(rewrite::ids_in(source, self.ids));
        }
        let run = text(version, "/run_id");
        let Some(target) = self.ids.target(Kind::Run, run) else { return Ok(source.to_owned()) };
        // Locations begin differently at every server; from the run's folder on they are the same.
        let place = source
            .find(&format!("/{run}/artifacts"))
            .map(|at| &source[at + run.len() + 1 + "/artifacts".len()..]);
        match place {
            Some(rest) => {
                let path = format!("/api/2.0/mlflow/runs/get?run_id={}", encode(&target));
                let there = self.target.find(&path).await?.unwrap_or_default();
                Ok(format!("{}{rest}", text(&there, "/run/info/artifact_uri").trim_end_matches('/')))
            }
            None => {
                let what = format!(
                    "a version of {name} lies at {source}, outside of its run, and was not copied there"
                );
                self.tally.note(what);
                Ok(source.to_owned())
            }
        }
    }

    async fn compare_name(&self, registered: &Value, name: &str) -> Result<bool, EngineError> {
        let source = text(registered, "/name");
        let there = self.name_in_target(name).await?.unwrap_or_default();
        let mut same = true;
        let mut aliases = 0;
        for alias in array(registered, "/aliases") {
            let key = format!("{source}/{}", number(alias));
            let Some(target) = self.ids.target(Kind::Version, &key) else { continue };
            aliases += 1;
            let own = array(&there, "/aliases").iter().find(|own| own["alias"] == alias["alias"]);
            if own.map(number) != target.parse().ok() {
                same = false;
                self.tally.differs(
                    Kind::Registered,
                    source,
                    format!("its alias {} differs", text(alias, "/alias")),
                );
            }
        }
        self.tally.part(Part::Aliases, aliases, same);
        Ok(same)
    }
}
