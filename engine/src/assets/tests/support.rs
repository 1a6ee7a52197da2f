//! A stage for the tests: a simulator in this process, an assembly on disk, and what was told.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use formwork_assembly::CloudAssembly;
use formwork_assembly::cloud_assembly::StackArtifact;
use formwork_simulator::api::Reply;
use formwork_simulator::{Simulator, SimulatorOptions};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::assets::{PublishOptions, Published, Publisher};
use crate::aws::{ConnectOptions, InProcess, Session, Sessions, Transport};
use crate::clock::Clock;
use crate::control::Control;
use crate::error::EngineError;
use crate::event::{Event, What};
use crate::journal::Journal;
use crate::runtime::Runtime;

/// The bucket that the stage's assets go to.
pub(crate) const BUCKET: &str = "assets";
/// The account of the stage.
pub(crate) const ACCOUNT: &str = "123456789012";

/// Answers instead of the simulator where it says something.
type Before = dyn Fn(&http::Request<Bytes>) -> Option<http::Response<Bytes>> + Send + Sync;

/// A simulator in this process that also remembers every request as it came.
pub(crate) struct Local {
    pub(crate) simulator: Mutex<Simulator>,
    pub(crate) requests: Mutex<Vec<http::Request<Bytes>>>,
    clock: Clock,
    before: Box<Before>,
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Local")
    }
}

impl InProcess for Local {
    fn call(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'static, Result<http::Response<Bytes>, String>> {
        self.requests.lock().unwrap().push(request.clone());
        if let Some(answer) = (self.before)(&request) {
            return async { Ok(answer) }.boxed();
        }
        let reply = self.simulator.lock().unwrap().respond(self.clock.now(), &request);
        let clock = self.clock;
        async move {
            match reply {
                Reply::Answer { response, after } => {
                    clock.sleep(after).await;
                    Ok(response)
                }
                Reply::Broken { .. } => Err("connection reset by peer".to_owned()),
                Reply::Silent => std::future::pending().await,
            }
        }
        .boxed()
    }
}

/// All that a test needs.
pub(crate) struct Stage {
    pub(crate) local: Arc<Local>,
    pub(crate) runtime: Runtime,
    pub(crate) session: Session,
    pub(crate) journal: Journal,
    pub(crate) directory: TempDir,
    _cache: TempDir,
    pub(crate) options: PublishOptions,
    told: Arc<Mutex<Vec<What>>>,
}

impl Stage {
    /// A stage with a script for the simulator; the bucket is there unless the script makes one of that name.
    pub(crate) async fn new(script: &str) -> Self {
        Self::with(script, |_| None).await
    }

    pub(crate) async fn with(
        script: &str,
        before: impl Fn(&http::Request<Bytes>) -> Option<http::Response<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        let script = script.parse().expect("a script that can be read");
        let clock = Clock::real();
        let simulator = Simulator::new(SimulatorOptions { script, ..SimulatorOptions::default() });
        let local = Arc::new(Local {
            simulator: Mutex::new(simulator),
            requests: Mutex::default(),
            clock,
            before: Box::new(before),
        });
        let told: Arc<Mutex<Vec<What>>> = Arc::default();
        let sink = told.clone();
        let listener: crate::event::SharedListener =
            Arc::new(move |event: Event| sink.lock().unwrap().push(event.what));
        let sessions = Sessions::new(ConnectOptions {
            profile: None,
            region: Some("us-east-1".to_owned()),
            transport: Transport::InProcess(local.clone()),
            clock,
            listener: listener.clone(),
        });
        let session = sessions.base().await.expect("a session");
        let runtime = Runtime { clock, listener, sessions, control: Control::default() };
        let cache = tempfile::tempdir().unwrap();
        let options = PublishOptions { cache: cache.path().to_path_buf(), ..PublishOptions::default() };
        let journal = Journal::in_memory();
        let directory = tempfile::tempdir().unwrap();
        Self { local, runtime, session, journal, directory, _cache: cache, options, told }
    }

