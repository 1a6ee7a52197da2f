//! A CloudFormation, STS, S3 and SSM that need no account, and the parts of EC2, IAM, Auto Scaling, Elastic Load
//! Balancing, SageMaker, ECR, Logs, RDS, Secrets Manager and Service Quotas that the engine asks: for rehearsals and for
//! tests of what can go wrong.
//!
//! The simulator has no clock, no thread and no network of its own. [`Simulator::respond`] takes a request and the time
//! at which it arrives, brings everything that was to happen until then about, and answers. Whoever calls decides what
//! time is: the machine's, one that runs faster, or a virtual one in tests. The same requests at the same times give the
//! same answers.
//!
//! It speaks the services' own protocols (AWS Query with XML, S3's REST, AWS JSON 1.0 and 1.1), so that any client works
//! with it unmodified; none of its answers is shaped to our engine.

pub mod api;
pub mod cloudformation;
pub mod faults;
pub mod parameters;
pub mod protocol;
pub mod request_log;
#[cfg(feature = "server")]
pub mod server;
pub mod services;
pub mod simulator;
pub mod storage;
pub mod tokens;

pub use api::{ApiError, Parameters, Reply, Request};
pub use faults::{Script, ScriptError};
pub use request_log::RequestLog;
pub use simulator::{Simulator, SimulatorOptions};
