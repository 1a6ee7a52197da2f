//! A server as a place to read from and to write to.

use serde_json::{Value, json};

use super::address::{Address, Credentials};
use super::client::{Client, Problem};
use super::files::Files;
use super::item::{Kind, array, text};
use crate::aws::calls::encode;
use crate::aws::exchange::{Exchange, Signer};
use crate::error::{Class, EngineError};
use crate::journal::Journal;
use crate::runtime::Runtime;

/// How many items a page has. Runs bring all their parameters and tags along.
const PAGE: u32 = 100;

/// A server, its API and its artifacts.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) files: Files,
}

/// A page of what a server lists.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) items: Vec<Value>,
    pub(crate) next: Option<String>,
}

impl Server {
    /// Reaches the server of an address. Nothing is sent yet but what credentials need.
    pub(crate) async fn open(
        address: &Address,
        credentials: &Credentials,
        allow_insecure: bool,
        runtime: &Runtime,
        journal: &Journal,
    ) -> Result<Self, EngineError> {
        let sessions = &runtime.sessions;
        let environment = sessions.environment()?;
        let (client, region) = match address {
            Address::Server { url } => {
                let authorization = credentials.header();
                if authorization.is_some() && address.is_open_to_readers() && !allow_insecure {
                    let message = format!("{url} would be told a secret without TLS");
                    return Err(EngineError::new(Class::Refused, message).with_hint(
                        "use https, or a tunnel to this machine; --allow-insecure does it nevertheless",
                    ));
                }
                let headers = authorization.into_iter().map(|value| ("authorization", value)).collect();
                let exchange = Exchange::new(&environment, None);
                (Client::new(exchange, url, url, headers, runtime.clock), None)
            }
            Address::Managed(managed) => {
                let session = sessions.session(Some(&managed.region), None).await?;
                let signer = Signer { session, service: managed.service, region: managed.region.clone() };
                let exchange = Exchange::new(&environment, Some(signer));
                // The name under which AWS's own plugin takes another endpoint.
                let other =
                    std::env::var("SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT").ok().filter(|url| !url.is_empty());
                let endpoint = other.unwrap_or_else(|| managed.endpoint.clone());
                let headers = vec![(managed.header, managed.arn.clone())];
                let base = endpoint.trim_end_matches('/');
                (
                    Client::new(exchange, base, &managed.arn, headers, runtime.clock),
                    Some(managed.region.clone()),
                )
            }
            Address::Directory(_) | Address::Bucket { .. } => {
                return Err(EngineError::new(Class::Usage, format!("{address} is no server")));
            }
        };
        let files = Files::new(client.clone(), region, sessions.clone(), journal.clone());
        Ok(Self { client, files })
    }

    /// All experiments, also those in the bin.
    pub(crate) async fn experiments(&self) -> Result<Vec<Value>, EngineError> {
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut body = json!({ "view_type": "ALL", "max_results": 1000 });
            if let Some(token) = next {
                body["page_token"] = json!(token);
            }
            let answer = self.client.post("/api/2.0/mlflow/experiments/search", &body).await?;
            found.extend_from_slice(array(&answer, "/experiments"));
            next = token(&answer);
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// A page of the runs, logged models or traces of an experiment. A kind that the server does not know is empty.
    pub(crate) async fn page(
        &self,
        kind: Kind,
        experiment: &str,
        next: Option<&str>,
    ) -> Result<Page, EngineError> {
        let (path, list, mut body) = match kind {
            Kind::Run => (
                "/api/2.0/mlflow/runs/search",
                "/runs",
                json!({
                    "experiment_ids": [experiment],
                    "run_view_type": "ALL",
                    "order_by": ["attributes.start_time ASC"],
                }),
            ),
            Kind::Model => {
                ("/api/2.0/mlflow/logged-models/search", "/models", json!({ "experiment_ids": [experiment] }))
            }
            Kind::Trace => (
                "/api/3.0/mlflow/traces/search",
                "/traces",
                json!({
                    "locations": [{
                        "type": "MLFLOW_EXPERIMENT",
                        "mlflow_experiment": { "experiment_id": experiment },
                    }],
                }),
            ),
            Kind::Experiment | Kind::Registered | Kind::Version => return Ok(Page::default()),
        };
        // Models are had by fifty at most.
        body["max_results"] = json!(if kind == Kind::Model { PAGE / 2 } else { PAGE });
        if let Some(token) = next {
            body["page_token"] = json!(token);
        }
        match self.client.post(path, &body).await {
            Ok(answer) => Ok(Page { items: array(&answer, list).to_vec(), next: token(&answer) }),
            Err(problem) if kind != Kind::Run && problem.is_unknown_route() => Ok(Page::default()),
            Err(problem) => Err(problem.into()),
        }
    }

    /// All names of the registry: models, and prompts, which a search leaves out unless it asks for them.
    pub(crate) async fn registered(&self) -> Result<Vec<Value>, EngineError> {
        let mut found: Vec<Value> = Vec::new();
        for filter in ["", "tags.`mlflow.prompt.is_prompt` = 'true'"] {
            let path = format!(
                "/api/2.0/mlflow/registered-models/search?max_results={PAGE}&filter={}",
                encode(filter)
            );
            for model in self.listed(&path, "/registered_models").await? {
                if !found.iter().any(|it| it["name"] == model["name"]) {
                    found.push(model);
                }
            }
        }
        Ok(found)
    }

    /// The versions of a name, the oldest first.
    pub(crate) async fn versions(&self, name: &str, is_prompt: bool) -> Result<Vec<Value>, EngineError> {
        let mut filter = format!("name = '{}'", name.replace('\'', "\\'"));
        if is_prompt {
            filter.push_str(" AND tags.`mlflow.prompt.is_prompt` = 'true'");
        }
        let path =
            format!("/api/2.0/mlflow/model-versions/search?max_results={PAGE}&filter={}", encode(&filter));
        let mut versions = self.listed(&path, "/model_versions").await?;
        versions.sort_by_key(number);
        Ok(versions)
    }

    /// One document, or nothing when there is none.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<Value>, EngineError> {
        match self.client.get(path).await {
            Ok(answer) => Ok(Some(answer)),
            Err(problem) if problem.is_absent() => Ok(None),
            Err(problem) => Err(problem.into()),
        }
    }

    async fn listed(&self, path: &str, list: &str) -> Result<Vec<Value>, Problem> {
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let more = next.map(|token| format!("&page_token={}", encode(&token))).unwrap_or_default();
            let answer = self.client.get(&format!("{path}{more}")).await?;
            found.extend_from_slice(array(&answer, list));
            next = token(&answer);
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}

/// The number of a version.
pub(crate) fn number(version: &Value) -> u64 {
    version["version"].as_u64().or_else(|| version["version"].as_str()?.parse().ok()).unwrap_or_default()
}

fn token(answer: &Value) -> Option<String> {
    Some(text(answer, "/next_page_token")).filter(|token| !token.is_empty()).map(str::to_owned)
}
