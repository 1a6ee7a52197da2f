//! The proxy under test, in this process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use mlflow_proxy::credentials::{Caches, CredentialCache, Credentials, CredentialsError, Source};
use mlflow_proxy::gate::Proxy;
use mlflow_proxy::operate::Operate;
use mlflow_proxy::server;
use mlflow_proxy::settings::{Reader, Settings};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::upstream::{ARN, Upstream, credentials};

/// A running proxy. It ends with this value.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) operate: Arc<Operate>,
    /// How often credentials were fetched.
    pub(crate) fetched: Arc<AtomicUsize>,
    pub(crate) spool: tempfile::TempDir,
    _stop: oneshot::Sender<()>,
}

/// Gives credentials with a new number each time.
struct Counting(Arc<AtomicUsize>);

impl Source for Counting {
    fn fetch(&self) -> BoxFuture<'static, Result<Credentials, CredentialsError>> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Ok(credentials(number)) })
    }
}

/// A proxy in front of `upstream`, with further settings.
pub(crate) async fn start(upstream: &Upstream, more: &[(&str, &str)]) -> Running {
    start_at("127.0.0.1:0", upstream.address, more).await
}

pub(crate) async fn start_at(listen: &str, upstream: SocketAddr, more: &[(&str, &str)]) -> Running {
    let spool = tempfile::tempdir().unwrap();
    let mut variables = BTreeMap::from([
        ("SM_MLFLOW_RESOURCE_ARN", ARN.to_owned()),
        ("SM_MLFLOW_ENDPOINT", format!("http://{upstream}")),
        ("MLFLOW_PROXY_METRICS_LISTEN", "off".to_owned()),
        ("MLFLOW_PROXY_AUTH", "none".to_owned()),
        ("MLFLOW_PROXY_ACCESS", "admin".to_owned()),
        ("MLFLOW_PROXY_ALLOWED_HOSTS", "proxy.test".to_owned()),
        ("MLFLOW_PROXY_SPOOL_DIRECTORY", spool.path().to_str().unwrap().to_owned()),
        ("MLFLOW_PROXY_FIRST_BYTE_TIMEOUT", "2".to_owned()),
        ("MLFLOW_PROXY_LOG", "error".to_owned()),
    ]);
    variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let lookup = |name: &str| variables.get(name).map(Into::into);
    let mut reader = Reader::new(&lookup);
    let settings = Settings::read(&mut reader);
    assert_eq!(reader.into_mistakes(), []);

    let fetched = Arc::new(AtomicUsize::new(0));
    let cache = CredentialCache::new(Counting(fetched.clone()));
    let caches = Caches { base: cache.clone(), mlflow: cache };
    // The first one wins: log lines are not looked at here.
    let _ = tracing::subscriber::set_global_default(tracing::subscriber::NoSubscriber::default());
    let operate = Operate::new(&settings.operate);
    let proxy = Proxy::with_credentials(&settings, caches, operate.clone()).await.unwrap();
    let listener = TcpListener::bind(listen).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let counted = operate.clone();
    tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        server::serve(listener, &settings.server, None, proxy, counted, stopped).await;
    });
    Running { address, operate, fetched, spool, _stop: stop }
}

impl Running {
    /// Waits until more than so many bytes lie in files.
    pub(crate) async fn has_spooled(&self, bytes: i64) {
        let enough = async {
            while self.operate.metrics.spooled_bytes.get() <= bytes {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), enough).await.is_err() {
            panic!("only {} bytes went to files", self.operate.metrics.spooled_bytes.get());
        }
    }

    /// Whether nothing lies in the spool directory and nothing counts as spooled.
    pub(crate) fn is_clean(&self) -> bool {
        self.operate.metrics.spooled_bytes.get() == 0
            && std::fs::read_dir(self.spool.path()).unwrap().next().is_none()
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()).unwrap()
}
