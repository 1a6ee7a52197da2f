//! The constructs of an ML platform on AWS.

pub mod iam;
pub mod networking;
pub mod storage;
