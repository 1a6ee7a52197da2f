//! Publishing: the files and images that a stack needs are brought where its template looks for them.
//!
//! What is there already is not sent again: keys are made of content hashes. A [`Publisher`] lives as long as a run, so
//! that stacks which share a bucket or a file ask for it once; everything it knows is kept by account, region and role.

mod archive;
mod images;
mod manifest;
mod parameters;
mod place;
mod program;
mod source;
mod template;
mod upload;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use formwork_assembly::CloudAssembly;
use formwork_assembly::asset_manifest::{AssetManifest, FileAsset, FileDestination};
use formwork_assembly::cloud_assembly::StackArtifact;
use futures_util::StreamExt;
use tokio::sync::{OnceCell, Semaphore};

use crate::aws::storage::{Storage, explain};
use crate::aws::{Error, ErrorKind, Session};
use crate::control::Wish;
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::journal::Journal;
use crate::plan::model::PlannedAsset;
use crate::runtime::Runtime;

use place::{Place, PlaceKey};

pub use images::{ContainerProgram, PublishedImage};
pub use manifest::of_stack;
pub use parameters::{DIGESTS_METADATA, digests_wanted};
pub(crate) use template::PREFIX as TEMPLATE_PREFIX;
pub use template::{GREATEST_INLINE_BYTES, PublishedTemplate};

/// How many assets are on their way at once.
const AT_ONCE: usize = 8;

/// The qualifier of the bootstrap stack that nobody named otherwise.
const DEFAULT_QUALIFIER: &str = "formwork";

/// How publishing goes about its work.
#[derive(Clone, Debug)]
pub struct PublishOptions {
    /// The program that is meant where a manifest says `formwork`; without one, it is looked for like every other.
    pub program: Option<PathBuf>,
    /// Where built files are kept for the next time.
    pub cache: PathBuf,
    /// How long a program may take to build an asset.
    pub build_limit: Duration,
    /// The program for container images; without one, the first of docker, podman and finch that is found.
    pub container_program: Option<PathBuf>,
    /// The bucket for templates of stacks whose assets name none.
    pub bucket: Option<String>,
    /// The qualifier of the bootstrap stack.
    pub qualifier: String,
    /// Whether nothing is built: what a program would make is replaced by a few bytes that say so. For rehearsals.
    pub stand_ins: bool,
}

impl Default for PublishOptions {
    fn default() -> Self {
        Self {
            program: None,
            cache: std::env::temp_dir().join("formwork").join("assets"),
            build_limit: Duration::from_secs(3600),
            container_program: None,
            bucket: None,
            qualifier: DEFAULT_QUALIFIER.to_owned(),
            stand_ins: false,
        }
    }
}

/// What a stack's assets are and where they lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The files by their ids in the manifest.
    pub files: BTreeMap<String, PublishedAsset>,
    /// The container images by their ids in the manifest.
    pub images: BTreeMap<String, PublishedImage>,
    /// The values of template parameters that follow from the assets.
    pub parameters: BTreeMap<String, String>,
}

impl Published {
    /// The files as a plan lists them.
    pub fn planned(&self) -> Vec<PlannedAsset> {
        let files = self.files.iter().map(|(id, asset)| PlannedAsset {
            id: id.clone(),
            bucket: asset.bucket.clone(),
            key: asset.key.clone(),
            sha256: asset.sha256.clone(),
            bytes: Some(asset.bytes),
        });
        files.collect()
    }
}

/// A file that lies where it has to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedAsset {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The SHA-256 of what lies there, 64 hex digits, where it is known.
    pub sha256: Option<String>,
    /// The size in bytes of what lies there.
    pub bytes: u64,
    /// The version, in a bucket that keeps versions, of what this run has put there.
    pub version: Option<String>,
}

/// Publishes assets for the stacks of a run. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Publisher(Arc<Inner>);

/// Something that is found out once, by whoever asks first.
type Once<T> = Arc<OnceCell<T>>;

struct Inner {
    options: PublishOptions,
    runtime: Runtime,
    places: Mutex<HashMap<PlaceKey, Once<Place>>>,
    files: Mutex<HashMap<(PlaceKey, String), Once<PublishedAsset>>>,
    slots: Semaphore,
    /// Builds share processors and, mostly, a cache: one after the other.
    builds: Semaphore,
}

impl Publisher {
    /// A publisher that has done nothing yet.
    pub fn new(options: PublishOptions, runtime: &Runtime) -> Self {
        Self(Arc::new(Inner {
            options,
            runtime: runtime.clone(),
            places: Mutex::default(),
            files: Mutex::default(),
            slots: Semaphore::new(AT_ONCE),
            builds: Semaphore::new(1),
        }))
    }

