//! Runs against the simulator: what CloudFormation does, what goes wrong, and what is left at the end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what tests share may panic as tests do")]
#![allow(unreachable_pub, reason = "the parts of this test are modules of one program")]

#[path = "../support/mod.rs"]
mod support;

mod approved;
mod case;
mod cut;
mod deploying;
mod destroying;
mod following;
mod orders;
mod rolling_back;
mod scale;
mod shapes;
mod stopping;
mod tokens;
mod unclear;
