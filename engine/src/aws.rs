//! The only room with the AWS SDK: who we are, how calls are sent, retried and slowed down, and the calls themselves.
//!
//! What changes something takes a [`crate::journal::Ticket`].
//!
//! From the bottom up: [`messages`] knows the services' sentences and [`error`] sorts failures by them; `http` carries
//! requests, `credentials` signs them, `limiter` spaces them and [`retry`] repeats them; [`session`] puts these together,
//! and [`cloudformation`], [`calls`] and the clients of other services make calls through it.

pub mod calls;
pub(crate) mod certificate;
pub mod cloudformation;
pub(crate) mod credentials;
pub mod environment;
pub mod error;
pub(crate) mod exchange;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod http;
pub(crate) mod limiter;
pub(crate) mod local;
pub mod messages;
pub mod mutations;
pub mod retry;
pub mod role;
pub mod session;
mod sessions;
pub mod storage;
pub mod xml;

pub use calls::RawClient;
pub use environment::RegionSource;
pub use error::{Error, ErrorKind};
pub use retry::Patience;
pub use role::RoleOptions;
pub use session::{ConnectOptions, InProcess, Session, Transport};
pub use sessions::Sessions;