    /// Brings all assets of a stack where they have to be. `session` acts in the stack's account and region.
    ///
    /// # Errors
    /// When an asset cannot be read, built or put. Assets that are on their way are finished first, no more are started.
    pub async fn publish(
        &self,
        stack: &StackArtifact,
        assembly: &CloudAssembly,
        session: &Session,
        journal: &Journal,
    ) -> Result<Published, EngineError> {
        let manifests = of_stack(assembly, stack)?;
        if manifests.iter().all(AssetManifest::is_empty) {
            return Ok(Published::default());
        }
        let wanted = digests_wanted(&assembly.template(stack).map_err(input)?, &manifests);
        let tasks = manifests.iter().flat_map(|manifest| &manifest.files).flat_map(|(id, asset)| {
            asset.destinations.values().map(move |destination| (id.as_str(), asset, destination))
        });
        let failed = std::sync::atomic::AtomicBool::new(false);
        let results: Vec<_> = futures_util::stream::iter(tasks)
            .map(|(id, asset, destination)| {
                let digest = wanted.values().any(|wanted| wanted == id);
                let failed = &failed;
                async move {
                    if failed.load(std::sync::atomic::Ordering::Relaxed) {
                        return None;
                    }
                    let task = Task { id, asset, destination, digest, assembly, session, journal };
                    let result = self.file(&task).await;
                    failed.fetch_or(result.is_err(), std::sync::atomic::Ordering::Relaxed);
                    Some(result.map(|published| (id, destination, published)))
                }
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut published = Published::default();
        for result in results.into_iter().flatten() {
            let (id, destination, asset) = result?;
            let here = destination.region.as_deref().is_none_or(|region| region == session.region());
            if here || !published.files.contains_key(id) {
                published.files.insert(id.to_owned(), asset);
            }
        }
        for (id, image) in manifests.iter().flat_map(|manifest| &manifest.docker_images) {
            for destination in image.destinations.values() {
                let image = self.image(id, image, destination, assembly, session, journal).await?;
                published.images.insert(id.clone(), image);
            }
        }
        for (parameter, id) in wanted {
            if let Some(digest) = published.files.get(&id).and_then(|asset| asset.sha256.clone()) {
                published.parameters.insert(parameter, digest);
            }
        }
        Ok(published)
    }

    /// Makes sure that what a plan found in S3 still lies there: the same size, and the same content where S3 knows it.
    /// Where the role of the session may not look, the caller itself does.
    ///
    /// # Errors
    /// When something is gone or was replaced, or nobody may look.
    pub async fn verify(&self, planned: &[PlannedAsset], session: &Session) -> Result<(), EngineError> {
        let own = session.storage();
        for asset in planned {
            let differs = match difference(&own, asset).await {
                Err(error) if error.kind == ErrorKind::Denied => {
                    match self.0.runtime.sessions.session(Some(session.region()), None).await {
                        Ok(caller) if caller.account() == session.account() => {
                            difference(&caller.storage(), asset).await
                        }
                        _ => Err(error),
                    }
                }
                answer => answer,
            };
            let differs = differs
                .map_err(|error| explain(error, &asset.bucket, session.account(), session.region()))?;
            if let Some(how) = differs {
                let message =
                    format!("the asset s3://{}/{} is {how} since the plan was made", asset.bucket, asset.key);
                return Err(EngineError::new(Class::Refused, message).with_hint("make a new plan"));
            }
        }
        Ok(())
    }

    async fn file(&self, task: &Task<'_>) -> Result<PublishedAsset, EngineError> {
        self.go_on(task.id)?;
        let key = PlaceKey::of(task.destination, task.session);
        let place = self.place(&key, task.session).await?;
        let cell = {
            let mut files = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
            files.entry((key, task.destination.object_key.clone())).or_default().clone()
        };
        let mut published = cell.get_or_try_init(|| self.bring(task, &place)).await?.clone();
        if task.digest && published.sha256.is_none() {
            published.sha256 = Some(upload::digest_of(&place, &published.key).await?);
        }
        Ok(published)
    }

    async fn bring(&self, task: &Task<'_>, place: &Place) -> Result<PublishedAsset, EngineError> {
        let _slot = self.0.slots.acquire().await;
        self.go_on(task.id)?;
        if let Some(present) = upload::present(task, place).await? {
            self.0.runtime.tell(What::AssetPresent { asset: task.id.to_owned() });
            return Ok(present);
        }
        let content = self.content(task).await?;
        self.upload(task, place, &content).await
    }

    /// Refuses to start anything once the user has asked to stop.
    fn go_on(&self, what: &str) -> Result<(), EngineError> {
        if self.0.runtime.control.wish() == Wish::Continue {
            return Ok(());
        }
        Err(stopped(what))
    }
}

/// How an object is no longer what a plan found, if it is not.
async fn difference(storage: &Storage, planned: &PlannedAsset) -> Result<Option<&'static str>, Error> {
    let Some(found) = storage.find(&planned.bucket, &planned.key).await? else { return Ok(Some("gone")) };
    let same_size = planned.bytes.is_none_or(|bytes| bytes == found.bytes);
    let now = match &planned.sha256 {
        Some(_) => storage.head(&planned.bucket, &planned.key).await?.and_then(|head| head.sha256),
        None => None,
    };
    let same_content = now.is_none() || now == planned.sha256;
    Ok((!same_size || !same_content).then_some("another"))
}

/// One file on its way to one place.
struct Task<'a> {
    id: &'a str,
    asset: &'a FileAsset,
    destination: &'a FileDestination,
    /// Whether the SHA-256 of what lies in S3 is needed.
    digest: bool,
    assembly: &'a CloudAssembly,
    session: &'a Session,
    journal: &'a Journal,
}

fn stopped(what: &str) -> EngineError {
    EngineError::new(Class::Detached, format!("stopped before asset {what} was published"))
        .with_hint("run the same command again; what is published already is not sent twice")
}

pub(crate) fn input(error: formwork_assembly::cloud_assembly::AssemblyError) -> EngineError {
    EngineError::new(Class::Input, error.to_string())
}

#[cfg(test)]
mod tests;

/// The stage of the tests, for those of other rooms.
#[cfg(test)]
pub(crate) use tests::support as stage;
