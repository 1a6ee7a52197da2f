//! The network: a VPC in three tiers, what leaves it, and who may reach whom inside.

mod ports;

pub use ports::{HTTPS, TcpPorts, allow_between};
