//! What is deployed, asked of the simulator: what is well, and each thing that is known to go wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what tests share may panic as tests do")]
#![allow(unreachable_pub, reason = "the parts of this test are modules of one program")]
#![allow(dead_code, reason = "what is shared with other tests is used in part")]

#[path = "../plan/case.rs"]
mod case;
#[path = "../support/mod.rs"]
mod support;

mod network;
mod platform;
mod proxy;
mod rights;
mod status;
