//! Deploys a cloud assembly through CloudFormation change sets: one plan over all stacks, one approval, a parallel apply
//! of exactly what was approved, and a journal from which a run that was cut off goes on.
//!
//! The engine never prints. It emits [`Event`]s to a [`Listener`] and returns data; the command line renders both.
//! It knows no construct: what it deploys is a directory (`formwork-assembly`), whoever wrote it.
//!
//! Read from the bottom up: [`clock`] and [`event`] know nothing, [`journal`] writes down what is about to happen,
//! [`aws`] is the only room with the AWS SDK and asks for a journal's [`journal::Ticket`] before each call that changes
//! something, [`assets`] and [`plan`] prepare, [`follow`] watches, [`apply`] carries out. Around them [`bootstrap`] makes
//! what deployments need beforehand, [`drift`] asks what was changed behind CloudFormation's back, [`components`] and
//! [`doctor`] look at what is deployed, [`proxy_users`] says who may use a deployed proxy, [`metaflow`] reads the key of a
//! deployed Metaflow, [`mlflow`] copies what tracking servers hold, [`collect`] clears away, and [`audit`] puts together
//! what is known of a run.

pub mod apply;
pub mod assets;
pub mod audit;
pub mod aws;
pub mod bootstrap;
pub mod clock;
pub mod collect;
pub mod components;
pub mod control;
pub mod doctor;
pub mod drift;
pub mod error;
pub mod event;
pub mod follow;
pub mod journal;
pub mod lock;
pub mod metaflow;
pub mod mlflow;
pub mod plan;
pub mod proxy_users;
pub mod runtime;

pub use clock::Clock;
pub use control::{Control, Wish};
pub use error::{Class, EngineError};
pub use event::{Event, Listener};
pub use runtime::Runtime;
