//! Plans against the simulator: what is checked before a write, what change sets tell, and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what tests share may panic as tests do")]
#![allow(unreachable_pub, reason = "the parts of this test are modules of one program")]

#[path = "../support/mod.rs"]
mod support;

mod case;
mod change_sets;
mod destroying;
mod drifting;
mod environments;
mod freshness;
mod importing;
mod offered;
mod order;
mod regressions;
