//! The only room with the AWS SDK: who we are, how calls are sent, retried and slowed down, and the calls themselves.
//!
//! What changes something takes a [`crate::journal::Ticket`].

pub mod cloudformation;
pub mod error;
pub mod session;
pub mod storage;

pub use error::{Error, ErrorKind};
pub use session::{ConnectOptions, InProcess, Session, Sessions, Transport};