    /// Writes the assembly: one stack `app` with these assets and a template.
    pub(crate) fn assembly(&self, files: Value, template: Value) -> (CloudAssembly, StackArtifact) {
        self.assembly_of(json!({ "version": "36.0.0", "files": files }), template)
    }

    pub(crate) fn assembly_of(&self, assets: Value, template: Value) -> (CloudAssembly, StackArtifact) {
        let write = |name: &str, value: &Value| self.write(name, value.to_string().as_bytes());
        write("app.assets.json", &assets);
        write("app.template.json", &template);
        write(
            "manifest.json",
            &json!({
                "version": "36.0.0",
                "artifacts": {
                    "app.assets": { "type": "cdk:asset-manifest", "properties": { "file": "app.assets.json" } },
                    "app": {
                        "type": "aws:cloudformation:stack",
                        "environment": "aws://unknown-account/unknown-region",
                        "properties": { "templateFile": "app.template.json" },
                        "dependencies": ["app.assets"],
                    },
                },
            }),
        );
        let assembly = CloudAssembly::open(self.directory.path()).expect("an assembly");
        let stack = assembly.stacks().expect("stacks").remove(0);
        (assembly, stack)
    }

    /// Writes a file of the assembly.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn publisher(&self) -> Publisher {
        Publisher::new(self.options.clone(), &self.runtime)
    }

    /// Publishes what [`Self::assembly`] wrote by a new publisher, as a new run would.
    pub(crate) async fn publish(
        &self,
        (assembly, stack): &(CloudAssembly, StackArtifact),
    ) -> Result<Published, EngineError> {
        self.publisher().publish(stack, assembly, &self.session, &self.journal).await
    }

    /// The content of an object, if it is there.
    pub(crate) fn object(&self, key: &str) -> Option<Bytes> {
        let mut simulator = self.local.simulator.lock().unwrap();
        let bucket = simulator.services_mut().storage.bucket(BUCKET)?;
        bucket.latest(key).map(|object| object.body.clone())
    }

    /// Puts an object behind the engine's back.
    pub(crate) fn put(&self, key: &str, body: &[u8]) {
        let mut simulator = self.local.simulator.lock().unwrap();
        simulator.services_mut().storage.put(BUCKET, key, Bytes::copy_from_slice(body));
    }

    /// How many requests of an operation came.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.local.simulator.lock().unwrap().log().calls(operation).count()
    }

    /// The operations of S3 in the order in which they came.
    pub(crate) fn operations(&self) -> Vec<String> {
        let simulator = self.local.simulator.lock().unwrap();
        let entries = simulator.log().entries().iter().filter(|entry| entry.service == "s3");
        entries.map(|entry| entry.operation.clone()).collect()
    }

    pub(crate) fn script(&self, script: &str) {
        self.local.simulator.lock().unwrap().add(script.parse().expect("a script that can be read"));
    }

    pub(crate) fn told(&self) -> Vec<What> {
        self.told.lock().unwrap().clone()
    }
}

/// An asset of a manifest: where its bytes come from, and its key.
pub(crate) fn asset(source: Value, key: &str) -> Value {
    json!({ "source": source, "destinations": { "current": { "bucketName": BUCKET, "objectKey": key } } })
}

/// An asset that is a file as it is.
pub(crate) fn file(path: &str, key: &str) -> Value {
    asset(json!({ "path": path, "packaging": "file" }), key)
}

/// An asset that a program makes.
pub(crate) fn built(program: &Path, arguments: &[&str], key: &str) -> Value {
    let mut executable = vec![program.display().to_string()];
    executable.extend(arguments.iter().map(|&argument| argument.to_owned()));
    asset(json!({ "executable": executable }), key)
}

/// Writes a program of the shell.
pub(crate) fn program(directory: &Path, name: &str, text: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    crate::assets::upload::hex(&Sha256::digest(bytes))
}
