//! How many inputs tests make up that look for a text which does harm.
//!
//! Whatever a client sends ends in one of a few functions that take it apart. Made-up inputs for each of them cost a
//! fraction of a millisecond, so that there can be many in every run; `FORMWORK_SLOW` asks for about a minute of them.

use proptest::test_runner::Config;

/// Inputs of each test in every run.
const INPUTS: u32 = 2_000;

/// Inputs of each test where there is time.
const MANY: u32 = 30_000;

/// The settings of such a test. Its findings are told, not kept in files: a run changes nothing.
pub(crate) fn inputs() -> Config {
    let slow = std::env::var_os("FORMWORK_SLOW").is_some();
    Config { cases: if slow { MANY } else { INPUTS }, failure_persistence: None, ..Config::default() }
}
