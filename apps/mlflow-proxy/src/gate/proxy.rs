//! All parts of the proxy, put together from its settings.

use std::sync::Arc;
use std::time::Duration;

use super::Hosts;
use super::guesses::Guesses;
use crate::access::{Access, Methods, Sources};
use crate::artifacts::{Artifacts, Parts};
use crate::aws::{self, Calls};
use crate::credentials::{Caches, CredentialCache};
use crate::forward::Forward;
use crate::operate::readiness::State;
use crate::operate::{Behind, Operate};
use crate::pages::Pages;
use crate::settings::Settings;
use crate::share::Shares;

/// All parts of the proxy, put together.
pub struct Proxy {
    pub(super) hosts: Hosts,
    pub(super) behind_balancer: bool,
    pub(super) guesses: Guesses,
    pub(super) access: Arc<Access>,
    pub(super) artifacts: Option<Artifacts>,
    pub(super) forward: Forward,
    pub(super) shares: Shares,
    pub(super) operate: Arc<Operate>,
    pub(super) pages: Pages,
}

/// How long the start waits for the users: in ordinary times they are read long before.
const USERS_AT_START: Duration = Duration::from_secs(2);

/// The proxy cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It is not known which MLflow is meant.
    #[error("SM_MLFLOW_RESOURCE_ARN names no MLflow")]
    NoTarget,
}

impl Proxy {
    /// Puts the parts together and starts what runs beside requests. Has to be called within a runtime.
    ///
    /// # Errors
    ///
    /// When the settings have a mistake that was not heeded.
    pub async fn start(settings: &Settings, operate: Arc<Operate>) -> Result<Arc<Self>, StartError> {
        let region = &settings.target.as_ref().ok_or(StartError::NoTarget)?.region;
        let client = aws::Client::new(&settings.aws);
        let caches = Caches::new(&settings.credentials, &client, &settings.aws.endpoints, region);
        Self::with_credentials(settings, caches, operate).await
    }

    /// The same with credentials that come from elsewhere than the settings say.
    ///
    /// # Errors
    ///
    /// When the settings have a mistake that was not heeded.
    pub async fn with_credentials(
        settings: &Settings,
        caches: Caches,
        operate: Arc<Operate>,
    ) -> Result<Arc<Self>, StartError> {
        let target = Arc::new(settings.target.clone().ok_or(StartError::NoTarget)?);
        let client = aws::Client::new(&settings.aws);
        let endpoints = &settings.aws.endpoints;
        let calls = |credentials: &CredentialCache, region: &str| {
            Calls::new(client.clone(), credentials.clone(), region, endpoints.clone())
        };
        let own_calls = calls(&caches.base, settings.own_region().unwrap_or(&target.region));
        let behind = Behind {
            calls: own_calls.clone(),
            caches: caches.clone(),
            client: client.clone(),
            target: target.clone(),
        };
        operate.start(behind).await;
        let keeper = caches.mlflow.clone();
        tokio::spawn(async move { keeper.keep().await });

        let sources = Sources::new(&settings.access, own_calls, client.clone());
        let access = Arc::new(Access::new(settings.access.clone(), sources));
        let starting = access.clone();
        let starting = tokio::spawn(async move { starting.start().await });
        // Health has to be answered soon, whatever the users' secret is waiting for; until then readiness says so.
        let _ = tokio::time::timeout(USERS_AT_START, starting).await;
        watch_users(&operate, &access);

        let disk = settings.forward.disk(operate.metrics.spooled_bytes.clone());
        let parts = Parts {
            client: client.clone(),
            credentials: caches.mlflow.clone(),
            endpoints: endpoints.clone(),
            disk: disk.clone(),
            metrics: operate.metrics.clone(),
        };
        let artifacts = Artifacts::new(&settings.artifacts, &target, parts);
        let pages =
            Pages::new(settings, target.clone(), artifacts.is_some(), calls(&caches.mlflow, &target.region));
        let hosts = settings.gate.allowed_hosts.clone();
        let hosts = hosts.unwrap_or_else(|| hosts_for(settings.access.methods));
        let forward = Forward::new(
            &target,
            &settings.forward,
            caches.mlflow.clone(),
            client.clone(),
            disk,
            operate.clone(),
        );
        let shares = Shares::new(settings.forward.memory, settings.forward.max_spools);
        let behind_balancer = settings.gate.behind_balancer;
        let guesses = Guesses::default();
        Ok(Arc::new(Self {
            hosts,
            behind_balancer,
            guesses,
            access,
            artifacts,
            forward,
            shares,
            operate,
            pages,
        }))
    }
}

/// Where nobody has to show who they are, a page that makes its own name point here must not get in.
fn hosts_for(methods: Methods) -> Hosts {
    if methods.is_none() { Hosts::loopback() } else { Hosts::any() }
}

/// Without its users the proxy can let nobody in; without any user it works, and says how to make one.
fn watch_users(operate: &Operate, access: &Arc<Access>) {
    if access.state().is_none() {
        return;
    }
    let access = access.clone();
    operate.readiness.watch("users", move || match access.state() {
        Some(state) if state.outdated => {
            State::not_ready("the users could not be read for too long, and are no longer in use")
        }
        Some(state) if !state.loaded => State::not_ready("the users could not be read yet"),
        Some(state) if state.error.is_some() => {
            State::ready("the users could not be read again; the last are in use")
        }
        Some(state) if !state.left_out.is_empty() => {
            State::ready(format!("read; {} cannot be used, the log says why", state.left_out.len()))
        }
        Some(state) if state.users == 0 => State::ready("there are none yet"),
        _ => State::ready("read"),
    });
}
