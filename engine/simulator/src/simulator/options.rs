//! What a simulator starts with.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cloudformation;
use crate::faults::Script;

/// What a simulator starts with.
#[derive(Clone, Debug)]
pub struct SimulatorOptions {
    /// The account of callers whose access key is not in `accounts`, twelve digits.
    pub account: String,
    /// The region of requests that do not say theirs.
    pub region: String,
    /// Makes ids differ from those of another simulator.
    pub seed: u64,
    /// How long every answer takes.
    pub latency: Duration,
    /// The accounts of single access keys.
    pub accounts: BTreeMap<String, String>,
    /// Regions that do not take the account's credentials, since it did not opt in.
    pub disabled_regions: Vec<String>,
    /// How CloudFormation behaves where that is a matter of taste.
    pub world: cloudformation::Options,
    /// What goes wrong.
    pub script: Script,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            seed: 0,
            latency: Duration::ZERO,
            accounts: BTreeMap::new(),
            disabled_regions: Vec::new(),
            world: cloudformation::Options::default(),
            script: Script::default(),
        }
    }
}
